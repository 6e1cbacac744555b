-- Verify staff:life on pg
BEGIN;
SELECT manager, application, kind, account, person, need, category, employer, role, programmes, body, until, state, applied_by,
    applied_at, decided_by, decided_at, reason FROM staff.application WHERE false;
SELECT person_token, category, employer, until, application, closed_at, closed_by, close_reason, password_set_at,
    must_change, factor, factor_confirmed, factor_step, previous_login_at FROM staff.account WHERE false;
SELECT manager, account, id, password, replaced_at FROM staff.password WHERE false;
SELECT manager, account, terminal, failures, locked_until, succeeded_at FROM staff.attempt WHERE false;
SELECT odd_hour, new_terminal FROM staff.login WHERE false;
SELECT manager, version, second_factor, training_days, terms, set_by, set_at FROM staff.policy WHERE false;
SELECT manager, account, course, held_on, recorded_by, recorded_at FROM staff.training WHERE false;
SELECT manager, account, terms, accepted_at FROM staff.consent WHERE false;
SELECT terminal, manager FROM staff.terminal_place WHERE false;
SELECT manager, terminal, listed_at, kind, place, account, listed_by, ended_at, ended_by, reason
    FROM staff.terminal WHERE false;
-- The register is kept for good.
SELECT 1 / (NOT has_table_privilege('shikaku_staff', 'staff.account', 'DELETE')
    AND NOT has_table_privilege('shikaku_staff', 'staff.application', 'DELETE')
    AND NOT has_table_privilege('shikaku_staff', 'staff.terminal', 'DELETE')
    AND NOT has_table_privilege('shikaku_staff', 'staff.policy', 'UPDATE, DELETE')
    AND NOT has_table_privilege('shikaku_staff', 'staff.training', 'UPDATE, DELETE')
    AND NOT has_table_privilege('shikaku_staff', 'staff.consent', 'UPDATE, DELETE'))::integer;
ROLLBACK;
