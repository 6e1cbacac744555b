/* Plays the 情報提供ネットワークシステム (information provision network). Modelled on what is public; paths and shapes
 * are ours. It holds no number: a person is an id code that the residence network gave, and to each body a code of its
 * own (機関別符号), HMAC(body key, id code), so that two bodies' codes do not join.
 *
 *   POST /residents      [{"id_code","case","domicile"}] family registers on their way to their holder, under its own
 * codes POST /acquisitions   [{"acquisition_number","body","id_code"}], from the residence network; id_code "": nobody
 *   GET  /codes/{取得番号}?body=B   202 until it is there; 200 {"code"}; 404 when the network found nobody
 *   POST /permits        {"inquirer","provider","affair","item","code"} held against the 照会許可照合リスト below:
 *                          200 {"permit"} (提供許可証, signed, an hour long) or 403
 *   POST /inquiries      {"permit","reference","public_jwk"}: 202 {"processing_number"} (処理通番); the same reference
 * gets the same one. The provider answers sealed to public_jwk: nothing here can read it GET  /inquiries/{処理通番} 202
 * until the provider answered; 200 {"answer","provided_at_ms"}
 *
 * Its ledger is its 情報提供等記録: kinds "inquiry" and "provision", by 処理通番.
 * Options: --moj-url (http://127.0.0.1:8423), --code-delay-ms (20). Writes permit.pub, with which providers check
 * permits. */
#include "doubles/double.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#define PROVIDER_BODY "moj"
#define PERMIT_MS (60 * 60 * 1000)
#define RETRY_MS 500
#define CODE_SIZE 33
#define SIGNATURE_SIZE 64
#define PERMIT_MAX 2048

/* 照会許可照合リスト: who may ask whom for what in which affair. 技能検定 is not on it: its seed says 実施しない. */
static const struct permitted {
    const char *inquirer, *provider, *affair, *item;
} permitted[] = {
    {"mlit", "法務大臣", "船舶職員及び小型船舶操縦者法による海技免許又は操縦免許に関する事務", "戸籍関係情報"},
    {"tokyo", "法務大臣", "調理師法による調理師の免許に関する事務", "戸籍関係情報"},
    {"saitama", "法務大臣", "児童福祉法による保育士の登録に関する事務", "戸籍関係情報"},
    {"nara", "法務大臣", "保健師助産師看護師法による准看護師の免許に関する事務", "戸籍関係情報"},
};

struct ipn {
    struct double_server *server;
    json_t *acquired;  /* 取得番号: {body, id_code, ready_at_ms} */
    json_t *id_codes;  /* body/code: id code */
    json_t *inquiries; /* 処理通番: {…, answer} */
    json_t *by_reference;
    const char *moj_url;
    unsigned code_delay_ms;
    unsigned char code_key[32], permit_seed[32];
    EVP_PKEY *permit_key;
};

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static void hex_of(char *text, const unsigned char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    }
}

static void call_post(
    struct ipn *ipn, const char *path, json_t *body_take, void (*done)(void *, int, const char *, size_t), void *arg)
{
    char url[512], *text = json_dumps(body_take, JSON_COMPACT);
    snprintf(url, sizeof url, "%s%s", ipn->moj_url, path);
    struct double_call call = {
        .method = "POST", .url = url, .body = text, .body_size = strlen(text), .done = done, .arg = arg};
    double_call_start(ipn->server, &call);
    free(text);
    json_decref(body_take);
}

/* --- codes ---------------------------------------------------------------------------------------------------------
 */

static void code_make(const struct ipn *ipn, const char *body, const char *id_code, char code[CODE_SIZE])
{
    unsigned char body_key[32], mac[32];
    unsigned len = 0;
    HMAC(EVP_sha256(), ipn->code_key, sizeof ipn->code_key, (const unsigned char *)body, strlen(body), body_key, &len);
    HMAC(EVP_sha256(), body_key, sizeof body_key, (const unsigned char *)id_code, strlen(id_code), mac, &len);
    hex_of(code, mac, (CODE_SIZE - 1) / 2);
}

static void registers_passed_on(void *arg, int status, const char *answer, size_t size)
{
    struct double_exchange *x = arg;
    if (status == 200) {
        double_answer(x, 200, NULL);
    } else {
        double_refuse(x, 502, "provider_unavailable", NULL);
    }
}

