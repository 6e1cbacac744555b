#include "kit/agency.h"

#include "envelope.pb-c.h"

#include <endian.h>
#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NAME_MAX_BYTES 63
#define BOOT_BYTES 16
#define TAG_BYTES 16
#define FRAME_MAX (512 * 1024)
#define NO_ANSWER_MS 1500 /* a frame that proves no sender gets no answer; tests do not wait the whole deadline */

struct agency {
    char name[NAME_MAX_BYTES + 1], bus[256], peers[256];
    uint8_t secret[32], boot[BOOT_BYTES];
    uint64_t counter;
    nng_socket socket;
    char dialed[NAME_MAX_BYTES + 1];
    uint8_t *last; /* the last frame sent */
    size_t last_len;
};

bool agency_key_make(uint8_t secret[32], uint8_t public_key[32])
{
    size_t len = 32;
    EVP_PKEY *key =
        RAND_bytes(secret, 32) == 1 ? EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, secret, 32) : NULL;
    bool made = key && EVP_PKEY_get_raw_public_key(key, public_key, &len) == 1;
    EVP_PKEY_free(key);
    return made;
}

struct agency *agency_new(const char *name, const uint8_t secret[32], const char *bus, const char *peers)
{
    struct agency *agency = calloc(1, sizeof *agency);
    if (!agency || RAND_bytes(agency->boot, BOOT_BYTES) != 1) {
        free(agency);
        return NULL;
    }
    snprintf(agency->name, sizeof agency->name, "%s", name);
    snprintf(agency->bus, sizeof agency->bus, "%s", bus);
    snprintf(agency->peers, sizeof agency->peers, "%s", peers);
    memcpy(agency->secret, secret, 32);
    return agency;
}

void agency_free(struct agency *agency)
{
    if (!agency)
        return;
    if (*agency->dialed)
        nng_close(agency->socket);
    free(agency->last);
    free(agency);
}

static bool dial(struct agency *agency, const char *to)
{
    char url[400];
    if (strcmp(agency->dialed, to) == 0)
        return true;
    if (*agency->dialed)
        nng_close(agency->socket);
    agency->dialed[0] = '\0';
    snprintf(url, sizeof url, "ipc://%s/%s.bus", agency->bus, to);
    if (nng_req0_open(&agency->socket) != 0)
        return false;
    nng_socket_set_ms(agency->socket, NNG_OPT_REQ_RESENDTIME, 4000);
    nng_socket_set_size(agency->socket, NNG_OPT_RECVMAXSZ, FRAME_MAX);
    if (nng_dial(agency->socket, url, NULL, NNG_FLAG_NONBLOCK) != 0) {
        nng_close(agency->socket);
        return false;
    }
    snprintf(agency->dialed, sizeof agency->dialed, "%s", to);
    return true;
}

static bool peer_key_read(const struct agency *agency, const char *name, uint8_t key[32])
{
    char path[400];
    unsigned byte;
    snprintf(path, sizeof path, "%s/%s.pub", agency->peers, name);
    FILE *file = fopen(path, "r");
    int read = 0;
    while (file && read < 32 && fscanf(file, "%2x", &byte) == 1)
        key[read++] = (uint8_t)byte;
    if (file)
        fclose(file);
    return read == 32;
}

