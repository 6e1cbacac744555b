-- Verify audit:findings on pg
BEGIN;
SELECT position, appended_ms FROM audit.walk WHERE false;
SELECT manager, position, subject, at_ms, day, appended_ms, act, outcome, role, programme, purpose, likeness, account, terminal,
    reason, persons FROM audit.touch WHERE false;
SELECT manager, reason, subject, opened_ms, closed_ms FROM audit.cause WHERE false;
SELECT manager, rule, position, ran_at FROM audit.analysis WHERE false;
SELECT manager, finding, rule, account, subject, state, opened_at, due_at, first_ms, last_ms, last_position, touches, detail,
    closed_at, closing FROM audit.finding WHERE false;
SELECT manager, finding, position FROM audit.finding_touch WHERE false;
ROLLBACK;
