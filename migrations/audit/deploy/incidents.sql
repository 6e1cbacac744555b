-- Deploy audit:incidents to pg
-- requires: findings
--
-- Incident files (漏えい等の事案): one a case, with two clocks from the moment it became known. Nothing of a file is taken
-- away; what persons are in it is covered under the manager's data key.
BEGIN;
CREATE TABLE audit.incident (
    manager text NOT NULL,
    incident uuid NOT NULL,
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'preliminary', 'final', 'closed')),
    unlawful boolean NOT NULL,
    opened_at timestamptz NOT NULL DEFAULT now(),
    known_at timestamptz NOT NULL,
    preliminary_due timestamptz NOT NULL,
    final_due timestamptz NOT NULL,
    preliminary_at timestamptz,
    final_at timestamptz,
    closed_at timestamptz,
    changes integer NOT NULL DEFAULT 0, -- number of the newest one
    PRIMARY KEY (manager, incident),
    CHECK ((state = 'closed') = (closed_at IS NOT NULL))
);
ALTER TABLE audit.incident ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit.incident FORCE ROW LEVEL SECURITY;
CREATE POLICY incident_of_manager ON audit.incident USING (manager = audit.manager_in_force());
-- '*': audit itself, for the clocks.
CREATE POLICY incident_across ON audit.incident FOR SELECT USING (audit.manager_in_force() = '*');
GRANT SELECT, INSERT ON audit.incident TO shikaku_audit;
GRANT UPDATE (state, unlawful, known_at, preliminary_due, final_due, preliminary_at, final_at, closed_at, changes)
    ON audit.incident TO shikaku_audit;

-- Every change, in order.
CREATE TABLE audit.incident_change (
    manager text NOT NULL,
    incident uuid NOT NULL,
    number integer NOT NULL CHECK (number > 0),
    act text NOT NULL CHECK (act IN ('open', 'scope', 'change', 'preliminary', 'final', 'closed')),
    made_at timestamptz NOT NULL DEFAULT now(),
    content bytea NOT NULL,              -- covered: by whom, why, the items and the scope that were given
    PRIMARY KEY (manager, incident, number),
    FOREIGN KEY (manager, incident) REFERENCES audit.incident
);
ALTER TABLE audit.incident_change ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit.incident_change FORCE ROW LEVEL SECURITY;
CREATE POLICY incident_change_of_manager ON audit.incident_change USING (manager = audit.manager_in_force());
GRANT SELECT, INSERT ON audit.incident_change TO shikaku_audit;
GRANT UPDATE (content) ON audit.incident_change TO shikaku_audit;

-- Whose data it is about, as it was found when the scope was frozen by change `scope`: a page of persons a row.
CREATE TABLE audit.incident_page (
    manager text NOT NULL,
    incident uuid NOT NULL,
    scope integer NOT NULL,
    page integer NOT NULL CHECK (page > 0),
    content bytea NOT NULL,              -- covered
    PRIMARY KEY (manager, incident, scope, page),
    FOREIGN KEY (manager, incident, scope) REFERENCES audit.incident_change
);
ALTER TABLE audit.incident_page ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit.incident_page FORCE ROW LEVEL SECURITY;
CREATE POLICY incident_page_of_manager ON audit.incident_page USING (manager = audit.manager_in_force());
GRANT SELECT, INSERT ON audit.incident_page TO shikaku_audit;
GRANT UPDATE (content) ON audit.incident_page TO shikaku_audit;

UPDATE audit.schema_version SET version = 5;
COMMIT;
