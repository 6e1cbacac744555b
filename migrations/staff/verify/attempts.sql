-- Verify staff:attempts on pg
BEGIN;
SELECT 1 / (SELECT count(*) = 0 FROM pg_catalog.pg_attribute WHERE attrelid = 'staff.account'::regclass
    AND attname IN ('failures', 'locked_until') AND NOT attisdropped)::integer;
ROLLBACK;
