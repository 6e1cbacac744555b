-- Revert audit:incidents from pg
BEGIN;
DROP TABLE audit.incident_page;
DROP TABLE audit.incident_change;
DROP TABLE audit.incident;
UPDATE audit.schema_version SET version = 4;
COMMIT;
