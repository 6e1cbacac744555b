-- Deploy staff:loan_words to pg
-- requires: proposals
--
-- Expand only: what was written before stays in `decision` and `end_reason`; those take codes alone from now on.
BEGIN;
ALTER TABLE staff.loan
    ADD COLUMN decision_covered bytea, -- covered: why it was lent or refused
    ADD COLUMN ending_covered bytea;   -- covered: why it was withdrawn
GRANT UPDATE (decision_covered, ending_covered) ON staff.loan TO shikaku_staff;

UPDATE staff.schema_version SET version = 10;
COMMIT;
