-- Revert staff:loans from pg
BEGIN;
DROP TABLE staff.loan;
UPDATE staff.schema_version SET version = 7;
COMMIT;
