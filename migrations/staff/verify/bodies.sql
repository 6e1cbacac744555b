-- Verify staff:bodies on pg
BEGIN;
SELECT body FROM staff.account WHERE false;
ROLLBACK;
