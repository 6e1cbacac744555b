/* The whole way of an application, driven over the wire by those who would drive it: applicants through Mynaportal,
 * clerks at their terminals, payers, verifiers. Demo, flow tests, the test of crashes and the benchmark share it.
 *
 *   struct journey   a connection of one thread to one running stack, and the synthetic world
 *   journey_…        one call each; returns the HTTP status (0: no answer came) and fills a struct journey_answer
 *   struct journey_trip, trip_…   one application and where it stands
 *
 * A call that meets 0, 502, 503, 504 or 429 is made again, under a new assertion and the same Idempotency-Key, until
 * `patience_ms` is over. Nothing here waits for a time: it looks until a deadline. */
#ifndef KIT_JOURNEY_H
#define KIT_JOURNEY_H

#include <jansson.h>
#include "kit/application.h"

#define JOURNEY_SEED 8 /* one database takes one seed (people.h) */

enum journey_as {
    AS_NOBODY,                  /* no client certificate */
    AS_MYNAPORTAL,              /* マイナポータル */
    AS_NUMBER_TERMINAL,         /* 番号系端末 */
    AS_RESIDENCE_TERMINAL,      /* 本人確認端末 */
    AS_ADMINISTRATION_TERMINAL, /* 管理端末 */
    AS_UNLISTED_TERMINAL,
    AS_IDENTITIES,
};

struct journey_answer {
    int status;
    json_t *json; /* NULL where the body is no JSON */
    char *body;   /* with a NUL behind */
    size_t size;
    double ms; /* of the last try */
};
void journey_answer_fini(struct journey_answer *answer); /* safe on a zeroed one */
/* A text member; "" where there is none. Borrowed. */
const char *journey_text(const json_t *object, const char *member);

#define JOURNEY_CLERKS 32

struct journey_clerk {
    char account[64], role[16], manager[32];
    enum journey_as terminal;
    char *token;
};

struct journey {
    uint64_t seed;
    unsigned patience_ms; /* 10000 after journey_open */
    const struct programmes *programmes;
    struct kit_world world;
    /* private */
    struct journey *shared; /* whose world it is; NULL: its own */
    struct kit_authorities *authorities;
    struct programmes *loaded;
    void *doors[AS_IDENTITIES], *outside; /* curl handles */
    struct journey_clerk clerks[JOURNEY_CLERKS];
    size_t clerk_count;
};

/* Read the settings of deploy/settings.sh from the environment, the authorities and the vault's public key from the
 * stack. `shared`: another thread's journey, opened before and closed after, whose authorities and programmes are used;
 * NULL: load them. False after saying why on stderr. */
MUST_USE bool journey_open(struct journey *journey, struct journey *shared);
void journey_close(struct journey *journey);

/* A setting of the environment, e.g. "SHIKAKU_JUKI_URL"; "" where it is missing. */
const char *journey_setting(const char *name);
int64_t journey_clock_ms(void); /* wall clock, as the history's at_ms */

/* `count` people of the seed that nobody of this stack was yet: the index of the first. Kept in SHIKAKU_VAR/people. */
uint32_t journey_people_take(size_t count);

/* --- calls ------------------------------------------------------------------------------------------------------- */

struct journey_call {
    enum journey_as as;
    const char *method, *path; /* at the front door */
    const char *pseudonym;     /* asserts this portal pseudonym anew at each try */
    const char *assertion;     /* or exactly this text */
    const char *token, *key;   /* Bearer, Idempotency-Key */
    const char *media_type;
    const void *body;
    size_t size;
};
int journey_call(struct journey *journey, const struct journey_call *call, struct journey_answer *answer);
/* With a JSON body, which is taken. */
int journey_call_json(
    struct journey *journey, struct journey_call call, json_t *body_take, struct journey_answer *answer);

/* Mynaportal's word for this person, for one request without a body. Malloc'ed. */
char *journey_assertion(const struct journey *journey, const char *pseudonym);

/* To a stand-in: `setting` names its address, e.g. "SHIKAKU_JUKI_URL". The body, NULL for none, is taken. */
int journey_outside(struct journey *journey, const char *setting, const char *method, const char *path,
    json_t *body_take, struct journey_answer *answer);
/* Rows of a stand-in's ledger of that kind and key (NULL: all); -1 if it did not answer. The answer holds the rows. */
int journey_ledger(
    struct journey *journey, const char *setting, const char *kind, const char *key, struct journey_answer *answer);
/* How a stand-in behaves from now on, as doubles/double.h says. path "" for all. */
MUST_USE bool journey_control(
    struct journey *journey, const char *setting, const char *mode, const char *path, unsigned ms, int times);

