-- Revert audit:covered from pg
BEGIN;
DROP FUNCTION audit.month_end(text, date, bigint);
DROP FUNCTION audit.month_make(text, date);
DROP TABLE audit.leaf;
DROP TABLE audit.log;
DROP FUNCTION audit.month_ms(date);
DROP FUNCTION audit.month_name(text, date);
CREATE TABLE audit.log (
    position bigint PRIMARY KEY CHECK (position >= 0),
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
UPDATE audit.schema_version SET version = 1;
COMMIT;
