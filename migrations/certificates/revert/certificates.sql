-- Revert certificates:certificates from pg
BEGIN;
\set schema certificates
DROP TABLE certificates.status_change;
DROP TABLE certificates.standing;
DROP TABLE certificates.certificate;
DROP TABLE certificates.issuing_key;
\ir ../../chassis/drop.sql
COMMIT;
