-- Deploy staff:ended to pg
-- requires: accounts
--
-- Sessions that ended before their tokens do, for every service to hear (services/chassis/session_watch.h). No manager and
-- no account: the id of a session is random and says nothing of a person.
BEGIN;

-- The number of the last revocation. Its row is locked until the commit, so that numbers become visible in their order.
CREATE TABLE staff.ended_head (
    number bigint NOT NULL
);
CREATE UNIQUE INDEX ended_head_one_row ON staff.ended_head ((true));
INSERT INTO staff.ended_head VALUES (0);
GRANT SELECT ON staff.ended_head TO shikaku_staff;
GRANT UPDATE (number) ON staff.ended_head TO shikaku_staff;

CREATE TABLE staff.ended_session (
    number bigint NOT NULL,
    session uuid NOT NULL,
    tokens_until timestamptz NOT NULL,
    PRIMARY KEY (number, session)
);
CREATE INDEX ended_session_tokens_until ON staff.ended_session (tokens_until);
GRANT SELECT, INSERT, DELETE ON staff.ended_session TO shikaku_staff;

-- Why a session ended, and by whom.
ALTER TABLE staff.session
    ADD COLUMN renewed_at timestamptz,
    ADD COLUMN lives_until timestamptz,
    ADD COLUMN ended_by text,
    ADD COLUMN end_reason text
        CHECK (end_reason IN ('logout', 'revoked', 'account', 'terminal', 'password', 'right'));
GRANT UPDATE (expires_at, renewed_at, ended_by, end_reason) ON staff.session TO shikaku_staff;
CREATE INDEX session_open ON staff.session (manager, terminal) WHERE ended_at IS NULL;

UPDATE staff.schema_version SET version = 2;
COMMIT;
