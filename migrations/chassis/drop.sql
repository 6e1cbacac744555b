-- Undoes tables.sql; included by the revert script of a service's first migration, with the same variables.
DROP TABLE :"schema".data_key;
DROP TABLE :"schema".audit_outbox;
DROP TABLE :"schema".outbox;
DROP TABLE :"schema".inbox;
DROP FUNCTION :"schema".manager_in_force();
DROP TABLE :"schema".schema_version;
