-- Row-level security inside a manager, for the tables that persons reach. A service's deploy script includes it once:
--
--   \set schema intake
--   \set role shikaku_intake
--   \ir ../../chassis/in_charge.sql
--
-- A person's transaction pins the programmes and the body in whose charge the person is (chassis/pg.h, pg_narrow). Where
-- none is pinned there is no narrowing: the service works by itself, or the person is in charge of all.
CREATE FUNCTION :"schema".all_in_charge() RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce(current_setting('shikaku.programmes', true), '') = ''
        AND coalesce(current_setting('shikaku.body', true), '') = '';
CREATE FUNCTION :"schema".in_charge(of_programme text, of_body text) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (coalesce(current_setting('shikaku.programmes', true), '') = ''
            OR strpos(current_setting('shikaku.programmes', true), ',' || of_programme || ',') > 0)
        AND coalesce(current_setting('shikaku.body', true), '') IN ('', of_body);
GRANT EXECUTE ON FUNCTION :"schema".all_in_charge(), :"schema".in_charge(text, text) TO :"role";
