-- Deploy records:rolls to pg
BEGIN;
\set schema records
\set role shikaku_records
\ir ../../chassis/tables.sql

-- The last registration number (登録番号) given, one row a series (a programme, or a programme and fiscal year). Counted up
-- in the transaction of the entry that takes the number, so that a number is skipped only by the loss of the whole entry.
CREATE TABLE records.counter (
    manager text NOT NULL,
    programme text NOT NULL,
    series text NOT NULL, -- '' or a fiscal year
    last bigint NOT NULL CHECK (last > 0),
    PRIMARY KEY (manager, programme, series)
);
ALTER TABLE records.counter ENABLE ROW LEVEL SECURITY;
ALTER TABLE records.counter FORCE ROW LEVEL SECURITY;
CREATE POLICY counter_of_manager ON records.counter USING (manager = records.manager_in_force());
GRANT SELECT, INSERT ON records.counter TO shikaku_records;
GRANT UPDATE (last) ON records.counter TO shikaku_records;

-- A person's place on a roll (資格者名簿). Never deleted: state and version move on, the versions tell the rest.
CREATE TABLE records.entry (
    manager text NOT NULL,
    entry uuid NOT NULL,
    programme text NOT NULL,
    application uuid NOT NULL,          -- that made it: one application, one entry
    pseudonym text NOT NULL,            -- 資格仮名ID
    state text NOT NULL CHECK (state IN ('valid', 'suspended', 'revoked', 'struck_off')),
    version integer NOT NULL CHECK (version > 0), -- the one in force
    registration_number bytea NOT NULL, -- covered
    number_token bytea NOT NULL CHECK (octet_length(number_token) = 32),
    person_token bytea NOT NULL CHECK (octet_length(person_token) = 32), -- of name (comparing form) and birth date
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (manager, entry),
    UNIQUE (manager, application),
    UNIQUE (manager, programme, number_token)
);
CREATE INDEX entry_pseudonym ON records.entry (manager, programme, pseudonym);
CREATE INDEX entry_person ON records.entry (manager, person_token);
ALTER TABLE records.entry ENABLE ROW LEVEL SECURITY;
ALTER TABLE records.entry FORCE ROW LEVEL SECURITY;
CREATE POLICY entry_of_manager ON records.entry USING (manager = records.manager_in_force());
GRANT SELECT, INSERT ON records.entry TO shikaku_records;
GRANT UPDATE (state, version) ON records.entry TO shikaku_records;

-- What an entry held, from when, why. Written once: there is neither UPDATE nor DELETE.
CREATE TABLE records.version (
    manager text NOT NULL,
    entry uuid NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    reason text NOT NULL CHECK (reason IN ('registered', 'copy')),
    reference text NOT NULL,            -- application, or the copy's id at the existing system
    actor text NOT NULL,                -- the service that asked
    fields bytea NOT NULL,              -- covered: JSON, table by table, without the number
    differing bytea,                    -- covered: JSON list of fields that an existing system holds otherwise
    written_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (manager, entry, version),
    UNIQUE (manager, entry, reason, reference),
    FOREIGN KEY (manager, entry) REFERENCES records.entry (manager, entry)
);
ALTER TABLE records.version ENABLE ROW LEVEL SECURITY;
ALTER TABLE records.version FORCE ROW LEVEL SECURITY;
CREATE POLICY version_of_manager ON records.version USING (manager = records.manager_in_force());
GRANT SELECT, INSERT ON records.version TO shikaku_records;
COMMIT;
