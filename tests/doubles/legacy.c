/* The existing systems (既存システム), one by `--system`:
 *
 *   kaigi     海技資格制度事務処理システム: takes items 1-34 and 36, never a number, keyed by 資格仮名ID; issues the
 *             licence and offers its copy (副本データ)
 *                 POST /applications        GET /copies?after=N
 *   hoikushi  保育士登録システム and 保育士登録者検索システム, two systems behind two prefixes; the number comes sealed
 *                 POST /register/applications        GET /search/registrations/{資格仮名ID}        GET /jwks
 *   ginou     技能検定受検者情報収集・管理システム: candidates in with the number sealed, passes out
 *                 POST /candidates        POST /passes (an examining body enters one)        GET /passes?after=N
 *                 GET /jwks
 *
 * Taking: {hand_over, pseudonym, programme, registration_number, items: {table: {field: value}}[, sealed_number]}
 *   -> 200 {reference}; the same hand_over and content: the same reference; other content: 409.
 *   Any value but a UUID with 12 digits in a row whose check digit fits is refused with 422 number_not_allowed.
 * sealed_number is a JWE (ECDH-ES, A256GCM) to this system's own key, of {"numbers":[{pseudonym, number}]}. The key is
 * made at the first start; its public JWK is written to KEYS/recipients/NAME.jwk (--keys KEYS, default the state
 * folder). A number is kept only as an HMAC under that key, so that tests can count persons and cannot read numbers.
 * Given back: {"copies":[{n, copy, pseudonym, programme, fields}]} in order of n, those after N, at most 100.
 *
 * --copy-ms N: how long a licence takes to be issued (default 50). Ledger: kinds taken (key: hand_over), copy and pass
 * (key: pseudonym). */
#include "chassis/jwe.h"
#include "doubles/double.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#define COPIES_AT_ONCE 100
#define HMAC_TEXT 65

struct system {
    const char *name;
    bool sealed_number; /* it is given the number; else none may come */
    bool gives_copies;  /* by itself, of every application */
    const struct double_route *routes;
    size_t route_count;
};

struct legacy {
    const struct system *system;
    struct double_server *server;
    struct key key;
    unsigned copy_ms;
    json_t *taken;    /* hand_over -> ledger body */
    json_t *by_name;  /* pseudonym -> ledger body */
    json_t *copies;   /* array of {n, copy, pseudonym, programme, fields} */
    json_t *uncopied; /* hand_over -> true: taken, no copy yet */
};

/* --- numbers ---------------------------------------------------------------------------------------------------- */

/* 番号法施行令8条, 総務省令85号5条: weights 6 5 4 3 2 7 6 5 4 3 2 from the left, modulo 11. */
static bool check_digit_fits(const char digits[12])
{
    static const int weight[11] = {6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2};
    int sum = 0;
    for (int i = 0; i < 11; i++) {
        sum += (digits[i] - '0') * weight[i];
    }
    int rest = sum % 11;
    return digits[11] - '0' == (rest <= 1 ? 0 : 11 - rest);
}

/* The digit at `text`, ASCII or full-width, and its length in bytes; -1 for anything else. */
static int digit_at(const char *text, size_t *length)
{
    const unsigned char *c = (const unsigned char *)text;
    *length = c[0] == 0xEF && c[1] == 0xBC && c[2] >= 0x90 && c[2] <= 0x99 ? 3 : 1;
    return *length == 3 ? c[2] - 0x90 : c[0] >= '0' && c[0] <= '9' ? c[0] - '0' : -1;
}

/* The end of a UUID (マイナポータル仮名ID) may be twelve decimal digits by chance. */
static bool is_uuid(const char *text)
{
    return strlen(text) == 36 && strspn(text, "0123456789abcdef-") == 36 && text[8] == '-' && text[13] == '-' &&
           text[18] == '-' && text[23] == '-';
}

static bool text_holds_number(const char *text)
{
    const char *whole = text;
    char run[12];
    size_t length, have = 0;
    for (;; text += length) {
        int digit = digit_at(text, &length);
        if (digit >= 0) {
            if (have < sizeof run) {
                run[have] = (char)('0' + digit);
            }
            have++;
            continue;
        }
        if (have == sizeof run && check_digit_fits(run) && !is_uuid(whole)) {
            return true;
        }
        have = 0;
        if (!*text) {
            return false;
        }
    }
}

