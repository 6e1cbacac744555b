-- Deploy legacy_sync:rotation to pg
-- requires: hand_overs
BEGIN;
\set schema legacy_sync
\set role shikaku_legacy_sync
\ir ../../chassis/rotation.sql

UPDATE legacy_sync.schema_version SET version = 2;
COMMIT;
