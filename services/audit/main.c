/* audit keeps the records of use (利用記録) in one log that cannot be changed unseen. */
#include "audit/analysis_rules.h"
#include "audit/analysis_steps.h"
#include "audit/audit_incident.h"
#include "audit/audit_messages.h"
#include "audit/audit_reconcile.h"
#include "audit/audit_sign.h"
#include "audit/audit_store.h"
#include "audit/audit_witness.h"
#include "audit/retention.h"
#include "audit/second_witness.h"
#include "chassis/boot.h"
#include "chassis/programme_keys.h"

#include <stdio.h>
#include <string.h>

static const struct setting settings[] = {
    {"SHIKAKU_WITNESS", SETTING_TEXT, "var/witness/heads", 0, 0,
        "File for the signed heads of the log: outside the database, best on another machine's storage."},
    {"SHIKAKU_WITNESS_URL", SETTING_TEXT, "", 0, 0,
        "A second witness on another host, https://HOST…, that is given every line of the first. Empty: none."},
    {"SHIKAKU_WITNESS_CA", SETTING_TEXT, "", 0, 0,
        "File of the authority that issued the second witness's certificate. Empty: the system's authorities."},
    {"SHIKAKU_OFFICERS_NAMED", SETTING_TEXT, "", 0, 0,
        "Codes of managers, by commas, whose answers to a person name the officers' accounts too."},
    {"SHIKAKU_ANALYSES", SETTING_TEXT, "deploy/analyses", 0, 0,
        "Folder of the rules by which the records of use are looked through (deploy/analyses/README.md)."},
    {"SHIKAKU_ANALYSIS_SETTLE_SECONDS", SETTING_NUMBER, "3600", 0, 604800,
        "How long records of use rest before rules look at them, so that those that explain them have come: as long as "
        "SHIKAKU_AUDIT_WAITING_SECONDS."},
    {"SHIKAKU_ANALYSIS_KEEP_DAYS", SETTING_NUMBER, "180", 31, 3660,
        "Days for which what rules look back at is kept beside the log."},
    {"SHIKAKU_KEEP_FINDINGS_MONTHS", SETTING_NUMBER, "84", 12, 1200, "Months for which closed findings are kept."},
    {"SHIKAKU_INCIDENT_PRELIMINARY_DAYS", SETTING_NUMBER, "3", 1, 60,
        "Days from knowing of a leak until the preliminary report (速報) is due; texts say 3 to 5: confirm it."},
    {"SHIKAKU_INCIDENT_FINAL_DAYS", SETTING_NUMBER, "30", 1, 365,
        "Days from knowing of a leak until the final report (確報) is due."},
    {"SHIKAKU_INCIDENT_FINAL_UNLAWFUL_DAYS", SETTING_NUMBER, "60", 1, 365,
        "The same where it may have been done with unlawful purpose."},
#define KIND(name, NAME, months, japanese)                                                                             \
    {"SHIKAKU_KEEP_" #NAME "_MONTHS", SETTING_NUMBER, #months, 12, 1200,                                               \
        "Months for which records of use of kind " #name " (" japanese ") are kept."},
#define ACT(act, kind)
#define BARE(route, why)
#include "acts.def"
#undef KIND
#undef ACT
#undef BARE
};

static size_t keys(const struct key_want **wants)
{
    return programme_keys_want(
        KEY_SET(KEY_DATA) | KEY_SET(KEY_INDEX) | KEY_SET(KEY_SIGN), KEY_SET(KEY_DATA) | KEY_SET(KEY_INDEX), wants);
}

/* A record has nowhere to go where its month is missing, so the first months are made before anybody is heard. */
static bool months_prepare(struct fault *fault)
{
    struct pg *pg;
    if (!pg_open(&pg, setting_text("SHIKAKU_DSN"), fault))
        return false;
    bool made = months_make(pg, fault);
    pg_close(pg);
    return made;
}

static bool publish(struct fault *fault)
{
    return sign_key_publish(setting_text("SHIKAKU_KEYS"), fault);
}

static bool rules_prepare(struct fault *fault)
{
    char problem[ANALYSIS_PROBLEM_MAX];
    if (analysis_rules_open(setting_text("SHIKAKU_ANALYSES"), setting_number("SHIKAKU_ANALYSIS_KEEP_DAYS"), problem))
        return true;
    fprintf(stderr, "%s\n", problem); /* a file, a field and a rule: nothing of a person */
    return fault_set(fault, FAULT_malformed, "SHIKAKU_ANALYSES");
}

static bool prepare(struct fault *fault)
{
    const char *keys_folder = setting_text("SHIKAKU_KEYS"), *witness = setting_text("SHIKAKU_WITNESS");
    second_witness_open(witness, setting_text("SHIKAKU_WITNESS_URL"), setting_text("SHIKAKU_WITNESS_CA"));
    return rules_prepare(fault) && witness_open(witness, fault) && months_prepare(fault) &&
           witness_check(witness, keys_folder, fault);
}

int main(int argc, char **argv)
{
    static const struct lane lanes[] = {
        {"head_sign", 1, head_sign_turn, NULL},
        {"own_records", 1, own_records_turn, NULL},
        {"second_witness", 1, second_witness_turn, NULL},
        {"retention", 1, retention_turn, NULL},
        {"analysis", 1, analysis_turn, NULL},
        {"incident_clock", 1, incident_clock_turn, NULL},
    };
    const struct service service = {
        .name = "audit",
        .schema_version = 7,
        .settings = settings,
        .setting_count = sizeof settings / sizeof *settings,
        .keys = keys,
        .columns = &audit_columns,
        .publish = publish,
        .prepare = prepare,
        .messages = audit_messages,
        .message_count = audit_message_count,
        .lanes = lanes,
        .lane_count = sizeof lanes / sizeof *lanes,
    };
    if (argc == 3 && strcmp(argv[1], "--reconcile") == 0)
        return audit_log_reconcile(argv[2]);
    return service_run(&service, argc, argv);
}
