#include "intermediate/network.h"

#include <stdlib.h>
#include <string.h>

#include "chassis/jwe.h"
#include "chassis/outside.h"
#include "chassis/seal_key.h"
#include "chassis/settings.h"

#define CONNECT_MS 2000
#define ANSWER_MAX (256 * 1024)
#define PATH_CHARACTERS "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"
#define DOMICILE_MAX 600 /* bytes: 200 code points */

static struct outside_peer ipn = {.name = "ipn", .connect_ms = CONNECT_MS, .answer_max = ANSWER_MAX};

static const char *text_or_null(const char *setting)
{
    const char *text = setting_text(setting);
    return text[0] ? text : NULL;
}

void network_open(void)
{
    ipn.base_url = setting_text("SHIKAKU_NETWORK_URL");
    ipn.total_ms = (int)setting_number("SHIKAKU_NETWORK_TIMEOUT_MS");
    ipn.ca_file = text_or_null("SHIKAKU_NETWORK_CA");
    ipn.certificate_file = text_or_null("SHIKAKU_NETWORK_CERTIFICATE");
    ipn.key_file = text_or_null("SHIKAKU_NETWORK_KEY");
}

static enum network_answer failed(struct work *work, enum fault_code code)
{
    fault_set(&work->fault, code, "ipn");
    return NETWORK_FAILED;
}

static enum network_answer answer_of(struct work *work, int status)
{
    switch (status) {
    case 200:
        return NETWORK_GIVEN;
    case 202:
        return NETWORK_NOT_YET;
    case 403:
        return NETWORK_REFUSED;
    case 404:
        return NETWORK_NOBODY;
    default:
        return failed(work, FAULT_unavailable);
    }
}

/* Call, and copy the string member `wanted` of a given answer into the arena. */
static enum network_answer ask(struct work *work, const char *method, const char *path, const json_t *body,
    int given_status, const char *wanted, const char **text, json_t **whole)
{
    int status = 0;
    json_t *reply = NULL;
    if (!outside_json(&ipn, work->arena, method, path, body, &status, &reply, &work->fault))
        return NETWORK_FAILED;
    enum network_answer answer = status == given_status ? NETWORK_GIVEN : answer_of(work, status);
    const char *member = json_string_value(json_object_get(reply, wanted));
    if (answer == NETWORK_GIVEN) {
        *text = member && *member ? arena_text(work->arena, member, strlen(member)) : NULL;
        answer = *text ? NETWORK_GIVEN : failed(work, FAULT_malformed);
    }
    if (whole)
        *whole = json_incref(reply);
    json_decref(reply);
    return answer;
}

enum network_answer network_code_get(
    struct work *work, const char *body, const char *acquisition_number, const char **code)
{
    char *path = arena_format(work->arena, "/codes/%s?body=%s", acquisition_number, body);
    return path ? ask(work, "GET", path, NULL, 200, "code", code, NULL) : failed(work, FAULT_internal);
}

enum network_answer network_permit_get(struct work *work, const struct network_inquiry *inquiry, const char **permit)
{
    json_t *body = json_pack("{ss ss ss ss ss}", "inquirer", inquiry->inquirer, "provider", inquiry->provider, "affair",
        inquiry->affair, "item", inquiry->item, "code", inquiry->code);
    enum network_answer answer =
        body ? ask(work, "POST", "/permits", body, 200, "permit", permit, NULL) : failed(work, FAULT_internal);
    json_decref(body);
    return answer;
}

enum network_answer network_inquire(
    struct work *work, const struct network_inquiry *inquiry, const struct key *key, const char **processing_number)
{
    char *kid = key ? arena_format(work->arena, "%u", key->id) : NULL;
    char *jwk = kid ? jwk_public_text(work->arena, key, kid) : NULL;
    json_t *body =
        jwk ? json_pack("{ss ss ss}", "permit", inquiry->permit, "reference", inquiry->reference, "public_jwk", jwk)
            : NULL;
    enum network_answer answer =
        body ? ask(work, "POST", "/inquiries", body, 202, "processing_number", processing_number, NULL)
             : failed(work, FAULT_internal);
    json_decref(body);
    /* It comes back to us in a path. */
    bool odd = answer == NETWORK_GIVEN && (*processing_number)[strspn(*processing_number, PATH_CHARACTERS)] != 0;
    return odd ? failed(work, FAULT_malformed) : answer;
}

static const char *member_copy(struct work *work, const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? arena_text(work->arena, text, strlen(text)) : "";
}

static bool provision_open(
    struct work *work, const char *sealed, const char *manager, struct network_provision *provision)
{
    static const char *const known[] = {"found", "undetermined", "none"};
    struct bytes plain;
    /* The key that our inquiry named; it must be this manager's own (EXCH-12). */
    const struct key *key = seal_key_of(sealed, manager, &work->fault);
    bool opened = key && jwe_open(work->arena, key, sealed, NULL, &plain);
    json_t *answer = opened ? json_loadb((const char *)plain.data, plain.len, JSON_REJECT_DUPLICATES, NULL) : NULL;
    provision->result = NULL;
    for (size_t i = 0; answer && i < sizeof known / sizeof *known; i++)
        if (strcmp(member_copy(work, answer, "result"), known[i]) == 0)
            provision->result = known[i];
    provision->domicile = member_copy(work, answer, "domicile");
    json_decref(answer);
    bool has_domicile = provision->domicile[0] && strlen(provision->domicile) <= DOMICILE_MAX;
    return provision->result && (strcmp(provision->result, "found") == 0) == has_domicile;
}

enum network_answer network_provision_get(
    struct work *work, const char *processing_number, const char *manager, struct network_provision *provision)
{
    const char *sealed = NULL;
    json_t *whole = NULL;
    char *path = arena_format(work->arena, "/inquiries/%s", processing_number);
    enum network_answer answer =
        path ? ask(work, "GET", path, NULL, 200, "answer", &sealed, &whole) : failed(work, FAULT_internal);
    provision->provided_at_ms = json_integer_value(json_object_get(whole, "provided_at_ms"));
    json_decref(whole);
    if (answer == NETWORK_GIVEN && !provision_open(work, sealed, manager, provision))
        return failed(work, FAULT_malformed);
    return answer;
}
