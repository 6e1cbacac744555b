-- Revert vault:rotation from pg
BEGIN;
\set schema vault
\set role shikaku_vault
\ir ../../chassis/rotation_drop.sql
CREATE TABLE vault.rotation (
    manager text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('data', 'index', 'seal', 'wrap')),
    old_key integer,
    new_key integer,
    phase text NOT NULL,
    place text NOT NULL DEFAULT '',
    rows_done bigint NOT NULL DEFAULT 0,
    started_at timestamptz NOT NULL DEFAULT now(),
    due_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz
);
CREATE UNIQUE INDEX rotation_open ON vault.rotation (manager, kind) WHERE finished_at IS NULL;
CREATE INDEX rotation_started_at ON vault.rotation (started_at);
GRANT SELECT, INSERT, UPDATE ON vault.rotation TO shikaku_vault;
GRANT UPDATE (wrapped) ON vault.data_key TO shikaku_vault;
UPDATE vault.schema_version SET version = 3;
COMMIT;
