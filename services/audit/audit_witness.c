#include "audit/audit_witness.h"

#include "chassis/journal.h"
#include "chassis/settings.h"
#include "chassis/work.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TAIL_BYTES (64 * 1024) /* some minutes of heads */

static int witness = -1;

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

/* Bytes of the file up to the end of its last whole line. */
static off_t whole_lines(int fd, off_t size)
{
    char byte;
    while (size > 0 && pread(fd, &byte, 1, size - 1) == 1 && byte != '\n')
        size--;
    return size;
}

bool witness_open(const char *path, struct fault *fault)
{
    struct stat about;
    folder_make(path);
    witness = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    off_t whole = witness >= 0 && fstat(witness, &about) == 0 ? whole_lines(witness, about.st_size) : -1;
    if (whole >= 0 && (whole == about.st_size || ftruncate(witness, whole) == 0))
        return true;
    journal(JOURNAL_ERROR, NULL, "witness_not_writable", WORD("setting", "SHIKAKU_WITNESS"), NUMBER("errno", errno));
    return fault_set(fault, FAULT_unavailable, "SHIKAKU_WITNESS");
}

bool witness_append(const char *lines, size_t len)
{
    if (write(witness, lines, len) == (ssize_t)len && fdatasync(witness) == 0)
        return true;
    journal(JOURNAL_ERROR, NULL, "witness_not_writable", WORD("setting", "SHIKAKU_WITNESS"), NUMBER("errno", errno));
    return false;
}

static bool key_is_audits(const char *path, const uint8_t key[32])
{
    char line[128], wanted[65];
    bool is = false;
    FILE *file = fopen(path, "re");
    hex_put(wanted, key, 32);
    while (file && !is && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        is = strcmp(line, wanted) == 0;
    }
    if (file)
        fclose(file);
    return is;
}

/* Two replicas may write their heads in another order than they made them: the greatest counts, from the last
 * reconciliation on. */
static bool line_take(const char *line, const char *public_keys, struct witnessed *last)
{
    struct audit_head head;
    struct audit_reconciliation stated;
    if (audit_head_parse(&head, line)) {
        if (head.size < last->size)
            return true;
        *last = (struct witnessed){.size = head.size};
        memcpy(last->root, head.root, sizeof last->root);
        return audit_head_check(&head) && key_is_audits(public_keys, head.public_key);
    }
    if (!audit_reconciliation_parse(&stated, line))
        return false;
    *last = (struct witnessed){.size = stated.to_size, .reconciled = true, .stated = stated};
    memcpy(last->root, stated.to_root, sizeof last->root);
    return audit_reconciliation_check(&stated) && key_is_audits(public_keys, stated.public_key);
}

/* Only the last lines: all of them are the verifier's. */
static bool tail_read(const char *path, const char *public_keys, struct witnessed *last, struct fault *fault)
{
    static char tail[TAIL_BYTES + 1];
    struct stat about;
    *last = (struct witnessed){0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? true : fault_set(fault, FAULT_unavailable, "SHIKAKU_WITNESS");
    off_t from = fstat(fd, &about) == 0 && about.st_size > TAIL_BYTES ? about.st_size - TAIL_BYTES : 0;
    ssize_t len = pread(fd, tail, TAIL_BYTES, from);
    close(fd);
    if (len < 0)
        return fault_set(fault, FAULT_unavailable, "SHIKAKU_WITNESS");
    tail[len] = '\0';
    char *line = tail, *end = from ? strchr(line, '\n') : NULL; /* the first may lack its beginning */
    for (line = end ? end + 1 : line; (end = strchr(line, '\n')); line = end + 1) {
        *end = '\0';
        if (!line_take(line, public_keys, last)) {
            journal(JOURNAL_ERROR, NULL, "witness_line_wrong", WORD("setting", "SHIKAKU_WITNESS"));
            return fault_set(fault, FAULT_audit_disagrees, "witness_line");
        }
    }
    return true;
}

/* A root that the log had is among its own heads, unless the process died between the witness and the database: then
 * the log itself is read. */
static bool log_had(struct pg *pg, const struct witnessed *last, bool *had, struct fault *fault)
{
    struct merkle tree = {0};
    uint8_t root[MERKLE_HASH_BYTES];
    if (!head_find(pg, last->size, last->root, had, fault))
        return false;
    if (*had)
        return true;
    if (!log_tree(pg, last->size, &tree, fault))
        return false;
    merkle_root(&tree, root);
    *had = tree.size == last->size && memcmp(root, last->root, sizeof root) == 0;
    return true;
}

bool witness_compare(struct pg *pg, const char *path, const char *public_keys, struct witnessed *last,
    struct merkle *tree, enum agreement *agreement, struct fault *fault)
{
    struct audit_head kept;
    bool had = true;
    /* Another replica may be writing: first what is written last. */
    if (!head_read(pg, &kept, fault) || !tail_read(path, public_keys, last, fault) || !sequencer_read(pg, tree, fault))
        return false;
    if (last->size && tree->size >= last->size && !log_had(pg, last, &had, fault))
        return false;
    if (tree->size < last->size)
        *agreement = LOG_SHORTER_THAN_WITNESS;
    else if (!had)
        *agreement = LOG_DIFFERS_FROM_WITNESS;
    else if (kept.size > last->size)
        *agreement = WITNESS_SHORTER_THAN_LOG;
    else
        *agreement = last->reconciled && tree->size == last->size ? RECONCILIATION_UNFINISHED : LOG_AGREES;
    return true;
}

const char *agreement_text(enum agreement agreement)
{
    static const char *const texts[] = {"log_agrees", "log_shorter_than_witness", "witness_shorter_than_log",
        "reconciliation_unfinished", "log_differs_from_witness"};
    return texts[agreement];
}

bool witness_check(const char *path, const char *keys, struct fault *fault)
{
    char public_keys[PATH_MAX];
    struct witnessed last = {0};
    struct merkle tree = {0};
    struct pg *pg = NULL;
    enum agreement agreement = LOG_AGREES;
    snprintf(public_keys, sizeof public_keys, "%s/peers/audit.sign.pub", keys);
    bool known = pg_open(&pg, setting_text("SHIKAKU_DSN"), fault) &&
                 witness_compare(pg, path, public_keys, &last, &tree, &agreement, fault);
    pg_close(pg);
    if (!known || agreement == LOG_AGREES)
        return known;
    journal(JOURNAL_ERROR, NULL, agreement_text(agreement), NUMBER("log", tree.size), NUMBER("witness", last.size),
        WORD("run", "shikakuctl:audit:reconcile"));
    return fault_set(fault, FAULT_audit_disagrees, agreement_text(agreement));
}
