#include "audit/audit_reconcile.h"

#include "audit/audit_log.h"
#include "audit/audit_sign.h"
#include "audit/audit_witness.h"
#include "chassis/boot.h"
#include "chassis/journal.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#define ARENA_BYTES (256 * 1024)
#define REASON_MAX 80

static const struct setting settings[] = {
    {"SHIKAKU_DSN", SETTING_TEXT, "", 0, 0, "How to reach the log (libpq), by audit's role."},
    {"SHIKAKU_KEYS", SETTING_TEXT, "var/keys", 0, 0, "Folder of keys."},
    {"SHIKAKU_WITNESS", SETTING_TEXT, "var/witness/heads", 0, 0, "File of the signed heads."},
};

struct reconciling {
    struct pg *pg;
    struct arena *arena;
    struct witnessed last;
    struct merkle tree;
    enum agreement agreement;
    struct audit_reconciliation stated;
    struct fault fault;
};

static bool reason_check(const char *reason)
{
    size_t len = strlen(reason);
    return len > 0 && len <= REASON_MAX &&
           strspn(reason, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:/-") == len;
}

static bool compare(struct reconciling *r)
{
    char public_keys[PATH_MAX];
    snprintf(public_keys, sizeof public_keys, "%s/peers/audit.sign.pub", setting_text("SHIKAKU_KEYS"));
    if (!witness_compare(
            r->pg, setting_text("SHIKAKU_WITNESS"), public_keys, &r->last, &r->tree, &r->agreement, &r->fault))
        return false;
    if (r->agreement != LOG_AGREES && r->agreement != LOG_DIFFERS_FROM_WITNESS)
        return true;
    journal(JOURNAL_ERROR, NULL, "not_reconciled", WORD("for", agreement_text(r->agreement)));
    return fault_set(&r->fault, FAULT_audit_disagrees, agreement_text(r->agreement));
}

static bool state(struct reconciling *r)
{
    char line[AUDIT_LINE_MAX];
    const struct key *key = keyring_newest("*", KEY_SIGN);
    if (r->agreement == RECONCILIATION_UNFINISHED) {
        r->stated = r->last.stated;
        return true;
    }
    r->stated = (struct audit_reconciliation){.from_size = r->last.size, .to_size = r->tree.size, .at_ms = clock_ms()};
    memcpy(r->stated.from_root, r->last.root, sizeof r->stated.from_root);
    merkle_root(&r->tree, r->stated.to_root);
    return key && audit_reconciliation_sign(&r->stated, key) &&
           witness_append(line, (size_t)audit_reconciliation_print(&r->stated, line));
}

static bool record_append(struct reconciling *r, const char *reason)
{
    char event[REASON_MAX + 32];
    snprintf(event, sizeof event, "%" PRIu64 " %s", audit_reconciliation_lost(&r->stated), reason);
    if (!log_append_plain(r->pg, r->arena, &r->tree, AUDIT_RECONCILE, event, &r->fault))
        return false;
    sequencer_put(r->pg, &r->tree);
    return true;
}

/* The witness first: a line that the log does not follow is found at the next start and completed; a record that no
 * line announced would be lost among the others. */
static bool reconcile(struct reconciling *r, const char *reason)
{
    if (!compare(r))
        return false;
    pg_begin(r->pg, "");
    if (!sequencer_take(r->pg, &r->tree, &r->fault) || !state(r) || !record_append(r, reason))
        pg_rollback(r->pg);
    else if (pg_commit(r->pg, &r->fault) && sequencer_read(r->pg, &r->tree, &r->fault))
        return head_lay_down(r->pg, &r->tree);
    return false;
}

static bool open_all(struct reconciling *r)
{
    const struct rlimit none = {0, 0};
    return setrlimit(RLIMIT_CORE, &none) == 0 && prctl(PR_SET_DUMPABLE, 0) == 0 &&
           settings_read(settings, sizeof settings / sizeof *settings) && (r->arena = arena_new(ARENA_BYTES)) &&
           pg_open(&r->pg, setting_text("SHIKAKU_DSN"), &r->fault) &&
           keyring_open("audit", r->pg, NULL, 0, &r->fault) && witness_open(setting_text("SHIKAKU_WITNESS"), &r->fault);
}

int audit_log_reconcile(const char *reason)
{
    struct reconciling r = {0};
    journal_open("audit");
    if (!reason_check(reason)) {
        fprintf(stderr, "the reason is the decision's id: 1 to %d letters, digits and ._:/-\n", REASON_MAX);
        return 1;
    }
    bool done = open_all(&r) && reconcile(&r, reason);
    if (done)
        printf("{\"reconciled\":true,\"witness\":%" PRIu64 ",\"log\":%" PRIu64 ",\"lost\":%" PRIu64 "}\n",
            r.stated.from_size, r.stated.to_size, audit_reconciliation_lost(&r.stated));
    else
        journal(JOURNAL_ERROR, NULL, "reconcile_failed", WORD("code", fault_code_text(r.fault.code)),
            WORD("field", r.fault.field));
    keyring_close();
    pg_close(r.pg);
    arena_free(r.arena);
    return !done;
}
