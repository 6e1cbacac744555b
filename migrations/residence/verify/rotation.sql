-- Verify residence:rotation on pg
BEGIN;
\set schema residence
\set role shikaku_residence
\ir ../../chassis/rotation_verify.sql
ROLLBACK;
