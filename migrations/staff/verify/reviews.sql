-- Verify staff:reviews on pg
BEGIN;
SELECT manager, review, version, sha256, reason, reviewed_by, reviewed_at FROM staff.rights_review WHERE false;
SELECT service, sha256, version, first_heard_at, heard_at FROM staff.rights_heard WHERE false;
SELECT 1 / (NOT has_table_privilege('shikaku_staff', 'staff.rights_review', 'UPDATE, DELETE'))::integer;
ROLLBACK;
