-- Verify intake:bodies on pg
BEGIN;
SELECT body FROM intake.application WHERE intake.in_charge(programme, body) AND intake.all_in_charge() AND false;
ROLLBACK;
