-- Verify vault:changes on pg
BEGIN;
SELECT next_token, index_key, replaced_on, came_from FROM vault.tie WHERE false;
SELECT next_token, index_key, closed_on FROM vault.gateway_tie WHERE false;
SELECT manager, token, next_token, index_key, tie_id, pair, tied_on FROM vault.portal_tie WHERE false;
SELECT manager, pseudonym, leads_to, joined_on FROM vault.joined WHERE false;
SELECT manager, correction_id, kind, pseudonym, other, number, reason, state, asked_by, asked_at, decided_by, decided_at
FROM vault.correction WHERE false;
SELECT manager, kind, old_key, new_key, phase, place, rows_done, started_at, due_at, finished_at
FROM vault.rotation WHERE false;
SELECT manager, certificate, erased_at FROM vault.erasure WHERE false;
-- A tie can be moved on, never taken away.
SELECT 1 / (NOT has_table_privilege('shikaku_vault', 'vault.tie', 'DELETE, TRUNCATE'))::integer;
SELECT 1 / (count(*) = 0)::integer
FROM pg_catalog.pg_class c
WHERE c.relnamespace = 'vault'::regnamespace AND c.relkind IN ('r', 'p')
    AND c.relrowsecurity AND NOT c.relforcerowsecurity;
-- In a cluster of the vault's own there is no other service's role at all.
SELECT 1 / (count(*) = 0)::integer
FROM pg_catalog.pg_class c, pg_catalog.pg_roles r
WHERE c.relnamespace = 'vault'::regnamespace AND c.relkind IN ('r', 'p')
    AND r.rolname LIKE 'shikaku\_%' AND r.rolname NOT IN ('shikaku_owner', 'shikaku_vault')
    AND has_any_column_privilege(r.oid, c.oid, 'SELECT');
ROLLBACK;
