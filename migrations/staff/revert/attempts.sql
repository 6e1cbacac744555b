-- Revert staff:attempts from pg
BEGIN;
ALTER TABLE staff.account
    ADD COLUMN failures integer NOT NULL DEFAULT 0,
    ADD COLUMN locked_until timestamptz;
GRANT UPDATE (failures, locked_until) ON staff.account TO shikaku_staff;
UPDATE staff.schema_version SET version = 5;
COMMIT;
