-- Revert certificates:bodies from pg
BEGIN;
DROP POLICY certificate_in_charge ON certificates.certificate;
ALTER TABLE certificates.certificate DROP COLUMN body;
DROP FUNCTION certificates.in_charge(text, text);
DROP FUNCTION certificates.all_in_charge();
UPDATE certificates.schema_version SET version = 1;
COMMIT;
