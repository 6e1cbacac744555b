-- Revert intermediate:rotation from pg
BEGIN;
\set schema intermediate
\set role shikaku_intermediate
REVOKE UPDATE (covered) ON intermediate.code FROM shikaku_intermediate;
REVOKE UPDATE (covered) ON intermediate.acquisition FROM shikaku_intermediate;
\ir ../../chassis/rotation_drop.sql
UPDATE intermediate.schema_version SET version = 1;
COMMIT;
