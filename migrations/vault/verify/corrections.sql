-- Verify vault:corrections on pg
BEGIN;
SELECT manager, pseudonym, issued_on, ended_on FROM vault.unnumbered WHERE false;
SELECT 1 / (NOT has_table_privilege('shikaku_vault', 'vault.unnumbered', 'DELETE, TRUNCATE'))::integer;
SELECT 1 / (count(*) = 2)::integer FROM pg_catalog.pg_constraint
WHERE conrelid = 'vault.correction'::regclass AND conname IN ('correction_state', 'correction_decided');
ROLLBACK;
