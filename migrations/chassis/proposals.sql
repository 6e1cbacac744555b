-- Acts for which the rights table wants two persons (services/chassis/second_person.h): what one asked for and another has to
-- agree to. A row is kept for good, what was asked for (`content`) while it can still be agreed to. A service that takes commands
-- of persons includes this file once, in a change of its own:
--
--   \set schema vault
--   \set role shikaku_vault
--   \ir ../../chassis/proposals.sql
CREATE TABLE :"schema".proposal (
    manager text NOT NULL,
    proposal uuid NOT NULL,
    request_sha256 bytea NOT NULL CHECK (octet_length(request_sha256) = 32),
    route text NOT NULL,
    about text NOT NULL,             -- id of what it is about, as the request names it
    programme text NOT NULL,         -- '': of no single one
    body text NOT NULL,              -- whose part it is in
    content bytea,                   -- covered: the request
    proposed_by text NOT NULL,
    proposed_at timestamptz NOT NULL DEFAULT now(),
    lapses_at timestamptz NOT NULL,
    approved_by text,
    approved_at timestamptz,
    closed_by text,                  -- turned down; by who proposed it: withdrawn
    closed_at timestamptz,
    reason bytea,                    -- covered: why it was turned down
    PRIMARY KEY (manager, proposal),
    CHECK (approved_by <> proposed_by),
    CHECK ((approved_by IS NULL) = (approved_at IS NULL)),
    CHECK ((closed_by IS NULL) = (closed_at IS NULL)),
    CHECK (approved_by IS NULL OR closed_by IS NULL),
    CHECK (content IS NULL OR approved_by IS NULL AND closed_by IS NULL)
);
CREATE INDEX proposal_request ON :"schema".proposal (manager, request_sha256) WHERE approved_at IS NULL AND closed_at IS NULL;
CREATE INDEX proposal_time ON :"schema".proposal (manager, proposed_at);
ALTER TABLE :"schema".proposal ENABLE ROW LEVEL SECURITY;
ALTER TABLE :"schema".proposal FORCE ROW LEVEL SECURITY;
CREATE POLICY proposal_of_manager ON :"schema".proposal USING (manager = :"schema".manager_in_force());
GRANT SELECT, INSERT ON :"schema".proposal TO :"role";
GRANT UPDATE (content, approved_by, approved_at, closed_by, closed_at, reason) ON :"schema".proposal TO :"role";
