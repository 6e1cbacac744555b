-- Revert staff:ended from pg
BEGIN;
DROP INDEX staff.session_open;
REVOKE UPDATE (expires_at, renewed_at, ended_by, end_reason) ON staff.session FROM shikaku_staff;
ALTER TABLE staff.session
    DROP COLUMN renewed_at, DROP COLUMN lives_until, DROP COLUMN ended_by, DROP COLUMN end_reason;
DROP TABLE staff.ended_session;
DROP TABLE staff.ended_head;
UPDATE staff.schema_version SET version = 1;
COMMIT;
