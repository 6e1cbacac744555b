-- Revert residence:inquiries from pg
BEGIN;
\set schema residence
DROP TABLE residence.inquiry_queue;
DROP TABLE residence.passing;
DROP TABLE residence.inquiry;
\ir ../../chassis/drop.sql
COMMIT;
