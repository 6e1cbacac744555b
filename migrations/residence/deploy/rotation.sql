-- Deploy residence:rotation to pg
-- requires: bodies
BEGIN;
\set schema residence
\set role shikaku_residence
\ir ../../chassis/rotation.sql

-- What is covered is covered anew.
GRANT UPDATE (covered) ON residence.passing TO shikaku_residence;

UPDATE residence.schema_version SET version = 3;
COMMIT;
