-- Verify certificates:certificates on pg
BEGIN;
\set schema certificates
\set role shikaku_certificates
\ir ../../chassis/verify.sql
SELECT manager, kid, point, first_used_at FROM certificates.issuing_key WHERE false;
SELECT manager, certificate, programme, application, entry, version, pseudonym, kid, status, code, holder, issued_at
FROM certificates.certificate WHERE false;
SELECT manager, entry, standing, changed_at FROM certificates.standing WHERE false;
SELECT manager, entry, change, status, reason, caller, changed_at FROM certificates.status_change WHERE false;
SELECT 1 / (NOT has_table_privilege('shikaku_certificates', 'certificates.status_change', 'UPDATE, DELETE')
    AND NOT has_table_privilege('shikaku_certificates', 'certificates.certificate', 'DELETE')
    AND NOT has_table_privilege('shikaku_certificates', 'certificates.issuing_key', 'UPDATE, DELETE'))::integer;
SELECT 1 / (count(*) = 4)::integer FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'certificates' AND c.relname IN ('issuing_key', 'certificate', 'standing', 'status_change')
    AND c.relrowsecurity AND c.relforcerowsecurity;
ROLLBACK;
