-- Deploy intake:applications to pg
BEGIN;
\set schema intake
\set role shikaku_intake
\ir ../../chassis/tables.sql

-- An application (申請) as it was received, and what has become known of it. Everything that a person said is covered.
CREATE TABLE intake.application (
    manager text NOT NULL,
    application text NOT NULL CHECK (length(application) = 36),
    receipt text NOT NULL,
    programme text NOT NULL,
    procedure text NOT NULL,
    channel text NOT NULL CHECK (channel IN ('online', 'paper', 'agency')),
    manifest_sha256 bytea NOT NULL,
    signer_sha256 bytea NOT NULL,
    document bytea NOT NULL,          -- covered
    signature bytea NOT NULL,         -- covered
    portal_pseudonym bytea NOT NULL,  -- covered
    person bytea NOT NULL,            -- covered: the four items as applied
    pseudonym text NOT NULL,          -- 資格仮名ID
    received_at timestamptz NOT NULL,
    confirmed bytea,                  -- covered: the four items as the residence network says
    comparison text NOT NULL DEFAULT '',
    residence_result text NOT NULL DEFAULT '',
    family_result text NOT NULL DEFAULT '',
    domicile bytea,                   -- covered: 本籍
    fee bigint NOT NULL,
    fee_state text NOT NULL DEFAULT 'due' CHECK (fee_state IN ('due', 'paid', 'none')),
    charge text NOT NULL DEFAULT '',
    pay_url text NOT NULL DEFAULT '',
    entry text NOT NULL DEFAULT '',
    version integer NOT NULL DEFAULT 0,
    registration_number text NOT NULL DEFAULT '',
    fields bytea,                     -- covered: the roll entry, for certificate and existing system
    certificate text NOT NULL DEFAULT '',
    PRIMARY KEY (manager, application),
    CONSTRAINT application_once UNIQUE (manager, manifest_sha256, signer_sha256)
);
ALTER TABLE intake.application ENABLE ROW LEVEL SECURITY;
ALTER TABLE intake.application FORCE ROW LEVEL SECURITY;
CREATE POLICY application_of_manager ON intake.application USING (manager = intake.manager_in_force());
GRANT SELECT, INSERT, UPDATE ON intake.application TO shikaku_intake;

-- Where each application stands and when it is looked at again; no personal data, so that a lane can look across managers.
CREATE TABLE intake.queue (
    manager text NOT NULL,
    application text NOT NULL,
    state text NOT NULL CHECK (state IN ('residence', 'residence_terminal', 'family', 'person', 'review', 'fee',
        'registering', 'certifying', 'handing_over', 'notifying', 'completed', 'returning', 'returned', 'rejecting',
        'rejected')),
    resume text NOT NULL DEFAULT '',  -- state = 'person': where it goes on once a person settled it
    due_at timestamptz NOT NULL DEFAULT now(),
    lease_until timestamptz,
    attempt integer NOT NULL DEFAULT 0,
    PRIMARY KEY (manager, application)
);
CREATE INDEX queue_due ON intake.queue (state, due_at);
CREATE INDEX queue_manager ON intake.queue (manager, state);
GRANT SELECT, INSERT, UPDATE ON intake.queue TO shikaku_intake;

-- From a receipt number, or a holder's token under the manager's own index key, to the application.
CREATE TABLE intake.directory (
    receipt text PRIMARY KEY,
    manager text NOT NULL,
    application text NOT NULL,
    portal_token bytea NOT NULL,
    UNIQUE (manager, application)
);
CREATE INDEX directory_holder ON intake.directory (portal_token);
GRANT SELECT, INSERT ON intake.directory TO shikaku_intake;

CREATE TABLE intake.history (
    manager text NOT NULL,
    application text NOT NULL,
    position bigint GENERATED ALWAYS AS IDENTITY,
    state text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    who text NOT NULL,
    code text NOT NULL DEFAULT '',    -- why, as a word
    reason bytea,                     -- covered: why, as a person wrote it
    PRIMARY KEY (manager, application, position),
    FOREIGN KEY (manager, application) REFERENCES intake.application (manager, application)
);
ALTER TABLE intake.history ENABLE ROW LEVEL SECURITY;
ALTER TABLE intake.history FORCE ROW LEVEL SECURITY;
CREATE POLICY history_of_manager ON intake.history USING (manager = intake.manager_in_force());
GRANT SELECT, INSERT ON intake.history TO shikaku_intake;

-- Money taken, once for an application (PAY-3, PAY-5).
CREATE TABLE intake.fee_entry (
    manager text NOT NULL,
    application text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('received', 'refunded')),
    method text NOT NULL CHECK (method IN ('online', 'stamps', 'cash')),
    amount bigint NOT NULL CHECK (amount >= 0),
    reference text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (manager, application, kind)
);
ALTER TABLE intake.fee_entry ENABLE ROW LEVEL SECURITY;
ALTER TABLE intake.fee_entry FORCE ROW LEVEL SECURITY;
CREATE POLICY fee_entry_of_manager ON intake.fee_entry USING (manager = intake.manager_in_force());
GRANT SELECT, INSERT ON intake.fee_entry TO shikaku_intake;

-- Pieces of attachments, by their digest; they come before the application that names them, so no manager is known yet.
CREATE TABLE intake.piece (
    sha256 bytea PRIMARY KEY,
    content bytea NOT NULL,           -- covered by the service's own key
    size integer NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT, INSERT, DELETE ON intake.piece TO shikaku_intake;
COMMIT;
