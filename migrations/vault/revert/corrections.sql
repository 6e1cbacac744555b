-- Revert vault:corrections from pg
-- Refused while a pseudonym without a number, or a correction that lapsed, would be lost.
BEGIN;
ALTER TABLE vault.unnumbered NO FORCE ROW LEVEL SECURITY;
ALTER TABLE vault.correction NO FORCE ROW LEVEL SECURITY;
DO $$ BEGIN
    IF EXISTS (SELECT 1 FROM vault.unnumbered) OR EXISTS (SELECT 1 FROM vault.correction WHERE state = 'lapsed') THEN
        RAISE EXCEPTION 'there are pseudonyms without a number, or corrections that lapsed';
    END IF;
END $$;
DROP INDEX vault.correction_open;
ALTER TABLE vault.correction
    DROP CONSTRAINT correction_state,
    DROP CONSTRAINT correction_decided,
    ADD CONSTRAINT correction_state_check CHECK (state IN ('asked', 'approved', 'refused')),
    ADD CONSTRAINT correction_check1 CHECK ((state = 'asked') = (decided_by IS NULL));
ALTER TABLE vault.correction FORCE ROW LEVEL SECURITY;
DROP TABLE vault.unnumbered;
UPDATE vault.schema_version SET version = 2;
COMMIT;
