-- Revert audit:findings from pg
BEGIN;
DROP TABLE audit.finding_touch, audit.finding, audit.analysis, audit.cause, audit.touch, audit.walk;
UPDATE audit.schema_version SET version = 3;
COMMIT;
