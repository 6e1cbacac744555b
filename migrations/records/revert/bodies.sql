-- Revert records:bodies from pg
BEGIN;
DROP POLICY version_in_charge ON records.version;
DROP POLICY entry_in_charge ON records.entry;
ALTER TABLE records.entry DROP COLUMN body;
DROP FUNCTION records.in_charge(text, text);
DROP FUNCTION records.all_in_charge();
UPDATE records.schema_version SET version = 1;
COMMIT;
