-- Revert intake:bodies from pg
BEGIN;
DROP POLICY attachment_in_charge ON intake.attachment;
DROP POLICY fee_entry_in_charge ON intake.fee_entry;
DROP POLICY history_in_charge ON intake.history;
DROP POLICY application_in_charge ON intake.application;
ALTER TABLE intake.application DROP COLUMN body;
DROP FUNCTION intake.in_charge(text, text);
DROP FUNCTION intake.all_in_charge();
UPDATE intake.schema_version SET version = 2;
COMMIT;
