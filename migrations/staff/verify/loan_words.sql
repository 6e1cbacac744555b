-- Verify staff:loan_words on pg
BEGIN;
SELECT decision_covered, ending_covered FROM staff.loan WHERE false;
ROLLBACK;
