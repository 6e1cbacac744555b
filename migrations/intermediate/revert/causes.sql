-- Revert intermediate:causes from pg
BEGIN;
REVOKE UPDATE (cause) ON intermediate.exchange_record FROM shikaku_intermediate;
UPDATE intermediate.exchange_record SET application = '' WHERE application IS NULL;
ALTER TABLE intermediate.exchange_record DROP COLUMN cause, ALTER COLUMN application SET NOT NULL;
UPDATE intermediate.schema_version SET version = 2;
COMMIT;
