-- Undoes rotation.sql; refused while a key is being replaced, for rows lie under both then.
SELECT 1 / (count(*) = 0)::integer FROM :"schema".rotation WHERE finished_at IS NULL;
DROP TABLE :"schema".rotation;
DROP TABLE :"schema".key_holder;
DROP TABLE :"schema".key_state;
REVOKE UPDATE (state, wrapped) ON :"schema".data_key FROM :"role";
DROP INDEX :"schema".data_key_in_force;
ALTER TABLE :"schema".data_key DROP COLUMN state;
CREATE UNIQUE INDEX data_key_in_force ON :"schema".data_key (manager, kind) WHERE retired_at IS NULL;
