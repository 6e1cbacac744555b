#include "kit/journey_wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <curl/curl.h>
#include "kit/assertion.h"

#define CONNECT_MS 2000
#define TOTAL_MS 30000
#define RETRY_MS 50

void wire_pause(unsigned ms)
{
    const struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};
    nanosleep(&t, NULL);
}

static size_t body_take(char *data, size_t one, size_t count, void *arg)
{
    struct journey_answer *answer = arg;
    size_t size = one * count;
    char *grown = realloc(answer->body, answer->size + size + 1);
    if (!grown)
        return 0;
    memcpy(grown + answer->size, data, size);
    answer->body = grown;
    answer->size += size;
    grown[answer->size] = '\0';
    return size;
}

static CURL *handle_make(void)
{
    CURL *curl = curl_easy_init();
    if (!curl)
        return NULL;
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_IPRESOLVE, CURL_IPRESOLVE_V4);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)TOTAL_MS);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, body_take);
    if (*journey_setting("SHIKAKU_OUTSIDE_CA"))
        curl_easy_setopt(curl, CURLOPT_CAINFO, journey_setting("SHIKAKU_OUTSIDE_CA"));
    return curl;
}

/* The client certificates that deploy/clients makes. */
static const char *const certificates[AS_IDENTITIES] = {
    [AS_MYNAPORTAL] = "mynaportal",
    [AS_NUMBER_TERMINAL] = "terminal-number",
    [AS_RESIDENCE_TERMINAL] = "terminal-residence",
    [AS_ADMINISTRATION_TERMINAL] = "terminal-administration",
    [AS_UNLISTED_TERMINAL] = "terminal-unlisted",
};

static CURL *door_make(enum journey_as as)
{
    char path[600];
    const char *keys = journey_setting("SHIKAKU_KEYS");
    CURL *curl = handle_make();
    if (!curl)
        return NULL;
    snprintf(path, sizeof path, "%s/tls/ca.pem", keys);
    curl_easy_setopt(curl, CURLOPT_CAINFO, path);
    if (!certificates[as])
        return curl;
    snprintf(path, sizeof path, "%s/tls/%s.crt", keys, certificates[as]);
    curl_easy_setopt(curl, CURLOPT_SSLCERT, path);
    snprintf(path, sizeof path, "%s/tls/%s.key", keys, certificates[as]);
    curl_easy_setopt(curl, CURLOPT_SSLKEY, path);
    return curl;
}

bool wire_open(struct journey *journey)
{
    journey->outside = handle_make();
    for (int as = 0; as < AS_IDENTITIES; as++)
        if (!(journey->doors[as] = door_make((enum journey_as)as)))
            return false;
    return journey->outside != NULL;
}

void wire_close(struct journey *journey)
{
    for (int as = 0; as < AS_IDENTITIES; as++)
        curl_easy_cleanup(journey->doors[as]);
    curl_easy_cleanup(journey->outside);
}

/* --- one try ----------------------------------------------------------------------------------------------------- */

struct
try {
    CURL *curl;
    const char *method, *url;
    struct curl_slist *headers; /* taken */
    const void *body;
    size_t size;
};

static void try_run(const struct try *try, struct journey_answer *answer)
{
    long status = 0;
    double seconds = 0;
    bool sends = try->body || strcmp(try->method, "POST") == 0 || strcmp(try->method, "PUT") == 0;
    journey_answer_fini(answer);
    curl_easy_setopt(try->curl, CURLOPT_URL, try->url);
    curl_easy_setopt(try->curl, CURLOPT_HTTPHEADER, try->headers);
    curl_easy_setopt(try->curl, CURLOPT_WRITEDATA, answer);
    if (sends) {
        curl_easy_setopt(try->curl, CURLOPT_POST, 1L);
        curl_easy_setopt(try->curl, CURLOPT_POSTFIELDS, try->body ? try->body : "");
        curl_easy_setopt(try->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)try->size);
    } else {
        curl_easy_setopt(try->curl, CURLOPT_HTTPGET, 1L);
    }
    curl_easy_setopt(try->curl, CURLOPT_CUSTOMREQUEST, try->method);
    CURLcode code = curl_easy_perform(try->curl);
    curl_easy_getinfo(try->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(try->curl, CURLINFO_TOTAL_TIME, &seconds);
    curl_slist_free_all(try->headers);
    answer->status = code == CURLE_OK ? (int)status : 0;
    answer->ms = seconds * 1000;
    if (answer->body)
        answer->json = json_loadb(answer->body, answer->size, 0, NULL);
}

