-- Verify records:bodies on pg
BEGIN;
SELECT body FROM records.entry WHERE records.in_charge(programme, body) AND records.all_in_charge() AND false;
ROLLBACK;
