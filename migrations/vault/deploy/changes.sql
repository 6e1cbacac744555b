-- Deploy vault:changes to pg
-- requires: ties
--
-- Expand only: what is added is NULL or empty for rows that are there, and nothing is rewritten. `replaced_at` of the
-- first change was never filled; it goes with a later change, when no older program can be running.
BEGIN;

-- A person's number can change (個人番号の変更): the earlier one stays, found by its token, as history of the pseudonym.
-- While an index key is replaced each row carries the token under the old key and under the new one.
ALTER TABLE vault.tie
    ADD COLUMN next_token bytea CHECK (octet_length(next_token) = 32),
    ADD COLUMN index_key integer,   -- data_key of `token`; NULL: of a row older than this change, the first one
    ADD COLUMN replaced_on date,    -- no longer the person's number since
    ADD COLUMN came_from text;      -- the pseudonym before it was joined with this one
CREATE UNIQUE INDEX tie_next_token ON vault.tie (manager, next_token);
CREATE UNIQUE INDEX tie_current ON vault.tie (manager, pseudonym) WHERE replaced_on IS NULL;
CREATE INDEX tie_history ON vault.tie (manager, pseudonym) WHERE replaced_on IS NOT NULL;
DROP INDEX vault.tie_pseudonym;
GRANT UPDATE (token, next_token, index_key, number, pseudonym, replaced_on, came_from) ON vault.tie TO shikaku_vault;

-- The id of a person whose numbers were separated belongs to nobody any more: its token is then random.
ALTER TABLE vault.gateway_tie
    ADD COLUMN next_token bytea CHECK (octet_length(next_token) = 32),
    ADD COLUMN index_key integer,
    ADD COLUMN closed_on date;
CREATE UNIQUE INDEX gateway_tie_next_token ON vault.gateway_tie (manager, next_token);
GRANT UPDATE (token, next_token, index_key, number, closed_on) ON vault.gateway_tie TO shikaku_vault;

-- マイナポータル仮名ID: a further domain. There is no number in it, so none can be reached from there (NUM-3).
CREATE TABLE vault.portal_tie (
    manager text NOT NULL,
    token bytea NOT NULL CHECK (octet_length(token) = 32), -- of the portal pseudonym, under the manager's index key
    next_token bytea CHECK (octet_length(next_token) = 32),
    index_key integer,
    tie_id text NOT NULL,                                  -- random
    pair bytea NOT NULL,                                   -- covered: both pseudonyms
    tied_on date NOT NULL DEFAULT current_date,
    PRIMARY KEY (manager, token),
    UNIQUE (manager, next_token),
    UNIQUE (manager, tie_id)
);
ALTER TABLE vault.portal_tie ENABLE ROW LEVEL SECURITY;
ALTER TABLE vault.portal_tie FORCE ROW LEVEL SECURITY;
-- '*': the one question across managers, with a token of each.
CREATE POLICY portal_tie_of_manager ON vault.portal_tie USING (manager = vault.manager_in_force())
    WITH CHECK (manager = vault.manager_in_force());
CREATE POLICY portal_tie_across ON vault.portal_tie FOR SELECT USING (vault.manager_in_force() = '*');
GRANT SELECT, INSERT ON vault.portal_tie TO shikaku_vault;
GRANT UPDATE (token, next_token, index_key, pair) ON vault.portal_tie TO shikaku_vault;

-- A pseudonym that was joined with another of the same person leads to it.
CREATE TABLE vault.joined (
    manager text NOT NULL,
    pseudonym text NOT NULL,
    leads_to text NOT NULL,
    joined_on date NOT NULL DEFAULT current_date,
    PRIMARY KEY (manager, pseudonym)
);
CREATE INDEX joined_leads_to ON vault.joined (manager, leads_to);
ALTER TABLE vault.joined ENABLE ROW LEVEL SECURITY;
ALTER TABLE vault.joined FORCE ROW LEVEL SECURITY;
CREATE POLICY joined_of_manager ON vault.joined USING (manager = vault.manager_in_force());
GRANT SELECT, INSERT, DELETE ON vault.joined TO shikaku_vault;
GRANT UPDATE (leads_to) ON vault.joined TO shikaku_vault;

-- Separating and joining: asked for by one person, decided by another. Rows stay as the record of it.
CREATE TABLE vault.correction (
    manager text NOT NULL,
    correction_id text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('split', 'join')),
    pseudonym text NOT NULL,
    other text,                    -- join: the pseudonym that ends; split: the one that the number got
    number bytea,                  -- covered; split: the number that is another person's
    reason text NOT NULL,          -- the case, as the manager numbers it
    state text NOT NULL DEFAULT 'asked' CHECK (state IN ('asked', 'approved', 'refused')),
    asked_by text NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT now(),
    decided_by text,
    decided_at timestamptz,
    PRIMARY KEY (manager, correction_id),
    CHECK (decided_by IS NULL OR decided_by <> asked_by),
    CHECK ((state = 'asked') = (decided_by IS NULL))
);
CREATE INDEX correction_split ON vault.correction (manager, pseudonym) WHERE kind = 'split' AND state = 'approved';
ALTER TABLE vault.correction ENABLE ROW LEVEL SECURITY;
ALTER TABLE vault.correction FORCE ROW LEVEL SECURITY;
CREATE POLICY correction_of_manager ON vault.correction USING (manager = vault.manager_in_force());
GRANT SELECT, INSERT ON vault.correction TO shikaku_vault;
GRANT UPDATE (state, decided_by, decided_at, other, number) ON vault.correction TO shikaku_vault;

-- How far a key's replacement is. No person's data, so that the lane sees all managers' rows.
CREATE TABLE vault.rotation (
    manager text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('data', 'index', 'seal', 'wrap')),
    old_key integer,
    new_key integer,
    phase text NOT NULL,
    place text NOT NULL DEFAULT '',  -- table and row that the walk has reached
    rows_done bigint NOT NULL DEFAULT 0,
    started_at timestamptz NOT NULL DEFAULT now(),
    due_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz
);
CREATE UNIQUE INDEX rotation_open ON vault.rotation (manager, kind) WHERE finished_at IS NULL;
CREATE INDEX rotation_started_at ON vault.rotation (started_at);
GRANT SELECT, INSERT, UPDATE ON vault.rotation TO shikaku_vault;
GRANT UPDATE (wrapped) ON vault.data_key TO shikaku_vault;

-- The end of a manager's use, with its certificate of erasure (消去証明書, ERASE-2).
CREATE TABLE vault.erasure (
    manager text PRIMARY KEY,
    certificate text NOT NULL,
    erased_at timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT, INSERT ON vault.erasure TO shikaku_vault;

UPDATE vault.schema_version SET version = 2;
COMMIT;
