/* The only SQL of the vault. Inside a transaction that the caller began for the manager. */
#ifndef VAULT_NUMBER_STORE_H
#define VAULT_NUMBER_STORE_H

#include "chassis/index_tokens.h"
#include "chassis/my_number.h"
#include "chassis/work.h"
#include "vault/pseudonym.h"

/* The pseudonym of a number at the manager, made if there is none. The same number at the same time twice gives one. */
MUST_USE bool tie_make(
    struct work *work, const struct my_number *number, char pseudonym[PSEUDONYM_LENGTH + 1], bool *known);

/* The pseudonym to which a token leads, be it of the number in force or of an earlier one. Fault: not_found. */
MUST_USE bool tie_find(struct work *work, const struct index_tokens *tokens, char pseudonym[PSEUDONYM_LENGTH + 1]);

/* One of many: the number is given, the others are found. */
struct tie_item {
    const struct my_number *number;
    char pseudonym[PSEUDONYM_LENGTH + 1];
    bool known;
};
/* The same for many at once: four statements, however many. */
MUST_USE bool tie_make_all(struct work *work, struct tie_item *items, size_t count);

/* The number in force of one pseudonym. Fault: pseudonym_unknown. Wipe after use. */
MUST_USE bool tie_number(struct work *work, const char *pseudonym, struct my_number *number);

/* The numbers in force of pseudonyms, in their order. With `known` (one flag a pseudonym) one that is unknown is told
 * there and its number left alone; without it the fault is pseudonym_unknown with no value. Wipe after use. */
MUST_USE bool tie_numbers(
    struct work *work, const char *const *pseudonyms, size_t count, struct my_number *numbers, bool *known);

/* A row for each, in their order: the pseudonym that it was joined with ("" if none), known since (YYYY-MM-DD, NULL:
 * unknown). The caller's, PQclear it. */
MUST_USE PGresult *tie_resolve(struct work *work, const char *const *pseudonyms, size_t count);

/* The gateway's id of a number, made if there is none. */
MUST_USE bool gateway_tie_make(struct work *work, const struct my_number *number, char gateway_id[37]);
MUST_USE bool gateway_tie_number(struct work *work, const char *gateway_id, struct my_number *number);

#endif
