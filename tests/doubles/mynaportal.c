/* マイナポータル: relays what applicants send, vouches for who they are, and shows them their notices (お知らせ).
 *
 * For applicants' software:
 *   POST /applications {portal_pseudonym, submission: {document, signature, sealed_number}, pieces: [base64, …]}
 *        keeps it, puts up the pieces, hands the submission over with a signed assertion, deletes its copy, and gives
 *        back the portal's answer. The same body again: the answer that was given. When the portal cannot take it now:
 *        its status, or 503 held, and the copy stays until the applicant sends the same again.
 *   GET  /status[/{receipt}]?portal_pseudonym=P          POST /payment/{receipt}?portal_pseudonym=P
 *   GET  /certificates/{id}?portal_pseudonym=P[&format=lines|png|pdf]
 *        the same question to the portal, with an assertion for P
 *   GET  /notices/{portal_pseudonym}                     the person's own notices, in order
 * For Shikaku:
 *   POST /notices {id, portal_pseudonym, receipt, kind, title, body}   the same id and content: once; other content:
 * 409
 *
 * The person's log-in at Mynaportal is not played: the portal pseudonym is given. Ledger: kinds received, handed_over,
 * refused (key: SHA-256 of the body) and notice (key: its id). Nothing of an application's content is in the ledger.
 *
 * --portal URL (SHIKAKU_PUBLIC_URL), --ca FILE (SHIKAKU_KEYS/tls/ca.pem), --authorities DIR (SHIKAKU_AUTHORITIES): of
 * the client certificate mynaportal-client and of the assertion key. */
#include "doubles/double.h"
#include "kit/assertion.h"
#include "kit/authorities.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/http.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#define HEX_SIZE 65
#define FILE_SIZE 600
#define URL_SIZE 1024

struct mynaportal {
    struct double_server *server;
    struct kit_authorities *authorities;
    const char *portal;
    char ca[FILE_SIZE], certificate[FILE_SIZE], key[FILE_SIZE], held[FILE_SIZE];
    json_t *handed_over; /* SHA-256 of the body -> the portal's answer */
    json_t *notices;     /* id -> notice */
    json_t *by_person;   /* portal pseudonym -> array of notices */
};

/* --- calling the portal ----------------------------------------------------------------------------------------- */

static void hex_of(const void *data, size_t size, char out[HEX_SIZE])
{
    unsigned char raw[SHA256_DIGEST_LENGTH];
    SHA256(data, size, raw);
    for (size_t i = 0; i < sizeof raw; i++) {
        snprintf(out + 2 * i, 3, "%02x", raw[i]);
    }
}

/* pseudonym NULL: without an assertion. */
static void portal_call(struct mynaportal *m, const char *method, const char *path, const char *pseudonym,
    const char *media_type, const void *body, size_t size, void (*done)(void *, int, const char *, size_t), void *arg)
{
    char url[URL_SIZE], *header = NULL, *assertion = NULL;
    snprintf(url, sizeof url, "%s%s", m->portal, path);
    if (pseudonym) {
        const struct kit_assertion who = {.pseudonym = pseudonym, .body = size ? body : NULL, .body_size = size};
        assertion = kit_assertion_make(m->authorities->assertion_key, &who);
        if (!assertion || asprintf(&header, "Shikaku-Assertion: %s", assertion) < 0) {
            abort();
        }
    }
    const char *const headers[] = {header, NULL};
    double_call_start(m->server, &(struct double_call){.method = method,
                                     .url = url,
                                     .media_type = media_type,
                                     .body = body,
                                     .body_size = size,
                                     .headers = headers,
                                     .ca_file = m->ca,
                                     .certificate_file = m->certificate,
                                     .key_file = m->key,
                                     .timeout_ms = 15000,
                                     .done = done,
                                     .arg = arg});
    free(header);
    free(assertion);
}

/* --- applications ----------------------------------------------------------------------------------------------- */

struct relay {
    struct double_exchange *x;
    struct mynaportal *m;
    char id[HEX_SIZE];
    char *pseudonym, *submission;
    json_t *pieces;
    size_t sent; /* pieces */
};

static void held_path(const struct relay *relay, char out[FILE_SIZE + HEX_SIZE + 8])
{
    snprintf(out, FILE_SIZE + HEX_SIZE + 8, "%s/%s.json", relay->m->held, relay->id);
}

