#include "portal/portal_gate.h"

#include "portal/portal_assertion.h"
#include "portal/portal_once.h"
#include "portal/portal_routes.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FINGERPRINTS_MAX 4        /* two while Mynaportal's certificate is renewed */
#define ASSERTIONS_A_MINUTE 57344 /* with 8 minutes to remember: at most 8 MiB, as much as is used */
#define ASSERTION_MINUTES ((ASSERTION_SECONDS_MAX + ASSERTION_SKEW_SECONDS) / 60)

static struct {
    char mynaportal[FINGERPRINTS_MAX][HTTP_CLIENT_LEN + 1];
    size_t mynaportal_count;
    struct assertion_keys *keys;
    struct once *assertions;
} gate;

static bool fingerprints_read(const char *file)
{
    char line[128];
    FILE *in = fopen(file, "re");
    gate.mynaportal_count = 0;
    while (in && gate.mynaportal_count < FINGERPRINTS_MAX && fgets(line, sizeof line, in)) {
        line[strcspn(line, "\r\n")] = '\0';
        if (strlen(line) == HTTP_CLIENT_LEN && strspn(line, "0123456789abcdef") == HTTP_CLIENT_LEN)
            strcpy(gate.mynaportal[gate.mynaportal_count++], line);
    }
    if (in)
        fclose(in);
    return gate.mynaportal_count > 0;
}

bool gate_open(const char *folder, struct fault *fault)
{
    char path[512];
    snprintf(path, sizeof path, "%s/mynaportal.fingerprint", folder);
    if (!fingerprints_read(path))
        return fault_set(fault, FAULT_unavailable, "mynaportal.fingerprint");
    snprintf(path, sizeof path, "%s/mynaportal-assertion.pub", folder);
    if (!(gate.keys = assertion_keys_read(path)))
        return fault_set(fault, FAULT_unavailable, "mynaportal-assertion.pub");
    gate.assertions = once_new(ASSERTIONS_A_MINUTE, ASSERTION_MINUTES);
    return gate.assertions || fault_set(fault, FAULT_internal, NULL);
}

void gate_close(void)
{
    assertion_keys_free(gate.keys);
    once_free(gate.assertions);
    memset(&gate, 0, sizeof gate);
}

static bool is_mynaportal(const struct exchange *exchange)
{
    for (size_t i = 0; i < gate.mynaportal_count; i++)
        if (strcmp(gate.mynaportal[i], exchange->client) == 0)
            return true;
    return false;
}

static bool holder_pass(struct exchange *exchange, struct arena *arena, struct fault *fault)
{
    struct assertion said;
    int64_t now = clock_ms() / 1000;
    if (!is_mynaportal(exchange))
        return fault_set(fault, FAULT_peer_unknown, NULL);
    if (!exchange->assertion)
        return fault_set(fault, FAULT_assertion_required, "Shikaku-Assertion");
    if (!assertion_check(gate.keys, arena, exchange->assertion, exchange->body, exchange->body_len, now, &said, fault))
        return false;
    switch (once_use(gate.assertions, said.id, said.expires_at, now)) {
    case ONCE_FRESH:
        break;
    case ONCE_FULL:
        return fault_set(fault, FAULT_unavailable, NULL);
    default:
        return fault_set(fault, FAULT_assertion_invalid, "Shikaku-Assertion");
    }
    strcpy(exchange->portal_pseudonym, said.subject);
    strcpy(exchange->assertion_id, said.id);
    return true;
}

static bool staff_pass(struct exchange *exchange, struct fault *fault)
{
    static const char scheme[] = "Bearer ";
    struct actor actor;
    if (!*exchange->client)
        return fault_set(fault, FAULT_terminal_not_listed, NULL);
    if (!exchange->authorization || strncmp(exchange->authorization, scheme, sizeof scheme - 1) != 0)
        return fault_set(fault, FAULT_not_authenticated, NULL);
    if (!actor_verify(exchange->authorization + sizeof scheme - 1, clock_ms(), &actor, fault))
        return false;
    if (strcmp(actor.terminal, exchange->client) != 0)
        return fault_set(fault, FAULT_not_authenticated, NULL);
    if (!actor_has(&actor, exchange->route->right))
        return fault_set(fault, FAULT_not_permitted, NULL);
    exchange->actor = actor;
    return true;
}

bool gate_pass(struct exchange *exchange, struct arena *arena, struct fault *fault)
{
    unsigned who = exchange->route->who;
    if (who & WHO_ANYONE)
        return true;
    if (who & WHO_TERMINAL)
        return *exchange->client || fault_set(fault, FAULT_terminal_not_listed, NULL);
    if (who & WHO_STAFF && (exchange->authorization || !(who & (WHO_HOLDER | WHO_MYNAPORTAL))))
        return staff_pass(exchange, fault);
    if (who & WHO_HOLDER)
        return holder_pass(exchange, arena, fault);
    return is_mynaportal(exchange) || fault_set(fault, FAULT_peer_unknown, NULL);
}