static bool value_holds_number(json_t *value)
{
    const char *key;
    json_t *member;
    size_t i;
    char integer[24];
    if (json_is_integer(value)) {
        snprintf(integer, sizeof integer, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        return text_holds_number(integer);
    }
    json_object_foreach(value, key, member)
    {
        if (text_holds_number(key) || value_holds_number(member)) {
            return true;
        }
    }
    json_array_foreach(value, i, member)
    {
        if (value_holds_number(member)) {
            return true;
        }
    }
    return json_is_string(value) && text_holds_number(json_string_value(value));
}

static void number_mark(const struct legacy *legacy, const char *number, char out[HMAC_TEXT])
{
    unsigned char raw[32];
    unsigned size = sizeof raw;
    HMAC(EVP_sha256(), legacy->key.secret, sizeof legacy->key.secret, (const unsigned char *)number, 12, raw, &size);
    for (size_t i = 0; i < sizeof raw; i++) {
        snprintf(out + 2 * i, 3, "%02x", raw[i]);
    }
}

/* Open the sealed number and turn it into its mark; a fault code in words, or NULL. */
static const char *number_take(
    const struct legacy *legacy, const char *sealed, const char *pseudonym, char mark[HMAC_TEXT])
{
    struct arena *arena = arena_new(1 << 20);
    struct bytes plain;
    const char *fault = "number_unsealable";
    if (arena && jwe_open(arena, &legacy->key, sealed, NULL, &plain)) {
        json_t *opened = json_loadb((char *)plain.data, plain.len, JSON_REJECT_DUPLICATES, NULL);
        json_t *numbers = json_object_get(opened, "numbers"), *first = json_array_get(numbers, 0);
        const char *number = json_string_value(json_object_get(first, "number"));
        const char *whose = json_string_value(json_object_get(first, "pseudonym"));
        if (json_array_size(numbers) != 1 || !whose || strcmp(whose, pseudonym) != 0) {
            fault = "number_binding";
        } else if (!number || strlen(number) != 12 || strspn(number, "0123456789") != 12 || !check_digit_fits(number)) {
            fault = "number_check_digit";
        } else {
            number_mark(legacy, number, mark);
            fault = NULL;
        }
        json_decref(opened);
    }
    arena_free(arena);
    return fault;
}

/* --- the way in ------------------------------------------------------------------------------------------------- */

struct issue {
    struct legacy *legacy;
    char hand_over[];
};

static void copy_issue(void *arg);

static void copy_schedule(struct legacy *legacy, const char *hand_over)
{
    struct issue *issue = malloc(sizeof *issue + strlen(hand_over) + 1);
    if (issue) {
        issue->legacy = legacy;
        strcpy(issue->hand_over, hand_over);
        double_after(legacy->server, legacy->copy_ms, copy_issue, issue);
    }
}

/* Answer what was taken before under this hand_over; false if there is none. */
static bool taken_answer(struct double_exchange *x, const char *hand_over, json_t *body)
{
    struct legacy *legacy = x->state;
    json_t *before = json_object_get(legacy->taken, hand_over);
    if (!before) {
        return false;
    }
    json_object_set(body, "reference", json_object_get(before, "reference"));
    if (json_equal(before, body)) {
        double_answer(x, 200, json_pack("{sO}", "reference", json_object_get(before, "reference")));
    } else {
        double_refuse(x, 409, "key_reused", "hand_over");
    }
    json_decref(body);
    return true;
}

/* Which member is missing, NULL if none. */
static const char *missing(const struct double_exchange *x)
{
    static const char *const wanted[] = {"hand_over", "pseudonym", "programme", "registration_number"};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        if (!double_text(x, wanted[i])) {
            return wanted[i];
        }
    }
    return json_is_object(json_object_get(x->json, "items")) ? NULL : "items";
}

static void application_take(struct double_exchange *x)
{
    struct legacy *legacy = x->state;
    const char *fault = missing(x), *sealed = double_text(x, "sealed_number");
    char mark[HMAC_TEXT] = "", reference[DOUBLE_ID_SIZE];
    if (fault) {
        double_refuse(x, 400, "bad_application", fault);
        return;
    }
    if (value_holds_number(json_object_get(x->json, "items")) || (sealed && !legacy->system->sealed_number)) {
        double_refuse(x, 422, "number_not_allowed", sealed ? "sealed_number" : "items");
        return;
    }
    const char *pseudonym = double_text(x, "pseudonym"), *hand_over = double_text(x, "hand_over");
    fault = !legacy->system->sealed_number ? NULL
            : sealed                       ? number_take(legacy, sealed, pseudonym, mark)
                                           : "number_missing";
    if (fault) {
        double_refuse(x, 422, fault, "sealed_number");
        return;
    }
    json_t *body = json_pack("{ss ss ss sO ss}", "pseudonym", pseudonym, "programme", double_text(x, "programme"),
        "registration_number", double_text(x, "registration_number"), "items", json_object_get(x->json, "items"),
        "number_mark", mark);
    if (taken_answer(x, hand_over, body)) {
        return;
    }
    double_id_make(reference);
    json_object_set_new(body, "reference", json_string(reference));
    double_record(x->server, "taken", hand_over, body);
    if (legacy->system->gives_copies) {
        copy_schedule(legacy, hand_over);
    }
    double_answer(x, 200, json_pack("{ss}", "reference", reference));
}

