-- Deploy intermediate:rotation to pg
-- requires: inquiries
BEGIN;
\set schema intermediate
\set role shikaku_intermediate
\ir ../../chassis/rotation.sql

-- What is covered is covered anew.
GRANT UPDATE (covered) ON intermediate.code TO shikaku_intermediate;
GRANT UPDATE (covered) ON intermediate.acquisition TO shikaku_intermediate;

UPDATE intermediate.schema_version SET version = 2;
COMMIT;
