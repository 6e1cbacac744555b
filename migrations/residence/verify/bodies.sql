-- Verify residence:bodies on pg
BEGIN;
SELECT body FROM residence.inquiry WHERE residence.in_charge(programme, body) AND residence.all_in_charge() AND false;
ROLLBACK;
