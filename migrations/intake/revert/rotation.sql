-- Revert intake:rotation from pg
BEGIN;
\set schema intake
\set role shikaku_intake
REVOKE UPDATE (reason) ON intake.history FROM shikaku_intake;
REVOKE UPDATE (content) ON intake.piece FROM shikaku_intake;
REVOKE UPDATE (content) ON intake.attachment FROM shikaku_intake;
\ir ../../chassis/rotation_drop.sql
UPDATE intake.schema_version SET version = 3;
COMMIT;
