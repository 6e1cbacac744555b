-- Deploy records:rotation to pg
-- requires: bodies
BEGIN;
\set schema records
\set role shikaku_records
\ir ../../chassis/rotation.sql

-- What is covered is covered anew.
GRANT UPDATE (registration_number) ON records.entry TO shikaku_records;
GRANT UPDATE (fields, differing) ON records.version TO shikaku_records;

UPDATE records.schema_version SET version = 3;
COMMIT;