static bool may_pass(int status)
{
    return status == 0 || status == 429 || (status >= 502 && status <= 504);
}

static struct curl_slist *header_add(struct curl_slist *headers, const char *name, const char *value)
{
    char *line = NULL;
    if (!value || asprintf(&line, "%s: %s", name, value) < 0)
        return headers;
    headers = curl_slist_append(headers, line);
    free(line);
    return headers;
}

/* --- calls ------------------------------------------------------------------------------------------------------- */

char *journey_assertion(const struct journey *journey, const char *pseudonym)
{
    return kit_assertion_make(
        journey->world.authorities->assertion_key, &(struct kit_assertion){.pseudonym = pseudonym});
}

static struct curl_slist *call_headers(const struct journey *journey, const struct journey_call *call)
{
    char *assertion = NULL, bearer[8192];
    if (call->pseudonym)
        assertion = kit_assertion_make(journey->world.authorities->assertion_key,
            &(struct kit_assertion){
                .pseudonym = call->pseudonym, .body = call->size ? call->body : NULL, .body_size = call->size});
    snprintf(bearer, sizeof bearer, "Bearer %s", call->token ? call->token : "");
    struct curl_slist *headers = header_add(NULL, "Content-Type", call->body ? call->media_type : NULL);
    headers = header_add(headers, "Shikaku-Assertion", assertion ? assertion : call->assertion);
    headers = header_add(headers, "Authorization", call->token ? bearer : NULL);
    headers = header_add(headers, "Idempotency-Key", call->key);
    headers = header_add(headers, "Expect", "");
    free(assertion);
    return headers;
}

int journey_call(struct journey *journey, const struct journey_call *call, struct journey_answer *answer)
{
    char url[8192];
    int64_t deadline = journey_clock_ms() + journey->patience_ms;
    snprintf(url, sizeof url, "%s%s", journey_setting("SHIKAKU_PUBLIC_URL"), call->path);
    for (;;) {
        const struct try try = {
            journey->doors[call->as], call->method, url, call_headers(journey, call), call->body, call->size};
        try_run(&try, answer);
        if (!may_pass(answer->status) || journey_clock_ms() >= deadline)
            return answer->status;
        wire_pause(RETRY_MS);
    }
}

int journey_call_json(
    struct journey *journey, struct journey_call call, json_t *body_take, struct journey_answer *answer)
{
    char *text = body_take ? json_dumps(body_take, JSON_COMPACT) : NULL;
    call.media_type = "application/json";
    call.body = text;
    call.size = text ? strlen(text) : 0;
    int status = journey_call(journey, &call, answer);
    free(text);
    json_decref(body_take);
    return status;
}

int journey_outside(struct journey *journey, const char *setting, const char *method, const char *path,
    json_t *body_take, struct journey_answer *answer)
{
    char url[8192], *text = body_take ? json_dumps(body_take, JSON_COMPACT) : NULL;
    int64_t deadline = journey_clock_ms() + journey->patience_ms;
    bool whole = strncmp(path, "http", 4) == 0;
    snprintf(url, sizeof url, "%s%s", whole ? "" : journey_setting(setting), path);
    for (;;) {
        const struct try try = {journey->outside, method, url,
            header_add(header_add(NULL, "Expect", ""), "Content-Type", text ? "application/json" : NULL), text,
            text ? strlen(text) : 0};
        try_run(&try, answer);
        if (!may_pass(answer->status) || journey_clock_ms() >= deadline)
            break;
        wire_pause(RETRY_MS);
    }
    free(text);
    json_decref(body_take);
    return answer->status;
}

int journey_ledger(
    struct journey *journey, const char *setting, const char *kind, const char *key, struct journey_answer *answer)
{
    char path[512];
    snprintf(path, sizeof path, "/ledger?%s%s%s%s%s", kind ? "kind=" : "", kind ? kind : "", kind && key ? "&" : "",
        key ? "key=" : "", key ? key : "");
    if (journey_outside(journey, setting, "GET", path, NULL, answer) != 200)
        return -1;
    return (int)json_array_size(json_object_get(answer->json, "rows"));
}

bool journey_control(
    struct journey *journey, const char *setting, const char *mode, const char *path, unsigned ms, int times)
{
    struct journey_answer answer = {0};
    json_t *rule = json_pack("{ss si ss}", "mode", mode, "ms", (int)ms, "path", path);
    if (times > 0)
        json_object_set_new(rule, "times", json_integer(times));
    int status = journey_outside(journey, setting, "POST", "/control", rule, &answer);
    journey_answer_fini(&answer);
    return status == 200 || status == 204;
}
