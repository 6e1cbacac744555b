-- Revert vault:order from pg
BEGIN;
DROP FUNCTION vault.order_forget;
ALTER TABLE vault.tie DROP COLUMN settled;
ALTER TABLE vault.gateway_tie DROP COLUMN settled;
ALTER TABLE vault.portal_tie DROP COLUMN settled;
UPDATE vault.schema_version SET version = 4;
COMMIT;
