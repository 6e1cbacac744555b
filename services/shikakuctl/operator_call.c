#include "shikakuctl/operator_call.h"

#include "chassis/keyring.h"

#include <stdio.h>

bool operator_call(
    struct arena *arena, enum route route, const char *act, const ProtobufCMessage *request, ProtobufCMessage **reply)
{
    struct fault fault = {0};
    uint8_t key[IDEMPOTENCY_KEY_BYTES];
    struct bus_request call = {.route = route, .correlation = "", .message = request};
    bool called = false;
    if (act) {
        bus_key(key, route, act, NULL);
        call.key = key;
    }
    if (keyring_open("operator", NULL, NULL, 0, &fault)) {
        struct bus_caller *caller = bus_caller_new("operator");
        called = caller && bus_call(caller, arena, &call, reply, &fault);
        bus_caller_free(caller);
        keyring_close();
    }
    if (!called)
        fprintf(stderr, "%s %s %s\n", fault_code_text(fault.code), fault.field, fault_japanese(fault.code));
    return called;
}
