/* What can happen to a person's ties later: a changed number, a correction, a portal pseudonym. Inside a transaction
 * that the caller began for the manager. */
#ifndef VAULT_PERSON_STORE_H
#define VAULT_PERSON_STORE_H

#include "chassis/my_number.h"
#include "chassis/work.h"
#include "vault/pseudonym.h"

/* The pseudonym that stands for the person now: itself, or the one that it was joined with. Fault: pseudonym_unknown.
 */
MUST_USE bool person_find(struct work *work, const char *pseudonym, char current[PSEUDONYM_LENGTH + 1]);

/* The number in force becomes another; the earlier one stays as history and is found still. `changed` is false if it
 * was in force already. Faults: pseudonym_unknown, number_of_another, number_replaced. */
MUST_USE bool person_number_change(
    struct work *work, const char *pseudonym, const struct my_number *number, bool *changed);

/* The number of a pseudonym that had none. Fault: number_of_another. */
MUST_USE bool person_number_first(struct work *work, const char *pseudonym, const struct my_number *number);

struct correction {
    char id[37];
    bool join;
    char pseudonym[PSEUDONYM_LENGTH + 1];
    char other[PSEUDONYM_LENGTH + 1]; /* join; "" else, and the new one after a split */
    bool other_in_force;              /* join */
    struct my_number number;          /* split; wipe after use */
    const char *reason, *asked_by;
};

/* Write down what is asked for, if it can be done. Fault: correction_not_possible, pseudonym_unknown. */
MUST_USE bool correction_ask(struct work *work, struct correction *correction);

/* Read one that nobody has decided, and keep others from deciding it. Faults: not_found, state_conflict;
 * correction_same_person if `by` asked for it. */
MUST_USE bool correction_take(struct work *work, const char *id, const char *by, struct correction *correction);
/* Do it, and write down who decided. Fault: correction_not_possible when the ties have changed meanwhile. */
MUST_USE bool correction_approve(struct work *work, struct correction *correction, const char *by);
void correction_refuse(struct work *work, const struct correction *correction, const char *by);

#endif
