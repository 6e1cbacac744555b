-- Verify staff:accounts on pg
BEGIN;
\set schema staff
\set role shikaku_staff
\ir ../../chassis/verify.sql
SELECT account, manager FROM staff.account_place WHERE false;
SELECT manager, account, person, need, password, role, programmes, state, created_at,
    last_login_at FROM staff.account WHERE false;
SELECT manager, session, account, terminal, started_at, expires_at, ended_at FROM staff.session WHERE false;
SELECT manager, id, account, terminal, outcome, at FROM staff.login WHERE false;
SELECT 1 / (NOT has_table_privilege('shikaku_staff', 'staff.login', 'UPDATE, DELETE'))::integer;
ROLLBACK;
