-- Deploy audit:rotation to pg
-- requires: covered
BEGIN;
\set schema audit
\set role shikaku_audit
\ir ../../chassis/rotation.sql

UPDATE audit.schema_version SET version = 3;
COMMIT;
