-- Verify certificates:bodies on pg
BEGIN;
SELECT body FROM certificates.certificate WHERE certificates.in_charge(programme, body) AND certificates.all_in_charge() AND false;
ROLLBACK;
