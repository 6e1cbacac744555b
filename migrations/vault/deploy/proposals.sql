-- Deploy vault:proposals to pg
-- requires: order
--
-- Acts that wait for a second person.
BEGIN;
\set schema vault
\set role shikaku_vault
\ir ../../chassis/proposals.sql

UPDATE vault.schema_version SET version = 6;
COMMIT;
