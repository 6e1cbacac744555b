-- Deploy intermediate:inquiries to pg
BEGIN;
\set schema intermediate
\set role shikaku_intermediate
\ir ../../chassis/tables.sql

-- One inquiry to the information provision network, until a set time after its end (EXCH-10). The answer is never here.
CREATE TABLE intermediate.inquiry (
    manager text NOT NULL,
    id uuid NOT NULL,
    application text NOT NULL,
    programme text NOT NULL,
    gateway_id text NOT NULL,             -- the person, for this manager's gateway alone
    provider text NOT NULL,               -- 情報提供者
    affair text NOT NULL,                 -- 事務
    item text NOT NULL,                   -- 特定個人情報の項目
    state text NOT NULL CHECK (state IN
        ('code_needed', 'code_requested', 'code_had', 'permitted', 'asked', 'answered', 'refused', 'failed')),
    state_since timestamptz NOT NULL DEFAULT now(),
    outcome text NOT NULL DEFAULT '',
    permit bytea,                         -- 提供許可証, covered; only between permitted and asked
    processing_number text NOT NULL DEFAULT '', -- 処理通番
    asked_at timestamptz,
    accepted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (manager, id)
);
ALTER TABLE intermediate.inquiry ENABLE ROW LEVEL SECURITY;
ALTER TABLE intermediate.inquiry FORCE ROW LEVEL SECURITY;
CREATE POLICY inquiry_of_manager ON intermediate.inquiry USING (manager = intermediate.manager_in_force());
GRANT SELECT, INSERT, DELETE ON intermediate.inquiry TO shikaku_intermediate;
GRANT UPDATE (state, state_since, outcome, permit, processing_number, asked_at) ON intermediate.inquiry
    TO shikaku_intermediate;

-- 機関別符号, covered (EXCH-1). Of use for inquiries of this manager alone (EXCH-11).
CREATE TABLE intermediate.code (
    manager text NOT NULL,
    gateway_id text NOT NULL,
    covered bytea NOT NULL,
    had_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (manager, gateway_id)
);
ALTER TABLE intermediate.code ENABLE ROW LEVEL SECURITY;
ALTER TABLE intermediate.code FORCE ROW LEVEL SECURITY;
CREATE POLICY code_of_manager ON intermediate.code USING (manager = intermediate.manager_in_force());
GRANT SELECT, INSERT ON intermediate.code TO shikaku_intermediate;

-- 取得番号, covered, from its making until the code is had, no longer (番号法21条の2).
CREATE TABLE intermediate.acquisition (
    manager text NOT NULL,
    gateway_id text NOT NULL,
    id uuid NOT NULL,
    covered bytea NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (manager, gateway_id)
);
ALTER TABLE intermediate.acquisition ENABLE ROW LEVEL SECURITY;
ALTER TABLE intermediate.acquisition FORCE ROW LEVEL SECURITY;
CREATE POLICY acquisition_of_manager ON intermediate.acquisition USING (manager = intermediate.manager_in_force());
GRANT SELECT, INSERT, DELETE ON intermediate.acquisition TO shikaku_intermediate;

-- 情報提供等記録 (番号法23条): who asked whom, when, for what. Kept seven years (番号法施行令30条), never changed.
CREATE TABLE intermediate.exchange_record (
    manager text NOT NULL,
    id uuid NOT NULL,                     -- of the inquiry
    application text NOT NULL,
    gateway_id text NOT NULL,             -- whose record it is: disclosure finds it by this
    inquirer text NOT NULL,               -- 情報照会者
    provider text NOT NULL,               -- 情報提供者
    affair text NOT NULL,
    item text NOT NULL,
    processing_number text NOT NULL,
    asked_at timestamptz NOT NULL,
    provided_at timestamptz,
    outcome text NOT NULL,
    withheld boolean NOT NULL DEFAULT false, -- 不開示情報 (23条2項)
    keep_until date NOT NULL,
    PRIMARY KEY (manager, id)
);
CREATE INDEX exchange_record_person ON intermediate.exchange_record (manager, gateway_id);
ALTER TABLE intermediate.exchange_record ENABLE ROW LEVEL SECURITY;
ALTER TABLE intermediate.exchange_record FORCE ROW LEVEL SECURITY;
CREATE POLICY exchange_record_of_manager ON intermediate.exchange_record
    USING (manager = intermediate.manager_in_force());
GRANT SELECT, INSERT ON intermediate.exchange_record TO shikaku_intermediate;

-- What is to be done next, by lane. Ids, times and counters only.
CREATE TABLE intermediate.inquiry_queue (
    id uuid PRIMARY KEY,
    manager text NOT NULL,
    lane text NOT NULL CHECK (lane IN ('acquire', 'network', 'forget')),
    due_at timestamptz NOT NULL DEFAULT now(),
    lease_until timestamptz NOT NULL DEFAULT '-infinity',
    attempt integer NOT NULL DEFAULT 0,   -- leases: tells an old lease from the one in force
    polls integer NOT NULL DEFAULT 0,     -- "not yet" in this state
    failures integer NOT NULL DEFAULT 0   -- failed tries in this state
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
CREATE INDEX inquiry_queue_due ON intermediate.inquiry_queue (lane, due_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON intermediate.inquiry_queue TO shikaku_intermediate;
COMMIT;
