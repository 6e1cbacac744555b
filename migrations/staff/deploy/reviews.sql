-- Deploy staff:reviews to pg
-- requires: attempts
--
-- The rights table (deploy/rights) is a file; here stands when it was reviewed, and what each service says is in force there.
BEGIN;

-- A review by an administrator, for the manager. Kept for good.
CREATE TABLE staff.rights_review (
    manager text NOT NULL,
    review uuid NOT NULL DEFAULT gen_random_uuid(),
    version integer NOT NULL,
    sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    reason text NOT NULL,
    reviewed_by text NOT NULL,
    reviewed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (manager, review)
);
CREATE INDEX rights_review_at ON staff.rights_review (manager, reviewed_at);
ALTER TABLE staff.rights_review ENABLE ROW LEVEL SECURITY;
ALTER TABLE staff.rights_review FORCE ROW LEVEL SECURITY;
CREATE POLICY rights_review_of_manager ON staff.rights_review USING (manager = staff.manager_in_force());
GRANT SELECT, INSERT ON staff.rights_review TO shikaku_staff;

-- What services say with their heartbeat. No manager, nobody's data.
CREATE TABLE staff.rights_heard (
    service text NOT NULL,
    sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    version integer NOT NULL,
    first_heard_at timestamptz NOT NULL DEFAULT now(),
    heard_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (service, sha256)
);
GRANT SELECT, INSERT ON staff.rights_heard TO shikaku_staff;
GRANT UPDATE (heard_at) ON staff.rights_heard TO shikaku_staff;

UPDATE staff.schema_version SET version = 7;
COMMIT;
