-- Revert residence:bodies from pg
BEGIN;
DROP POLICY passing_in_charge ON residence.passing;
DROP POLICY inquiry_in_charge ON residence.inquiry;
ALTER TABLE residence.inquiry DROP COLUMN body;
DROP FUNCTION residence.in_charge(text, text);
DROP FUNCTION residence.all_in_charge();
UPDATE residence.schema_version SET version = 1;
COMMIT;
