-- Revert staff:accounts from pg
BEGIN;
\set schema staff
DROP TABLE staff.login;
DROP TABLE staff.session;
DROP TABLE staff.account;
DROP TABLE staff.account_place;
\ir ../../chassis/drop.sql
COMMIT;
