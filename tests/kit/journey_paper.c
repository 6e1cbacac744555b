/* Applications on paper, and numbers typed in at the number terminal (番号系端末). */
#include "kit/journey.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>
#include "kit/base64.h"

/* SHA-256 of the terminal's certificate, to which a number typed in there is bound. */
static bool terminal_print(char hex[65])
{
    char path[600];
    unsigned char digest[32];
    snprintf(path, sizeof path, "%s/tls/terminal-number.crt", journey_setting("SHIKAKU_KEYS"));
    FILE *in = fopen(path, "re");
    X509 *certificate = in ? PEM_read_X509(in, NULL, NULL, NULL) : NULL;
    bool made = certificate && X509_digest(certificate, EVP_sha256(), digest, NULL) == 1;
    for (int i = 0; made && i < 32; i++)
        sprintf(hex + 2 * i, "%02x", digest[i]);
    X509_free(certificate);
    if (in)
        fclose(in);
    return made;
}

char *journey_seal(struct journey *journey, const char *reference, const char *manager, const char *number)
{
    char terminal[65];
    if (!terminal_print(terminal))
        return NULL;
    return kit_seal_paper(journey->world.sealer, &(struct kit_binding){reference, manager, terminal}, number);
}

int trip_enter(struct journey_trip *trip, struct journey *journey, const char *number)
{
    const char *manager = trip->programme->manager;
    struct journey_clerk *clerk = journey_clerk(journey, manager, "counter");
    char *sealed = number ? journey_seal(journey, trip->application.id, manager, number) : NULL;
    char *document = kit_base64(trip->application.document, strlen(trip->application.document));
    json_t *body = json_pack("{ss ss}", "document", document, "identity_check", "card");
    if (sealed)
        json_object_set_new(body, "sealed_number", json_string(sealed));
    free(document);
    free(sealed);
    trip->paper = true;
    if (!clerk) {
        json_decref(body);
        return 0;
    }
    int status = journey_clerk_call(journey, clerk, "POST", "/api/staff/paper-applications", NULL, body, &trip->answer);
    if (status == 200 || status == 201)
        snprintf(trip->receipt, sizeof trip->receipt, "%s", journey_text(trip->answer.json, "receipt"));
    return status;
}

int paper_look(struct journey_trip *trip, struct journey *journey)
{
    char path[128];
    struct journey_clerk *clerk = journey_clerk(journey, trip->programme->manager, "counter");
    if (!clerk)
        return 0;
    snprintf(path, sizeof path, "/api/staff/applications/%s", trip->receipt);
    int status = journey_clerk_call(journey, clerk, "GET", path, NULL, NULL, &trip->answer);
    if (status == 200) {
        json_t *application = json_incref(json_object_get(trip->answer.json, "application"));
        json_decref(trip->answer.json);
        trip->answer.json = application;
        snprintf(trip->state, sizeof trip->state, "%s", journey_text(application, "state"));
    }
    return status;
}