static bool held_write(const struct relay *relay, const void *body, size_t size)
{
    char path[FILE_SIZE + HEX_SIZE + 8];
    held_path(relay, path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool whole = fd >= 0 && write(fd, body, size) == (ssize_t)size;
    if (fd >= 0) {
        close(fd);
    }
    return whole;
}

static void relay_free(struct relay *relay)
{
    json_decref(relay->pieces);
    free(relay->pseudonym);
    free(relay->submission);
    free(relay);
}

/* Answer the applicant and forget: the copy goes with a hand-over or a refusal, and stays for another try otherwise. */
static void relay_end(struct relay *relay, int status, const char *answer, size_t size)
{
    char path[FILE_SIZE + HEX_SIZE + 8];
    bool taken = status == 200 || status == 201, refused = status >= 400 && status < 500 && status != 429;
    if (taken || refused) {
        json_t *body = json_loadb(answer, size, 0, NULL);
        double_record(relay->m->server, taken ? "handed_over" : "refused", relay->id,
            taken ? body : json_pack("{si sO?}", "status", status, "code", json_object_get(body, "code")));
        if (refused) {
            json_decref(body);
        }
        held_path(relay, path);
        unlink(path);
    }
    if (status == 0) {
        double_refuse(relay->x, 503, "held", "");
    } else {
        double_answer_bytes(relay->x, status, "application/json", answer, size);
    }
    relay_free(relay);
}

static void submission_answered(void *arg, int status, const char *answer, size_t size)
{
    relay_end(arg, status, answer, size);
}

static void piece_answered(void *arg, int status, const char *answer, size_t size);

/* Put up the next piece; after the last one the submission. */
static void relay_next(struct relay *relay)
{
    json_t *piece = json_array_get(relay->pieces, relay->sent);
    if (!piece) {
        portal_call(relay->m, "POST", "/api/applications", relay->pseudonym, "application/json", relay->submission,
            strlen(relay->submission), submission_answered, relay);
        return;
    }
    const char *text = json_string_value(piece);
    size_t length = text ? strlen(text) : 0;
    unsigned char *raw = malloc(length + 4);
    int size = raw && length ? EVP_DecodeBlock(raw, (const unsigned char *)text, (int)length) : -1;
    if (size <= 0) {
        free(raw);
        static const char answer[] = "{\"code\":\"bad_application\",\"field\":\"pieces\"}";
        relay_end(relay, 400, answer, sizeof answer - 1);
        return;
    }
    size -= text[length - 1] == '=' ? text[length - 2] == '=' ? 2 : 1 : 0;
    char hex[HEX_SIZE], path[128];
    hex_of(raw, (size_t)size, hex);
    snprintf(path, sizeof path, "/api/attachments/%s", hex);
    portal_call(relay->m, "PUT", path, NULL, "application/octet-stream", raw, (size_t)size, piece_answered, relay);
    free(raw);
}

static void piece_answered(void *arg, int status, const char *answer, size_t size)
{
    struct relay *relay = arg;
    if (status != 200 && status != 201) {
        relay_end(relay, status, answer, size);
        return;
    }
    relay->sent++;
    relay_next(relay);
}

static void application_take(struct double_exchange *x)
{
    struct mynaportal *m = x->state;
    const char *pseudonym = double_text(x, "portal_pseudonym");
    json_t *submission = json_object_get(x->json, "submission"), *pieces = json_object_get(x->json, "pieces");
    if (!pseudonym || !json_is_object(submission) || (pieces && !json_is_array(pieces))) {
        double_refuse(x, 400, "bad_application", !pseudonym ? "portal_pseudonym" : pieces ? "pieces" : "submission");
        return;
    }
    struct relay *relay = calloc(1, sizeof *relay);
    *relay = (struct relay){.x = x, .m = m, .pseudonym = strdup(pseudonym), .pieces = json_incref(pieces)};
    relay->submission = json_dumps(submission, JSON_COMPACT);
    hex_of(x->body, x->body_size, relay->id);
    json_t *known = json_object_get(m->handed_over, relay->id);
    if (known) {
        double_answer(x, 200, json_incref(known));
        relay_free(relay);
        return;
    }
    if (!held_write(relay, x->body, x->body_size)) {
        double_refuse(x, 500, "not_kept", "");
        relay_free(relay);
        return;
    }
    double_record(m->server, "received", relay->id, json_pack("{ss}", "portal_pseudonym", pseudonym));
    relay_next(relay);
}

/* --- questions -------------------------------------------------------------------------------------------------- */

static void question_answered(void *arg, int status, const char *answer, size_t size)
{
    struct double_exchange *x = arg;
    const char *format = double_query(x, "format");
    const char *media_type = status != 200 || !format     ? "application/json"
                             : strcmp(format, "png") == 0 ? "image/png"
                             : strcmp(format, "pdf") == 0 ? "application/pdf"
                                                          : "application/json";
    if (status == 0) {
        double_refuse(x, 503, "unavailable", "");
        return;
    }
    double_answer_bytes(x, status, media_type, answer, size);
}

/* Ask the portal at prefix + part + suffix; answered when it answers. */
static void question_relay(struct double_exchange *x, const char *prefix, const char *suffix)
{
    char path[URL_SIZE / 2];
    const char *pseudonym = double_query(x, "portal_pseudonym");
    char *part = evhttp_encode_uri(x->part[0] ? x->part[0] : "");
    bool fits = (size_t)snprintf(path, sizeof path, "%s%s%s", prefix, part, suffix) < sizeof path;
    free(part);
    if (!pseudonym || !fits) {
        double_refuse(x, 400, "bad_question", fits ? "portal_pseudonym" : "path");
        return;
    }
    portal_call(x->state, x->method, path, pseudonym, NULL, NULL, 0, question_answered, x);
}

static void status_list(struct double_exchange *x)
{
    question_relay(x, "/api/applications", "");
}

static void status_show(struct double_exchange *x)
{
    question_relay(x, "/api/applications/", "");
}

static void payment_ask(struct double_exchange *x)
{
    question_relay(x, "/api/applications/", "/payment");
}

static void certificate_show(struct double_exchange *x)
{
    const char *format = double_query(x, "format");
    bool png = format && strcmp(format, "png") == 0, pdf = format && strcmp(format, "pdf") == 0;
    question_relay(x, "/api/certificates/", png ? "?format=png" : pdf ? "?format=pdf" : "");
}

/* --- notices ---------------------------------------------------------------------------------------------------- */

static void notice_take(struct double_exchange *x)
{
    static const char *const wanted[] = {"id", "portal_pseudonym", "receipt", "kind", "title", "body"};
    struct mynaportal *m = x->state;
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        if (!double_text(x, wanted[i])) {
            double_refuse(x, 400, "bad_notice", wanted[i]);
            return;
        }
    }
    json_t *known = json_object_get(m->notices, double_text(x, "id"));
    if (known && !json_equal(known, x->json)) {
        double_refuse(x, 409, "key_reused", "id");
        return;
    }
    if (!known) {
        double_record(m->server, "notice", double_text(x, "id"), json_incref(x->json));
    }
    double_answer(x, 200, json_pack("{ss}", "id", double_text(x, "id")));
}

