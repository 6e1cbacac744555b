-- Deploy certificates:bodies to pg
-- requires: certificates
--
-- Expand only: rows that are there are in no body's part.
BEGIN;
\set schema certificates
\set role shikaku_certificates
\ir ../../chassis/in_charge.sql

-- The body inside the programme whose part it is in (ORG-1), '' where it is in none.
ALTER TABLE certificates.certificate ADD COLUMN body text NOT NULL DEFAULT '';
CREATE POLICY certificate_in_charge ON certificates.certificate AS RESTRICTIVE USING (certificates.in_charge(programme, body));

UPDATE certificates.schema_version SET version = 2;
COMMIT;
