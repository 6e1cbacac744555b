-- Deploy vault:ties to pg
BEGIN;
\set schema vault
\set role shikaku_vault
\ir ../../chassis/tables.sql

-- A tie: number <-> pseudonym (個人番号 <-> 資格仮名ID) at one manager, under that manager's own keys. There is no person row, and
-- nothing joins two managers' ties but the keys in the token. No foreign key leads here or from here (NUM-1, NUM-2).
CREATE TABLE vault.tie (
    manager text NOT NULL,
    token bytea NOT NULL CHECK (octet_length(token) = 32), -- of the number, under the manager's index key
    pseudonym text NOT NULL,
    number bytea NOT NULL,                                 -- covered
    tied_on date NOT NULL DEFAULT current_date,
    replaced_at timestamptz,                               -- an earlier number of the same person, kept as history
    PRIMARY KEY (manager, token)
);
CREATE UNIQUE INDEX tie_pseudonym ON vault.tie (manager, pseudonym) WHERE replaced_at IS NULL;
ALTER TABLE vault.tie ENABLE ROW LEVEL SECURITY;
ALTER TABLE vault.tie FORCE ROW LEVEL SECURITY;
CREATE POLICY tie_of_manager ON vault.tie USING (manager = vault.manager_in_force());
GRANT SELECT, INSERT ON vault.tie TO shikaku_vault;

-- The gateway's id of a person: a further domain, tied to the number and not to the roll's pseudonym, so that the table
-- alone does not lead from the gateway to a roll.
CREATE TABLE vault.gateway_tie (
    manager text NOT NULL,
    token bytea NOT NULL CHECK (octet_length(token) = 32),
    gateway_id text NOT NULL,
    number bytea NOT NULL,                                 -- covered
    tied_on date NOT NULL DEFAULT current_date,
    PRIMARY KEY (manager, token),
    UNIQUE (manager, gateway_id)
);
ALTER TABLE vault.gateway_tie ENABLE ROW LEVEL SECURITY;
ALTER TABLE vault.gateway_tie FORCE ROW LEVEL SECURITY;
CREATE POLICY gateway_tie_of_manager ON vault.gateway_tie USING (manager = vault.manager_in_force());
GRANT SELECT, INSERT ON vault.gateway_tie TO shikaku_vault;
COMMIT;
