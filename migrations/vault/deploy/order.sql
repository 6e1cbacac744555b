-- Deploy vault:order to pg
-- requires: rotation
--
-- The order in which people came is forgotten. Rows lie in the order of their insertion, and people come to a roll and to
-- the gateway in the same order: whoever has the tables could match by it.
BEGIN;

ALTER TABLE vault.tie ADD COLUMN settled boolean NOT NULL DEFAULT false;
ALTER TABLE vault.gateway_tie ADD COLUMN settled boolean NOT NULL DEFAULT false;
ALTER TABLE vault.portal_tie ADD COLUMN settled boolean NOT NULL DEFAULT false;
CREATE INDEX tie_unsettled ON vault.tie (manager, token) WHERE NOT settled;
CREATE INDEX gateway_tie_unsettled ON vault.gateway_tie (manager, token) WHERE NOT settled;
CREATE INDEX portal_tie_unsettled ON vault.portal_tie (manager, token) WHERE NOT settled;

-- Ties of earlier days, of the manager in force, are laid down anew in the order of their tokens, which say nothing: at most
-- so many of each table, in one transaction. Returns how many. Writers wait meanwhile, readers do not. The role itself can
-- delete no tie. A change that adds a column to one of the three adds it here.
CREATE FUNCTION vault.order_forget(most integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    ties bigint;
    gateway_ties bigint;
    portal_ties bigint;
BEGIN
    -- Nobody is made to wait where there is nothing to do.
    IF NOT EXISTS (SELECT FROM vault.tie WHERE manager = vault.manager_in_force() AND NOT settled AND tied_on < current_date)
        AND NOT EXISTS (SELECT FROM vault.gateway_tie WHERE manager = vault.manager_in_force() AND NOT settled AND tied_on < current_date)
        AND NOT EXISTS (SELECT FROM vault.portal_tie WHERE manager = vault.manager_in_force() AND NOT settled AND tied_on < current_date)
    THEN
        RETURN 0;
    END IF;
    LOCK TABLE vault.tie, vault.gateway_tie, vault.portal_tie IN EXCLUSIVE MODE;
    -- A replacement of keys walks over the rows where they lie.
    IF EXISTS (SELECT FROM vault.rotation WHERE finished_at IS NULL) THEN
        RETURN 0;
    END IF;
    WITH gone AS (
        DELETE FROM vault.tie WHERE manager = vault.manager_in_force() AND token IN (
            SELECT token FROM vault.tie WHERE manager = vault.manager_in_force() AND NOT settled AND tied_on < current_date
            ORDER BY token LIMIT most) RETURNING *)
    INSERT INTO vault.tie (manager, token, next_token, index_key, pseudonym, number, tied_on, replaced_at, replaced_on, came_from, settled)
        SELECT manager, token, next_token, index_key, pseudonym, number, tied_on, replaced_at, replaced_on, came_from, true
        FROM gone ORDER BY token;
    GET DIAGNOSTICS ties = ROW_COUNT;
    WITH gone AS (
        DELETE FROM vault.gateway_tie WHERE manager = vault.manager_in_force() AND token IN (
            SELECT token FROM vault.gateway_tie WHERE manager = vault.manager_in_force() AND NOT settled AND tied_on < current_date
            ORDER BY token LIMIT most) RETURNING *)
    INSERT INTO vault.gateway_tie (manager, token, next_token, index_key, gateway_id, number, tied_on, closed_on, settled)
        SELECT manager, token, next_token, index_key, gateway_id, number, tied_on, closed_on, true FROM gone ORDER BY token;
    GET DIAGNOSTICS gateway_ties = ROW_COUNT;
    WITH gone AS (
        DELETE FROM vault.portal_tie WHERE manager = vault.manager_in_force() AND token IN (
            SELECT token FROM vault.portal_tie WHERE manager = vault.manager_in_force() AND NOT settled AND tied_on < current_date
            ORDER BY token LIMIT most) RETURNING *)
    INSERT INTO vault.portal_tie (manager, token, next_token, index_key, tie_id, pair, tied_on, settled)
        SELECT manager, token, next_token, index_key, tie_id, pair, tied_on, true FROM gone ORDER BY token;
    GET DIAGNOSTICS portal_ties = ROW_COUNT;
    RETURN ties + gateway_ties + portal_ties;
END
$$;
REVOKE EXECUTE ON FUNCTION vault.order_forget FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vault.order_forget TO shikaku_vault;

UPDATE vault.schema_version SET version = 5;
COMMIT;
