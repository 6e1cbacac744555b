#include "kit/enrolment.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct agency *enrolled_agency_new(const char *name, const char *manager, const char *routes)
{
    uint8_t secret[32], public_key[32];
    char hex[65], command[1024], peers[512];
    const char *bin = getenv("SHIKAKU_BIN"), *bus = getenv("SHIKAKU_BUS"), *keys = getenv("SHIKAKU_KEYS");
    if (!bin || !bus || !keys || !agency_key_make(secret, public_key))
        return NULL;
    for (size_t i = 0; i < sizeof public_key; i++)
        snprintf(hex + 2 * i, 3, "%02x", public_key[i]);
    snprintf(command, sizeof command, "'%s/shikakuctl' peer add %s %s %s %s", bin, name, hex, manager, routes);
    if (system(command) != 0)
        return NULL;
    snprintf(peers, sizeof peers, "%s/peers", keys);
    return agency_new(name, secret, bus, peers);
}

void agency_send(
    struct agency *agency, struct agency_request request, const ProtobufCMessage *message, struct agency_reply *reply)
{
    size_t len = protobuf_c_message_get_packed_size(message);
    uint8_t *payload = malloc(len + 1);
    if (payload) {
        protobuf_c_message_pack(message, payload);
        request.payload = payload;
        request.payload_len = len;
    }
    agency_call(agency, &request, reply);
    free(payload);
}

void agency_act_key(const char *act, uint8_t key[32])
{
    SHA256((const unsigned char *)act, strlen(act), key);
}
