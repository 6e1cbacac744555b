-- Deploy staff:life to pg
-- requires: bodies
--
-- The life of an account: application (申請書), decision by another person, issue, use, end. Rows of applications, consents,
-- trainings, policies and terminals are kept for good; nothing of them is taken away.
BEGIN;

CREATE TABLE staff.application (
    manager text NOT NULL,
    application uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('issue', 'change', 'extend')),
    account text NOT NULL,
    person bytea NOT NULL,           -- covered; empty text where the kind is not issue
    need bytea NOT NULL,             -- covered
    category text NOT NULL CHECK (category IN ('', 'staff', 'administrator', 'operator', 'contractor')),
    employer text NOT NULL,
    role text NOT NULL,
    programmes text NOT NULL,
    body text NOT NULL DEFAULT '',
    until date,
    state text NOT NULL DEFAULT 'applied' CHECK (state IN ('applied', 'approved', 'refused')),
    applied_by text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    decided_by text,
    decided_at timestamptz,
    reason text NOT NULL DEFAULT '',
    PRIMARY KEY (manager, application),
    CHECK (decided_by IS NULL OR decided_by <> applied_by),
    CHECK ((state = 'applied') = (decided_by IS NULL))
);
CREATE INDEX application_account ON staff.application (manager, account, applied_at);
ALTER TABLE staff.application ENABLE ROW LEVEL SECURITY;
ALTER TABLE staff.application FORCE ROW LEVEL SECURITY;
CREATE POLICY application_of_manager ON staff.application USING (manager = staff.manager_in_force());
GRANT SELECT, INSERT ON staff.application TO shikaku_staff;
GRANT UPDATE (state, decided_by, decided_at, reason) ON staff.application TO shikaku_staff;

-- person_token finds the other accounts of a person: one person has one account an affair.
ALTER TABLE staff.account
    ADD COLUMN person_token bytea CHECK (octet_length(person_token) = 32),
    ADD COLUMN category text NOT NULL DEFAULT 'staff'
        CHECK (category IN ('staff', 'administrator', 'operator', 'contractor')),
    ADD COLUMN employer text NOT NULL DEFAULT '',
    ADD COLUMN until date,
    ADD COLUMN application uuid,     -- the approved one that is in force; NULL: of before there were any
    ADD COLUMN closed_at timestamptz,
    ADD COLUMN closed_by text,
    ADD COLUMN close_reason text CHECK (close_reason IN ('left', 'moved', 'not_needed', 'misuse', 'ran_out')),
    ADD COLUMN password_set_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN must_change boolean NOT NULL DEFAULT true,
    ADD COLUMN factor bytea,         -- covered: the key of the second factor
    ADD COLUMN factor_confirmed boolean NOT NULL DEFAULT false,
    ADD COLUMN factor_step bigint NOT NULL DEFAULT 0, -- the last one used; none is used twice
    ADD COLUMN previous_login_at timestamptz;
CREATE INDEX account_person ON staff.account (manager, person_token) WHERE state = 'open';
GRANT UPDATE (state, need, password, role, programmes, body, until, application, closed_at, closed_by, close_reason,
    password_set_at, must_change, factor, factor_confirmed, factor_step, previous_login_at)
    ON staff.account TO shikaku_staff;

-- Earlier passwords, so that none is taken again.
CREATE TABLE staff.password (
    manager text NOT NULL,
    account text NOT NULL,
    id uuid NOT NULL,
    password bytea NOT NULL,         -- covered: Argon2id
    replaced_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (manager, account, id),
    FOREIGN KEY (manager, account) REFERENCES staff.account
);
CREATE INDEX password_replaced ON staff.password (manager, account, replaced_at);
ALTER TABLE staff.password ENABLE ROW LEVEL SECURITY;
ALTER TABLE staff.password FORCE ROW LEVEL SECURITY;
CREATE POLICY password_of_manager ON staff.password USING (manager = staff.manager_in_force());
GRANT SELECT, INSERT ON staff.password TO shikaku_staff;

-- Failures in a row, by account and terminal. terminal '' counts those from terminals where the account had no success
-- lately, together.
CREATE TABLE staff.attempt (
    manager text NOT NULL,
    account text NOT NULL,
    terminal text NOT NULL,
    failures integer NOT NULL DEFAULT 0,
    locked_until timestamptz,
    succeeded_at timestamptz,
    PRIMARY KEY (manager, account, terminal),
    FOREIGN KEY (manager, account) REFERENCES staff.account
);
ALTER TABLE staff.attempt ENABLE ROW LEVEL SECURITY;
ALTER TABLE staff.attempt FORCE ROW LEVEL SECURITY;
CREATE POLICY attempt_of_manager ON staff.attempt USING (manager = staff.manager_in_force());
GRANT SELECT, INSERT, UPDATE ON staff.attempt TO shikaku_staff;

