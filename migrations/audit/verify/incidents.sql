-- Verify audit:incidents on pg
BEGIN;
SELECT manager, incident, state, unlawful, opened_at, known_at, preliminary_due, final_due, preliminary_at, final_at, closed_at,
    changes FROM audit.incident WHERE false;
SELECT manager, incident, number, act, made_at, content FROM audit.incident_change WHERE false;
SELECT manager, incident, scope, page, content FROM audit.incident_page WHERE false;
SELECT 1 / (NOT has_table_privilege('shikaku_audit', 'audit.incident_change', 'DELETE'))::integer;
ROLLBACK;
