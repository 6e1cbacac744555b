/* The words in which flow tests tell of one application's way. Each asserts that it succeeded; for Check tests alone.
 */
#ifndef KIT_JOURNEY_WAY_H
#define KIT_JOURNEY_WAY_H

#include "kit/journey.h"

#define WAY_MS 60000

extern struct way {
    struct journey journey;
    struct journey_trip trip; /* whose way it is */
} way;

/* Fixture of each test. */
void way_start(void);
void way_end(void);

/* A new person who applies; resident NULL: registered as they are. */
void way_compose(const char *programme, const struct journey_resident *resident);
void way_submit(void);
void way_await(const char *state);
void way_decide(const char *decision, const char *reason);
void way_pay(const char *method);

/* The states that it went through, as the applicant is shown them: "residence family …". */
void way_expect(const char *states);
/* What a clerk of the manager is shown; belongs to the trip's answer. */
json_t *way_view(void);
void way_pseudonym(char pseudonym[64]); /* 資格仮名ID */

/* Rows of a stand-in's ledger whose body has this text as that member; *last, if asked for, becomes the last of these
 * bodies, a new reference. */
int way_ledger(const char *setting, const char *kind, const char *member, const char *text, json_t **last);
/* One notice of this kind, and no other, came to the applicant about this application. */
void way_expect_notice(const char *kind);
long way_entries(void); /* on the rolls, of this application */
/* Number, certificate in three forms, valid for everybody and not when altered; one notice, one entry. */
void way_expect_certificate(void);

#endif
