-- Revert residence:proposals from pg
BEGIN;
DROP TABLE residence.proposal;
UPDATE residence.schema_version SET version = 3;
COMMIT;