static void residents_pass_on(struct double_exchange *x)
{
    json_t *one, *registers = json_array();
    size_t i;
    json_array_foreach(x->json, i, one)
    {
        char code[CODE_SIZE];
        code_make(x->state, PROVIDER_BODY, text_of(one, "id_code"), code);
        json_t *family = json_copy(one);
        json_object_del(family, "id_code");
        json_object_set_new(family, "code", json_string(code));
        json_array_append_new(registers, family);
    }
    call_post(x->state, "/registers", registers, registers_passed_on, x);
}

static void acquisitions_take(struct double_exchange *x)
{
    struct ipn *ipn = x->state;
    json_t *one;
    size_t i;
    json_array_foreach(x->json, i, one)
    {
        const char *acquisition = text_of(one, "acquisition_number");
        if (*acquisition && *text_of(one, "body") && !json_object_get(ipn->acquired, acquisition)) {
            double_record(x->server, "acquired", acquisition,
                json_pack("{ss ss sI}", "body", text_of(one, "body"), "id_code", text_of(one, "id_code"), "ready_at_ms",
                    (json_int_t)(now_ms() + ipn->code_delay_ms)));
        }
    }
    double_answer(x, 200, NULL);
}

static void code_show(struct double_exchange *x)
{
    struct ipn *ipn = x->state;
    const json_t *acquired = json_object_get(ipn->acquired, x->part[0]);
    const char *body = double_query(x, "body"), *id_code = text_of(acquired, "id_code");
    char code[CODE_SIZE];
    if (!acquired || now_ms() < json_integer_value(json_object_get(acquired, "ready_at_ms"))) {
        double_answer(x, 202, NULL);
    } else if (!body || strcmp(body, text_of(acquired, "body")) != 0) {
        double_refuse(x, 403, "acquired_by_another_body", "body");
    } else if (!*id_code) {
        double_refuse(x, 404, "nobody", NULL);
    } else {
        code_make(ipn, body, id_code, code);
        double_answer(x, 200, json_pack("{ss}", "code", code));
    }
}

static const char *id_code_find(const struct ipn *ipn, const char *body, const char *code)
{
    char key[128];
    snprintf(key, sizeof key, "%s/%s", body, code);
    return json_string_value(json_object_get(ipn->id_codes, key));
}

/* --- permits -------------------------------------------------------------------------------------------------------
 */

static bool permit_sign(const struct ipn *ipn, const char *text, char signature[2 * SIGNATURE_SIZE + 1])
{
    unsigned char raw[SIGNATURE_SIZE];
    size_t len = sizeof raw;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool done = EVP_DigestSignInit(context, NULL, NULL, NULL, ipn->permit_key) == 1 &&
                EVP_DigestSign(context, raw, &len, (const unsigned char *)text, strlen(text)) == 1;
    EVP_MD_CTX_free(context);
    hex_of(signature, raw, sizeof raw);
    return done;
}

/* A permit is its JSON in hex, a dot, the signature in hex. NULL unless this network signed it and it is in force. */
static json_t *permit_read(const struct ipn *ipn, const char *permit)
{
    char text[PERMIT_MAX], signature[2 * SIGNATURE_SIZE + 1];
    const char *dot = permit ? strchr(permit, '.') : NULL;
    size_t len = dot ? (size_t)(dot - permit) / 2 : 0;
    if (!dot || len >= sizeof text) {
        return NULL;
    }
    for (size_t i = 0; i < len; i++) {
        unsigned byte = 0;
        if (sscanf(permit + 2 * i, "%2x", &byte) != 1) {
            return NULL;
        }
        text[i] = (char)byte;
    }
    text[len] = 0;
    /* Ed25519 signs one text in one way only: signing again is checking. */
    if (!permit_sign(ipn, text, signature) || strcmp(signature, dot + 1) != 0) {
        return NULL;
    }
    json_t *read = json_loads(text, 0, NULL);
    if (json_integer_value(json_object_get(read, "expires_at_ms")) > now_ms()) {
        return read;
    }
    json_decref(read);
    return NULL;
}

static bool on_list(const struct double_exchange *x)
{
    for (size_t i = 0; i < sizeof permitted / sizeof *permitted; i++) {
        const struct permitted *row = &permitted[i];
        if (strcmp(row->inquirer, text_of(x->json, "inquirer")) == 0 &&
            strcmp(row->provider, text_of(x->json, "provider")) == 0 &&
            strcmp(row->affair, text_of(x->json, "affair")) == 0 && strcmp(row->item, text_of(x->json, "item")) == 0) {
            return true;
        }
    }
    return false;
}

