/* What comes sealed: the card's number record with the card issuer's signature (券面事項入力補助, domain.md 2.4), or a
 * number typed in from paper. Bound to the application, the manager and the signer by the JWE's protected header
 * (NUM-4). */
#ifndef VAULT_NUMBER_RECORD_H
#define VAULT_NUMBER_RECORD_H

#include "chassis/arena.h"
#include "chassis/my_number.h"

struct number_binding {
    const char *application, *manager;
    const uint8_t *signer;     /* 32 bytes */
    const uint8_t *four_items; /* 32 bytes: SHA-256 of EF 0002 that the card must have signed; NULL on paper */
};

/* Open a sealed number and hold it against what it must be bound to. Faults: number_unsealable, number_binding,
 * number_malformed, number_check_digit, card_signature, card_hash, card_person_differs. Wipe `number` after use. */
MUST_USE bool number_record_open(struct arena *arena, const char *sealed, const struct number_binding *binding,
    struct my_number *number, struct fault *fault);

#define NUMBER_BATCH_MAX 1000

/* Many numbers in one seal, each right or wrong in itself. */
struct number_batch {
    struct my_number numbers[NUMBER_BATCH_MAX];
    enum fault_code results[NUMBER_BATCH_MAX]; /* FAULT_NONE, number_malformed, number_check_digit */
    size_t count;
};

/* Open a sealed batch. Faults: number_unsealable, number_binding, item_invalid. Wipe `batch` after use. */
MUST_USE bool number_batch_open(struct arena *arena, const char *sealed, const struct number_binding *binding,
    struct number_batch *batch, struct fault *fault);
void number_batch_wipe(struct number_batch *batch);

#endif
