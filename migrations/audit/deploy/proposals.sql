-- Deploy audit:proposals to pg
-- requires: incidents
--
-- Acts that wait for a second person.
BEGIN;
\set schema audit
\set role shikaku_audit
\ir ../../chassis/proposals.sql

UPDATE audit.schema_version SET version = 6;
COMMIT;
