-- Deploy certificates:certificates to pg
BEGIN;
\set schema certificates
\set role shikaku_certificates
\ir ../../chassis/tables.sql

-- Public halves of the managers' issuing keys, by the name that stands in the certificates. Kept for good: a certificate
-- outlives the private key that signed it.
CREATE TABLE certificates.issuing_key (
    manager text NOT NULL,
    kid bytea NOT NULL CHECK (octet_length(kid) = 8),
    point bytea NOT NULL CHECK (octet_length(point) = 65),
    first_used_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (manager, kid)
);
ALTER TABLE certificates.issuing_key ENABLE ROW LEVEL SECURITY;
ALTER TABLE certificates.issuing_key FORCE ROW LEVEL SECURITY;
CREATE POLICY issuing_key_of_manager ON certificates.issuing_key USING (manager = certificates.manager_in_force());
GRANT SELECT, INSERT ON certificates.issuing_key TO shikaku_certificates;

-- A certificate (資格者証) that was issued. Its own status says only whether it was replaced; what became of the
-- qualification stands in certificates.standing.
CREATE TABLE certificates.certificate (
    manager text NOT NULL,
    certificate uuid NOT NULL,
    programme text NOT NULL,
    application uuid NOT NULL,
    entry uuid NOT NULL,
    version integer NOT NULL CHECK (version > 0), -- of the roll entry that it shows
    pseudonym text NOT NULL,                      -- 資格仮名ID
    kid bytea NOT NULL,
    status text NOT NULL CHECK (status IN ('valid', 'reissued')),
    code bytea NOT NULL,                          -- covered: the COSE_Sign1
    holder bytea NOT NULL,                        -- covered: マイナポータル仮名ID, may be empty
    issued_at timestamptz NOT NULL,
    PRIMARY KEY (manager, certificate),
    UNIQUE (manager, entry, version),
    FOREIGN KEY (manager, kid) REFERENCES certificates.issuing_key (manager, kid)
);
ALTER TABLE certificates.certificate ENABLE ROW LEVEL SECURITY;
ALTER TABLE certificates.certificate FORCE ROW LEVEL SECURITY;
CREATE POLICY certificate_of_manager ON certificates.certificate USING (manager = certificates.manager_in_force());
GRANT SELECT, INSERT ON certificates.certificate TO shikaku_certificates;
GRANT UPDATE (status) ON certificates.certificate TO shikaku_certificates;

-- How the qualification behind the certificates of an entry stands (停止・取消し・消除). No row: valid.
CREATE TABLE certificates.standing (
    manager text NOT NULL,
    entry uuid NOT NULL,
    standing text NOT NULL CHECK (standing IN ('valid', 'suspended', 'revoked', 'struck_off')),
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (manager, entry)
);
ALTER TABLE certificates.standing ENABLE ROW LEVEL SECURITY;
ALTER TABLE certificates.standing FORCE ROW LEVEL SECURITY;
CREATE POLICY standing_of_manager ON certificates.standing USING (manager = certificates.manager_in_force());
GRANT SELECT, INSERT ON certificates.standing TO shikaku_certificates;
GRANT UPDATE (standing, changed_at) ON certificates.standing TO shikaku_certificates;

-- Every change of either, with its reason. Written once: there is neither UPDATE nor DELETE.
CREATE TABLE certificates.status_change (
    manager text NOT NULL,
    entry uuid NOT NULL,
    change uuid NOT NULL,
    status text NOT NULL CHECK (status IN ('valid', 'suspended', 'revoked', 'struck_off', 'reissued')),
    reason bytea NOT NULL, -- covered: words of a person
    caller text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (manager, entry, change)
);
ALTER TABLE certificates.status_change ENABLE ROW LEVEL SECURITY;
ALTER TABLE certificates.status_change FORCE ROW LEVEL SECURITY;
CREATE POLICY status_change_of_manager ON certificates.status_change USING (manager = certificates.manager_in_force());
GRANT SELECT, INSERT ON certificates.status_change TO shikaku_certificates;
COMMIT;
