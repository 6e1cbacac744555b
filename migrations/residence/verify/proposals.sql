-- Verify residence:proposals on pg
BEGIN;
\set schema residence
\set role shikaku_residence
\ir ../../chassis/proposals_verify.sql
ROLLBACK;
