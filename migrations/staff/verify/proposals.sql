-- Verify staff:proposals on pg
BEGIN;
\set schema staff
\set role shikaku_staff
\ir ../../chassis/proposals_verify.sql
ROLLBACK;
