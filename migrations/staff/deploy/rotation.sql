-- Deploy staff:rotation to pg
-- requires: life
BEGIN;
\set schema staff
\set role shikaku_staff
\ir ../../chassis/rotation.sql

-- What is covered is covered anew.
GRANT UPDATE (person) ON staff.account TO shikaku_staff;
GRANT UPDATE (person, need) ON staff.application TO shikaku_staff;
GRANT UPDATE (password) ON staff.password TO shikaku_staff;

UPDATE staff.schema_version SET version = 5;
COMMIT;
