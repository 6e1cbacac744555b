-- Revert intake:proposal_ends from pg
BEGIN;
REVOKE UPDATE (content, closed_by, closed_at, reason) ON intake.proposal FROM shikaku_intake;
DROP INDEX intake.proposal_time;
DROP INDEX intake.proposal_request;
ALTER TABLE intake.proposal DROP COLUMN programme, DROP COLUMN body, DROP COLUMN content, DROP COLUMN closed_by,
    DROP COLUMN closed_at, DROP COLUMN reason;
CREATE INDEX proposal_request ON intake.proposal (manager, request_sha256) WHERE approved_at IS NULL;
UPDATE intake.schema_version SET version = 5;
COMMIT;
