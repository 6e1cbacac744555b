-- Deploy intake:rotation to pg
-- requires: bodies
BEGIN;
\set schema intake
\set role shikaku_intake
\ir ../../chassis/rotation.sql

-- What is covered is covered anew.
GRANT UPDATE (reason) ON intake.history TO shikaku_intake;
GRANT UPDATE (content) ON intake.piece TO shikaku_intake;
GRANT UPDATE (content) ON intake.attachment TO shikaku_intake;

UPDATE intake.schema_version SET version = 4;
COMMIT;
