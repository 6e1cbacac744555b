-- Revert vault:ties from pg
BEGIN;
\set schema vault
DROP TABLE vault.gateway_tie;
DROP TABLE vault.tie;
\ir ../../chassis/drop.sql
COMMIT;