/* Put the person into the residence network and the family register. What is NULL is as the person has it. */
struct journey_resident {
    const char *name, *address; /* as registered, where it differs from what is applied for */
    const char *status;         /* "living", "dead", "removed", "abroad" */
    const char *family;         /* "found", "undetermined", "none" */
    const char *changed_number; /* the number in force now; the person's own is a former one */
};
MUST_USE bool journey_resident_load(
    struct journey *journey, const struct kit_person *person, const struct journey_resident *resident);
/* Many at once, as they are. */
MUST_USE bool journey_residents_load(struct journey *journey, uint32_t first, size_t count);

/* Have the applicant's certificate revoked, and wait until intake has fetched the list since. */
MUST_USE bool journey_certificate_revoke(struct journey *journey, const struct kit_applicant *applicant, unsigned ms);

/* --- staff ------------------------------------------------------------------------------------------------------- */

/* A clerk of this manager and role ("counter", "residence", "reviewer"; "corrector#2" is another of that role), logged
 * in at the terminal that suits. If the stack does not know the account, it is made as accounts are: the operator
 * enters two administrators, one applies, the other approves, the clerk changes the first password. NULL after saying
 * why on stderr. */
struct journey_clerk *journey_clerk(struct journey *journey, const char *manager, const char *role);
/* One of the two administrators that the operator enters for a manager (number 1 or 2), logged in at the terminal of
 * administration; made if the stack does not know it. free() the token. */
MUST_USE bool journey_administrator(
    struct journey *journey, const char *manager, int number, struct journey_clerk *administrator);
/* As the clerk; logs in again once when the token is not taken any more. `body` is taken, NULL for none. */
int journey_clerk_call(struct journey *journey, struct journey_clerk *clerk, const char *method, const char *path,
    const char *key, json_t *body_take, struct journey_answer *answer);

/* --- one application ---------------------------------------------------------------------------------------------- */

struct journey_trip {
    const struct programme *programme;
    struct kit_applicant applicant;
    struct kit_request request;
    struct kit_application application;
    bool paper; /* it came on paper: nobody but staff can look at it */
    char receipt[32], state[32];
    struct journey_answer answer; /* of the last call */
};

/* Make the person an applicant, known to the residence network (resident NULL: as they are; `unknown`: not at all),
 * and compose the application. */
struct journey_plan {
    const char *programme;
    uint32_t index;
    const struct journey_resident *resident;
    bool unknown;
    enum kit_flaw flaw;
    const struct kit_applicant *other; /* for a flaw that borrows */
};
MUST_USE bool trip_init(struct journey_trip *trip, struct journey *journey, const struct journey_plan *plan);
void trip_fini(struct journey_trip *trip);

/* Put up the attachments and submit, at the front door as Mynaportal, or through Mynaportal's relay. HTTP status; the
 * receipt number on 200 and 201. */
int trip_submit(struct journey_trip *trip, struct journey *journey);
int trip_submit_by_relay(struct journey_trip *trip, struct journey *journey);

/* Typed in by the manager's counter clerk at the number terminal; number NULL: none is given. HTTP status, as
 * trip_submit. From then on it is looked at as staff see it. */
int trip_enter(struct journey_trip *trip, struct journey *journey, const char *number);
int paper_look(struct journey_trip *trip, struct journey *journey);
/* A number as the number terminal's browser seals it, bound to application or case. Malloc'ed. */
char *journey_seal(struct journey *journey, const char *reference, const char *manager, const char *number);

/* How it stands, asked by the applicant: answer is an Application, `state` is taken from it. */
int trip_look(struct journey_trip *trip, struct journey *journey);
/* Look until it is in one of the states ("review|person"). It also ends, with false, where nothing moves by itself any
 * more: person, completed, returned, rejected. */
MUST_USE bool trip_await(struct journey_trip *trip, struct journey *journey, const char *states, unsigned ms);

/* The operator at the residence terminal asks by number, or by the four items where there is none, and registers the
 * only candidate, or that there is none. */
int trip_identify(struct journey_trip *trip, struct journey *journey);
/* accept, return, reject, continue, by the manager's counter clerk. reason NULL: none. */
int trip_decide(struct journey_trip *trip, struct journey *journey, const char *decision, const char *reason);
/* method "online": the payer asks where to pay and pays there; "stamps", "cash": received at the counter. */
int trip_pay(struct journey_trip *trip, struct journey *journey, const char *method);
/* The certificate to its holder: format "lines", "png", "pdf". */
int trip_certificate(struct journey_trip *trip, struct journey *journey, const char *format);
/* What /api/verify says to the code in this address (https://…/w/?c=…). */
int trip_verify(struct journey_trip *trip, struct journey *journey, const char *qr_url);

/* Submit, and do whatever the state asks of people until it ends or `ms` are over: true if it completed. Safe to call
 * again, and while services come and go. */
MUST_USE bool trip_travel(struct journey_trip *trip, struct journey *journey, const char *payment, unsigned ms);

#endif
