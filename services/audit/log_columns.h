/* Columns of the log as arrays in PostgreSQL's binary form, for one INSERT of many rows. */
#ifndef LOG_COLUMNS_H
#define LOG_COLUMNS_H

#include "chassis/audit_record.h"
#include "chassis/merkle.h"

/* kind, manager, act, outcome, tokens, event, leaf; tokens as text, for arrays of arrays must be rectangular */
#define LOG_COLUMNS 7

MUST_USE bool log_column_put(struct arena *arena, int column, const struct audit_record *records,
    const uint8_t (*leaves)[MERKLE_HASH_BYTES], size_t count, struct bytes *array);

#endif
