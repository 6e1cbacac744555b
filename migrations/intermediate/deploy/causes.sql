-- Deploy intermediate:causes to pg
-- requires: rotation
--
-- Expand only: rows that are there keep their application in clear.
BEGIN;
ALTER TABLE intermediate.exchange_record
    ALTER COLUMN application DROP NOT NULL,
    ADD COLUMN cause bytea; -- covered: the application
GRANT UPDATE (cause) ON intermediate.exchange_record TO shikaku_intermediate; -- to cover it anew
UPDATE intermediate.schema_version SET version = 3;
COMMIT;
