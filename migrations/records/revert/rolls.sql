-- Revert records:rolls from pg
BEGIN;
\set schema records
DROP TABLE records.version;
DROP TABLE records.entry;
DROP TABLE records.counter;
\ir ../../chassis/drop.sql
COMMIT;
