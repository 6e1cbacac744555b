-- Verify intermediate:rotation on pg
BEGIN;
\set schema intermediate
\set role shikaku_intermediate
\ir ../../chassis/rotation_verify.sql
ROLLBACK;
