-- Deploy audit:gaps to pg
-- requires: proposals
--
-- Where a worker's chain of records does not go on as the log has it: a record is missing, is none, or links to another
-- one. The chain stands still there until an operator releases it; what was missing stays stated here and in the log.
BEGIN;
CREATE TABLE audit.gap (
    service text NOT NULL,
    instance uuid NOT NULL,
    worker integer NOT NULL,
    after bigint NOT NULL,               -- the last record of the chain that is in the log; 0: none is
    resume bigint NOT NULL,              -- released, it goes on behind this one: what lies between is missing
    digest bytea NOT NULL CHECK (octet_length(digest) = 32), -- the link to which the next record links
    found_at timestamptz NOT NULL DEFAULT now(),
    released_at timestamptz,
    reason text,
    PRIMARY KEY (service, instance, worker, after),
    CHECK (resume >= after),
    CHECK ((released_at IS NULL) = (reason IS NULL))
);
GRANT SELECT, INSERT ON audit.gap TO shikaku_audit;
GRANT UPDATE (resume, digest, released_at, reason) ON audit.gap TO shikaku_audit;

UPDATE audit.schema_version SET version = 7;
COMMIT;
