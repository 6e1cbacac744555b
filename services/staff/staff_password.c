#include "staff/staff_password.h"

#include "chassis/settings.h"
#include "staff/password_guess.h"

#include <argon2.h>
#include <ctype.h>
#include <malloc.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>

#define SALT_BYTES 16
#define HASH_BYTES 32
#define OWN_MAPPING_BYTES (1 << 20)

static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
static char nobody[PASSWORD_ENCODED_MAX];

bool password_policy_check(const char *password, const char *account, struct fault *fault)
{
    bool upper = false, lower = false, digit = false, other = false;
    size_t len = strlen(password);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)password[i];
        bool ascii = c < 0x80;
        upper |= ascii && isupper(c);
        lower |= ascii && islower(c);
        digit |= ascii && isdigit(c);
        other |= !ascii || !isalnum(c);
    }
    if ((int64_t)len < setting_number("SHIKAKU_PASSWORD_LETTERS") || len > PASSWORD_MAX ||
        upper + lower + digit + other < setting_number("SHIKAKU_PASSWORD_KINDS"))
        return fault_set(fault, FAULT_password_weak, "password");
    return !password_is_guess(password, account) || fault_set(fault, FAULT_password_known, "password");
}

bool password_encode(const char *password, char encoded[PASSWORD_ENCODED_MAX])
{
    uint8_t salt[SALT_BYTES];
    if (RAND_bytes(salt, sizeof salt) != 1)
        return false;
    pthread_mutex_lock(&one_at_a_time);
    int result = argon2id_hash_encoded((uint32_t)setting_number("SHIKAKU_ARGON2_PASSES"),
        (uint32_t)setting_number("SHIKAKU_ARGON2_KIB"), 1, password, strlen(password), salt, sizeof salt, HASH_BYTES,
        encoded, PASSWORD_ENCODED_MAX);
    pthread_mutex_unlock(&one_at_a_time);
    return result == ARGON2_OK;
}

bool password_open(struct fault *fault)
{
    char random[2 * SALT_BYTES + 1];
    uint8_t raw[SALT_BYTES];
    /* Argon2's tens of MiB go back to the system after each use; malloc would learn to keep them. */
    mallopt(M_MMAP_THRESHOLD, OWN_MAPPING_BYTES);
    if (!guesses_open(setting_text("SHIKAKU_KNOWN_PASSWORDS"), fault))
        return false;
    if (RAND_bytes(raw, sizeof raw) != 1)
        return fault_set(fault, FAULT_internal, "password");
    for (size_t i = 0; i < sizeof raw; i++) {
        random[2 * i] = (char)('a' + (raw[i] >> 4));
        random[2 * i + 1] = (char)('a' + (raw[i] & 15));
    }
    random[2 * SALT_BYTES] = '\0';
    return password_encode(random, nobody) || fault_set(fault, FAULT_internal, "password");
}

bool password_matches(const char *password, const char *encoded)
{
    pthread_mutex_lock(&one_at_a_time);
    int result = argon2id_verify(encoded ? encoded : nobody, password, strlen(password));
    pthread_mutex_unlock(&one_at_a_time);
    return result == ARGON2_OK && encoded;
}

/* 15 letters of a 32-letter alphabet without those that look alike, 75 bits, in groups; each kind has a place. */
bool password_first(char password[PASSWORD_FIRST_SIZE], char encoded[PASSWORD_ENCODED_MAX])
{
    static const char small[] = "abcdefghijkmnpqrstuvwxyz23456789", big[] = "ABCDEFGHJKLMNPQRSTUVWXYZ";
    uint8_t random[20];
    if (RAND_bytes(random, sizeof random) != 1)
        return false;
    for (size_t i = 0; i < sizeof random; i++)
        password[i] = i % 5 == 4 ? '-' : small[random[i] % 32];
    password[0] = big[random[0] % 24];
    password[sizeof random - 1] = (char)('2' + random[19] % 8);
    password[sizeof random] = '\0';
    return password_encode(password, encoded);
}
