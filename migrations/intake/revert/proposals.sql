-- Revert intake:proposals from pg
BEGIN;
DROP TABLE intake.proposal;
UPDATE intake.schema_version SET version = 4;
COMMIT;
