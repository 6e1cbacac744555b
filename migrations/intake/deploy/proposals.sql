-- Deploy intake:proposals to pg
-- requires: rotation
--
-- Acts for which the rights table wants two persons (services/chassis/second_person.h): what one asked for and another has not
-- asked for yet. Kept for good.
BEGIN;
CREATE TABLE intake.proposal (
    manager text NOT NULL,
    proposal uuid NOT NULL DEFAULT gen_random_uuid(),
    request_sha256 bytea NOT NULL CHECK (octet_length(request_sha256) = 32),
    route text NOT NULL,
    about text NOT NULL,             -- receipt or application
    proposed_by text NOT NULL,
    proposed_at timestamptz NOT NULL DEFAULT now(),
    lapses_at timestamptz NOT NULL,
    approved_by text,
    approved_at timestamptz,
    PRIMARY KEY (manager, proposal),
    CHECK (approved_by <> proposed_by),
    CHECK ((approved_by IS NULL) = (approved_at IS NULL))
);
CREATE INDEX proposal_request ON intake.proposal (manager, request_sha256) WHERE approved_at IS NULL;
ALTER TABLE intake.proposal ENABLE ROW LEVEL SECURITY;
ALTER TABLE intake.proposal FORCE ROW LEVEL SECURITY;
CREATE POLICY proposal_of_manager ON intake.proposal USING (manager = intake.manager_in_force());
GRANT SELECT, INSERT ON intake.proposal TO shikaku_intake;
GRANT UPDATE (approved_by, approved_at) ON intake.proposal TO shikaku_intake;

UPDATE intake.schema_version SET version = 5;
COMMIT;
