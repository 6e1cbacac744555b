#include "intake/intake_setup.h"

#include "chassis/programme_keys.h"
#include "intake/application_steps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct setting intake_settings[INTAKE_SETTINGS] = {
    {"SHIKAKU_JPKI_ROOTS", SETTING_TEXT, "", 0, 0,
        "Folder of the pinned roots of 署名用電子証明書. Empty: KEYS/jpki-roots."},
    {"SHIKAKU_JPKI_POLICY", SETTING_TEXT, "1.2.392.200149.8.5.1.0.20", 0, 0,
        "Certificate policy that a signer must have; the default is the test environment's."},
    {"SHIKAKU_CRL_URL", SETTING_URL, NULL, 0, 0, "Where the lists of revoked certificates are: URL/ROOT.crl."},
    {"SHIKAKU_CRL_SECONDS", SETTING_NUMBER, "60", 1, 86400, "How often the lists are fetched, in seconds."},
    {"SHIKAKU_PAYMENT_URL", SETTING_URL, NULL, 0, 0, "The payment service."},
    {"SHIKAKU_NOTICE_URL", SETTING_URL, NULL, 0, 0, "Mynaportal's receiver of notices (お知らせ)."},
    {"SHIKAKU_OUTSIDE_CA", SETTING_TEXT, "", 0, 0,
        "https: file of root certificates of outside systems; empty: the machine's."},
    {"SHIKAKU_TRIES", SETTING_NUMBER, "20", 1, 1000, "Failed tries of a step after which a person is asked."},
    {"SHIKAKU_PIECE_SECONDS", SETTING_NUMBER, "86400", 1, 31536000,
        "How long a piece of an attachment that no application names is kept, in seconds."},
    {"SHIKAKU_LANE_THREADS", SETTING_NUMBER, "1", 1, 16, "Step threads a peer."},
};

struct outside_peer intake_payment = {.name = "payment", .total_ms = 5000};
struct outside_peer intake_mynaportal = {.name = "mynaportal", .total_ms = 5000};

static struct trust_roots *roots;
static struct revocation *revocation;

size_t intake_keys(const struct key_want **wants)
{
    return programme_keys_want(KEY_SET(KEY_DATA), KEY_SET(KEY_DATA) | KEY_SET(KEY_INDEX), wants);
}

bool intake_prepare(struct fault *fault)
{
    char folder[512];
    const char *given = setting_text("SHIKAKU_JPKI_ROOTS");
    snprintf(folder, sizeof folder, "%s%s", *given ? given : setting_text("SHIKAKU_KEYS"), *given ? "" : "/jpki-roots");
    if (!(roots = trust_roots_load(folder)))
        return fault_set(fault, FAULT_internal, "SHIKAKU_JPKI_ROOTS");
    const char *authorities = *setting_text("SHIKAKU_OUTSIDE_CA") ? setting_text("SHIKAKU_OUTSIDE_CA") : NULL;
    intake_payment.ca_file = intake_mynaportal.ca_file = authorities;
    intake_payment.base_url = setting_text("SHIKAKU_PAYMENT_URL");
    intake_mynaportal.base_url = setting_text("SHIKAKU_NOTICE_URL");
    application_lanes_set_threads((int)setting_number("SHIKAKU_LANE_THREADS"));
    revocation = revocation_new(roots);
    return revocation && revocation_start(revocation, setting_text("SHIKAKU_CRL_URL"), authorities,
                             setting_number("SHIKAKU_CRL_SECONDS"))
               ? true
               : fault_set(fault, FAULT_internal, "SHIKAKU_CRL_URL");
}

const struct programmes *intake_programmes(void)
{
    return programmes_in_use();
}

const struct trust_roots *intake_roots(void)
{
    return roots;
}

void intake_end(void)
{
    revocation_free(revocation);
    revocation = NULL;
}

struct revocation *intake_revocation(void)
{
    return revocation;
}
