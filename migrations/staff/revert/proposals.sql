-- Revert staff:proposals from pg
BEGIN;
DROP TABLE staff.proposal;
UPDATE staff.schema_version SET version = 8;
COMMIT;
