-- Deploy records:bodies to pg
-- requires: rolls
--
-- Expand only: rows that are there are in no body's part.
BEGIN;
\set schema records
\set role shikaku_records
\ir ../../chassis/in_charge.sql

-- The body inside the programme whose part it is in (ORG-1), '' where it is in none.
ALTER TABLE records.entry ADD COLUMN body text NOT NULL DEFAULT '';
CREATE POLICY entry_in_charge ON records.entry AS RESTRICTIVE USING (records.in_charge(programme, body));
CREATE POLICY version_in_charge ON records.version AS RESTRICTIVE USING (records.all_in_charge() OR EXISTS (
    SELECT FROM records.entry e WHERE e.manager = version.manager AND e.entry = version.entry));

UPDATE records.schema_version SET version = 2;
COMMIT;
