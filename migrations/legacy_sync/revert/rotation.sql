-- Revert legacy_sync:rotation from pg
BEGIN;
\set schema legacy_sync
\set role shikaku_legacy_sync
\ir ../../chassis/rotation_drop.sql
UPDATE legacy_sync.schema_version SET version = 1;
COMMIT;
