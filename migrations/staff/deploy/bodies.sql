-- Deploy staff:bodies to pg
-- requires: ended
--
-- Expand only: an account that is there belongs to the manager itself.
BEGIN;
-- The body inside the programmes in charge (ORG-1): the account sees its part alone; '' sees all parts.
ALTER TABLE staff.account ADD COLUMN body text NOT NULL DEFAULT '';

UPDATE staff.schema_version SET version = 3;
COMMIT;
