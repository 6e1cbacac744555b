-- Revert intake:attachments from pg
BEGIN;
DROP INDEX intake.piece_received_at;
REVOKE UPDATE (received_at) ON intake.piece FROM shikaku_intake;
DROP TABLE intake.attachment;
UPDATE intake.schema_version SET version = 1;
COMMIT;
