/* Is the log of records of use (利用記録) what it was? This program trusts the witness's heads and audit's public keys
 * alone. It shares no code with the services that wrote the log: SHA-256 and Ed25519 are OpenSSL's, the rest is here.
 * README.md has the forms of what it reads. */
#ifndef VERIFY_H
#define VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define HASH_BYTES 32
#define SIGNATURE_BYTES 64
#define KEYS_MAX 64

/* A going back to an earlier copy that an operator stated in the witness, signed by audit. */
struct reconciled {
    uint64_t from_size, to_size, at_ms; /* the witness's newest head; where the log went on */
    uint64_t lost, heads_abandoned;     /* records; heads over what was lost */
    char reason[81];                    /* as the log's own record of it says */
};
#define RECONCILED_MAX 32

/* Records of one worker that never came to the log, as an operator stated with audit's signature. */
struct stated_gap {
    char service[32], instance[37], reason[81];
    uint32_t worker;
    uint64_t from, to; /* of the worker's records; from behind to: a link alone did not fit */
    uint64_t at;       /* position of the statement */
};
#define GAPS_MAX 64

/* What was found. */
struct verdict {
    bool whole;
    uint64_t events;     /* records, those included whose content was deleted after its time */
    uint64_t deleted;    /* of them */
    uint64_t heads;      /* lines of the witness */
    uint64_t uncovered;  /* records after the newest head: proven by nothing yet */
    const char *finding; /* the first thing that is wrong, static; NULL if whole */
    uint64_t at;         /* position, size of the head, or line of the witness it was found at */
    struct reconciled reconciled[RECONCILED_MAX]; /* in the witness's order */
    size_t reconciled_count;
    struct stated_gap gaps[GAPS_MAX]; /* the first of them, in the log's order */
    size_t gap_count;                 /* all */
};
bool verdict_found(struct verdict *verdict, const char *finding, uint64_t at); /* false; keeps the first */
void verdict_print(const struct verdict *verdict);                             /* one line of JSON */

/* SHA-256 as OpenSSL computes it. */
void hash(const void *data, size_t len, uint8_t out[HASH_BYTES]);
void hash_node(const uint8_t left[HASH_BYTES], const uint8_t right[HASH_BYTES], uint8_t out[HASH_BYTES]); /* RFC 6962 */

/* audit's public keys, one a line in hex. */
struct keys {
    uint8_t keys[KEYS_MAX][HASH_BYTES];
    size_t count;
};
bool keys_read(struct keys *keys, FILE *file);
bool keys_hold(const struct keys *keys, const uint8_t key[HASH_BYTES]);
bool signature_check(const uint8_t key[HASH_BYTES], const void *said, size_t len, const uint8_t signature[64]);

/* A signed head: so many leaves, this root, said at this time. */
struct head {
    uint64_t size, signed_at_ms;
    uint8_t root[HASH_BYTES], key[HASH_BYTES], signature[SIGNATURE_BYTES];
};
bool head_parse(struct head *head, const char *line);
/* What is wrong with it, or NULL. */
const char *head_check(const struct head *head, const struct keys *keys);
/* All heads of a witness's file that are in force, by size; the caller frees. Reconciliations go into the verdict.
 * False with a finding. */
bool heads_load(struct head **heads, size_t *count, const struct keys *keys, FILE *file, struct verdict *verdict);

bool hex_read(uint8_t *out, size_t len, const char *text); /* exactly 2 * len lower-case digits, to the end of text */

/* Read a whole export and hold it against the heads. */
void log_verify(FILE *export, FILE *heads, const struct keys *keys, struct verdict *verdict);

/* Check one proof: that a record is in the log that a head speaks of, or that one head's log extends another's. */
void proof_verify(FILE *proof, const struct keys *keys, struct verdict *verdict);

#endif
