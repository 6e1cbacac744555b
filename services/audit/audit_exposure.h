/* Whose data could have leaked through an account, a terminal, or an account at a terminal, between two moments
 * (RIGHT-3): the distinct persons of all records of use that were found, and what was done with each one's data. */
#ifndef AUDIT_EXPOSURE_H
#define AUDIT_EXPOSURE_H

#include "audit/audit_search_store.h"
#include "audit/audit_words.h"

#define EXPOSURE_PERSON_MAX 64
#define EXPOSURE_SLICE_MAX 100000 /* records of a slice */
#define EXPOSURES_MAX 200000 /* persons; more are period_too_long. Memory is touched only as far as there are any */

struct exposure_question {
    const char *manager, *account, *terminal; /* "" for any, not both */
    int64_t from_ms, until_ms;                /* by when it was done; until exclusive */
    uint64_t length;                          /* of the log: later records are not looked at */
    uint64_t before;                          /* nor those from this position on; `length` for the first slice */
    int32_t slice;                            /* records, the newest first; 0: all there are */
};

struct exposure {
    char person[EXPOSURE_PERSON_MAX + 1]; /* by pseudonym, or by application where no record ties it to one */
    uint32_t touches[TOUCH_KINDS];
    int64_t first_at_ms, last_at_ms;
};

struct exposures {
    struct exposure *rows; /* each person once, sorted */
    size_t count, used;    /* used: how far rows were ever filled */
    int32_t only_seen;     /* of the persons */
    int32_t records, refused, unreadable;
    int32_t unnamed; /* persons that were shown and not named */
    int32_t sealed;  /* the manager's index key is gone: so many records of that time, of whomever */
    bool too_many;
    bool more;        /* the slice was full */
    uint64_t reached; /* position of the last record that was looked at, before which the next slice goes on */
    int64_t reached_at_ms;
};

/* In the open transaction of the manager. exposures_free in any case. Faults: period_too_long. */
MUST_USE bool exposures_find(struct pg *pg, struct arena *arena, const struct exposure_question *question,
    struct exposures *exposures, struct fault *fault);
/* The same from a list, of whom no more is known. False when memory is out; exposures_free in any case. */
MUST_USE bool exposures_list(char *const *persons, size_t count, struct exposures *exposures);
void exposures_free(struct exposures *exposures);

bool exposure_is_only_seen(const struct exposure *exposure);
/* As messages; the texts in the arena. False when memory is out. */
MUST_USE bool exposure_put(struct arena *arena, const struct exposure *row, Audit__Exposure *said);
void exposures_sum(const struct exposures *all, Audit__Exposed *sum);

#endif
