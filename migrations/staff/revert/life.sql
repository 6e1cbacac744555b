-- Revert staff:life from pg
-- Refused while the register would lose an application.
BEGIN;
ALTER TABLE staff.application NO FORCE ROW LEVEL SECURITY;
DO $$ BEGIN
    IF EXISTS (SELECT 1 FROM staff.application) THEN
        RAISE EXCEPTION 'there are applications';
    END IF;
END $$;
DROP TABLE staff.terminal;
DROP TABLE staff.terminal_place;
DROP TABLE staff.consent;
DROP TABLE staff.training;
DROP TABLE staff.policy;
DROP INDEX staff.login_at;
ALTER TABLE staff.login DROP CONSTRAINT login_outcome_check, DROP COLUMN odd_hour, DROP COLUMN new_terminal;
ALTER TABLE staff.login ADD CONSTRAINT login_outcome_check
    CHECK (outcome IN ('done', 'unknown', 'wrong', 'locked', 'closed', 'terminal')) NOT VALID;
DROP TABLE staff.attempt;
DROP TABLE staff.password;
REVOKE UPDATE (state, need, password, role, programmes, body, until, application, closed_at, closed_by, close_reason,
    password_set_at, must_change, factor, factor_confirmed, factor_step, previous_login_at)
    ON staff.account FROM shikaku_staff;
ALTER TABLE staff.account
    DROP COLUMN person_token, DROP COLUMN category, DROP COLUMN employer, DROP COLUMN until, DROP COLUMN application,
    DROP COLUMN closed_at, DROP COLUMN closed_by, DROP COLUMN close_reason, DROP COLUMN password_set_at,
    DROP COLUMN must_change, DROP COLUMN factor, DROP COLUMN factor_confirmed, DROP COLUMN factor_step,
    DROP COLUMN previous_login_at;
DROP TABLE staff.application;
UPDATE staff.schema_version SET version = 3;
COMMIT;
