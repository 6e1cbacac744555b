-- Deploy intake:attachments to pg
-- requires: applications
BEGIN;
-- The attachments of an application, in the pieces in which they came. A received piece is taken over here, under the manager's key,
-- when an application names it; those in intake.piece go after a day.
CREATE TABLE intake.attachment (
    manager text NOT NULL,
    application text NOT NULL,
    number integer NOT NULL,         -- of the attachment, from 0 in the order of the manifest
    piece integer NOT NULL,          -- of this attachment, from 0
    name text NOT NULL,              -- of the procedure's list, never what a person called the file
    media_type text NOT NULL,        -- one of services/intake/attachment_messages.c
    size bigint NOT NULL,            -- of the whole attachment
    content bytea NOT NULL,          -- covered
    PRIMARY KEY (manager, application, number, piece),
    FOREIGN KEY (manager, application) REFERENCES intake.application (manager, application)
);
ALTER TABLE intake.attachment ENABLE ROW LEVEL SECURITY;
ALTER TABLE intake.attachment FORCE ROW LEVEL SECURITY;
CREATE POLICY attachment_of_manager ON intake.attachment USING (manager = intake.manager_in_force());
GRANT SELECT, INSERT ON intake.attachment TO shikaku_intake;
-- Sent again, it is kept for another day.
GRANT UPDATE (received_at) ON intake.piece TO shikaku_intake;
CREATE INDEX piece_received_at ON intake.piece (received_at);

UPDATE intake.schema_version SET version = 2;
COMMIT;
