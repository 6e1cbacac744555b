/* How a number lies in the database: found by a token under the manager's index key, one domain a table, so that tokens
 * of two tables say nothing about each other; covered under the manager's data key, bound to table, manager and row.
 * For the manager of the open transaction. */
#ifndef VAULT_NUMBER_COVER_H
#define VAULT_NUMBER_COVER_H

#include "chassis/cover.h"
#include "chassis/my_number.h"
#include "chassis/work.h"

#define TABLE_TIE "vault.tie.number"
#define TABLE_GATEWAY "vault.gateway_tie.number"
#define TABLE_CORRECTION "vault.correction.number"

#define DOMAIN_TIE "vault.number"
#define DOMAIN_GATEWAY "vault.gateway"

/* Fault of each: internal, where a key is missing or what lies there was altered. */
MUST_USE bool number_token(
    struct work *work, const char *domain, const struct my_number *number, uint8_t token[INDEX_TOKEN_BYTES]);
MUST_USE bool number_cover(
    struct work *work, const char *table, const char *row, const struct my_number *number, struct bytes *covered);
MUST_USE bool number_uncover(
    struct work *work, const char *table, const char *row, struct bytes covered, struct my_number *number);

#endif
