-- Deploy audit:findings to pg
-- requires: rotation
--
-- What scheduled analyses of the log need (LOG-3, JUKI-6, STORE-4), and what they found. Persons, accounts and reasons
-- stand here as the log's keyed tokens alone.
BEGIN;

-- How far the log was walked for analyses. One row.
CREATE TABLE audit.walk (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    position bigint NOT NULL,    -- of the last record taken; -1: none
    appended_ms bigint NOT NULL  -- of the same record
);
INSERT INTO audit.walk VALUES (true, -1, 0);
GRANT SELECT, UPDATE ON audit.walk TO shikaku_audit;

-- What analyses look at, of one record and one person it touched; 0 stands for nobody and nothing. Kept for
-- SHIKAKU_ANALYSIS_KEEP_DAYS; it can be made again from the log.
CREATE TABLE audit.touch (
    manager text NOT NULL,
    position bigint NOT NULL,
    subject bigint NOT NULL,
    at_ms bigint NOT NULL,
    day integer NOT NULL,        -- of at_ms, in Japan, from 1970-01-01
    appended_ms bigint NOT NULL,
    act text NOT NULL,
    outcome text NOT NULL,
    role text NOT NULL,          -- of the account; '': a service
    programme text NOT NULL,
    purpose text NOT NULL,
    likeness text NOT NULL,      -- of the account's name to the person's: name, family or ''
    account bigint NOT NULL,
    terminal bigint NOT NULL,
    reason bigint NOT NULL,
    persons integer NOT NULL,
    PRIMARY KEY (manager, position, subject)
);
CREATE INDEX touch_of_account ON audit.touch (manager, account, at_ms);
CREATE INDEX touch_of_person ON audit.touch (manager, account, subject, at_ms);
CREATE INDEX touch_of_day ON audit.touch (manager, day);
ALTER TABLE audit.touch ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit.touch FORCE ROW LEVEL SECURITY;
CREATE POLICY touch_of_manager ON audit.touch USING (manager = audit.manager_in_force());
GRANT SELECT, INSERT, DELETE ON audit.touch TO shikaku_audit;

-- What touches happen because of: an application, as the records of its beginning and its end say, in whatever order
-- they came.
CREATE TABLE audit.cause (
    manager text NOT NULL,
    reason bigint NOT NULL,
    subject bigint NOT NULL,     -- 0: not known yet
    opened_ms bigint,
    closed_ms bigint,
    PRIMARY KEY (manager, reason)
);
CREATE INDEX cause_closed ON audit.cause (manager, closed_ms);
ALTER TABLE audit.cause ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit.cause FORCE ROW LEVEL SECURITY;
CREATE POLICY cause_of_manager ON audit.cause USING (manager = audit.manager_in_force());
GRANT SELECT, INSERT, UPDATE, DELETE ON audit.cause TO shikaku_audit;

-- How far each analysis is.
CREATE TABLE audit.analysis (
    manager text NOT NULL,
    rule text NOT NULL,
    position bigint NOT NULL DEFAULT -1,
    ran_at timestamptz,
    PRIMARY KEY (manager, rule)
);
ALTER TABLE audit.analysis ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit.analysis FORCE ROW LEVEL SECURITY;
CREATE POLICY analysis_of_manager ON audit.analysis USING (manager = audit.manager_in_force());
GRANT SELECT, INSERT, UPDATE ON audit.analysis TO shikaku_audit;

-- A case that a person closes with a reason. Of an account (or a service: 0) and, where the rule goes by persons, a
-- person, there is one open case a rule.
CREATE TABLE audit.finding (
    manager text NOT NULL,
    finding uuid NOT NULL,
    rule text NOT NULL,
    account bigint NOT NULL,
    subject bigint NOT NULL,
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closed')),
    opened_at timestamptz NOT NULL DEFAULT now(),
    due_at timestamptz NOT NULL,
    first_ms bigint,             -- of its touches
    last_ms bigint,
    last_position bigint NOT NULL DEFAULT -1,
    touches bigint NOT NULL DEFAULT 0,
    detail bytea NOT NULL,       -- covered: who, whose, why
    closed_at timestamptz,
    closing bytea,               -- covered: who closed it, with what reason
    PRIMARY KEY (manager, finding),
    CHECK ((state = 'closed') = (closed_at IS NOT NULL AND closing IS NOT NULL))
);
CREATE UNIQUE INDEX finding_open ON audit.finding (manager, rule, account, subject) WHERE state = 'open';
CREATE INDEX finding_closed ON audit.finding (manager, rule, account, subject) WHERE state = 'closed';
CREATE INDEX finding_listed ON audit.finding (manager, opened_at, finding);
ALTER TABLE audit.finding ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit.finding FORCE ROW LEVEL SECURITY;
CREATE POLICY finding_of_manager ON audit.finding USING (manager = audit.manager_in_force());
GRANT SELECT, INSERT, UPDATE, DELETE ON audit.finding TO shikaku_audit;

-- The records behind it.
CREATE TABLE audit.finding_touch (
    manager text NOT NULL,
    finding uuid NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (manager, finding, position)
);
ALTER TABLE audit.finding_touch ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit.finding_touch FORCE ROW LEVEL SECURITY;
CREATE POLICY finding_touch_of_manager ON audit.finding_touch USING (manager = audit.manager_in_force());
GRANT SELECT, INSERT, DELETE ON audit.finding_touch TO shikaku_audit;

UPDATE audit.schema_version SET version = 4;
COMMIT;
