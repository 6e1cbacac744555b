-- Included by the verify script of a service's change `rotation`, with the same variables.
SELECT state FROM :"schema".data_key WHERE false;
SELECT generation, driver, driver_until FROM :"schema".key_state WHERE false;
SELECT instance, generation, seen_at FROM :"schema".key_holder WHERE false;
SELECT rotation, manager, kind, phase, old_key, new_key, generation, place, rows_done, rows_total, started_at, due_at,
    finished_at FROM :"schema".rotation WHERE false;
SELECT 1 / (count(*) = 1)::integer FROM :"schema".key_state;
