-- Deploy vault:corrections to pg
-- requires: changes
BEGIN;

-- A person whose number was not given (a paper application of a programme that takes none, NUM-9) has a pseudonym too.
-- It is tied to nothing until the number becomes known: then its tie is made, and the row ends.
CREATE TABLE vault.unnumbered (
    manager text NOT NULL,
    pseudonym text NOT NULL,
    issued_on date NOT NULL DEFAULT current_date,
    ended_on date,
    PRIMARY KEY (manager, pseudonym)
);
ALTER TABLE vault.unnumbered ENABLE ROW LEVEL SECURITY;
ALTER TABLE vault.unnumbered FORCE ROW LEVEL SECURITY;
CREATE POLICY unnumbered_of_manager ON vault.unnumbered USING (manager = vault.manager_in_force());
GRANT SELECT, INSERT ON vault.unnumbered TO shikaku_vault;
GRANT UPDATE (ended_on) ON vault.unnumbered TO shikaku_vault;

-- What nobody decided in time lapses, and with it the number that was typed in for it.
ALTER TABLE vault.correction
    DROP CONSTRAINT correction_state_check,
    DROP CONSTRAINT correction_check1,
    ADD CONSTRAINT correction_state CHECK (state IN ('asked', 'approved', 'refused', 'lapsed')),
    ADD CONSTRAINT correction_decided CHECK ((state IN ('asked', 'lapsed')) = (decided_by IS NULL));
CREATE INDEX correction_open ON vault.correction (manager, asked_at) WHERE state = 'asked';

UPDATE vault.schema_version SET version = 3;
COMMIT;