static void registration_show(struct double_exchange *x)
{
    json_t *body = json_object_get(((struct legacy *)x->state)->by_name, x->part[0]);
    if (!body) {
        double_refuse(x, 404, "no_such_registration", "pseudonym");
        return;
    }
    double_answer(x, 200,
        json_pack(
            "{ss sO}", "state", "registered", "registration_number", json_object_get(body, "registration_number")));
}

/* --- the way back ----------------------------------------------------------------------------------------------- */

static void copy_record(
    struct legacy *legacy, const char *kind, const char *hand_over, const json_t *taken, json_t *fields_take)
{
    char id[DOUBLE_ID_SIZE];
    double_id_make(id);
    json_t *pseudonym = json_object_get(taken, "pseudonym");
    double_record(legacy->server, kind, json_string_value(pseudonym),
        json_pack("{ss ss* sO sO so}", "copy", id, "hand_over", hand_over, "pseudonym", pseudonym, "programme",
            json_object_get(taken, "programme"), "fields", fields_take));
}

/* The licence is issued: the office's own items go back, with those by which a difference would show. */
static void copy_issue(void *arg)
{
    struct issue *issue = arg;
    json_t *taken = json_object_get(issue->legacy->taken, issue->hand_over);
    char day[9];
    time_t now = time(NULL) + 9 * 3600; /* Japan */
    struct tm parts;
    strftime(day, sizeof day, "%Y%m%d", gmtime_r(&now, &parts));
    if (taken && json_object_get(issue->legacy->uncopied, issue->hand_over)) {
        copy_record(issue->legacy, "copy", issue->hand_over, taken,
            json_pack("{ss sO}", "issued_on", day, "licence_number", json_object_get(taken, "registration_number")));
    }
    free(issue);
}

/* An examining body enters a result: {pseudonym, fields}. The same pseudonym and fields once. */
static void pass_enter(struct double_exchange *x)
{
    struct legacy *legacy = x->state;
    const char *pseudonym = double_text(x, "pseudonym");
    json_t *candidate = pseudonym ? json_object_get(legacy->by_name, pseudonym) : NULL;
    json_t *fields = json_object_get(x->json, "fields"), *copy;
    size_t i;
    if (!candidate || !json_is_object(fields)) {
        double_refuse(x, candidate ? 400 : 404, "bad_pass", candidate ? "fields" : "pseudonym");
        return;
    }
    json_array_foreach(legacy->copies, i, copy)
    {
        if (json_equal(json_object_get(copy, "fields"), fields) &&
            strcmp(json_string_value(json_object_get(copy, "pseudonym")), pseudonym) == 0) {
            double_answer(x, 204, NULL);
            return;
        }
    }
    copy_record(legacy, "pass", NULL, candidate, json_incref(fields));
    double_answer(x, 204, NULL);
}

static void copies_show(struct double_exchange *x)
{
    struct legacy *legacy = x->state;
    const char *after = double_query(x, "after");
    size_t from = after ? strtoul(after, NULL, 10) : 0, to = json_array_size(legacy->copies);
    json_t *copies = json_array();
    for (size_t i = from; i < to && i < from + COPIES_AT_ONCE; i++) {
        json_array_append(copies, json_array_get(legacy->copies, i));
    }
    double_answer(x, 200, json_pack("{so}", "copies", copies));
}

static void jwks_show(struct double_exchange *x)
{
    struct arena *arena = arena_new(1 << 16);
    const struct legacy *legacy = x->state;
    char *jwk = arena ? jwk_public_text(arena, &legacy->key, legacy->system->name) : NULL;
    double_answer(x, jwk ? 200 : 500, json_pack("{s[o]}", "keys", jwk ? json_loads(jwk, 0, NULL) : json_null()));
    arena_free(arena);
}

/* --- life ------------------------------------------------------------------------------------------------------- */

