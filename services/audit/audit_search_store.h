/* Looking for records of use: found by their keyed tokens, newest first, then opened under their manager's key. In the
 * open transaction of that manager, whose rows alone row-level security shows. */
#ifndef AUDIT_SEARCH_STORE_H
#define AUDIT_SEARCH_STORE_H

#include "audit/record_cover.h"
#include "chassis/pg.h"

/* A set of tokens. `shut`: one could not be made, for the manager's index key is gone. */
struct use_tokens {
    char *list; /* as PostgreSQL reads an array */
    size_t len, room;
    bool shut;
};
/* Room for `most` tokens, in the arena. False when memory is out. */
MUST_USE bool use_tokens_init(struct arena *arena, struct use_tokens *tokens, size_t most);
void use_tokens_add(struct use_tokens *tokens, const char *manager, enum token_kind kind, const char *text);

/* One record, as long as the call lasts that hands it over. */
struct use {
    uint64_t position;
    int64_t at_ms; /* when it was done; when it was taken over, where `event` is NULL */
    const char *service, *act, *outcome;
    const Audit__Event *event; /* NULL: its key is gone, or it was altered */
};

struct use_search {
    const char *manager;
    const struct use_tokens *tokens; /* one of them is enough */
    int64_t from_ms;                 /* no record that was taken over earlier; 0: none is too old */
    uint64_t before;                 /* positions under this one */
    int limit;
};
/* Hand over one record after the other, the newest first, until `take` returns false. *found: how many rows there were;
 * fewer than `limit`: there are no more. */
MUST_USE bool uses_each(struct pg *pg, const struct use_search *search, bool (*take)(void *to, const struct use *use),
    void *to, size_t *found, struct fault *fault);

/* How long the log is: no later record has a position under it. */
MUST_USE bool log_length(struct pg *pg, uint64_t *length, struct fault *fault);

/* How many records the manager has that were taken over in [from_ms, until_ms) under `before`: all that can be said
 * where no token can be made. */
MUST_USE bool uses_count(struct pg *pg, const char *manager, int64_t from_ms, int64_t until_ms, uint64_t before,
    int32_t *count, struct fault *fault);

/* Is `text` one of the subjects of the event? */
bool use_names(const Audit__Event *event, const char *text);

#endif