static bool key_derive(const struct agency *agency, const char *peer, const uint8_t boot[BOOT_BYTES], const char *from,
    const char *to, char kind, uint8_t key[32])
{
    uint8_t public_key[32], secret[32];
    char info[200];
    size_t secret_len = 32, key_len = 32;
    if (!peer_key_read(agency, peer, public_key))
        return false;
    snprintf(info, sizeof info, "shikaku bus|%s|%s|%c", from, to, kind);
    EVP_PKEY *own = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, agency->secret, 32);
    EVP_PKEY *other = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, public_key, 32);
    EVP_PKEY_CTX *agree = own ? EVP_PKEY_CTX_new(own, NULL) : NULL;
    EVP_PKEY_CTX *stretch = EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, NULL);
    bool done = other && agree && stretch && EVP_PKEY_derive_init(agree) == 1 &&
                EVP_PKEY_derive_set_peer(agree, other) == 1 && EVP_PKEY_derive(agree, secret, &secret_len) == 1 &&
                EVP_PKEY_derive_init(stretch) == 1 && EVP_PKEY_CTX_set_hkdf_md(stretch, EVP_sha256()) == 1 &&
                EVP_PKEY_CTX_set1_hkdf_salt(stretch, boot, BOOT_BYTES) == 1 &&
                EVP_PKEY_CTX_set1_hkdf_key(stretch, secret, 32) == 1 &&
                EVP_PKEY_CTX_add1_hkdf_info(stretch, (const unsigned char *)info, (int)strlen(info)) == 1 &&
                EVP_PKEY_derive(stretch, key, &key_len) == 1;
    EVP_PKEY_CTX_free(stretch);
    EVP_PKEY_CTX_free(agree);
    EVP_PKEY_free(other);
    EVP_PKEY_free(own);
    return done;
}

/* "SHK1", kind, name, boot id, counter: what goes before the ciphertext, and is authenticated with it. */
static size_t head_print(const struct agency *agency, uint8_t *frame)
{
    size_t name_len = strlen(agency->name);
    uint64_t counter = htobe64(agency->counter);
    memcpy(frame, "SHK1Q", 5);
    frame[5] = (uint8_t)name_len;
    memcpy(frame + 6, agency->name, name_len);
    memcpy(frame + 6 + name_len, agency->boot, BOOT_BYTES);
    memcpy(frame + 6 + name_len + BOOT_BYTES, &counter, 8);
    return 6 + name_len + BOOT_BYTES + 8;
}

static bool frame_seal(struct agency *agency, const char *to, const uint8_t *plain, size_t len)
{
    uint8_t key[32], nonce[12] = {0};
    int part;
    free(agency->last);
    agency->last = malloc(len + 200);
    agency->counter++;
    if (!agency->last || !key_derive(agency, to, agency->boot, agency->name, to, 'Q', key))
        return false;
    size_t head = head_print(agency, agency->last);
    memcpy(nonce + 4, agency->last + head - 8, 8);
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    bool sealed = cipher && EVP_EncryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
                  EVP_EncryptUpdate(cipher, NULL, &part, agency->last, (int)head) == 1 &&
                  EVP_EncryptUpdate(cipher, agency->last + head, &part, plain, (int)len) == 1 &&
                  EVP_EncryptFinal_ex(cipher, agency->last + head + len, &part) == 1 &&
                  EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, agency->last + head + len) == 1;
    EVP_CIPHER_CTX_free(cipher);
    agency->last_len = head + len + TAG_BYTES;
    return sealed;
}

