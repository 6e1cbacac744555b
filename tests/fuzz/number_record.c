/* The sealed number: whatever arrives in its place, and whatever an applicant's software may have sealed. The first
 * byte of an input is the mode, the rest what the mode says. Only the rightly signed card opens as a card, only a right
 * number as paper; a refusal gives a reason and leaves no number behind. */
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "chassis/jwe.h"
#include "kit/card.h"
#include "vault/card_signer.h"
#include "vault/number_record.h"

#define APPLICATION "0b6f6a52-6f5c-4b6e-9d55-3f4b7f0a1c01"
#define SIGNER "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"
#define HEADER "{\"application\":\"" APPLICATION "\",\"manager\":\"tokyo\",\"signer\":\"" SIGNER "\"}"
#define INPUT_MAX (16 * 1024)

enum mode {
    TEXT,             /* the sealed text itself */
    CARD_CONTENT,     /* the content of one rightly sealed and bound, where a card is due */
    PAPER_CONTENT,    /* the same, where a number from paper is due */
    PROTECTED_HEADER, /* the header, around the content of a right card */
    CARD_PATCH, /* of a right card: which file (EF 0001, 0003, 0004), offset in two bytes, what is written there */
    BATCH,      /* the content of one rightly sealed and bound, where many numbers are due */
    MODES
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct key seal_key = {.id = 1, .manager = "*", .kind = KEY_SEAL, .secret = {1, 2, 3}};
static struct kit_card card;
static uint8_t four_items[32];
static char *jwk;

const struct key *keyring_newest(const char *manager, enum key_kind kind)
{
    return &seal_key;
}

const struct key *keyring_by_id(uint32_t id)
{
    return &seal_key;
}

static void world_make(void)
{
    static struct kit_authorities *authorities; /* the card borrows from them */
    static struct arena *kept;
    struct fault fault;
    struct kit_person person;
    kept = arena_new(4096);
    if (!kit_authorities_make("build/kit"))
        abort();
    authorities = kit_authorities_load("build/kit");
    kit_person_make(&person, 1, 1);
    jwk = jwk_public_text(kept, &seal_key, "1");
    if (!jwk || !authorities || !kit_card_make(&card, authorities, &person) ||
        !card_roots_load("build/kit/card-roots", &fault))
        abort();
    SHA256(card.ef0002, card.ef0002_size, four_items);
}

static char *card_print(struct arena *arena, const uint8_t *patch, size_t size)
{
    uint8_t ef0004[4096];
    struct kit_card patched = card;
    struct {
        uint8_t *at;
        size_t size;
    } files[] = {{patched.ef0001, sizeof patched.ef0001}, {patched.ef0003, sizeof patched.ef0003},
        {ef0004, card.ef0004_size < sizeof ef0004 ? card.ef0004_size : sizeof ef0004}};
    memcpy(ef0004, card.ef0004, files[2].size);
    if (size > 3) {
        size_t file = patch[0] % 3, offset = ((size_t)patch[1] << 8 | patch[2]) % files[file].size;
        size_t room = files[file].size - offset;
        memcpy(files[file].at + offset, patch + 3, size - 3 < room ? size - 3 : room);
    }
    return arena_format(arena, "{\"ef0001\":\"%s\",\"ef0003\":\"%s\",\"ef0004\":\"%s\"}",
        base64url_put(arena, files[0].at, files[0].size), base64url_put(arena, files[1].at, files[1].size),
        base64url_put(arena, files[2].at, files[2].size));
}

static char *sealed_make(struct arena *arena, enum mode mode, const uint8_t *data, size_t size)
{
    char *content = NULL;
    switch (mode) {
    case TEXT:
        return arena_text(arena, data, size);
    case CARD_CONTENT:
    case PAPER_CONTENT:
    case BATCH:
        return jwe_seal(arena, jwk, HEADER, data, size);
    case PROTECTED_HEADER:
        content = card_print(arena, NULL, 0);
        return jwe_seal(arena, jwk, arena_text(arena, data, size), content, strlen(content));
    default:
        content = card_print(arena, data, size);
        return jwe_seal(arena, jwk, HEADER, content, strlen(content));
    }
}

static bool reason_known(enum fault_code code)
{
    return code == FAULT_number_unsealable || code == FAULT_number_binding || code == FAULT_number_malformed ||
           code == FAULT_number_check_digit || code == FAULT_card_signature || code == FAULT_card_hash ||
           code == FAULT_card_person_differs;
}

/* What opens is a number; of a card it is the card's own, however it was patched. What does not is wiped. */
static void result_check(bool opened, enum mode mode, const struct my_number *number, const struct fault *fault)
{
    static const char nothing[MY_NUMBER_DIGITS];
    if (!opened && (!reason_known(fault->code) || memcmp(number->digits, nothing, MY_NUMBER_DIGITS) != 0))
        abort();
    if (opened && (mode == TEXT || number->digits[11] != my_number_check_digit(number->digits)))
        abort();
    if (opened && mode != PAPER_CONTENT && memcmp(number->digits, card.ef0001 + 3, MY_NUMBER_DIGITS) != 0)
        abort();
}

/* Each number is right, or told to be wrong and wiped. */
static void batch_check(struct arena *arena, const char *sealed, const struct number_binding *binding)
{
    static const char nothing[MY_NUMBER_DIGITS];
    static struct number_batch batch;
    struct fault fault = {0};
    if (!number_batch_open(arena, sealed, binding, &batch, &fault)) {
        if (fault.code == FAULT_NONE)
            abort();
        return;
    }
    if (batch.count < 1 || batch.count > NUMBER_BATCH_MAX)
        abort();
    for (size_t i = 0; i < batch.count; i++) {
        const char *digits = batch.numbers[i].digits;
        if (batch.results[i] == FAULT_NONE ? digits[11] != my_number_check_digit(digits)
                                           : memcmp(digits, nothing, MY_NUMBER_DIGITS) != 0)
            abort();
    }
    number_batch_wipe(&batch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena *arena;
    uint8_t signer[32];
    struct my_number number;
    struct fault fault;
    if (!arena) {
        arena = arena_new(1 << 20);
        world_make();
    }
    if (size < 1 || size > INPUT_MAX)
        return 0;
    enum mode mode = data[0] % MODES;
    memset(signer, 0x5a, sizeof signer);
    const struct number_binding binding = {
        APPLICATION, "tokyo", signer, mode == PAPER_CONTENT || mode == BATCH ? NULL : four_items};
    const char *sealed = sealed_make(arena, mode, data + 1, size - 1);
    if (sealed && mode == BATCH)
        batch_check(arena, sealed, &binding);
    else if (sealed) {
        bool opened = number_record_open(arena, sealed, &binding, &number, &fault);
        result_check(opened, mode, &number, &fault);
        if (mode == CARD_PATCH && size == 1 && !opened)
            abort(); /* the card as it is */
    }
    arena_reset(arena);
    return 0;
}
