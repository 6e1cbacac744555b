-- Deploy intake:proposal_ends to pg
-- requires: proposals
--
-- What was asked for is kept while it can be agreed to; a proposal can be turned down and withdrawn. The table is now as
-- migrations/chassis/proposals.sql makes it elsewhere.
BEGIN;
ALTER TABLE intake.proposal
    ADD COLUMN programme text NOT NULL DEFAULT '',
    ADD COLUMN body text NOT NULL DEFAULT '',
    ADD COLUMN content bytea,
    ADD COLUMN closed_by text,
    ADD COLUMN closed_at timestamptz,
    ADD COLUMN reason bytea,
    ADD CHECK ((closed_by IS NULL) = (closed_at IS NULL)),
    ADD CHECK (approved_by IS NULL OR closed_by IS NULL);
DROP INDEX intake.proposal_request;
CREATE INDEX proposal_request ON intake.proposal (manager, request_sha256) WHERE approved_at IS NULL AND closed_at IS NULL;
CREATE INDEX proposal_time ON intake.proposal (manager, proposed_at);
GRANT UPDATE (content, closed_by, closed_at, reason) ON intake.proposal TO shikaku_intake;

UPDATE intake.schema_version SET version = 6;
COMMIT;