static void permit_give(struct double_exchange *x)
{
    struct ipn *ipn = x->state;
    char id[DOUBLE_ID_SIZE], signature[2 * SIGNATURE_SIZE + 1], permit[2 * PERMIT_MAX + sizeof signature + 1];
    if (!on_list(x)) {
        double_refuse(x, 403, "not_on_the_list", NULL);
        return;
    }
    if (!id_code_find(ipn, text_of(x->json, "inquirer"), text_of(x->json, "code"))) {
        double_refuse(x, 403, "code_of_another_body", "code");
        return;
    }
    double_id_make(id);
    json_t *body = json_copy(x->json);
    json_object_set_new(body, "permit", json_string(id));
    json_object_set_new(body, "expires_at_ms", json_integer(now_ms() + PERMIT_MS));
    char *text = json_dumps(body, JSON_COMPACT | JSON_SORT_KEYS);
    if (strlen(text) < PERMIT_MAX && permit_sign(ipn, text, signature)) {
        hex_of(permit, (const unsigned char *)text, strlen(text));
        strcat(strcat(permit, "."), signature);
        double_answer(x, 200, json_pack("{ss}", "permit", permit));
    } else {
        double_refuse(x, 422, "permit_too_long", NULL);
    }
    free(text);
    json_decref(body);
}

/* --- inquiries -----------------------------------------------------------------------------------------------------
 */

struct forwarding {
    struct ipn *ipn;
    char number[DOUBLE_ID_SIZE];
};

static void inquiry_forward(void *arg);

static void inquiry_answered(void *arg, int status, const char *answer, size_t size)
{
    struct forwarding *forwarding = arg;
    json_t *body = status == 200 ? json_loadb(answer, size, 0, NULL) : NULL;
    if (body && *text_of(body, "answer")) {
        json_object_set_new(body, "provided_at_ms", json_integer(now_ms()));
        double_record(forwarding->ipn->server, "provision", forwarding->number, body);
        free(forwarding);
        return;
    }
    json_decref(body);
    double_after(forwarding->ipn->server, RETRY_MS, inquiry_forward, forwarding);
}

static void inquiry_forward(void *arg)
{
    struct forwarding *forwarding = arg;
    const json_t *inquiry = json_object_get(forwarding->ipn->inquiries, forwarding->number);
    json_t *body =
        json_pack("{ss ss ss ss}", "processing_number", forwarding->number, "permit", text_of(inquiry, "permit"),
            "code", text_of(inquiry, "provider_code"), "public_jwk", text_of(inquiry, "public_jwk"));
    call_post(forwarding->ipn, "/inquiries", body, inquiry_answered, forwarding);
}

static void forward_start(struct ipn *ipn, const char *number)
{
    struct forwarding *forwarding = calloc(1, sizeof *forwarding);
    forwarding->ipn = ipn;
    snprintf(forwarding->number, sizeof forwarding->number, "%s", number);
    inquiry_forward(forwarding);
}

static void inquiry_take(struct double_exchange *x)
{
    struct ipn *ipn = x->state;
    const char *reference = double_text(x, "reference"), *permit = double_text(x, "permit"),
               *jwk = double_text(x, "public_jwk");
    const char *known = reference ? json_string_value(json_object_get(ipn->by_reference, reference)) : NULL;
    json_t *permission = permit_read(ipn, permit);
    char number[DOUBLE_ID_SIZE], provider_code[CODE_SIZE];
    if (known) {
        double_answer(x, 202, json_pack("{ss}", "processing_number", known));
    } else if (!permission) {
        double_refuse(x, 403, "no_permit", "permit");
    } else if (!reference || !jwk) {
        double_refuse(x, 422, "bad_inquiry", reference ? "public_jwk" : "reference");
    } else {
        const char *inquirer = text_of(permission, "inquirer");
        const char *id_code = id_code_find(ipn, inquirer, text_of(permission, "code"));
        double_id_make(number);
        code_make(ipn, PROVIDER_BODY, id_code ? id_code : "", provider_code);
        double_record(x->server, "inquiry", number,
            json_pack("{ss ss ss ss ss ss ss ss sI}", "reference", reference, "inquirer", inquirer, "provider",
                text_of(permission, "provider"), "affair", text_of(permission, "affair"), "item",
                text_of(permission, "item"), "permit", permit, "public_jwk", jwk, "provider_code", provider_code,
                "asked_at_ms", (json_int_t)now_ms()));
        double_answer(x, 202, json_pack("{ss}", "processing_number", number));
        forward_start(ipn, number);
    }
    json_decref(permission);
}

