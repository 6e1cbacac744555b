-- Verify legacy_sync:rotation on pg
BEGIN;
\set schema legacy_sync
\set role shikaku_legacy_sync
\ir ../../chassis/rotation_verify.sql
ROLLBACK;
