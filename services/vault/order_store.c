#include "vault/order_store.h"

#include "vault/vault_setup.h"

#define REST_MS (10 * 60 * 1000)

static const char sql_forget[] = "SELECT vault.order_forget($1::integer)";

static int64_t forget_at(struct work *work, const char *manager)
{
    if (!work_begin(work, manager))
        return 0;
    PGresult *row = pg_query(work->pg, sql_forget, &work->fault, PG_VALUES(pg_integer(ORDER_AT_ONCE)));
    int64_t moved = row ? pg_get_integer(row, 0, 0) : 0;
    PQclear(row);
    return work_commit(work, NULL) == OUTCOME_DONE ? moved : 0;
}

int order_forget(struct work *work, const struct lane *lane)
{
    static int64_t rests_until_ms;
    const char *const *managers;
    size_t known = vault_managers(&managers);
    int64_t moved = 0;
    if (lane && clock_ms() < rests_until_ms)
        return 0;
    for (size_t i = 0; i < known; i++)
        moved += forget_at(work, managers[i]);
    if (!moved)
        rests_until_ms = clock_ms() + REST_MS;
    return (int)moved;
}
