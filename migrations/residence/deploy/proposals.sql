-- Deploy residence:proposals to pg
-- requires: rotation
--
-- Acts that wait for a second person.
BEGIN;
\set schema residence
\set role shikaku_residence
\ir ../../chassis/proposals.sql

UPDATE residence.schema_version SET version = 4;
COMMIT;
