#include "certificates/certificate_publish.h"
#include "certificates/certificate_cose.h"
#include "certificates/certificate_url.h"
#include "chassis/keyring.h"
#include "chassis/work.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_MAX_BYTES 512

static json_t *key_print(const char *manager, const uint8_t point[CERTIFICATE_POINT_BYTES])
{
    uint8_t kid[CERTIFICATE_KID_BYTES];
    char name[2 * CERTIFICATE_KID_BYTES + 1], x[44], y[44];
    if (!certificate_kid(point, kid))
        return NULL;
    hex_put(name, kid, sizeof kid);
    certificate_code_print(point + 1, 32, x);
    certificate_code_print(point + 33, 32, y);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "kty", "EC", "crv", "P-256", "alg", "ES256", "use",
        "sig", "kid", name, "manager", manager, "x", x, "y", y);
}

static bool has_key(const json_t *list, const json_t *key)
{
    size_t index;
    json_t *other;
    json_array_foreach((json_t *)list, index, other) if (json_equal(other, key)) return true;
    return false;
}

static bool key_add(json_t *list, const char *manager, const struct key *key)
{
    uint8_t point[CERTIFICATE_POINT_BYTES];
    json_t *printed = key && key_p256_public(key, point) ? key_print(manager, point) : NULL;
    if (printed && has_key(list, printed)) {
        json_decref(printed);
        return true;
    }
    return printed && json_array_append_new(list, printed) == 0;
}

/* One that is coming too: whoever verifies knows it before it signs. */
static bool keys_add(json_t *list, const char *const *managers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct key *beside = keyring_beside(managers[i], KEY_ISSUE);
        if (!key_add(list, managers[i], keyring_newest(managers[i], KEY_ISSUE)) ||
            (beside && !key_add(list, managers[i], beside)))
            return false;
    }
    return true;
}

static bool file_replace(const char *path, const json_t *set)
{
    char fresh[PATH_MAX_BYTES + 32];
    snprintf(fresh, sizeof fresh, "%s.%d", path, (int)getpid());
    return json_dump_file(set, fresh, JSON_INDENT(1)) == 0 && rename(fresh, path) == 0;
}

bool certificate_keys_publish(const char *folder, const char *const *managers, size_t count, struct fault *fault)
{
    char path[PATH_MAX_BYTES];
    snprintf(path, sizeof path, "%s/peers", folder);
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return fault_set(fault, FAULT_unavailable, "peers");
    if (snprintf(path, sizeof path, "%s/peers/certificates.issue.jwks", folder) >= (int)sizeof path)
        return fault_set(fault, FAULT_unavailable, "peers");
    json_t *set = json_load_file(path, 0, NULL);
    if (!json_is_array(json_object_get(set, "keys"))) {
        json_decref(set);
        set = json_pack("{s:[]}", "keys");
    }
    bool added = set && keys_add(json_object_get(set, "keys"), managers, count);
    bool written = added && file_replace(path, set);
    json_decref(set);
    if (!added)
        return fault_set(fault, FAULT_internal, "issue");
    return written || fault_set(fault, FAULT_unavailable, "certificates.issue.jwks");
}
