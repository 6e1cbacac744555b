-- Verify records:rotation on pg
BEGIN;
\set schema records
\set role shikaku_records
\ir ../../chassis/rotation_verify.sql
ROLLBACK;
