-- Revert staff:loan_words from pg
BEGIN;
ALTER TABLE staff.loan DROP COLUMN decision_covered, DROP COLUMN ending_covered;
UPDATE staff.schema_version SET version = 9;
COMMIT;
