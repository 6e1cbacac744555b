-- Revert vault:proposals from pg
BEGIN;
DROP TABLE vault.proposal;
UPDATE vault.schema_version SET version = 5;
COMMIT;
