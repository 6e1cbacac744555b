-- Revert legacy_sync:hand_overs from pg
BEGIN;
\set schema legacy_sync
DROP TABLE legacy_sync.reading;
DROP TABLE legacy_sync.given_back;
DROP TABLE legacy_sync.task;
DROP TABLE legacy_sync.hand_over;
\ir ../../chassis/drop.sql
COMMIT;
