-- Revert audit:proposals from pg
BEGIN;
DROP TABLE audit.proposal;
UPDATE audit.schema_version SET version = 5;
COMMIT;
