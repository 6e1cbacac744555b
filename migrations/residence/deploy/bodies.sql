-- Deploy residence:bodies to pg
-- requires: inquiries
--
-- Expand only: rows that are there are in no body's part.
BEGIN;
\set schema residence
\set role shikaku_residence
\ir ../../chassis/in_charge.sql

-- The body inside the programme whose part it is in (ORG-1), '' where it is in none.
ALTER TABLE residence.inquiry ADD COLUMN body text NOT NULL DEFAULT '';
CREATE POLICY inquiry_in_charge ON residence.inquiry AS RESTRICTIVE USING (residence.in_charge(programme, body));
CREATE POLICY passing_in_charge ON residence.passing AS RESTRICTIVE USING (residence.all_in_charge() OR EXISTS (
    SELECT FROM residence.inquiry i WHERE i.manager = passing.manager AND i.id = passing.id));

UPDATE residence.schema_version SET version = 2;
COMMIT;
