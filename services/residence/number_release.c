#include "residence/number_release.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "chassis/jwe.h"
#include "chassis/seal_key.h"
#include "residence/inquiry_wire.h"
#include "vault.pb-c.h"

#define RECIPIENT "residence"
#define PURPOSE "residence_inquiry"

static bool is_number(const char *text)
{
    return text && strlen(text) == INQUIRY_NUMBER_DIGITS && strspn(text, "0123456789") == INQUIRY_NUMBER_DIGITS;
}

static const char *number_find(struct work *work, const json_t *numbers, const char *pseudonym)
{
    size_t i;
    const json_t *row;
    json_array_foreach(numbers, i, row)
    {
        const char *whose = json_string_value(json_object_get(row, "pseudonym"));
        const char *number = json_string_value(json_object_get(row, "number"));
        if (whose && strcmp(whose, pseudonym) == 0 && is_number(number))
            return arena_text(work->arena, number, INQUIRY_NUMBER_DIGITS);
    }
    return NULL;
}

static bool numbers_open(
    struct work *work, const char *sealed, const struct inquiry *inquiries, int count, const char **numbers)
{
    struct bytes plain;
    const struct key *key = seal_key_of(sealed, "*", &work->fault);
    if (!key && work->fault.code == FAULT_key_retired)
        return false;
    bool opened = key && jwe_open(work->arena, key, sealed, NULL, &plain);
    /* jansson frees by chassis/jwe.c's allocator, which wipes: no number outlives the turn. */
    json_t *list = opened ? json_loadb((const char *)plain.data, plain.len, JSON_REJECT_DUPLICATES, NULL) : NULL;
    if (!list)
        return fault_set(&work->fault, FAULT_number_unsealable, NULL);
    for (int i = 0; i < count; i++)
        numbers[i] = number_find(work, json_object_get(list, "numbers"), inquiries[i].pseudonym);
    json_decref(list);
    return true;
}

bool numbers_release(struct work *work, const struct inquiry *inquiries, int count, const char *reason, const char *act,
    const char **numbers)
{
    Vault__ReleaseRequest request = VAULT__RELEASE_REQUEST__INIT;
    ProtobufCMessage *reply;
    char *pseudonyms[INQUIRY_LEASE_MAX];
    for (int i = 0; i < count; i++)
        pseudonyms[i] = (char *)inquiries[i].pseudonym;
    request.manager = (char *)inquiries[0].manager;
    request.recipient = RECIPIENT;
    request.purpose = PURPOSE;
    request.reason = (char *)reason;
    request.pseudonyms = pseudonyms;
    request.n_pseudonyms = (size_t)count;
    return work_call(work, ROUTE_vault_release, act, &request.base, &reply) &&
           numbers_open(work, ((const Vault__ReleaseReply *)reply)->sealed, inquiries, count, numbers);
}
