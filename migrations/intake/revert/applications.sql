-- Revert intake:applications from pg
BEGIN;
\set schema intake
\set role shikaku_intake
DROP TABLE intake.piece, intake.fee_entry, intake.history, intake.directory, intake.queue, intake.application;
\ir ../../chassis/drop.sql
COMMIT;
