-- Included by the verify script of a service's first migration, with the same variables. Each statement fails loudly
-- where something is missing: SELECT by its columns, the divisions by zero where a right or a guard is not as it must be.
SELECT version FROM :"schema".schema_version WHERE false;
SELECT caller, key, route, request_sha256, reply, key_id, received_at, expires_on FROM :"schema".inbox WHERE false;
SELECT id, message_id, recipient, route, idempotency_key, aggregate, correlation, payload, key_id, created_at, due_at,
    attempt, lease_until, sent_at FROM :"schema".outbox WHERE false;
SELECT instance, worker, sequence, previous, digest, event, created_at FROM :"schema".audit_outbox WHERE false;
SELECT key_id, manager, kind, wrapped, created_at, retired_at FROM :"schema".data_key WHERE false;

-- No table lets the service's role empty it or refer to it, and none belongs to the role.
SELECT 1 / (count(*) = 0)::integer
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = :'schema' AND c.relkind IN ('r', 'p')
    AND (pg_catalog.has_table_privilege(:'role', c.oid, 'TRUNCATE')
        OR pg_catalog.has_table_privilege(:'role', c.oid, 'REFERENCES')
        OR pg_catalog.pg_get_userbyid(c.relowner) <> 'shikaku_owner');

-- A table with a manager's rows guards them, its owner not excepted. data_key holds no person's data.
SELECT 1 / (count(*) = 0)::integer
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = :'schema' AND c.relkind IN ('r', 'p') AND c.relrowsecurity AND NOT c.relforcerowsecurity;
