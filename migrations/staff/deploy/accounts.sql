-- Deploy staff:accounts to pg
BEGIN;
\set schema staff
\set role shikaku_staff
\ir ../../chassis/tables.sql

-- Whose account it is, so that a login finds its manager. No personal data: an account's id is given, not a name.
CREATE TABLE staff.account_place (
    account text PRIMARY KEY,
    manager text NOT NULL
);
GRANT SELECT, INSERT ON staff.account_place TO shikaku_staff;

-- The register of accounts (記録簿): one a person, kept after it is closed.
CREATE TABLE staff.account (
    manager text NOT NULL,
    account text NOT NULL REFERENCES staff.account_place,
    person bytea NOT NULL,           -- covered: who it is
    need bytea NOT NULL,             -- covered: for which affair
    password bytea NOT NULL,         -- covered: Argon2id, encoded with its parameters
    role text NOT NULL,
    programmes text NOT NULL,        -- ",chorishi,": those in charge; "" is all of the manager's
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closed')),
    failures integer NOT NULL DEFAULT 0,
    locked_until timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    last_login_at timestamptz,
    PRIMARY KEY (manager, account)
);
ALTER TABLE staff.account ENABLE ROW LEVEL SECURITY;
ALTER TABLE staff.account FORCE ROW LEVEL SECURITY;
CREATE POLICY account_of_manager ON staff.account USING (manager = staff.manager_in_force());
GRANT SELECT, INSERT ON staff.account TO shikaku_staff;
GRANT UPDATE (failures, locked_until, last_login_at) ON staff.account TO shikaku_staff;

CREATE TABLE staff.session (
    manager text NOT NULL,
    session uuid NOT NULL,
    account text NOT NULL,
    terminal text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    PRIMARY KEY (manager, session),
    FOREIGN KEY (manager, account) REFERENCES staff.account
);
CREATE INDEX session_account ON staff.session (manager, account, started_at);
ALTER TABLE staff.session ENABLE ROW LEVEL SECURITY;
ALTER TABLE staff.session FORCE ROW LEVEL SECURITY;
CREATE POLICY session_of_manager ON staff.session USING (manager = staff.manager_in_force());
GRANT SELECT, INSERT ON staff.session TO shikaku_staff;
GRANT UPDATE (ended_at) ON staff.session TO shikaku_staff;

-- Who tried to log in, from where, and whether it went well: to be looked through for wrongful ones. An account that does
-- not exist is '?' under no manager: what was typed may be a password.
CREATE TABLE staff.login (
    manager text NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    account text NOT NULL,
    terminal text NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('done', 'unknown', 'wrong', 'locked', 'closed', 'terminal')),
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (manager, id)
);
CREATE INDEX login_account ON staff.login (manager, account, at);
ALTER TABLE staff.login ENABLE ROW LEVEL SECURITY;
ALTER TABLE staff.login FORCE ROW LEVEL SECURITY;
CREATE POLICY login_of_manager ON staff.login USING (manager = staff.manager_in_force());
GRANT SELECT, INSERT ON staff.login TO shikaku_staff;
COMMIT;
