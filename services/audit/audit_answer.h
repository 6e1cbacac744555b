/* Questions to the records of use: who saw this person's data (audit_answer_who.c), what did this account do
 * (audit_answer_account.c), whose data could have leaked (audit_answer_exposed.c). What they share stands here. Every
 * answer is itself recorded, with whom it named and how many it showed. */
#ifndef AUDIT_ANSWER_H
#define AUDIT_ANSWER_H

#include "audit/audit_search_store.h"
#include "chassis/work.h"

#define ANSWER_ID_MAX 64
#define ANSWER_LIMIT_MAX 200
#define EXPOSED_LIMIT_MAX 500

bool answer_who_check(const ProtobufCMessage *message, struct fault *fault);
enum outcome answer_who_act(struct work *work);
bool answer_account_check(const ProtobufCMessage *message, struct fault *fault);
enum outcome answer_account_act(struct work *work);
bool answer_exposed_check(const ProtobufCMessage *message, struct fault *fault);
enum outcome answer_exposed_act(struct work *work);

/* Letters, digits and ._:-, at most ANSWER_ID_MAX. Faults: item_missing where it is "" and `needed`, item_invalid. */
MUST_USE bool answer_id_check(const char *text, bool needed, const char *field, struct fault *fault);
/* What every question has. The case: letters, digits and _/.- (reason_missing). Moments: from before until.
 * Faults: reason_missing, item_missing, item_invalid. */
MUST_USE bool question_check(const char *reason, int64_t from_ms, int64_t until_ms, struct fault *fault);
MUST_USE bool page_check(const char *cursor, int32_t limit, int32_t most, struct fault *fault);

/* May the person ask this of all the manager's records? Not every one says of which programme it is, so who is in
 * charge of some of the manager's programmes, or of a body's part (ORG-1), is shown none. Faults: not_permitted. */
MUST_USE bool answer_permits(struct work *work, const char *manager);

/* "LENGTH.PLACE": how long the log was when the first page was asked for, and where the page before ended. "": a first
 * page. False only when it was not checked. */
struct answer_cursor {
    uint64_t length, place;
    uint64_t before; /* of an answer in slices: where this one begins, ".BEFORE"; 0: it has none */
};
MUST_USE bool cursor_read(const char *text, struct answer_cursor *cursor);
/* In the arena; NULL when memory is out. */
char *cursor_print(struct arena *arena, const struct answer_cursor *cursor);

/* A page of records, newest first. */
struct answer_page {
    struct use_search search;
    int64_t from_ms, until_ms; /* by when they were done; 0: no bound */
    int limit;                 /* rows of the page */
    /* Does a record that was found by its tokens belong to the answer? `event` is there. */
    bool (*wants)(const struct answer_page *page, const struct use *use);
    /* Put it into the reply. False when memory is out. */
    bool (*put)(struct answer_page *page, const struct use *use);
    void *reply;
    struct arena *arena;
    size_t bytes; /* of the rows so far; `put` counts */
    int rows;
    bool failed, full;
    char *cursor; /* for the next page; "" after the last. In the arena */
};
/* In the open transaction. `search.tokens` and `search.manager` are set. */
MUST_USE bool page_read(struct work *work, struct answer_page *page, const char *cursor);

/* Where tokens cannot be made any more: how many of the manager's records there are in that time. */
MUST_USE bool sealed_count(struct work *work, const struct answer_page *page, const char *cursor, int32_t *sealed);

/* Record that the answer named these persons, each once, and showed `shown` rows. The list is sorted. */
void answer_record(struct work *work, const char **persons, size_t count, const char *reason, uint32_t shown);

#endif
