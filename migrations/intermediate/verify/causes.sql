-- Verify intermediate:causes on pg
BEGIN;
SELECT cause FROM intermediate.exchange_record WHERE false;
SELECT 1 / has_column_privilege('shikaku_intermediate', 'intermediate.exchange_record', 'cause', 'UPDATE')::integer;
SELECT 1 / (NOT has_table_privilege('shikaku_intermediate', 'intermediate.exchange_record', 'UPDATE, DELETE'))::integer;
ROLLBACK;