static void legacy_apply(void *state, const char *kind, const char *key, json_t *body)
{
    struct legacy *legacy = state;
    if (strcmp(kind, "taken") == 0) {
        json_object_set(legacy->taken, key, body);
        json_object_set(legacy->by_name, json_string_value(json_object_get(body, "pseudonym")), body);
        json_object_set_new(legacy->uncopied, key, json_true());
    } else {
        json_t *copy = json_copy(body), *hand_over = json_object_get(body, "hand_over");
        if (hand_over) {
            json_object_del(legacy->uncopied, json_string_value(hand_over));
            json_object_del(copy, "hand_over");
        }
        json_object_set_new(copy, "n", json_integer((json_int_t)json_array_size(legacy->copies) + 1));
        json_array_append_new(legacy->copies, copy);
    }
}

static bool key_make(struct legacy *legacy, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0 || RAND_bytes(legacy->key.secret, KEY_BYTES) != 1 ||
            write(fd, legacy->key.secret, KEY_BYTES) != KEY_BYTES || lseek(fd, 0, SEEK_SET) != 0) {
            return false;
        }
    }
    bool read_whole = read(fd, legacy->key.secret, KEY_BYTES) == KEY_BYTES;
    close(fd);
    return read_whole;
}

/* Copies that were due when the last process was killed. Called by the loop once the ledger was read. */
static void copies_resume(void *arg)
{
    struct legacy *legacy = arg;
    const char *hand_over;
    json_t *value;
    json_object_foreach(legacy->uncopied, hand_over, value)
    {
        copy_schedule(legacy, hand_over);
    }
}

static bool legacy_start(struct double_server *server, void *state)
{
    struct legacy *legacy = state;
    char path[600];
    struct fault fault;
    legacy->server = server;
    legacy->copy_ms = (unsigned)atoi(double_option(server, "copy-ms", "50"));
    legacy->taken = json_object();
    legacy->by_name = json_object();
    legacy->copies = json_array();
    legacy->uncopied = json_object();
    if (legacy->system->gives_copies) {
        double_after(server, 0, copies_resume, legacy);
    }
    if (!legacy->system->sealed_number) {
        return true;
    }
    const char *keys = double_option(server, "keys", double_state_folder(server));
    legacy->key.kind = KEY_SEAL;
    snprintf(path, sizeof path, "%s/seal.key", double_state_folder(server));
    if (!key_make(legacy, path) || !jwk_publish(keys, legacy->system->name, &legacy->key, &fault)) {
        fprintf(stderr, "double %s: no key\n", legacy->system->name);
        return false;
    }
    return true;
}

static void legacy_stop(void *state)
{
    struct legacy *legacy = state;
    json_decref(legacy->taken);
    json_decref(legacy->by_name);
    json_decref(legacy->copies);
    json_decref(legacy->uncopied);
    OPENSSL_cleanse(&legacy->key, sizeof legacy->key);
}

static const struct double_route kaigi_routes[] = {
    {"POST", "/applications", application_take},
    {"GET", "/copies", copies_show},
};
static const struct double_route hoikushi_routes[] = {
    {"POST", "/register/applications", application_take},
    {"GET", "/search/registrations/*", registration_show},
    {"GET", "/jwks", jwks_show},
};
static const struct double_route ginou_routes[] = {
    {"POST", "/candidates", application_take},
    {"POST", "/passes", pass_enter},
    {"GET", "/passes", copies_show},
    {"GET", "/jwks", jwks_show},
};

#define ROUTES_OF(table) table, sizeof table / sizeof *table
static const struct system systems[] = {
    {"kaigi", false, true, ROUTES_OF(kaigi_routes)},
    {"hoikushi", true, false, ROUTES_OF(hoikushi_routes)},
    {"ginou", true, false, ROUTES_OF(ginou_routes)},
};

static const struct system *system_find(int argc, char **argv)
{
    for (int i = 1; i + 1 < argc; i++) {
        for (size_t s = 0; strcmp(argv[i], "--system") == 0 && s < sizeof systems / sizeof *systems; s++) {
            if (strcmp(argv[i + 1], systems[s].name) == 0) {
                return &systems[s];
            }
        }
    }
    return NULL;
}

int main(int argc, char **argv)
{
    struct legacy legacy = {.system = system_find(argc, argv)};
    if (!legacy.system) {
        fputs("usage: double-legacy --system kaigi|hoikushi|ginou [--port N] [--state DIR] [--keys DIR]\n", stderr);
        return 2;
    }
    const struct double_spec spec = {
        .name = legacy.system->name,
        .routes = legacy.system->routes,
        .route_count = legacy.system->route_count,
        .state = &legacy,
        .start = legacy_start,
        .apply = legacy_apply,
        .stop = legacy_stop,
    };
    return double_run(&spec, argc, argv);
}
