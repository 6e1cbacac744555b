-- Verify audit:gaps on pg
BEGIN;
SELECT service, instance, worker, after, resume, digest, found_at, released_at, reason FROM audit.gap WHERE false;
SELECT 1 / (NOT has_table_privilege('shikaku_audit', 'audit.gap', 'DELETE'))::integer;
ROLLBACK;
