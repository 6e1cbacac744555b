-- Deploy certificates:rotation to pg
-- requires: bodies
BEGIN;
\set schema certificates
\set role shikaku_certificates
\ir ../../chassis/rotation.sql

-- What is covered is covered anew.
GRANT UPDATE (code, holder) ON certificates.certificate TO shikaku_certificates;
GRANT UPDATE (reason) ON certificates.status_change TO shikaku_certificates;

UPDATE certificates.schema_version SET version = 3;
COMMIT;
