-- Deploy vault:rotation to pg
-- requires: corrections
BEGIN;
\set schema vault
\set role shikaku_vault
-- Nothing was ever written to it.
DROP TABLE vault.rotation;
\ir ../../chassis/rotation.sql

UPDATE vault.schema_version SET version = 4;
COMMIT;
