-- Replacing keys while the service runs: what state each key is in, who has seen it, how far a replacement is. Included by
-- the change `rotation` of every service, with the variables of tables.sql. No person's data, so a lane sees all managers.

-- coming: known, not used. carried (index): written beside the key in force. found (index): looked up as well.
-- in_force: written. leaving: read and looked up, not written. retired: destroyed; `wrapped` is empty.
ALTER TABLE :"schema".data_key ADD COLUMN state text NOT NULL DEFAULT 'in_force'
    CHECK (state IN ('coming', 'carried', 'found', 'in_force', 'leaving', 'retired'));
UPDATE :"schema".data_key SET state = 'retired' WHERE retired_at IS NOT NULL;
DROP INDEX :"schema".data_key_in_force;
CREATE UNIQUE INDEX data_key_in_force ON :"schema".data_key (manager, kind) WHERE state = 'in_force';
GRANT UPDATE (state, retired_at, wrapped) ON :"schema".data_key TO :"role";

-- Counted up by every change of a key's state, in the same transaction; and which replica drives replacements just now.
CREATE TABLE :"schema".key_state (
    generation bigint NOT NULL CHECK (generation > 0),
    driver uuid,
    driver_until timestamptz NOT NULL DEFAULT '-infinity'
) WITH (fillfactor = 50);
CREATE UNIQUE INDEX key_state_one_row ON :"schema".key_state ((true));
INSERT INTO :"schema".key_state VALUES (1);
GRANT SELECT ON :"schema".key_state TO :"role";
GRANT UPDATE ON :"schema".key_state TO :"role";

-- The running replicas, and the generation that all of their threads work by. A replica that was not seen for longer than
-- SHIKAKU_KEY_LEASE_MS commits nothing (chassis/key_guard.h), so nobody waits for it.
CREATE TABLE :"schema".key_holder (
    instance uuid PRIMARY KEY,
    generation bigint NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50);
GRANT SELECT, INSERT, UPDATE, DELETE ON :"schema".key_holder TO :"role";

-- A replacement, from being asked for to its end. `phase` is of chassis/rotation.c.
CREATE TABLE :"schema".rotation (
    rotation bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    manager text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('data', 'index', 'issue', 'seal', 'sign', 'wrap')),
    phase text NOT NULL DEFAULT 'asked',
    old_key integer,
    new_key integer,
    generation bigint NOT NULL DEFAULT 0, -- that every replica works by before the phase begins
    place text NOT NULL DEFAULT '',       -- column and block that the walk has reached
    rows_done bigint NOT NULL DEFAULT 0,
    rows_total bigint NOT NULL DEFAULT 0,
    started_at timestamptz NOT NULL DEFAULT now(),
    due_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz
);
CREATE UNIQUE INDEX rotation_open ON :"schema".rotation (manager, kind) WHERE finished_at IS NULL;
GRANT SELECT, INSERT, UPDATE ON :"schema".rotation TO :"role";
