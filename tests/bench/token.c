/* What it costs to know the person behind a request: a token that this thread has seen, in microseconds; and one that
 * it has not, against one Ed25519 verification of the same bytes with a key that is ready. In turns, so that both meet
 * the same machine; the middle round counts. Prints two rows. */
#include "chassis/actor.h"
#include "chassis/jwe.h"
#include "chassis/settings.h"
#include "chassis/work.h"
#include "kit/staff_word.h"
#include "staff.pb-c.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define TOKENS 1024 /* many times what a thread remembers */
#define SEEN_CALLS 200000
#define ROUNDS 7

static const struct setting settings[] = {{"SHIKAKU_KEYS", SETTING_TEXT, NULL, 0, 0, ""}};

static EVP_PKEY *staff;
static struct signed_token {
    uint8_t payload[512], signature[64];
    size_t len;
    char *text;
} tokens[TOKENS];

static bool key_publish(char *folder)
{
    char path[256], hex[65];
    uint8_t raw[32];
    size_t len = sizeof raw;
    staff = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    if (!staff || !mkdtemp(folder) || EVP_PKEY_get_raw_public_key(staff, raw, &len) != 1)
        return false;
    hex_put(hex, raw, len);
    snprintf(path, sizeof path, "%s/peers", folder);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/peers/staff.sign.pub", folder);
    FILE *out = fopen(path, "w");
    if (!out)
        return false;
    fprintf(out, "%s\n", hex);
    setenv("SHIKAKU_KEYS", folder, 1);
    return fclose(out) == 0 && settings_read(settings, 1);
}

/* As a clerk's token is: programmes, rights, terminal. */
static bool token_make(struct arena *arena, struct signed_token *token)
{
    Staff__Actor actor = STAFF__ACTOR__INIT;
    char session[37];
    size_t signature_len = sizeof token->signature;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    uuid_make(session);
    actor.account = "tokyo-counter";
    actor.role = "counter";
    actor.manager = "tokyo";
    actor.programmes = (char *[]){"chorishi"};
    actor.n_programmes = 1;
    actor.rights =
        (char *[]){"view", "review", "paper_enter", "fee_receive", "certificate_show", "number_change", "session"};
    actor.n_rights = 7;
    actor.terminal = "a37b4f987f175d8c8808585eebaf51605f354e54bdcc5571bddb65e057e69b29";
    actor.session = session;
    actor.rights_version = 1;
    actor.expires_at_ms = clock_ms() + 3600000;
    token->len = staff__actor__pack(&actor, token->payload);
    bool made = context && EVP_DigestSignInit(context, NULL, NULL, NULL, staff) == 1 &&
                EVP_DigestSign(context, token->signature, &signature_len, token->payload, token->len) == 1;
    EVP_MD_CTX_free(context);
    token->text = made ? arena_format(arena, "%s.%s", base64url_put(arena, token->payload, token->len),
                             base64url_put(arena, token->signature, sizeof token->signature))
                       : NULL;
    return token->text != NULL;
}

static double now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void check(const char *text)
{
    struct actor actor;
    struct fault fault = {0};
    if (actor_verify(text, clock_ms(), &actor, &fault))
        return;
    fprintf(stderr, "bench: %s\n", fault_code_text(fault.code));
    exit(1);
}

static double seen_us(void)
{
    double from = now_us();
    for (int i = 0; i < SEEN_CALLS; i++)
        check(tokens[0].text);
    return (now_us() - from) / SEEN_CALLS;
}

static double unseen_us(void)
{
    double from = now_us();
    for (int i = 0; i < TOKENS; i++)
        check(tokens[i].text);
    return (now_us() - from) / TOKENS;
}

static double signature_us(void)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    double from = now_us();
    for (int i = 0; i < TOKENS; i++)
        if (EVP_DigestVerifyInit(context, NULL, NULL, NULL, staff) != 1 ||
            EVP_DigestVerify(context, tokens[i].signature, 64, tokens[i].payload, tokens[i].len) != 1)
            exit(1);
    double took = (now_us() - from) / TOKENS;
    EVP_MD_CTX_free(context);
    return took;
}

static int by_value(const void *one, const void *other)
{
    double a = *(const double *)one, b = *(const double *)other;
    return a < b ? -1 : a > b;
}

static double middle(double *all)
{
    qsort(all, ROUNDS, sizeof *all, by_value);
    return all[ROUNDS / 2];
}

int main(void)
{
    char folder[] = "/tmp/shikaku-bench-XXXXXX";
    double seen[ROUNDS], unseen[ROUNDS], signature[ROUNDS], ratios[ROUNDS];
    struct arena *arena = arena_new(4 << 20);
    if (!arena || !key_publish(folder))
        return 1;
    staff_word_take();
    for (int i = 0; i < TOKENS; i++)
        if (!token_make(arena, &tokens[i]))
            return 1;
    for (int i = 0; i < ROUNDS; i++) {
        seen[i] = seen_us();
        unseen[i] = unseen_us();
        signature[i] = signature_us();
        ratios[i] = unseen[i] / signature[i];
    }
    double known = middle(seen), ratio = middle(ratios);
    printf("| check of a person's token that was seen before | | %.2f us | | <= 5 us: %s |\n", known,
        known <= 5 ? "reached" : "missed");
    printf("| check of a token not seen before | one Ed25519 verification: %.1f us | %.1f us | %.2f | <= 1.2: %s |\n",
        middle(signature), middle(unseen), ratio, ratio <= 1.2 ? "reached" : "missed");
    arena_free(arena);
    return 0;
}
