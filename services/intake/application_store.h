/* The SQL of applications. All functions run inside a transaction that the caller began for the right manager, except
 * queue_lease and directory functions, whose tables hold no personal data. Texts lie in the work's arena. */
#ifndef INTAKE_APPLICATION_STORE_H
#define INTAKE_APPLICATION_STORE_H

#include "chassis/person_match.h"
#include "chassis/rotation.h"
#include "chassis/work.h"
#include "intake/application_state.h"

/* An application as kept; what was covered is open here, in the arena. */
struct application {
    const char *manager, *application, *receipt, *programme, *procedure, *channel;
    const char *body; /* whose part it is in, "" for nobody's */
    struct bytes manifest_sha256, signer_sha256;
    struct bytes document, signature;
    const char *portal_pseudonym, *pseudonym;
    struct person person;
    struct person confirmed; /* name "" while nothing is confirmed */
    int64_t received_at_ms;
    const char *comparison, *residence_result, *family_result, *domicile;
    int64_t fee;
    const char *fee_state, *charge, *pay_url;
    const char *entry, *registration_number, *certificate;
    uint32_t version;
    struct bytes fields;
    enum application_state state;
    enum application_state resume;
    int64_t attempt;
    int64_t asked_person; /* how often a person was asked */
};

/* Receipt */

/* Store a new application and its first state. `known` (in the arena) is the receipt of the same manifest by the same
 * signer when that was here before; then nothing is stored. False with a fault: key_reused when the application id
 * stands for other content. */
MUST_USE bool application_insert(struct work *work, const struct application *application, const char **known);

/* Reading. not_found when there is none. */
MUST_USE bool application_find(struct work *work, const char *application, struct application *found);
/* Many in one round trip, perhaps of several managers. How many could be read: the first of `found`, in their order;
 * the journal names the others, and the last one's fault is set. */
struct application_id {
    const char *application, *manager;
};
size_t applications_find(
    struct work *work, const struct application_id *wanted, size_t count, struct application *found);
MUST_USE bool directory_find(struct work *work, const char *receipt, const char **manager, const char **application);
/* All applications of a holder at one manager, newest first; ids in the arena. */
MUST_USE bool directory_list(struct work *work, const char *manager, const char *portal_pseudonym,
    struct application_id **applications, size_t *count);
MUST_USE bool application_list(struct work *work, const char *manager, const char *state, uint32_t limit,
    struct application_id **applications, size_t *count);

/* Of a programme, received from day `from` to day `to` (YYYY-MM-DD in Japan; "" open), behind the id `after`, by id. */
MUST_USE bool application_export_list(struct work *work, const char *manager, const char *programme, const char *from,
    const char *to, const char *after, uint32_t limit, struct application_id **applications, size_t *count);

struct history_row {
    const char *state, *code, *reason;
    int64_t at_ms;
};
/* Ask, and after pg_await read, taking `answer` over. */
void history_ask(struct work *work, const struct application *application, PGresult **answer);
MUST_USE bool history_take(struct work *work, const struct application *application, PGresult *answer,
    struct history_row **rows, size_t *count);

/* Lanes */

#define LEASE_MAX 16
/* Lease what is due in these states (a PostgreSQL array text, "{fee}"). */
size_t queue_lease(struct work *work, const char *states, struct application_id leased[LEASE_MAX]);

/* Moving: queue the statements of one move of `application` from where it stands; the commit fails with state_conflict
 * when it does not stand there any more. `code` is a word that tells why, `reason` what a person wrote or NULL. Aborts
 * on a move that the table does not have. resume is where a person's decision takes it on (STATE_person only). */
struct move {
    enum application_state to, resume;
    const char *code, *reason;
};
void application_move(struct work *work, const struct application *application, const struct move *move);
/* Look at it again in `ms`, if it still stands where it stood: after a failed try, or because an answer is awaited. */
void application_postpone(struct work *work, const struct application *application, int64_t ms);
void application_wait(struct work *work, const struct application *application, int64_t ms);
/* It was leased and not tried: due at once, and no try is counted. */
void application_put_back(struct work *work, const struct application *application);

/* What became known; queued. */
void application_set_residence(struct work *work, const struct application *application, const char *result,
    const char *comparison, const struct person *confirmed);
void application_set_family(
    struct work *work, const struct application *application, const char *result, const char *domicile);
void application_set_charge(
    struct work *work, const struct application *application, const char *charge, const char *pay_url);
void application_set_paid(struct work *work, const struct application *application, const char *method, int64_t amount,
    const char *reference);
void application_set_entry(struct work *work, const struct application *application, const char *entry,
    uint32_t version, const char *registration_number, struct bytes fields);
void application_set_certificate(struct work *work, const struct application *application, const char *certificate);

/* What of the schema lies under keys, for replacing them. */
extern const struct key_columns application_columns;

#endif
