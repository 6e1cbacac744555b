-- Revert certificates:rotation from pg
BEGIN;
\set schema certificates
\set role shikaku_certificates
REVOKE UPDATE (code, holder) ON certificates.certificate FROM shikaku_certificates;
REVOKE UPDATE (reason) ON certificates.status_change FROM shikaku_certificates;
\ir ../../chassis/rotation_drop.sql
UPDATE certificates.schema_version SET version = 2;
COMMIT;
