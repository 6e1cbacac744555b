/* shikaku-audit-verify: for anyone who has an export of the log, the witness's heads and audit's public keys. */
#include "audit_verify/verify.h"

#include <string.h>

static int usage(void)
{
    fprintf(stderr,
        "usage:\n"
        "  shikaku-audit-verify log EXPORT HEADS KEYS     is the whole log what the witness saw?  EXPORT -: standard "
        "input\n"
        "  shikaku-audit-verify proof PROOF KEYS          is this record in the log, or does this head extend that "
        "one?\n"
        "It prints one line of JSON; exit status 0: all is whole, 1: something is wrong, 2: a file cannot be read.\n");
    return 2;
}

static FILE *file_open(const char *path)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    if (!file)
        fprintf(stderr, "%s cannot be read\n", path);
    return file;
}

int main(int argc, char **argv)
{
    struct verdict verdict = {.whole = false};
    struct keys keys;
    bool log = argc == 5 && strcmp(argv[1], "log") == 0, proof = argc == 4 && strcmp(argv[1], "proof") == 0;
    if (!log && !proof)
        return usage();
    FILE *subject = file_open(argv[2]), *heads = log ? file_open(argv[3]) : NULL, *key_file = file_open(argv[argc - 1]);
    if (!subject || (log && !heads) || !key_file)
        return 2;
    if (!keys_read(&keys, key_file)) {
        fprintf(stderr, "%s holds no key\n", argv[argc - 1]);
        return 2;
    }
    if (log)
        log_verify(subject, heads, &keys, &verdict);
    else
        proof_verify(subject, &keys, &verdict);
    verdict_print(&verdict);
    return !verdict.whole;
}
