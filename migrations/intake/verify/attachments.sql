-- Verify intake:attachments on pg
BEGIN;
SELECT manager, application, number, piece, name, media_type, size, content FROM intake.attachment WHERE false;
SELECT 1 / (relrowsecurity AND relforcerowsecurity)::integer FROM pg_catalog.pg_class WHERE oid = 'intake.attachment'::regclass;
SELECT 1 / (NOT has_table_privilege('shikaku_intake', 'intake.attachment', 'UPDATE, DELETE'))::integer;
ROLLBACK;
