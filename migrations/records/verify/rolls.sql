-- Verify records:rolls on pg
BEGIN;
\set schema records
\set role shikaku_records
\ir ../../chassis/verify.sql
SELECT manager, programme, series, last FROM records.counter WHERE false;
SELECT manager, entry, programme, application, pseudonym, state, version, registration_number, number_token, person_token,
    created_at FROM records.entry WHERE false;
SELECT manager, entry, version, reason, reference, actor, fields, differing, written_at FROM records.version WHERE false;
SELECT 1 / (NOT has_table_privilege('shikaku_records', 'records.version', 'UPDATE, DELETE')
    AND NOT has_table_privilege('shikaku_records', 'records.entry', 'DELETE'))::integer;
SELECT 1 / (count(*) = 3)::integer FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'records' AND c.relname IN ('counter', 'entry', 'version') AND c.relrowsecurity AND c.relforcerowsecurity;
ROLLBACK;
