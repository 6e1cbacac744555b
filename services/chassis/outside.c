#include "chassis/outside.h"

#include "chassis/journal.h"

#include <curl/curl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define CONNECT_MS 2000
#define TOTAL_MS 10000
#define ANSWER_MAX (1024 * 1024)
#define PEERS_MAX 8 /* that one thread speaks to */

/* libcurl copies small bodies, and a body may hold a number: what it frees is wiped. */
static void wiping_free(void *memory)
{
    if (memory)
        explicit_bzero(memory, malloc_usable_size(memory));
    free(memory);
}

static void *wiping_realloc(void *memory, size_t size)
{
    size_t had = memory ? malloc_usable_size(memory) : 0;
    void *fresh = malloc(size ? size : 1);
    if (fresh && memory) {
        memcpy(fresh, memory, had < size ? had : size);
        wiping_free(memory);
    }
    return fresh;
}

struct line {
    const struct outside_peer *peer;
    CURL *easy;
};

struct lines {
    struct line line[PEERS_MAX];
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t lines_of_thread;

static void lines_free(void *memory)
{
    struct lines *lines = memory;
    for (size_t i = 0; lines && i < PEERS_MAX; i++)
        curl_easy_cleanup(lines->line[i].easy);
    free(lines);
}

static void outside_init(void)
{
    if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, wiping_free, wiping_realloc, strdup, calloc) != CURLE_OK ||
        pthread_key_create(&lines_of_thread, lines_free) != 0)
        abort();
}

static CURL *easy_make(const struct outside_peer *peer)
{
    CURL *easy = curl_easy_init();
    if (!easy)
        return NULL;
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_3);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(peer->connect_ms ? peer->connect_ms : CONNECT_MS));
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(peer->total_ms ? peer->total_ms : TOTAL_MS));
    if (peer->ca_file)
        curl_easy_setopt(easy, CURLOPT_CAINFO, peer->ca_file);
    if (peer->certificate_file)
        curl_easy_setopt(easy, CURLOPT_SSLCERT, peer->certificate_file);
    if (peer->key_file)
        curl_easy_setopt(easy, CURLOPT_SSLKEY, peer->key_file);
    return easy;
}

/* The calling thread's handle for this peer; NULL when memory or the room for peers is out. */
static CURL *easy_for(const struct outside_peer *peer)
{
    pthread_once(&once, outside_init);
    struct lines *lines = pthread_getspecific(lines_of_thread);
    if (!lines) {
        lines = calloc(1, sizeof *lines);
        if (!lines || pthread_setspecific(lines_of_thread, lines) != 0) {
            free(lines);
            return NULL;
        }
    }
    for (size_t i = 0; i < PEERS_MAX; i++) {
        struct line *line = &lines->line[i];
        if (!line->peer && (line->easy = easy_make(peer)))
            line->peer = peer;
        if (line->peer == peer || !line->peer)
            return line->easy;
    }
    return NULL;
}

struct intake {
    struct arena *arena;
    size_t max, room;
    struct bytes body;
    bool too_large;
};

static bool body_grow(struct intake *intake, size_t wanted)
{
    size_t room = intake->room ? intake->room : 4096;
    while (room < wanted + 1)
        room *= 2;
    if (room == intake->room)
        return true;
    uint8_t *data = arena_take(intake->arena, room);
    if (!data)
        return false;
    if (intake->body.len)
        memcpy(data, intake->body.data, intake->body.len);
    intake->body.data = data;
    intake->room = room;
    return true;
}

static size_t body_take(char *data, size_t one, size_t len, void *arg)
{
    struct intake *intake = arg;
    if (len > intake->max - intake->body.len || !body_grow(intake, intake->body.len + len)) {
        intake->too_large = true;
        return 0;
    }
    memcpy(intake->body.data + intake->body.len, data, len);
    intake->body.len += len;
    return one * len;
}

static bool headers_make(const struct outside_request *request, struct arena *arena, struct curl_slist **headers)
{
    const char *first[] = {"Expect:", NULL, NULL};
    if (request->media_type)
        first[1] = arena_format(arena, "Content-Type: %s", request->media_type);
    const char *const *sets[] = {first, request->headers};
    for (size_t s = 0; s < 2; s++) {
        for (const char *const *h = sets[s]; h && *h; h++) {
            struct curl_slist *longer = curl_slist_append(*headers, *h);
            if (!longer)
                return false;
            *headers = longer;
        }
    }
    return true;
}

static enum fault_code fault_of(CURLcode code, const struct intake *intake)
{
    if (intake->too_large)
        return FAULT_too_large;
    return code == CURLE_OPERATION_TIMEDOUT ? FAULT_timed_out : FAULT_unavailable;
}

static void request_set(CURL *easy, const struct outside_request *request, const char *url, struct intake *intake)
{
    bool has_body = request->body && request->len;
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, has_body ? request->body : NULL);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)(has_body ? request->len : 0));
    if (has_body || strcmp(request->method, "POST") == 0)
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
    else
        curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, body_take);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, intake);
}

bool outside_call(const struct outside_peer *peer, struct arena *arena, const struct outside_request *request,
    struct outside_answer *answer, struct fault *fault)
{
    struct intake intake = {.arena = arena, .max = peer->answer_max ? peer->answer_max : ANSWER_MAX};
    struct curl_slist *headers = NULL;
    long status = 0;
    *answer = (struct outside_answer){0};
    CURL *easy = easy_for(peer);
    char *url = arena_format(arena, "%s%s", peer->base_url, request->path);
    if (!easy || !url || !headers_make(request, arena, &headers)) {
        curl_slist_free_all(headers);
        return fault_set(fault, FAULT_unavailable, peer->name);
    }
    request_set(easy, request, url, &intake);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    CURLcode code = curl_easy_perform(easy);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    /* The handle outlives this call; it keeps no pointer into the caller's arena. */
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, NULL);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, NULL);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, NULL);
    curl_slist_free_all(headers);
    if (code != CURLE_OK) {
        journal(JOURNAL_WARNING, NULL, "outside_call_failed", WORD("peer", peer->name), NUMBER("curl", code));
        return fault_set(fault, fault_of(code, &intake), peer->name);
    }
    if (!body_grow(&intake, intake.body.len))
        return fault_set(fault, FAULT_too_large, peer->name);
    intake.body.data[intake.body.len] = 0;
    *answer = (struct outside_answer){(int)status, intake.body};
    return true;
}

bool outside_json(const struct outside_peer *peer, struct arena *arena, const char *method, const char *path,
    const json_t *body, int *status, json_t **reply, struct fault *fault)
{
    struct outside_request request = {.method = method, .path = path};
    struct outside_answer answer;
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    *status = 0;
    *reply = NULL;
    if (body && !text)
        return fault_set(fault, FAULT_internal, NULL);
    if (text) {
        request.media_type = "application/json";
        request.body = text;
        request.len = strlen(text);
    }
    bool came = outside_call(peer, arena, &request, &answer, fault);
    wiping_free(text);
    if (!came)
        return false;
    *status = answer.status;
    if (answer.body.len)
        *reply = json_loadb((const char *)answer.body.data, answer.body.len, JSON_REJECT_DUPLICATES, NULL);
    return true;
}
