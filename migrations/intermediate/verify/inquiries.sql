-- Verify intermediate:inquiries on pg
BEGIN;
\set schema intermediate
\set role shikaku_intermediate
\ir ../../chassis/verify.sql
SELECT manager, id, application, programme, gateway_id, provider, affair, item, state, state_since, outcome, permit,
    processing_number, asked_at, accepted_at FROM intermediate.inquiry WHERE false;
SELECT manager, gateway_id, covered, had_at FROM intermediate.code WHERE false;
SELECT manager, gateway_id, id, covered, made_at FROM intermediate.acquisition WHERE false;
SELECT manager, id, application, gateway_id, inquirer, provider, affair, item, processing_number, asked_at, provided_at,
    outcome, withheld, keep_until FROM intermediate.exchange_record WHERE false;
SELECT id, manager, lane, due_at, lease_until, attempt, polls, failures FROM intermediate.inquiry_queue WHERE false;
SELECT 1 / (count(*) = 4)::integer FROM pg_catalog.pg_class c
WHERE c.relnamespace = 'intermediate'::regnamespace AND c.relrowsecurity AND c.relforcerowsecurity;
SELECT 1 / (NOT has_table_privilege('shikaku_intermediate', 'intermediate.exchange_record', 'UPDATE, DELETE'))::integer;
ROLLBACK;
