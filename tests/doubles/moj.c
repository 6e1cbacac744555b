/* Plays the 法務省 as holder of family registers (戸籍関係情報). It knows a person by its own 機関別符号 alone, no
 * number and no name. Modelled on what is public; paths and shapes are ours.
 *
 *   POST /registers   [{"code","case","domicile"}] load or replace; case found (the default), undetermined, none
 *   POST /inquiries   {"processing_number","permit","code","public_jwk"}: the permit (提供許可証) must be signed by the
 *                       network and in force; 200 {"answer"}: a JWE that the holder of public_jwk alone can read:
 *                         {"result":"found","domicile":…}
 *                         {"result":"undetermined","reason":"sequence_unknown"}   several 本籍, their order in time not
 * known (the documented case: the body then asks for 戸籍抄本)
 *                         {"result":"none"}
 *
 * Options: --permit-key, the network's public key (default permit.pub of the folder `ipn` beside its own). */
#include "doubles/double.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>

#include "chassis/jwe.h"

#define PERMIT_MAX 2048
#define SIGNATURE_SIZE 64

struct moj {
    json_t *registers; /* code: {case, domicile} */
    char permit_key[600];
    EVP_PKEY *network;
    struct arena *arena;
};

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void registers_load(struct double_exchange *x)
{
    json_t *one;
    size_t i;
    json_array_foreach(x->json, i, one)
    {
        if (!*text_of(one, "code")) {
            double_refuse(x, 422, "bad_register", "code");
            return;
        }
    }
    double_record(x->server, "registers", "", json_incref(x->json));
    double_answer(x, 200, NULL);
}

static bool hex_read(unsigned char *out, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned byte = 0;
        if (sscanf(text + 2 * i, "%2x", &byte) != 1) {
            return false;
        }
        out[i] = (unsigned char)byte;
    }
    return true;
}

/* The network may start later than we do: its key is read when it is first needed. */
static bool network_key(struct moj *moj)
{
    char text[80] = "";
    unsigned char raw[32];
    FILE *file = moj->network ? NULL : fopen(moj->permit_key, "re");
    if (file) {
        if (fgets(text, sizeof text, file) && hex_read(raw, text, sizeof raw)) {
            moj->network = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, raw, sizeof raw);
        }
        fclose(file);
    }
    return moj->network != NULL;
}

/* What the network permitted; NULL when it did not. */
static json_t *permit_read(struct moj *moj, const char *permit)
{
    unsigned char text[PERMIT_MAX], signature[SIGNATURE_SIZE];
    const char *dot = permit ? strchr(permit, '.') : NULL;
    size_t len = dot ? (size_t)(dot - permit) / 2 : 0;
    if (!dot || len > sizeof text || strlen(dot + 1) != 2 * SIGNATURE_SIZE || !hex_read(text, permit, len) ||
        !hex_read(signature, dot + 1, sizeof signature) || !network_key(moj)) {
        return NULL;
    }
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool right = EVP_DigestVerifyInit(context, NULL, NULL, NULL, moj->network) == 1 &&
                 EVP_DigestVerify(context, signature, sizeof signature, text, len) == 1;
    EVP_MD_CTX_free(context);
    json_t *read = right ? json_loadb((const char *)text, len, 0, NULL) : NULL;
    if (json_integer_value(json_object_get(read, "expires_at_ms")) > now_ms() &&
        strcmp(text_of(read, "item"), "戸籍関係情報") == 0) {
        return read;
    }
    json_decref(read);
    return NULL;
}

static json_t *answer_make(const struct moj *moj, const char *code)
{
    const json_t *family = json_object_get(moj->registers, code);
    const char *what = text_of(family, "case");
    if (!family || strcmp(what, "none") == 0) {
        return json_pack("{ss}", "result", "none");
    }
    if (strcmp(what, "undetermined") == 0) {
        return json_pack("{ss ss}", "result", "undetermined", "reason", "sequence_unknown");
    }
    return json_pack("{ss ss}", "result", "found", "domicile", text_of(family, "domicile"));
}

static void inquiry_answer(struct double_exchange *x)
{
    struct moj *moj = x->state;
    const char *jwk = double_text(x, "public_jwk"), *number = double_text(x, "processing_number");
    json_t *permission = permit_read(moj, double_text(x, "permit"));
    if (!permission || !number) {
        double_refuse(x, permission ? 422 : 403, permission ? "bad_inquiry" : "no_permit", NULL);
        json_decref(permission);
        return;
    }
    json_t *answer = answer_make(moj, text_of(x->json, "code"));
    char *plain = json_dumps(answer, JSON_COMPACT);
    char *sealed = jwk ? jwe_seal(moj->arena, jwk, NULL, plain, strlen(plain)) : NULL;
    if (sealed) {
        double_record(x->server, "provision", number,
            json_pack("{ss ss}", "inquirer", text_of(permission, "inquirer"), "result", text_of(answer, "result")));
        double_answer(x, 200, json_pack("{ss}", "answer", sealed));
    } else {
        double_refuse(x, 422, "bad_inquiry", "public_jwk");
    }
    arena_reset(moj->arena);
    free(plain);
    json_decref(answer);
    json_decref(permission);
}

static void moj_apply(void *state, const char *kind, const char *key, json_t *body)
{
    struct moj *moj = state;
    json_t *one;
    size_t i;
    if (strcmp(kind, "registers") == 0) {
        json_array_foreach(body, i, one)
        {
            json_object_set(moj->registers, text_of(one, "code"), one);
        }
    }
}

static bool moj_start(struct double_server *server, void *state)
{
    struct moj *moj = state;
    char beside[600];
    snprintf(beside, sizeof beside, "%s/../ipn/permit.pub", double_state_folder(server));
    snprintf(moj->permit_key, sizeof moj->permit_key, "%s", double_option(server, "permit-key", beside));
    moj->registers = json_object();
    moj->arena = arena_new(1 << 20);
    return moj->registers && moj->arena;
}

static void moj_stop(void *state)
{
    struct moj *moj = state;
    json_decref(moj->registers);
    EVP_PKEY_free(moj->network);
    arena_free(moj->arena);
}

static const struct double_route routes[] = {
    {"POST", "/registers", registers_load},
    {"POST", "/inquiries", inquiry_answer},
};

int main(int argc, char **argv)
{
    struct moj moj = {0};
    const struct double_spec spec = {
        .name = "moj",
        .routes = routes,
        .route_count = sizeof routes / sizeof *routes,
        .state = &moj,
        .start = moj_start,
        .apply = moj_apply,
        .stop = moj_stop,
    };
    return double_run(&spec, argc, argv);
}
