#include "chassis/seal_key.h"

#include "chassis/jwe.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* Where the id begins in a `kid` of our form; NULL: it is none. */
static const char *id_find(const char *kid)
{
    const char *hyphen = strrchr(kid, '-'), *digits = hyphen ? hyphen + 1 : kid;
    return *digits && strlen(digits) <= 9 && strspn(digits, "0123456789") == strlen(digits) ? digits : NULL;
}

static const struct key *key_named(const json_t *kid, const char *manager, struct fault *fault)
{
    const char *id = json_is_string(kid) ? id_find(json_string_value(kid)) : NULL;
    const struct key *key = id ? keyring_by_id((uint32_t)strtoul(id, NULL, 10)) : NULL;
    if (key && key->kind == KEY_SEAL && strcmp(key->manager, manager) == 0)
        return key;
    fault_set(fault, id ? FAULT_key_retired : FAULT_malformed, "kid");
    return NULL;
}

const struct key *seal_key_of(const char *sealed, const char *manager, struct fault *fault)
{
    json_t *header = jwe_header_read(sealed);
    const json_t *kid = json_object_get(header, "kid");
    const struct key *key = NULL;
    if (!header)
        fault_set(fault, FAULT_malformed, "sealed");
    else if (kid)
        key = key_named(kid, manager, fault);
    else if (!(key = keyring_newest(manager, KEY_SEAL)))
        fault_set(fault, FAULT_internal, "seal");
    json_decref(header);
    return key;
}
