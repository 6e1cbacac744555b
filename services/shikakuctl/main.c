/* shikakuctl: what an operator does by hand. It runs on the machine of the services, as their user. */
#include "chassis/journal.h"
#include "chassis/settings.h"
#include "shikakuctl/commands.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static const struct setting settings[] = {
    {"SHIKAKU_KEYS", SETTING_TEXT, "var/keys", 0, 0, "Folder of keys."},
    {"SHIKAKU_BUS", SETTING_TEXT, "var/run", 0, 0, "Folder of the bus's sockets, or tls+tcp://HOST:PORT."},
    {"SHIKAKU_DSN", SETTING_TEXT, "", 0, 0, "How to read audit's log; empty: by audit's role in the private cluster."},
    {"SHIKAKU_BIN", SETTING_TEXT, "build/release/bin", 0, 0, "Folder of the programs."},
    {"SHIKAKU_WITNESS", SETTING_TEXT, "var/witness/heads", 0, 0, "File of the signed heads of audit's log."},
};

static const struct command {
    const char *group, *name, *words, *prose;
    int (*run)(int argc, char **argv);
} commands[] = {
    {"keys", "init", "", "make the tokens and the keys on the bus that are missing", keys_init_command},
    {"keys", "rotate", "SERVICE KIND [MANAGER]",
        "replace a key while the service runs; KIND: data, index, issue, seal, sign or wrap; MANAGER * is the "
        "service's "
        "own; without it, all that have one",
        keys_rotate_command},
    {"keys", "status", "[SERVICE]", "which keys are there, how old, which are being replaced and how far",
        keys_status_command},
    {"keys", "end", "MANAGER DECISION",
        "end a manager's use of the vault for good: destroy its keys, print what was destroyed", keys_end_command},
    {"peer", "add", "NAME KEY MANAGER ROUTE…", "enrol an agency's own client: its X25519 key in hex, what it may send",
        peer_add_command},
    {"staff", "add", "ACCOUNT ROLE MANAGER PROGRAMMES PERSON NEED",
        "one of a manager's first two administrators; PROGRAMMES: a,b or all; the first password is read from standard "
        "input",
        staff_add_command},
    {"staff", "compare", "MANAGER", "hold applications, register and rights in force against each other",
        staff_compare_command},
    {"rights", "status", "[MANAGER]",
        "which rights table is in force at each service, and for which managers a review of it is due",
        rights_status_command},
    {"audit", "export", "FILE", "the whole log, for shikaku-audit-verify; FILE -: standard output",
        audit_export_command},
    {"audit", "prove", "record POSITION | head SIZE",
        "that a record is in the log, or that the newest head extends the one of that size", audit_prove_command},
    {"audit", "verify", "", "hold the log of records of use against the witness", audit_verify_command},
    {"audit", "reconcile", "REASON",
        "after a restore: state that the log goes on from where it is; REASON is the decision's id",
        audit_reconcile_command},
    {"audit", "gaps", "", "workers' chains that stand still because records are missing, and those that were released",
        audit_gaps_command},
    {"audit", "release", "CHAIN REASON",
        "let such a chain go on; what is missing is stated in the log for good; REASON: the decision's id",
        audit_release_command},
    {"audit", "status", "", "how long the log is, and how far signed", audit_status_command},
};

static int usage(void)
{
    fprintf(stderr, "usage:\n");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        fprintf(stderr, "  shikakuctl %s %s %s\n      %s\n", commands[i].group, commands[i].name, commands[i].words,
            commands[i].prose);
    return COMMAND_USAGE;
}

int main(int argc, char **argv)
{
    const struct rlimit none = {0, 0};
    journal_open("shikakuctl");
    signal(SIGPIPE, SIG_IGN);
    if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0) != 0)
        return 1;
    if (!settings_read(settings, sizeof settings / sizeof *settings))
        return 1;
    for (size_t i = 0; argc >= 3 && i < sizeof commands / sizeof *commands; i++)
        if (strcmp(argv[1], commands[i].group) == 0 && strcmp(argv[2], commands[i].name) == 0) {
            int status = commands[i].run(argc - 3, argv + 3);
            return status == COMMAND_USAGE ? usage() : status;
        }
    return usage();
}
