-- Deploy staff:loans to pg
-- requires: reviews
--
-- Rights that no role has, asked for by a person and lent by another for a time (AUTH-8). Kept for good.
BEGIN;
CREATE TABLE staff.loan (
    manager text NOT NULL,
    loan uuid NOT NULL,
    account text NOT NULL,
    right_name text NOT NULL,
    purpose text NOT NULL,
    programme text NOT NULL,         -- '': all that the person has otherwise
    minutes integer NOT NULL CHECK (minutes > 0),
    reason bytea NOT NULL,           -- covered: what for
    state text NOT NULL DEFAULT 'asked' CHECK (state IN ('asked', 'lent', 'refused', 'withdrawn', 'ended')),
    asked_at timestamptz NOT NULL DEFAULT now(),
    decided_by text,
    decided_at timestamptz,
    decision text NOT NULL DEFAULT '',
    until timestamptz,
    ended_by text,
    ended_at timestamptz,
    end_reason text NOT NULL DEFAULT '',
    PRIMARY KEY (manager, loan),
    FOREIGN KEY (manager, account) REFERENCES staff.account,
    CHECK (decided_by <> account),
    CHECK ((state = 'asked') = (decided_by IS NULL)),
    CHECK ((state IN ('asked', 'refused')) = (until IS NULL)),
    CHECK ((state IN ('withdrawn', 'ended')) = (ended_at IS NOT NULL))
);
CREATE INDEX loan_account ON staff.loan (manager, account, asked_at);
ALTER TABLE staff.loan ENABLE ROW LEVEL SECURITY;
ALTER TABLE staff.loan FORCE ROW LEVEL SECURITY;
CREATE POLICY loan_of_manager ON staff.loan USING (manager = staff.manager_in_force());
GRANT SELECT, INSERT ON staff.loan TO shikaku_staff;
GRANT UPDATE (state, reason, decided_by, decided_at, decision, until, ended_by, ended_at, end_reason)
    ON staff.loan TO shikaku_staff;

UPDATE staff.schema_version SET version = 8;
COMMIT;
