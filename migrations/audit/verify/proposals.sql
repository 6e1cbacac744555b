-- Verify audit:proposals on pg
BEGIN;
\set schema audit
\set role shikaku_audit
\ir ../../chassis/proposals_verify.sql
ROLLBACK;
