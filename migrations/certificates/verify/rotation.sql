-- Verify certificates:rotation on pg
BEGIN;
\set schema certificates
\set role shikaku_certificates
\ir ../../chassis/rotation_verify.sql
ROLLBACK;
