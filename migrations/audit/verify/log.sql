-- Verify audit:log on pg
BEGIN;
\set schema audit
\set role shikaku_audit
\ir ../../chassis/verify.sql
SELECT service, instance, worker, sequence, digest FROM audit.chain WHERE false;
SELECT 1 / count(*) FROM audit.sequencer;
SELECT id, size, root, signed_at_ms, public_key, signature FROM audit.head WHERE false;
SELECT 1 / (NOT has_table_privilege('shikaku_audit', 'audit.log', 'UPDATE, DELETE'))::integer;
ROLLBACK;