static void notices_show(struct double_exchange *x)
{
    json_t *own = json_object_get(((struct mynaportal *)x->state)->by_person, x->part[0]);
    double_answer(x, 200, json_pack("{so}", "notices", own ? json_incref(own) : json_array()));
}

/* --- life ------------------------------------------------------------------------------------------------------- */

static void mynaportal_apply(void *state, const char *kind, const char *key, json_t *body)
{
    struct mynaportal *m = state;
    if (strcmp(kind, "handed_over") == 0) {
        json_object_set(m->handed_over, key, body);
    } else if (strcmp(kind, "notice") == 0) {
        const char *person = json_string_value(json_object_get(body, "portal_pseudonym"));
        json_object_set(m->notices, key, body);
        if (!json_object_get(m->by_person, person)) {
            json_object_set_new(m->by_person, person, json_array());
        }
        json_array_append(json_object_get(m->by_person, person), body);
    }
}

static const char *environment(const char *name, const char *otherwise)
{
    const char *value = getenv(name);
    return value && *value ? value : otherwise;
}

static bool mynaportal_start(struct double_server *server, void *state)
{
    struct mynaportal *m = state;
    char ca[FILE_SIZE];
    snprintf(ca, sizeof ca, "%s/tls/ca.pem", environment("SHIKAKU_KEYS", "var/keys"));
    const char *folder = double_option(server, "authorities", environment("SHIKAKU_AUTHORITIES", "var/authorities"));
    m->server = server;
    m->portal = double_option(server, "portal", environment("SHIKAKU_PUBLIC_URL", "https://localhost:8443"));
    snprintf(m->ca, sizeof m->ca, "%s", double_option(server, "ca", ca));
    snprintf(m->certificate, sizeof m->certificate, "%s/mynaportal-client.pem", folder);
    snprintf(m->key, sizeof m->key, "%s/mynaportal-client.key", folder);
    snprintf(m->held, sizeof m->held, "%s/held", double_state_folder(server));
    mkdir(m->held, 0700);
    m->handed_over = json_object();
    m->notices = json_object();
    m->by_person = json_object();
    m->authorities = kit_authorities_load(folder);
    return m->authorities != NULL;
}

static void mynaportal_stop(void *state)
{
    struct mynaportal *m = state;
    json_decref(m->handed_over);
    json_decref(m->notices);
    json_decref(m->by_person);
    kit_authorities_free(m->authorities);
}

static const struct double_route routes[] = {
    {"POST", "/applications", application_take},
    {"GET", "/status", status_list},
    {"GET", "/status/*", status_show},
    {"POST", "/payment/*", payment_ask},
    {"GET", "/certificates/*", certificate_show},
    {"POST", "/notices", notice_take},
    {"GET", "/notices/*", notices_show},
};

int main(int argc, char **argv)
{
    struct mynaportal mynaportal = {0};
    const struct double_spec spec = {
        .name = "mynaportal",
        .routes = routes,
        .route_count = sizeof routes / sizeof *routes,
        .state = &mynaportal,
        .start = mynaportal_start,
        .apply = mynaportal_apply,
        .stop = mynaportal_stop,
    };
    return double_run(&spec, argc, argv);
}
