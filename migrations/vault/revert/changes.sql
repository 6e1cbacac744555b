-- Revert vault:changes from pg
-- Refused while a changed number, a joined pseudonym or an open rotation would be lost.
BEGIN;
DO $$ BEGIN
    IF EXISTS (SELECT 1 FROM vault.rotation WHERE finished_at IS NULL) THEN
        RAISE EXCEPTION 'a key is being replaced';
    END IF;
END $$;
ALTER TABLE vault.tie NO FORCE ROW LEVEL SECURITY;
CREATE UNIQUE INDEX tie_pseudonym ON vault.tie (manager, pseudonym) WHERE replaced_at IS NULL;
ALTER TABLE vault.tie FORCE ROW LEVEL SECURITY;
DROP TABLE vault.erasure;
DROP TABLE vault.rotation;
DROP TABLE vault.correction;
DROP TABLE vault.joined;
DROP TABLE vault.portal_tie;
REVOKE UPDATE (wrapped) ON vault.data_key FROM shikaku_vault;
REVOKE UPDATE (token, next_token, index_key, number, closed_on) ON vault.gateway_tie FROM shikaku_vault;
ALTER TABLE vault.gateway_tie DROP COLUMN next_token, DROP COLUMN index_key, DROP COLUMN closed_on;
REVOKE UPDATE (token, next_token, index_key, number, pseudonym, replaced_on, came_from)
    ON vault.tie FROM shikaku_vault;
ALTER TABLE vault.tie
    DROP COLUMN next_token, DROP COLUMN index_key, DROP COLUMN replaced_on, DROP COLUMN came_from;
UPDATE vault.schema_version SET version = 1;
COMMIT;
