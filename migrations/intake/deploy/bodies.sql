-- Deploy intake:bodies to pg
-- requires: attachments
--
-- Expand only: rows that are there are in no body's part.
BEGIN;
\set schema intake
\set role shikaku_intake
\ir ../../chassis/in_charge.sql

-- The body inside the programme whose part it is in (ORG-1), '' where it is in none.
ALTER TABLE intake.application ADD COLUMN body text NOT NULL DEFAULT '';
CREATE POLICY application_in_charge ON intake.application AS RESTRICTIVE USING (intake.in_charge(programme, body));
CREATE POLICY history_in_charge ON intake.history AS RESTRICTIVE USING (intake.all_in_charge() OR EXISTS (
    SELECT FROM intake.application a WHERE a.manager = history.manager AND a.application = history.application));
CREATE POLICY fee_entry_in_charge ON intake.fee_entry AS RESTRICTIVE USING (intake.all_in_charge() OR EXISTS (
    SELECT FROM intake.application a WHERE a.manager = fee_entry.manager AND a.application = fee_entry.application));
CREATE POLICY attachment_in_charge ON intake.attachment AS RESTRICTIVE USING (intake.all_in_charge() OR EXISTS (
    SELECT FROM intake.application a WHERE a.manager = attachment.manager AND a.application = attachment.application));

UPDATE intake.schema_version SET version = 3;
COMMIT;