ALTER TABLE staff.login DROP CONSTRAINT login_outcome_check;
ALTER TABLE staff.login
    ADD CONSTRAINT login_outcome_check
        CHECK (outcome IN ('done', 'unknown', 'wrong', 'locked', 'closed', 'terminal', 'factor', 'factor_missing')),
    ADD COLUMN odd_hour boolean NOT NULL DEFAULT false,
    ADD COLUMN new_terminal boolean NOT NULL DEFAULT false;
CREATE INDEX login_at ON staff.login (manager, at);

-- What the manager sets; the newest row of a manager is in force.
CREATE TABLE staff.policy (
    manager text NOT NULL,
    version integer NOT NULL,
    second_factor text NOT NULL CHECK (second_factor IN ('none', 'totp', 'terminal')),
    training_days integer NOT NULL CHECK (training_days >= 0),
    terms text NOT NULL,
    set_by text NOT NULL,
    set_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (manager, version)
);
ALTER TABLE staff.policy ENABLE ROW LEVEL SECURITY;
ALTER TABLE staff.policy FORCE ROW LEVEL SECURITY;
CREATE POLICY policy_of_manager ON staff.policy USING (manager = staff.manager_in_force());
GRANT SELECT, INSERT ON staff.policy TO shikaku_staff;

-- Trainings attended and terms consented to (AUTH-10, AUTH-11).
CREATE TABLE staff.training (
    manager text NOT NULL,
    account text NOT NULL,
    course text NOT NULL,
    held_on date NOT NULL,
    recorded_by text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (manager, account, held_on, course),
    FOREIGN KEY (manager, account) REFERENCES staff.account
);
ALTER TABLE staff.training ENABLE ROW LEVEL SECURITY;
ALTER TABLE staff.training FORCE ROW LEVEL SECURITY;
CREATE POLICY training_of_manager ON staff.training USING (manager = staff.manager_in_force());
GRANT SELECT, INSERT ON staff.training TO shikaku_staff;

CREATE TABLE staff.consent (
    manager text NOT NULL,
    account text NOT NULL,
    terms text NOT NULL,
    accepted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (manager, account, terms),
    FOREIGN KEY (manager, account) REFERENCES staff.account
);
ALTER TABLE staff.consent ENABLE ROW LEVEL SECURITY;
ALTER TABLE staff.consent FORCE ROW LEVEL SECURITY;
CREATE POLICY consent_of_manager ON staff.consent USING (manager = staff.manager_in_force());
GRANT SELECT, INSERT ON staff.consent TO shikaku_staff;

-- Whose terminal it is, while it is listed, so that a login finds its row. No personal data.
CREATE TABLE staff.terminal_place (
    terminal text PRIMARY KEY CHECK (terminal ~ '^[0-9a-f]{64}$'),
    manager text NOT NULL
);
GRANT SELECT, INSERT, DELETE ON staff.terminal_place TO shikaku_staff;

-- The list of terminals. manager '*': of every manager.
CREATE TABLE staff.terminal (
    manager text NOT NULL,
    terminal text NOT NULL,
    listed_at timestamptz NOT NULL DEFAULT now(),
    kind text NOT NULL,
    place text NOT NULL,
    account text NOT NULL DEFAULT '', -- only this one may log in there; '' any
    listed_by text NOT NULL,
    ended_at timestamptz,
    ended_by text,
    reason text NOT NULL DEFAULT '',
    PRIMARY KEY (manager, terminal, listed_at)
);
ALTER TABLE staff.terminal ENABLE ROW LEVEL SECURITY;
ALTER TABLE staff.terminal FORCE ROW LEVEL SECURITY;
CREATE POLICY terminal_of_manager ON staff.terminal
    USING (manager = staff.manager_in_force() OR manager = '*')
    WITH CHECK (manager = staff.manager_in_force());
GRANT SELECT, INSERT ON staff.terminal TO shikaku_staff;
GRANT UPDATE (ended_at, ended_by, reason) ON staff.terminal TO shikaku_staff;

UPDATE staff.schema_version SET version = 4;
COMMIT;
