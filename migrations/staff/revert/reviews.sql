-- Revert staff:reviews from pg
BEGIN;
DROP TABLE staff.rights_heard;
DROP TABLE staff.rights_review;
UPDATE staff.schema_version SET version = 6;
COMMIT;
