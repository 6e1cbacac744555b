-- Included by a service's verify script of its change `proposals`.
SELECT manager, proposal, request_sha256, route, about, programme, body, content, proposed_by, proposed_at, lapses_at, approved_by,
    approved_at, closed_by, closed_at, reason FROM :"schema".proposal WHERE false;
SELECT 1 / (NOT has_table_privilege(:'role', :'schema' || '.proposal', 'DELETE'))::integer;
