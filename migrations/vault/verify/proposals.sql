-- Verify vault:proposals on pg
BEGIN;
\set schema vault
\set role shikaku_vault
\ir ../../chassis/proposals_verify.sql
ROLLBACK;
