-- Deploy legacy_sync:hand_overs to pg
BEGIN;
\set schema legacy_sync
\set role shikaku_legacy_sync
\ir ../../chassis/tables.sql

-- One roll entry on its way to an existing system (既存システム). `content` is the covered request; it goes when the
-- system has taken it.
CREATE TABLE legacy_sync.hand_over (
    manager text NOT NULL,
    id uuid NOT NULL,
    programme text NOT NULL,
    application uuid NOT NULL,
    system text NOT NULL,
    pseudonym text NOT NULL,
    state text NOT NULL CHECK (state IN ('waiting', 'asking_person', 'handed_over')),
    reason text NOT NULL DEFAULT '', -- fault code of the last try, '' where there was none
    reference text NOT NULL DEFAULT '', -- what the existing system calls it
    content bytea,
    accepted_at timestamptz NOT NULL DEFAULT now(),
    handed_over_at timestamptz,
    PRIMARY KEY (manager, id),
    UNIQUE (manager, application),
    CHECK ((state = 'handed_over') = (content IS NULL)),
    CHECK ((state = 'handed_over') = (handed_over_at IS NOT NULL))
);
CREATE INDEX hand_over_pseudonym ON legacy_sync.hand_over (manager, pseudonym, system);
ALTER TABLE legacy_sync.hand_over ENABLE ROW LEVEL SECURITY;
ALTER TABLE legacy_sync.hand_over FORCE ROW LEVEL SECURITY;
CREATE POLICY hand_over_of_manager ON legacy_sync.hand_over USING (manager = legacy_sync.manager_in_force());
GRANT SELECT, INSERT, UPDATE ON legacy_sync.hand_over TO shikaku_legacy_sync;

-- What is due. Ids, manager and times only, so that it can be claimed before a manager is in force.
CREATE TABLE legacy_sync.task (
    id uuid PRIMARY KEY,
    manager text NOT NULL,
    system text NOT NULL,
    attempt integer NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL DEFAULT now(),
    lease_until timestamptz
);
CREATE INDEX task_due ON legacy_sync.task (system, due_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON legacy_sync.task TO shikaku_legacy_sync;

-- Copies (副本データ) and passes (合格) that came back, each once. A copy of somebody whom we never handed over waits for
-- a person.
CREATE TABLE legacy_sync.given_back (
    manager text NOT NULL,
    system text NOT NULL,
    copy text NOT NULL,
    pseudonym text NOT NULL,
    state text NOT NULL CHECK (state IN ('taken', 'unknown_pseudonym')),
    taken_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (manager, system, copy)
);
ALTER TABLE legacy_sync.given_back ENABLE ROW LEVEL SECURITY;
ALTER TABLE legacy_sync.given_back FORCE ROW LEVEL SECURITY;
CREATE POLICY given_back_of_manager ON legacy_sync.given_back USING (manager = legacy_sync.manager_in_force());
GRANT SELECT, INSERT ON legacy_sync.given_back TO shikaku_legacy_sync;

-- How far each system's list of copies was read.
CREATE TABLE legacy_sync.reading (
    system text PRIMARY KEY,
    after_number bigint NOT NULL DEFAULT 0 CHECK (after_number >= 0),
    due_at timestamptz NOT NULL DEFAULT now(),
    lease_until timestamptz
);
INSERT INTO legacy_sync.reading (system) VALUES ('kaigi'), ('ginou');
GRANT SELECT, UPDATE ON legacy_sync.reading TO shikaku_legacy_sync;
COMMIT;