/* Opens a reply frame; malloc'ed plain text or NULL. */
static uint8_t *frame_open(
    const struct agency *agency, const char *from, const uint8_t *frame, size_t len, size_t *plain_len)
{
    uint8_t key[32], nonce[12] = {0};
    int part;
    size_t name_len = len > 6 ? frame[5] : 0, head = 6 + name_len + BOOT_BYTES + 8;
    if (len < head + TAG_BYTES || memcmp(frame, "SHK1R", 5) != 0 || name_len != strlen(from) ||
        memcmp(frame + 6, from, name_len) != 0 ||
        !key_derive(agency, from, frame + 6 + name_len, from, agency->name, 'R', key))
        return NULL;
    *plain_len = len - head - TAG_BYTES;
    uint8_t *plain = malloc(*plain_len + 1);
    memcpy(nonce + 4, frame + head - 8, 8);
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    bool opened =
        plain && cipher && EVP_DecryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
        EVP_DecryptUpdate(cipher, NULL, &part, frame, (int)head) == 1 &&
        EVP_DecryptUpdate(cipher, plain, &part, frame + head, (int)*plain_len) == 1 &&
        EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, (void *)(frame + len - TAG_BYTES)) == 1 &&
        EVP_DecryptFinal_ex(cipher, plain + *plain_len, &part) == 1;
    EVP_CIPHER_CTX_free(cipher);
    if (opened)
        return plain;
    free(plain);
    return NULL;
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool request_seal(struct agency *agency, const struct agency_request *request, uint8_t message_id[16])
{
    Bus__Envelope envelope = BUS__ENVELOPE__INIT;
    int deadline_ms = request->deadline_ms ? request->deadline_ms : 10000;
    RAND_bytes(message_id, 16);
    envelope.message_id = (ProtobufCBinaryData){16, message_id};
    if (request->key)
        envelope.idempotency_key = (ProtobufCBinaryData){32, (uint8_t *)request->key};
    envelope.route = (char *)request->route;
    envelope.sender = request->flaw == AGENCY_WRONG_SENDER ? "portal" : agency->name;
    envelope.recipient = (char *)request->to;
    envelope.sent_at_ms = now_ms() - (request->flaw == AGENCY_EXPIRED ? deadline_ms + 1000 : 0);
    envelope.deadline_ms = envelope.sent_at_ms + deadline_ms;
    if (request->actor_token)
        envelope.actor_token = (char *)request->actor_token;
    envelope.payload = (ProtobufCBinaryData){request->payload_len, (uint8_t *)request->payload};
    size_t len = bus__envelope__get_packed_size(&envelope);
    uint8_t *plain = malloc(len);
    bool sealed = plain && bus__envelope__pack(&envelope, plain) == len && frame_seal(agency, request->to, plain, len);
    free(plain);
    if (sealed && request->flaw == AGENCY_ALTERED)
        agency->last[agency->last_len - TAG_BYTES - 1] ^= 1;
    return sealed;
}

static nng_msg *exchange(struct agency *agency, int wait_ms)
{
    nng_msg *message = NULL;
    nng_socket_set_ms(agency->socket, NNG_OPT_SENDTIMEO, wait_ms);
    nng_socket_set_ms(agency->socket, NNG_OPT_RECVTIMEO, wait_ms);
    if (nng_msg_alloc(&message, 0) != 0 || nng_msg_append(message, agency->last, agency->last_len) != 0 ||
        nng_sendmsg(agency->socket, message, 0) != 0) {
        nng_msg_free(message);
        return NULL;
    }
    return nng_recvmsg(agency->socket, &message, 0) == 0 ? message : NULL;
}

void agency_call(struct agency *agency, const struct agency_request *request, struct agency_reply *reply)
{
    uint8_t message_id[16];
    size_t len = 0;
    memset(reply, 0, sizeof *reply);
    if (request->flaw != AGENCY_LATE_REPLAY && !request_seal(agency, request, message_id))
        return;
    bool hopeless = request->flaw == AGENCY_ALTERED;
    nng_msg *message = dial(agency, request->to) ? exchange(agency, hopeless               ? NO_ANSWER_MS
                                                                    : request->deadline_ms ? request->deadline_ms
                                                                                           : 10000)
                                                 : NULL;
    uint8_t *plain =
        message ? frame_open(agency, request->to, nng_msg_body(message), nng_msg_len(message), &len) : NULL;
    Bus__Envelope *envelope = plain ? bus__envelope__unpack(NULL, len, plain) : NULL;
    bool mine = envelope && envelope->in_reply_to.len == 16 &&
                (request->flaw == AGENCY_LATE_REPLAY || memcmp(envelope->in_reply_to.data, message_id, 16) == 0);
    if (mine) {
        reply->answered = true;
        reply->outcome = (int)envelope->outcome;
        snprintf(reply->fault_code, sizeof reply->fault_code, "%s", envelope->fault_code);
        snprintf(reply->fault_field, sizeof reply->fault_field, "%s", envelope->fault_field);
        reply->payload_len = envelope->payload.len;
        reply->payload = malloc(envelope->payload.len + 1);
        if (reply->payload && envelope->payload.len)
            memcpy(reply->payload, envelope->payload.data, envelope->payload.len);
    }
    if (envelope)
        bus__envelope__free_unpacked(envelope, NULL);
    free(plain);
    if (message)
        nng_msg_free(message);
}

void agency_reply_fini(struct agency_reply *reply)
{
    free(reply->payload);
    reply->payload = NULL;
}
