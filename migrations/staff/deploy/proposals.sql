-- Deploy staff:proposals to pg
-- requires: loans
--
-- Acts that wait for a second person.
BEGIN;
\set schema staff
\set role shikaku_staff
\ir ../../chassis/proposals.sql

UPDATE staff.schema_version SET version = 9;
COMMIT;
