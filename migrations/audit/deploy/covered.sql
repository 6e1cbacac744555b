-- Deploy audit:covered to pg
-- requires: log
--
-- A record's form changes, and with it every leaf: a log of the earlier form cannot go on as one of this form. Where one
-- holds records, this change stops: prove and export it with the programs of that form, put its witness away with it,
-- and begin a new log in an empty table.
BEGIN;
DO $$
BEGIN
    IF EXISTS (SELECT FROM audit.log) THEN
        RAISE EXCEPTION 'audit.log holds records of the earlier form; see migrations/audit/deploy/covered.sql';
    END IF;
END
$$;
DROP TABLE audit.log;

-- Every record of use of every service, in one order. In plain: when, which service, what, with what outcome. Who, from
-- where, whose and why are in `event`, covered under the manager's data key of audit, and can be looked for by `tokens`
-- alone. The service's role can add and read, nothing else: no UPDATE, no DELETE.
CREATE TABLE audit.log (
    position bigint NOT NULL CHECK (position >= 0), -- leaf of the Merkle tree
    appended_ms bigint NOT NULL,
    service text NOT NULL,
    instance uuid NOT NULL,
    worker integer NOT NULL,
    sequence bigint NOT NULL CHECK (sequence > 0),
    kind text NOT NULL,
    manager text NOT NULL,                          -- '*': of no manager
    act text NOT NULL,
    outcome text NOT NULL,
    tokens bigint[] NOT NULL,
    event bytea NOT NULL,
    leaf bytea NOT NULL CHECK (octet_length(leaf) = 32)
) PARTITION BY RANGE (kind, appended_ms);
CREATE INDEX log_position ON audit.log (position);
CREATE INDEX log_tokens ON audit.log USING gin (tokens);
ALTER TABLE audit.log ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit.log FORCE ROW LEVEL SECURITY;
CREATE POLICY log_add ON audit.log FOR INSERT WITH CHECK (true);
CREATE POLICY log_of_manager ON audit.log FOR SELECT USING (manager = audit.manager_in_force());
-- '*': audit itself, for proofs and analyses.
CREATE POLICY log_across ON audit.log FOR SELECT USING (audit.manager_in_force() = '*');
GRANT SELECT, INSERT ON audit.log TO shikaku_audit;

-- What stays of a record whose time is over: its leaf, so that every root can still be computed, and the position of the
-- signed record of its deletion.
CREATE TABLE audit.leaf (
    position bigint PRIMARY KEY,
    leaf bytea NOT NULL CHECK (octet_length(leaf) = 32),
    deletion bigint NOT NULL
);
GRANT SELECT ON audit.leaf TO shikaku_audit;

-- A kind's records of one month (UTC) are one partition. These two functions are all that the service can do about them.
CREATE FUNCTION audit.month_name(kind text, month date) RETURNS text
    LANGUAGE sql STABLE
    RETURN 'log_' || kind || '_' || to_char(month, 'YYYYMM');

CREATE FUNCTION audit.month_ms(month date) RETURNS bigint
    LANGUAGE sql STABLE
    RETURN (extract(epoch FROM month::timestamp AT TIME ZONE 'UTC') * 1000)::bigint;

CREATE FUNCTION audit.month_make(kind text, month date) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    IF kind !~ '^[a-z]{1,20}$' OR month <> date_trunc('month', month) THEN
        RAISE EXCEPTION 'no kind or no month';
    END IF;
    IF to_regclass('audit.' || audit.month_name(kind, month)) IS NULL THEN
        EXECUTE format('CREATE TABLE audit.%I PARTITION OF audit.log FOR VALUES FROM (%L, %s) TO (%L, %s)',
            audit.month_name(kind, month), kind, audit.month_ms(month), kind,
            audit.month_ms((month + interval '1 month')::date));
    END IF;
END
$$;

-- A month that is not over, or ended less than a month ago, cannot be ended.
CREATE FUNCTION audit.month_end(kind text, month date, deletion bigint) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    rows bigint;
BEGIN
    IF kind !~ '^[a-z]{1,20}$' OR kind = 'log' OR month > date_trunc('month', now()) - interval '2 months' THEN
        RAISE EXCEPTION 'this month is kept';
    END IF;
    EXECUTE format('INSERT INTO audit.leaf (position, leaf, deletion) SELECT position, leaf, %s FROM audit.%I',
        deletion, audit.month_name(kind, month));
    GET DIAGNOSTICS rows = ROW_COUNT;
    EXECUTE format('DROP TABLE audit.%I', audit.month_name(kind, month));
    RETURN rows;
END
$$;
REVOKE EXECUTE ON FUNCTION audit.month_make, audit.month_end FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit.month_make, audit.month_end TO shikaku_audit;
GRANT EXECUTE ON FUNCTION audit.month_name, audit.month_ms TO shikaku_audit;

UPDATE audit.schema_version SET version = 2;
COMMIT;
