-- Verify residence:inquiries on pg
BEGIN;
\set schema residence
\set role shikaku_residence
\ir ../../chassis/verify.sql
SELECT manager, id, form, asked_by, application, programme, pseudonym, account, state, outcome, file, asked_at, finished_at
FROM residence.inquiry WHERE false;
SELECT manager, id, kind, covered FROM residence.passing WHERE false;
SELECT id, manager, lane, due_at, lease_until, attempt FROM residence.inquiry_queue WHERE false;
SELECT 1 / (count(*) = 2)::integer FROM pg_catalog.pg_class c
WHERE c.relnamespace = 'residence'::regnamespace AND c.relname IN ('inquiry', 'passing')
    AND c.relrowsecurity AND c.relforcerowsecurity;
SELECT 1 / (NOT has_table_privilege('shikaku_residence', 'residence.inquiry', 'DELETE'))::integer;
ROLLBACK;
