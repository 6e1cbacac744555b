#include "vault/unnumbered_store.h"

static const char sql_issue[] = "INSERT INTO vault.unnumbered (manager, pseudonym) VALUES ($1, $2)";

bool unnumbered_issue(struct work *work, char pseudonym[PSEUDONYM_LENGTH + 1])
{
    if (!pseudonym_make(pseudonym))
        return fault_set(&work->fault, FAULT_internal, "pseudonym");
    pg_queue(work->pg, sql_issue, PG_VALUES(pg_text(work_manager(work)), pg_text(pseudonym)));
    return true;
}

static const char sql_hold[] =
    "SELECT pseudonym FROM vault.unnumbered WHERE manager = $1 AND pseudonym = $2 AND ended_on IS NULL FOR UPDATE";

bool unnumbered_hold(struct work *work, const char *pseudonym, bool *is)
{
    PGresult *row =
        pg_query(work->pg, sql_hold, &work->fault, PG_VALUES(pg_text(work_manager(work)), pg_text(pseudonym)));
    *is = row && PQntuples(row) == 1;
    PQclear(row);
    return row != NULL;
}

static const char sql_end[] =
    "UPDATE vault.unnumbered SET ended_on = current_date WHERE manager = $1 AND pseudonym = $2 AND ended_on IS NULL";

void unnumbered_end(struct work *work, const char *pseudonym)
{
    pg_queue_exactly(work->pg, sql_end, 1, FAULT_internal, PG_VALUES(pg_text(work_manager(work)), pg_text(pseudonym)));
}
