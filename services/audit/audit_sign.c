#include "audit/audit_sign.h"

#include "audit/audit_store.h"
#include "chassis/journal.h"
#include "chassis/meters.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int witness = -1;

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

static bool line_append(int fd, const char *line, size_t len)
{
    return write(fd, line, len) == (ssize_t)len && fdatasync(fd) == 0;
}

bool sign_key_publish(const char *keys, struct fault *fault)
{
    char path[PATH_MAX], line[66];
    uint8_t public_key[32];
    const struct key *key = keyring_newest("*", KEY_SIGN);
    if (!key || !key_ed25519_public(key, public_key))
        return fault_set(fault, FAULT_internal, "audit.sign");
    hex_put(line, public_key, sizeof public_key);
    strcat(line, "\n");
    snprintf(path, sizeof path, "%s/peers/audit.sign.pub", keys);
    if (line_is_there(path, line))
        return true;
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    bool written = fd >= 0 && line_append(fd, line, strlen(line));
    if (fd >= 0)
        close(fd);
    return written ? true : fault_set(fault, FAULT_unavailable, "audit.sign.pub");
}

static void folder_make(const char *path)
{
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", path);
    char *cut = strrchr(folder, '/');
    if (cut && cut != folder) {
        *cut = '\0';
        mkdir(folder, 0755);
    }
}

bool witness_open(const char *path, struct fault *fault)
{
    folder_make(path);
    witness = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (witness >= 0)
        return true;
    journal(JOURNAL_ERROR, NULL, "witness_not_writable", WORD("setting", "SHIKAKU_WITNESS"), NUMBER("errno", errno));
    return fault_set(fault, FAULT_unavailable, "SHIKAKU_WITNESS");
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

/* The witness has it before the database does: what it attests is committed already, and a head that only the database
 * has would prove nothing. Two replicas may sign the same; both are true. */
int head_sign_turn(struct work *work, const struct lane *lane)
{
    (void)lane;
    struct merkle tree;
    struct audit_head last, head = {.signed_at_ms = clock_ms()};
    char line[AUDIT_HEAD_LINE_MAX];
    const struct key *key = keyring_newest("*", KEY_SIGN);
    if (!pg_ensure(work->pg, &work->fault) || !head_read(work->pg, &last, &work->fault) ||
        !sequencer_read(work->pg, &tree, &work->fault))
        return 0;
    meter_set(METER_audit_log_events, "audit", (int64_t)tree.size);
    meter_set(METER_audit_unsigned_events, "audit", (int64_t)(tree.size - last.size));
    if (!is_due(&tree, &last, head.signed_at_ms))
        return 0;
    head.size = tree.size;
    merkle_root(&tree, head.root);
    if (!key || !audit_head_sign(&head, key)) {
        journal(JOURNAL_ERROR, NULL, "head_not_signed");
        return 0;
    }
    int len = audit_head_print(&head, line);
    if (!line_append(witness, line, (size_t)len)) {
        journal(
            JOURNAL_ERROR, NULL, "witness_not_writable", WORD("setting", "SHIKAKU_WITNESS"), NUMBER("errno", errno));
        return 0;
    }
    if (!head_put(work->pg, &head, &work->fault))
        journal(JOURNAL_WARNING, NULL, "head_not_kept", WORD("code", fault_code_text(work->fault.code)));
    return 0;
}
