-- Revert staff:bodies from pg
BEGIN;
ALTER TABLE staff.account DROP COLUMN body;
UPDATE staff.schema_version SET version = 2;
COMMIT;
