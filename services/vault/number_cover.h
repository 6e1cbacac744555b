/* How a number lies in the database: found by a token under the manager's index key, one domain a table, so that tokens
 * of two tables say nothing about each other; covered under the manager's data key, bound to table, manager and row.
 * For the manager of the open transaction. */
#ifndef VAULT_NUMBER_COVER_H
#define VAULT_NUMBER_COVER_H

#include "chassis/index_tokens.h"
#include "chassis/my_number.h"
#include "chassis/work.h"

#define TABLE_TIE "vault.tie.number"
#define TABLE_GATEWAY "vault.gateway_tie.number"
#define TABLE_CORRECTION "vault.correction.number"

#define DOMAIN_TIE "vault.number"
#define DOMAIN_GATEWAY "vault.gateway"

/* Fault of each: internal, where a key is missing or what lies there was altered; key_retired where its key was. */
MUST_USE bool number_tokens(
    struct work *work, const char *domain, const struct my_number *number, struct index_tokens *tokens);
MUST_USE bool void_tokens(struct work *work, struct index_tokens *tokens); /* of a row that is nobody's */
/* The manager's keys, for many tokens of one statement. */
MUST_USE bool index_keys(struct work *work, struct key_index *keys);
MUST_USE bool number_tokens_by(struct work *work, const struct key_index *keys, const char *domain,
    const struct my_number *number, struct index_tokens *tokens);
MUST_USE bool number_cover(
    struct work *work, const char *table, const char *row, const struct my_number *number, struct bytes *covered);
MUST_USE bool number_uncover(
    struct work *work, const char *table, const char *row, struct bytes covered, struct my_number *number);

#endif
