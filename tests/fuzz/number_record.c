/* The sealed number: whatever arrives in its place, and whatever an applicant's software may have sealed. The first
 * byte chooses: the rest is the sealed text itself, or the content of one that was rightly sealed and bound. */
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "chassis/jwe.h"
#include "vault/number_record.h"

#define APPLICATION "0b6f6a52-6f5c-4b6e-9d55-3f4b7f0a1c01"
#define SIGNER "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"
#define HEADER "{\"application\":\"" APPLICATION "\",\"manager\":\"tokyo\",\"signer\":\"" SIGNER "\"}"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct key seal_key = {.id = 1, .manager = "*", .kind = KEY_SEAL, .secret = {1, 2, 3}};

const struct key *keyring_newest(const char *manager, enum key_kind kind)
{
    return &seal_key;
}

const struct key *keyring_by_id(uint32_t id)
{
    return &seal_key;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena *arena;
    static char *jwk;
    uint8_t bytes[32];
    struct my_number number;
    struct fault fault;
    if (!arena) {
        struct arena *kept = arena_new(4096);
        arena = arena_new(1 << 20);
        jwk = jwk_public_text(kept, &seal_key, "1");
        if (!jwk || !card_roots_load("build/kit/card-roots", &fault))
            abort();
    }
    if (size < 1 || size > 16 * 1024)
        return 0;
    memset(bytes, 0x5a, sizeof bytes);
    const struct number_binding binding = {APPLICATION, "tokyo", bytes, data[0] & 1 ? bytes : NULL};
    const char *sealed =
        data[0] & 2 ? jwe_seal(arena, jwk, HEADER, data + 1, size - 1) : arena_text(arena, data + 1, size - 1);
    if (!sealed)
        abort();
    if (number_record_open(arena, sealed, &binding, &number, &fault) &&
        number.digits[11] != my_number_check_digit(number.digits))
        abort(); /* what opens is a number */
    arena_reset(arena);
    return 0;
}
