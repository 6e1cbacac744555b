-- Revert intermediate:inquiries from pg
BEGIN;
\set schema intermediate
DROP TABLE intermediate.inquiry_queue;
DROP TABLE intermediate.exchange_record;
DROP TABLE intermediate.acquisition;
DROP TABLE intermediate.code;
DROP TABLE intermediate.inquiry;
\ir ../../chassis/drop.sql
COMMIT;
