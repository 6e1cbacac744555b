-- Revert audit:gaps from pg
BEGIN;
DROP TABLE audit.gap;
UPDATE audit.schema_version SET version = 6;
COMMIT;