static void inquiry_show(struct double_exchange *x)
{
    struct ipn *ipn = x->state;
    const json_t *inquiry = json_object_get(ipn->inquiries, x->part[0]);
    const char *answer = text_of(inquiry, "answer");
    if (!inquiry) {
        double_refuse(x, 404, "no_such_inquiry", NULL);
    } else if (!*answer) {
        double_answer(x, 202, NULL);
    } else {
        double_answer(x, 200,
            json_pack("{ss sO}", "answer", answer, "provided_at_ms", json_object_get(inquiry, "provided_at_ms")));
    }
}

/* --- life ----------------------------------------------------------------------------------------------------------
 */

static void ipn_apply(void *state, const char *kind, const char *key, json_t *body)
{
    struct ipn *ipn = state;
    char code[CODE_SIZE], place[128];
    if (strcmp(kind, "acquired") == 0) {
        json_object_set(ipn->acquired, key, body);
        code_make(ipn, text_of(body, "body"), text_of(body, "id_code"), code);
        snprintf(place, sizeof place, "%s/%s", text_of(body, "body"), code);
        json_object_set(ipn->id_codes, place, json_object_get(body, "id_code"));
    } else if (strcmp(kind, "inquiry") == 0) {
        json_object_set(ipn->inquiries, key, body);
        json_object_set_new(ipn->by_reference, text_of(body, "reference"), json_string(key));
    } else if (strcmp(kind, "provision") == 0) {
        json_object_update(json_object_get(ipn->inquiries, key), body);
    }
}

/* After a kill: what was asked and not answered is asked again. */
static void unanswered_forward(void *arg)
{
    struct ipn *ipn = arg;
    const char *number;
    json_t *inquiry;
    json_object_foreach(ipn->inquiries, number, inquiry)
    {
        if (!*text_of(inquiry, "answer")) {
            forward_start(ipn, number);
        }
    }
}

static bool secret_read(const char *folder, const char *name, unsigned char secret[32])
{
    char path[600];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rbe");
    if (file) {
        bool whole = fread(secret, 1, 32, file) == 32;
        fclose(file);
        return whole;
    }
    file = fopen(path, "wbe");
    bool made = file && RAND_bytes(secret, 32) == 1 && fwrite(secret, 1, 32, file) == 32;
    return file && fclose(file) == 0 && made;
}

static bool permit_key_publish(struct ipn *ipn, const char *folder)
{
    unsigned char public[32];
    size_t len = sizeof public;
    char path[600], text[65];
    ipn->permit_key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, ipn->permit_seed, sizeof ipn->permit_seed);
    if (!ipn->permit_key || EVP_PKEY_get_raw_public_key(ipn->permit_key, public, &len) != 1) {
        return false;
    }
    hex_of(text, public, len);
    snprintf(path, sizeof path, "%s/permit.pub", folder);
    FILE *file = fopen(path, "we");
    return file && fprintf(file, "%s\n", text) > 0 && fclose(file) == 0;
}

static bool ipn_start(struct double_server *server, void *state)
{
    struct ipn *ipn = state;
    const char *folder = double_state_folder(server);
    ipn->server = server;
    ipn->acquired = json_object();
    ipn->id_codes = json_object();
    ipn->inquiries = json_object();
    ipn->by_reference = json_object();
    ipn->moj_url = double_option(server, "moj-url", "http://127.0.0.1:8423");
    ipn->code_delay_ms = (unsigned)atoi(double_option(server, "code-delay-ms", "20"));
    double_after(server, 0, unanswered_forward, ipn);
    return secret_read(folder, "code.key", ipn->code_key) && secret_read(folder, "permit.key", ipn->permit_seed) &&
           permit_key_publish(ipn, folder);
}

static void ipn_stop(void *state)
{
    struct ipn *ipn = state;
    json_decref(ipn->acquired);
    json_decref(ipn->id_codes);
    json_decref(ipn->inquiries);
    json_decref(ipn->by_reference);
    EVP_PKEY_free(ipn->permit_key);
}

static const struct double_route routes[] = {
    {"POST", "/residents", residents_pass_on},
    {"POST", "/acquisitions", acquisitions_take},
    {"GET", "/codes/*", code_show},
    {"POST", "/permits", permit_give},
    {"POST", "/inquiries", inquiry_take},
    {"GET", "/inquiries/*", inquiry_show},
};

int main(int argc, char **argv)
{
    struct ipn ipn = {0};
    const struct double_spec spec = {
        .name = "ipn",
        .routes = routes,
        .route_count = sizeof routes / sizeof *routes,
        .state = &ipn,
        .start = ipn_start,
        .apply = ipn_apply,
        .stop = ipn_stop,
    };
    return double_run(&spec, argc, argv);
}
