-- Verify vault:order on pg
BEGIN;
SELECT 1 / count(*) FROM vault.schema_version WHERE version >= 5;
SELECT t.settled, g.settled, p.settled FROM vault.tie t, vault.gateway_tie g, vault.portal_tie p WHERE false;
SELECT 1 / has_function_privilege('shikaku_vault', 'vault.order_forget(integer)', 'EXECUTE')::integer;
SELECT 1 / (NOT has_table_privilege('shikaku_vault', 'vault.tie', 'DELETE'))::integer;
ROLLBACK;
