-- Verify intake:proposal_ends on pg
BEGIN;
\set schema intake
\set role shikaku_intake
\ir ../../chassis/proposals_verify.sql
ROLLBACK;
