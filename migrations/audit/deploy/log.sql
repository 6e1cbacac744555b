-- Deploy audit:log to pg
BEGIN;
\set schema audit
\set role shikaku_audit
\ir ../../chassis/tables.sql

-- Every record of use of every service, in one order. The service's role can add and read, nothing else: no UPDATE, no
-- DELETE. What an administrator of the database changes here is found against the witness (services/audit/README.md).
CREATE TABLE audit.log (
    position bigint PRIMARY KEY CHECK (position >= 0), -- leaf of the Merkle tree
    service text NOT NULL,
    instance uuid NOT NULL,
    worker integer NOT NULL,
    sequence bigint NOT NULL CHECK (sequence > 0),
    previous bytea NOT NULL CHECK (octet_length(previous) = 32),
    digest bytea NOT NULL CHECK (octet_length(digest) = 32),
    event bytea NOT NULL,
    appended_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (service, instance, worker, sequence)
);
GRANT SELECT, INSERT ON audit.log TO shikaku_audit;

-- Where each worker's chain stands, so that a gap or a broken link is refused.
CREATE TABLE audit.chain (
    service text NOT NULL,
    instance uuid NOT NULL,
    worker integer NOT NULL,
    sequence bigint NOT NULL,
    digest bytea NOT NULL CHECK (octet_length(digest) = 32),
    PRIMARY KEY (service, instance, worker)
);
GRANT SELECT, INSERT, UPDATE ON audit.chain TO shikaku_audit;

-- One row: how many leaves there are and the roots of the complete subtrees they form, largest first (RFC 6962, 2.1).
-- It only saves reading the whole log for every root; the verifier does not trust it.
CREATE TABLE audit.sequencer (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    size bigint NOT NULL CHECK (size >= 0),
    subtrees bytea NOT NULL CHECK (octet_length(subtrees) % 32 = 0)
);
INSERT INTO audit.sequencer VALUES (true, 0, '');
GRANT SELECT, UPDATE ON audit.sequencer TO shikaku_audit;

-- Signed heads, as the witness has them.
CREATE TABLE audit.head (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    size bigint NOT NULL,
    root bytea NOT NULL CHECK (octet_length(root) = 32),
    signed_at_ms bigint NOT NULL,
    public_key bytea NOT NULL CHECK (octet_length(public_key) = 32),
    signature bytea NOT NULL CHECK (octet_length(signature) = 64)
);
GRANT SELECT, INSERT ON audit.head TO shikaku_audit;
COMMIT;
