-- Verify vault:ties on pg
BEGIN;
\set schema vault
\set role shikaku_vault
\ir ../../chassis/verify.sql
SELECT manager, token, pseudonym, number, tied_on, replaced_at FROM vault.tie WHERE false;
SELECT manager, token, gateway_id, number, tied_on FROM vault.gateway_tie WHERE false;
SELECT 1 / (NOT has_table_privilege('shikaku_intake', 'vault.tie', 'SELECT'))::integer;
ROLLBACK;
