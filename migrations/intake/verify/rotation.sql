-- Verify intake:rotation on pg
BEGIN;
\set schema intake
\set role shikaku_intake
\ir ../../chassis/rotation_verify.sql
ROLLBACK;
