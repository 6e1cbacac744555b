-- Revert audit:rotation from pg
BEGIN;
\set schema audit
\set role shikaku_audit
\ir ../../chassis/rotation_drop.sql
UPDATE audit.schema_version SET version = 2;
COMMIT;
