-- Verify staff:loans on pg
BEGIN;
SELECT manager, loan, account, right_name, purpose, programme, minutes, reason, state, asked_at, decided_by, decided_at, decision,
    until, ended_by, ended_at, end_reason FROM staff.loan WHERE false;
SELECT 1 / (NOT has_table_privilege('shikaku_staff', 'staff.loan', 'DELETE'))::integer;
ROLLBACK;
