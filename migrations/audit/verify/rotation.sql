-- Verify audit:rotation on pg
BEGIN;
\set schema audit
\set role shikaku_audit
\ir ../../chassis/rotation_verify.sql
ROLLBACK;
