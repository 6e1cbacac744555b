#include "chassis/audit_link.h"

#include "chassis/keyring.h"

#include <endian.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#define KEY_ID_BYTES 4 /* before the HMAC, which is cut by as much */
#define PURPOSE "shikaku audit link 1"

/* A data key covers rows; what it makes here must never be of use there. */
static bool purpose_key(const struct key *key, uint8_t out[EVP_MAX_MD_SIZE])
{
    return HMAC(EVP_sha256(), key->secret, KEY_BYTES, (const uint8_t *)PURPOSE, sizeof PURPOSE, out, NULL) != NULL;
}

static bool link_compute(const struct key *key, const uint8_t previous[AUDIT_LINK_BYTES], uint64_t sequence,
    struct bytes event, uint8_t link[AUDIT_LINK_BYTES])
{
    uint8_t own_key[EVP_MAX_MD_SIZE], sum[EVP_MAX_MD_SIZE], event_sum[EVP_MAX_MD_SIZE];
    uint8_t said[AUDIT_LINK_BYTES + 8 + AUDIT_LINK_BYTES];
    uint64_t number = htobe64(sequence);
    uint32_t id = htobe32(key->id);
    bool made = EVP_Digest(event.data, event.len, event_sum, NULL, EVP_sha256(), NULL) == 1;
    memcpy(said, previous, AUDIT_LINK_BYTES);
    memcpy(said + AUDIT_LINK_BYTES, &number, sizeof number);
    memcpy(said + AUDIT_LINK_BYTES + 8, event_sum, AUDIT_LINK_BYTES);
    made = made && purpose_key(key, own_key) &&
           HMAC(EVP_sha256(), own_key, AUDIT_LINK_BYTES, said, sizeof said, sum, NULL) != NULL;
    memcpy(link, &id, KEY_ID_BYTES);
    memcpy(link + KEY_ID_BYTES, sum, AUDIT_LINK_BYTES - KEY_ID_BYTES);
    OPENSSL_cleanse(own_key, sizeof own_key);
    return made;
}

bool audit_link_make(
    const uint8_t previous[AUDIT_LINK_BYTES], uint64_t sequence, struct bytes event, uint8_t link[AUDIT_LINK_BYTES])
{
    const struct key *key = keyring_newest("*", KEY_DATA);
    return key && link_compute(key, previous, sequence, event, link);
}

bool audit_link_check(const uint8_t previous[AUDIT_LINK_BYTES], uint64_t sequence, struct bytes event,
    const uint8_t link[AUDIT_LINK_BYTES])
{
    uint8_t wanted[AUDIT_LINK_BYTES];
    uint32_t id;
    memcpy(&id, link, KEY_ID_BYTES);
    const struct key *key = keyring_by_id(be32toh(id));
    return key && key->kind == KEY_DATA && strcmp(key->manager, "*") == 0 &&
           link_compute(key, previous, sequence, event, wanted) && CRYPTO_memcmp(wanted, link, sizeof wanted) == 0;
}
