#include "audit/audit_sign.h"

#include "audit/audit_witness.h"
#include "chassis/journal.h"
#include "chassis/meters.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What the witness has from this process. */
static uint64_t laid_down;

static bool line_is_there(const char *path, const char *line)
{
    char have[128];
    bool there = false;
    FILE *file = fopen(path, "re");
    while (file && !there && fgets(have, sizeof have, file))
        there = strcmp(have, line) == 0;
    if (file)
        fclose(file);
    return there;
}

/* Added to those of earlier keys: what they signed is still to be verified. */
static bool half_publish(const char *keys, const struct key *key, struct fault *fault)
{
    char path[PATH_MAX], line[66];
    uint8_t public_key[32];
    if (!key || !key_ed25519_public(key, public_key))
        return fault_set(fault, FAULT_internal, "audit.sign");
    hex_put(line, public_key, sizeof public_key);
    strcat(line, "\n");
    snprintf(path, sizeof path, "%s/peers/audit.sign.pub", keys);
    if (line_is_there(path, line))
        return true;
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    bool written = fd >= 0 && write(fd, line, strlen(line)) == (ssize_t)strlen(line) && fdatasync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return written ? true : fault_set(fault, FAULT_unavailable, "audit.sign.pub");
}

bool sign_key_publish(const char *keys, struct fault *fault)
{
    const struct key *beside = keyring_beside("*", KEY_SIGN);
    return half_publish(keys, keyring_newest("*", KEY_SIGN), fault) && (!beside || half_publish(keys, beside, fault));
}

static bool is_due(const struct merkle *tree, const struct audit_head *last, int64_t now_ms)
{
    int64_t age = now_ms - last->signed_at_ms;
    if (tree->size == 0)
        return false;
    if (tree->size == last->size)
        return age >= AUDIT_SIGN_IDLE_MS;
    return age >= AUDIT_SIGN_MS || tree->size - last->size >= AUDIT_SIGN_EVENTS;
}

bool head_lay_down(struct pg *pg, const struct merkle *tree)
{
    struct fault fault = {0};
    struct audit_head head = {.size = tree->size, .signed_at_ms = clock_ms()};
    char line[AUDIT_LINE_MAX];
    const struct key *key = keyring_newest("*", KEY_SIGN);
    merkle_root(tree, head.root);
    if (!key || !audit_head_sign(&head, key)) {
        journal(JOURNAL_ERROR, NULL, "head_not_signed");
        return false;
    }
    if (!witness_append(line, (size_t)audit_head_print(&head, line)))
        return false;
    laid_down = head.size;
    if (!head_put(pg, &head, &fault))
        journal(JOURNAL_WARNING, NULL, "head_not_kept", WORD("code", fault_code_text(fault.code)));
    return true;
}

/* The database was restored under the running process: it ends, and does not start again until that is reconciled. */
static bool went_back(const struct merkle *tree)
{
    if (tree->size >= laid_down)
        return false;
    journal(JOURNAL_ERROR, NULL, agreement_text(LOG_SHORTER_THAN_WITNESS), NUMBER("log", tree->size),
        NUMBER("witness", laid_down));
    kill(getpid(), SIGTERM);
    return true;
}

int head_sign_turn(struct work *work, const struct lane *lane)
{
    (void)lane;
    struct merkle tree;
    struct audit_head last;
    if (!pg_ensure(work->pg, &work->fault) || !head_read(work->pg, &last, &work->fault) ||
        !sequencer_read(work->pg, &tree, &work->fault) || went_back(&tree))
        return 0;
    meter_set(METER_audit_log_events, "audit", (int64_t)tree.size);
    meter_set(METER_audit_unsigned_events, "audit", (int64_t)(tree.size - last.size));
    return is_due(&tree, &last, clock_ms()) && head_lay_down(work->pg, &tree);
}
