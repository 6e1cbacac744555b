-- Deploy residence:inquiries to pg
BEGIN;
\set schema residence
\set role shikaku_residence
\ir ../../chassis/tables.sql

-- One inquiry at the residence network: reference, purpose, times, outcome. Never an answer, never a number.
CREATE TABLE residence.inquiry (
    manager text NOT NULL,
    id uuid NOT NULL,
    form text NOT NULL CHECK (form IN ('batch', 'instant')),
    asked_by text NOT NULL CHECK (asked_by IN ('number', 'four_items')),
    application text NOT NULL,
    programme text NOT NULL,              -- the purpose (利用事務)
    pseudonym text NOT NULL,              -- '' when asked by the four items
    account text NOT NULL DEFAULT '',     -- the operator of an instant inquiry
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'answered', 'failed')),
    outcome text NOT NULL DEFAULT '',
    file text NOT NULL DEFAULT '',        -- reference of the file that was answered
    asked_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    PRIMARY KEY (manager, id)
);
CREATE INDEX inquiry_application ON residence.inquiry (manager, application);
ALTER TABLE residence.inquiry ENABLE ROW LEVEL SECURITY;
ALTER TABLE residence.inquiry FORCE ROW LEVEL SECURITY;
CREATE POLICY inquiry_of_manager ON residence.inquiry USING (manager = residence.manager_in_force());
GRANT SELECT, INSERT ON residence.inquiry TO shikaku_residence;
GRANT UPDATE (state, outcome, file, finished_at) ON residence.inquiry TO shikaku_residence;

-- What is in passing, covered: the four items of an instant inquiry until it is answered, its list for minutes, a sealed
-- acquisition until the network has taken it. Each has a row in the queue that leads to its deletion.
CREATE TABLE residence.passing (
    manager text NOT NULL,
    id uuid NOT NULL,                     -- of the inquiry or acquisition
    kind text NOT NULL CHECK (kind IN ('asked', 'list', 'acquisition')),
    covered bytea NOT NULL,
    PRIMARY KEY (manager, id, kind)
);
ALTER TABLE residence.passing ENABLE ROW LEVEL SECURITY;
ALTER TABLE residence.passing FORCE ROW LEVEL SECURITY;
CREATE POLICY passing_of_manager ON residence.passing USING (manager = residence.manager_in_force());
GRANT SELECT, INSERT, DELETE ON residence.passing TO shikaku_residence;

-- What is to be done next, by lane. Ids and times only: steps look through it before they know whose row it is.
CREATE TABLE residence.inquiry_queue (
    id uuid PRIMARY KEY,
    manager text NOT NULL,
    lane text NOT NULL CHECK (lane IN ('batch', 'instant', 'acquire', 'forget')),
    due_at timestamptz NOT NULL DEFAULT now(),
    lease_until timestamptz NOT NULL DEFAULT '-infinity',
    attempt integer NOT NULL DEFAULT 0
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
CREATE INDEX inquiry_queue_due ON residence.inquiry_queue (lane, due_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON residence.inquiry_queue TO shikaku_residence;
COMMIT;
