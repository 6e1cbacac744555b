-- Revert residence:rotation from pg
BEGIN;
\set schema residence
\set role shikaku_residence
REVOKE UPDATE (covered) ON residence.passing FROM shikaku_residence;
\ir ../../chassis/rotation_drop.sql
UPDATE residence.schema_version SET version = 2;
COMMIT;
