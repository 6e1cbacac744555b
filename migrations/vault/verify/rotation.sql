-- Verify vault:rotation on pg
BEGIN;
\set schema vault
\set role shikaku_vault
\ir ../../chassis/rotation_verify.sql
ROLLBACK;
