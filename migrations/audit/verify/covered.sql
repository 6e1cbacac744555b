-- Verify audit:covered on pg
BEGIN;
SELECT position, appended_ms, service, instance, worker, sequence, kind, manager, act, outcome, tokens, event, leaf
FROM audit.log WHERE false;
SELECT position, leaf, deletion FROM audit.leaf WHERE false;
SELECT 1 / (NOT has_table_privilege('shikaku_audit', 'audit.log', 'UPDATE, DELETE'))::integer;
SELECT 1 / (NOT has_table_privilege('shikaku_audit', 'audit.leaf', 'INSERT, UPDATE, DELETE'))::integer;
SELECT 1 / has_function_privilege('shikaku_audit', 'audit.month_end(text, date, bigint)', 'EXECUTE')::integer;
ROLLBACK;
