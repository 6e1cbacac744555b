#include "staff/rights_store.h"

static const char rights_review_put_sql[] =
    "INSERT INTO staff.rights_review (manager, version, sha256, reason, reviewed_by) "
    "VALUES ($1, $2::int, $3, $4, $5)";

void rights_review_put(struct pg *pg, const Staff__RightsReviewRequest *review, const char *by)
{
    pg_queue(pg, rights_review_put_sql,
        PG_VALUES(pg_text(review->manager), pg_integer(review->version), pg_text(review->sha256),
            pg_text(review->reason), pg_text(by)));
}

static const char rights_reviews_read_sql[] =
    "SELECT version, sha256, reviewed_by, (extract(epoch FROM reviewed_at) * 1000)::bigint, reason "
    "FROM staff.rights_review WHERE manager = $1 ORDER BY reviewed_at DESC, review LIMIT $2::int";

static Staff__RightsReview *review_take(struct arena *arena, const PGresult *rows, int i, const char *manager)
{
    Staff__RightsReview *review = arena_take(arena, sizeof *review);
    if (!review)
        return NULL;
    staff__rights_review__init(review);
    review->manager = (char *)manager;
    review->version = (int32_t)pg_get_integer(rows, i, 0);
    review->sha256 = pg_get_text(rows, i, 1, arena);
    review->reviewed_by = pg_get_text(rows, i, 2, arena);
    review->reviewed_at_ms = pg_get_integer(rows, i, 3);
    review->reason = pg_get_text(rows, i, 4, arena);
    return review->reason ? review : NULL;
}

bool rights_reviews_read(struct pg *pg, struct arena *arena, const char *manager, int limit,
    Staff__RightsReview **reviews, size_t *count, struct fault *fault)
{
    PGresult *rows = pg_query(pg, rights_reviews_read_sql, fault, PG_VALUES(pg_text(manager), pg_integer(limit)));
    bool good = rows != NULL;
    for (int i = 0; good && i < PQntuples(rows); i++)
        good = (reviews[*count] = review_take(arena, rows, i, manager)) && ++*count;
    PQclear(rows);
    return good || fault_set(fault, FAULT_internal, NULL);
}

static const char rights_hear_sql[] =
    "INSERT INTO staff.rights_heard AS h (service, sha256, version) SELECT $1, $2, $3::int "
    "WHERE NOT EXISTS (SELECT 1 FROM staff.rights_heard k WHERE k.service = $1 AND k.sha256 = $2 "
    "AND k.heard_at > now() - interval '1 minute') "
    "ON CONFLICT (service, sha256) DO UPDATE SET heard_at = now()";

bool rights_hear(struct pg *pg, const char *service, int32_t version, const char *sha256, struct fault *fault)
{
    if (!*sha256) /* a sender of before there was this, or a test's table that is no file */
        return true;
    pg_begin(pg, "");
    pg_queue(pg, rights_hear_sql, PG_VALUES(pg_text(service), pg_text(sha256), pg_integer(version)));
    return pg_commit(pg, fault);
}

static const char rights_heard_read_sql[] =
    "SELECT service, version, sha256, (extract(epoch FROM first_heard_at) * 1000)::bigint FROM staff.rights_heard "
    "WHERE heard_at > now() - $1::int * interval '1 minute' ORDER BY service, version";

static Staff__RightsInForce *heard_take(struct arena *arena, const PGresult *rows, int i)
{
    Staff__RightsInForce *heard = arena_take(arena, sizeof *heard);
    if (!heard)
        return NULL;
    staff__rights_in_force__init(heard);
    heard->service = pg_get_text(rows, i, 0, arena);
    heard->version = (int32_t)pg_get_integer(rows, i, 1);
    heard->sha256 = pg_get_text(rows, i, 2, arena);
    heard->since_ms = pg_get_integer(rows, i, 3);
    return heard->sha256 ? heard : NULL;
}

bool rights_heard_read(struct pg *pg, struct arena *arena, Staff__RightsReply *reply, struct fault *fault)
{
    PGresult *rows = pg_query(pg, rights_heard_read_sql, fault, PG_VALUES(pg_integer(RIGHTS_HEARD_MINUTES)));
    int count = rows ? PQntuples(rows) : 0;
    reply->services = arena_take(arena, (size_t)(count + 1) * sizeof *reply->services);
    bool good = rows && reply->services;
    for (int i = 0; i < count && good; i++)
        good = (reply->services[reply->n_services] = heard_take(arena, rows, i)) && ++reply->n_services;
    PQclear(rows);
    return good || fault_set(fault, FAULT_internal, NULL);
}
