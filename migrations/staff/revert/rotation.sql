-- Revert staff:rotation from pg
BEGIN;
\set schema staff
\set role shikaku_staff
REVOKE UPDATE (person) ON staff.account FROM shikaku_staff;
REVOKE UPDATE (person, need) ON staff.application FROM shikaku_staff;
REVOKE UPDATE (password) ON staff.password FROM shikaku_staff;
\ir ../../chassis/rotation_drop.sql
UPDATE staff.schema_version SET version = 4;
COMMIT;
