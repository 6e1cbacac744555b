-- Revert records:rotation from pg
BEGIN;
\set schema records
\set role shikaku_records
REVOKE UPDATE (registration_number) ON records.entry FROM shikaku_records;
REVOKE UPDATE (fields, differing) ON records.version FROM shikaku_records;
\ir ../../chassis/rotation_drop.sql
UPDATE records.schema_version SET version = 2;
COMMIT;
