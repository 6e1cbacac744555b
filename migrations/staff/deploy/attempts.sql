-- Deploy staff:attempts to pg
-- requires: rotation
--
-- Contract: failures are counted by account and terminal in staff.attempt; nothing reads these any more.
BEGIN;
ALTER TABLE staff.account
    DROP COLUMN failures,
    DROP COLUMN locked_until;

UPDATE staff.schema_version SET version = 6;
COMMIT;
