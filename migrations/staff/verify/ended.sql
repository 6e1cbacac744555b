-- Verify staff:ended on pg
BEGIN;
SELECT number FROM staff.ended_head WHERE false;
SELECT number, session, tokens_until FROM staff.ended_session WHERE false;
SELECT renewed_at, lives_until, ended_by, end_reason FROM staff.session WHERE false;
SELECT 1 / (count(*) = 1)::integer FROM staff.ended_head;
ROLLBACK;
