-- Verify vault:ties on pg
BEGIN;
\set schema vault
\set role shikaku_vault
\ir ../../chassis/verify.sql
SELECT manager, token, pseudonym, number, tied_on, replaced_at FROM vault.tie WHERE false;
SELECT manager, token, gateway_id, number, tied_on FROM vault.gateway_tie WHERE false;
-- In a cluster of the vault's own there is no other service's role at all.
SELECT 1 / (count(*) = 0)::integer
FROM pg_catalog.pg_roles r
WHERE r.rolname LIKE 'shikaku\_%' AND r.rolname NOT IN ('shikaku_owner', 'shikaku_vault')
    AND pg_catalog.has_table_privilege(r.oid, 'vault.tie', 'SELECT');
ROLLBACK;
