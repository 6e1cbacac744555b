-- Verify staff:rotation on pg
BEGIN;
\set schema staff
\set role shikaku_staff
\ir ../../chassis/rotation_verify.sql
ROLLBACK;
