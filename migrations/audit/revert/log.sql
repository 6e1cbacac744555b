-- Revert audit:log from pg
BEGIN;
\set schema audit
DROP TABLE audit.head;
DROP TABLE audit.sequencer;
DROP TABLE audit.chain;
DROP TABLE audit.log;
\ir ../../chassis/drop.sql
COMMIT;
