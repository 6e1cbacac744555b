-- Verify legacy_sync:hand_overs on pg
BEGIN;
\set schema legacy_sync
\set role shikaku_legacy_sync
\ir ../../chassis/verify.sql
SELECT manager, id, programme, application, system, pseudonym, state, reason, reference, content, accepted_at,
    handed_over_at FROM legacy_sync.hand_over WHERE false;
SELECT id, manager, system, attempt, due_at, lease_until FROM legacy_sync.task WHERE false;
SELECT manager, system, copy, pseudonym, state, taken_at FROM legacy_sync.given_back WHERE false;
SELECT system, after_number, due_at, lease_until FROM legacy_sync.reading WHERE false;
ROLLBACK;
