-- The tables of the chassis, in every service's schema. A service's first deploy script includes this file:
--
--   \set schema vault
--   \set role shikaku_vault
--   \ir ../../chassis/tables.sql
--
-- Owner is shikaku_owner, who migrates; the service's role has no more than it uses, and never TRUNCATE or REFERENCES.

-- What the schema is at. The first deploy script leaves 1; every later one ends with an UPDATE to the next number.
CREATE TABLE :"schema".schema_version (
    version integer NOT NULL CHECK (version > 0)
);
CREATE UNIQUE INDEX schema_version_one_row ON :"schema".schema_version ((true));
INSERT INTO :"schema".schema_version VALUES (1);
GRANT SELECT ON :"schema".schema_version TO :"role";

-- The manager whose rows a transaction may touch. Row-level security of every table with personal data compares with it;
-- where none is set no row is seen.
CREATE FUNCTION :"schema".manager_in_force() RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN current_setting('shikaku.manager', true);
GRANT EXECUTE ON FUNCTION :"schema".manager_in_force() TO :"role";

-- Commands that were handled, with the reply that a replay gets. Written in the transaction of the effect.
CREATE TABLE :"schema".inbox (
    caller text NOT NULL,
    key bytea NOT NULL CHECK (octet_length(key) = 32),
    route text NOT NULL,
    request_sha256 bytea NOT NULL CHECK (octet_length(request_sha256) = 32),
    reply bytea,                     -- covered
    key_id integer,                  -- data_key that covers it
    received_at timestamptz NOT NULL DEFAULT now(),
    expires_on date NOT NULL,        -- the sweep takes it from this day on
    PRIMARY KEY (caller, key)
);
CREATE INDEX inbox_expires_on ON :"schema".inbox (expires_on);
GRANT SELECT, INSERT, UPDATE, DELETE ON :"schema".inbox TO :"role";

-- Events on their way out. Written in the transaction of what they tell; relayed until acknowledged; the events of one
-- aggregate in order of id.
CREATE TABLE :"schema".outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    message_id uuid NOT NULL DEFAULT gen_random_uuid(),
    recipient text NOT NULL,
    route text NOT NULL,
    idempotency_key bytea NOT NULL UNIQUE CHECK (octet_length(idempotency_key) = 32),
    aggregate text NOT NULL,
    correlation text NOT NULL DEFAULT '',
    payload bytea NOT NULL,          -- covered
    key_id integer,
    created_at timestamptz NOT NULL DEFAULT now(),
    due_at timestamptz NOT NULL DEFAULT now(),
    attempt integer NOT NULL DEFAULT 0,
    lease_until timestamptz,
    sent_at timestamptz
);
CREATE INDEX outbox_due ON :"schema".outbox (due_at) WHERE sent_at IS NULL;
CREATE INDEX outbox_aggregate ON :"schema".outbox (aggregate, id) WHERE sent_at IS NULL;
CREATE INDEX outbox_sent ON :"schema".outbox (sent_at) WHERE sent_at IS NOT NULL;
GRANT SELECT, INSERT, UPDATE, DELETE ON :"schema".outbox TO :"role";

-- Records of use (利用記録) not yet in the log. Each worker of each process numbers and links its own, so that a row
-- taken away before it was relayed leaves a gap that audit refuses. A row is never changed: there is no UPDATE.
CREATE TABLE :"schema".audit_outbox (
    instance uuid NOT NULL,
    worker integer NOT NULL,
    sequence bigint NOT NULL CHECK (sequence > 0),
    previous bytea NOT NULL CHECK (octet_length(previous) = 32),
    digest bytea NOT NULL CHECK (octet_length(digest) = 32),
    event bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (instance, worker, sequence)
);
CREATE INDEX audit_outbox_created_at ON :"schema".audit_outbox (created_at);
GRANT SELECT, INSERT, DELETE ON :"schema".audit_outbox TO :"role";

-- Keys, wrapped by the service's token under the manager's wrapping key. manager '*' is the service itself. At most one
-- key of a kind is new-in-force; older ones stay readable until their rows are covered anew.
CREATE TABLE :"schema".data_key (
    key_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    manager text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('data', 'index', 'issue', 'seal', 'sign')),
    wrapped bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    retired_at timestamptz
);
CREATE UNIQUE INDEX data_key_in_force ON :"schema".data_key (manager, kind) WHERE retired_at IS NULL;
GRANT SELECT, INSERT ON :"schema".data_key TO :"role";
GRANT UPDATE (retired_at) ON :"schema".data_key TO :"role";
