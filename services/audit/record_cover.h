/* From an event as a service sent it to a record of the log: what names a person is covered under its manager's data
 * key of this service, and can be found again by keyed tokens alone. When a manager ends and audit's keys of it are
 * destroyed, nobody can read or find who was in its records; the log and its proofs stay whole. */
#ifndef RECORD_COVER_H
#define RECORD_COVER_H

#include "audit.pb-c.h"
#include "chassis/audit_record.h"

/* What a record is found by. */
enum token_kind { TOKEN_SUBJECT, TOKEN_ACCOUNT, TOKEN_TERMINAL, TOKEN_REASON, TOKEN_KINDS };

/* 0 where there is no key of the manager. `manager`: "*" for what is of none. */
uint64_t record_token(const char *manager, enum token_kind kind, const char *text, size_t len);

/* For many records, mostly of one manager: what its tokens are made with is derived once. {0} to begin with; holds
 * keys, so it lasts no longer than a request, and ends with record_tokens_fini in any case. */
struct record_tokens {
    char manager[32];
    struct index_field *fields[TOKEN_KINDS];
};
uint64_t record_tokens_make(
    struct record_tokens *tokens, const char *manager, enum token_kind kind, const char *text, size_t len);
void record_tokens_fini(struct record_tokens *tokens);

const char *act_kind(const char *act); /* of proto/acts.def; static */
size_t kinds_list(const char *const **kinds);

/* Fill kind, manager, act, outcome, tokens and event of `record`, whose service, instance, worker and sequence are set.
 * False: the event is none, or memory is out. */
MUST_USE bool record_cover(struct arena *arena, struct record_tokens *tokens, const char *instance, struct bytes event,
    struct audit_record *record);

/* The event of a row of the log; NULL when its key is gone or it was altered. In the arena. */
MUST_USE Audit__Event *record_uncover(struct arena *arena, const char *manager, const char *service,
    const char *instance, uint32_t worker, uint64_t sequence, struct bytes covered);

#endif
