-- Verify intake:proposals on pg
BEGIN;
SELECT manager, proposal, request_sha256, route, about, proposed_by, proposed_at, lapses_at, approved_by, approved_at
    FROM intake.proposal WHERE false;
SELECT 1 / (NOT has_table_privilege('shikaku_intake', 'intake.proposal', 'DELETE'))::integer;
ROLLBACK;
