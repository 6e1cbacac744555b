/* The walls around the vault's process: what it lets others have, what it may ask of the kernel, and that it does not
 * start where a wall is missing. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "store/vault.h"
#include "vault/file_view.h"

extern char **environ;

static bool file_has(const char *path, const void *wanted, size_t len)
{
    struct stat about;
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fstat(fileno(file), &about), 0);
    char *bytes = malloc((size_t)about.st_size + 1);
    ck_assert_ptr_nonnull(bytes);
    size_t read = fread(bytes, 1, (size_t)about.st_size, file);
    bool has = memmem(bytes, read, wanted, len) != NULL;
    free(bytes);
    fclose(file);
    return has;
}

static int dumpable_at_preparation = -1;
static struct rlimit core_at_preparation = {1, 1};

/* Runs when keys are open and before any message is. */
static bool probe(struct fault *fault)
{
    dumpable_at_preparation = prctl(PR_GET_DUMPABLE);
    getrlimit(RLIMIT_CORE, &core_at_preparation);
    return fault_set(fault, FAULT_unavailable, "probe"); /* and no further */
}

static int port_free(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, len), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    close(fd);
    return ntohs(address.sin_port);
}

static int admin_port;

static void process_set_up(void)
{
    char text[32];
    store_open(&store, "vault");
    keys_folder_make();
    setenv("SHIKAKU_BUS", keys_folder, 1);
    setenv("SHIKAKU_DSN", store.dsn, 1);
    setenv("SHIKAKU_VAULT_SANDBOX", "required,-user", 1);
    admin_port = port_free();
    snprintf(text, sizeof text, "%d", admin_port);
    setenv("SHIKAKU_ADMIN_PORT", text, 1);
}

static void process_tear_down(void)
{
    char path[256];
    snprintf(path, sizeof path, "%s/vault.bus", keys_folder);
    unlink(path); /* of the one that died */
    keys_folder_remove();
    store_close(&store);
}

/* Pitfall 13: before the first message no core can be written and nobody can read the memory */
START_TEST(nothing_can_be_dumped)
{
    char *argv[] = {"shikaku-vault", NULL};
    const struct service probed = {.name = "vault",
        .schema_version = VAULT_SCHEMA_VERSION,
        .settings = vault_settings,
        .setting_count = VAULT_SETTINGS,
        .keys = vault_keys_wanted,
        .prepare = probe};
    ck_assert_int_eq(prctl(PR_GET_DUMPABLE), 1);
    ck_assert_int_eq(service_run(&probed, 1, argv), 1);
    ck_assert_int_eq(dumpable_at_preparation, 0);
    ck_assert_uint_eq(core_at_preparation.rlim_cur, 0);
    ck_assert_uint_eq(core_at_preparation.rlim_max, 0);
}
END_TEST

static bool admin_says(const char *path, const char *wanted)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)admin_port)};
    char text[256] = "";
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
        dprintf(fd, "GET %s HTTP/1.0\r\n\r\n", path);
        if (read(fd, text, sizeof text - 1) < 0)
            text[0] = '\0';
    }
    close(fd);
    return strstr(text, wanted) != NULL;
}

static void await_ready(pid_t pid)
{
    bool ready = false;
    for (int i = 0; i < 600 && !ready; i++) {
        ck_assert_msg(waitpid(pid, NULL, WNOHANG) == 0, "the vault ended at its start");
        ready = admin_says("/readyz", " 200 ");
        if (!ready)
            nanosleep(&(struct timespec){0, 50 * 1000000L}, NULL);
    }
    ck_assert(ready);
}

static pid_t vault_start(void)
{
    char program[512];
    char *argv[] = {program, NULL};
    pid_t pid;
    snprintf(program, sizeof program, "%s/shikaku-vault", getenv("SHIKAKU_BIN"));
    ck_assert_msg(posix_spawn(&pid, program, NULL, NULL, argv, environ) == 0, "%s is not built", program);
    await_ready(pid);
    return pid;
}

static void vault_stop(pid_t pid)
{
    int status;
    ck_assert_int_eq(kill(pid, SIGTERM), 0);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* The line of /proc/PID/FILE that begins so; the caller's. */
static char *proc_line(pid_t pid, const char *file, const char *begins)
{
    char path[64], line[512], *found = NULL;
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
    FILE *in = fopen(path, "r");
    ck_assert_ptr_nonnull(in);
    while (!found && fgets(line, sizeof line, in))
        if (strncmp(line, begins, strlen(begins)) == 0)
            found = strdup(line);
    fclose(in);
    ck_assert_msg(found != NULL, "%s has no %s", path, begins);
    return found;
}

static bool holds_socket(pid_t pid, unsigned long inode)
{
    char folder[64], path[128], target[64], wanted[64];
    bool holds = false;
    snprintf(folder, sizeof folder, "/proc/%d/fd", (int)pid);
    snprintf(wanted, sizeof wanted, "socket:[%lu]", inode);
    DIR *descriptors = opendir(folder);
    ck_assert_ptr_nonnull(descriptors);
    for (struct dirent *entry; !holds && (entry = readdir(descriptors));) {
        snprintf(path, sizeof path, "%s/%.32s", folder, entry->d_name);
        ssize_t len = readlink(path, target, sizeof target - 1);
        target[len > 0 ? len : 0] = '\0';
        holds = strcmp(target, wanted) == 0;
    }
    closedir(descriptors);
    return holds;
}

/* Listening TCP sockets of the process; how many of them not on 127.0.0.1 in *open. */
static int listens(pid_t pid, const char *table, int *open)
{
    char path[64], line[512], local[64], state[8];
    unsigned long inode;
    int count = 0;
    snprintf(path, sizeof path, "/proc/%d/net/%s", (int)pid, table);
    FILE *in = fopen(path, "r");
    while (in && fgets(line, sizeof line, in)) {
        if (sscanf(line, "%*s %63s %*s %7s %*s %*s %*s %*s %*s %lu", local, state, &inode) != 3 ||
            strcmp(state, "0A") != 0 || !holds_socket(pid, inode))
            continue;
        count++;
        *open += strncmp(local, "0100007F:", 9) != 0;
    }
    if (in)
        fclose(in);
    return count;
}

/* NUM-7, pitfall 13: the program itself: no core, keys in locked memory, not reached from any network, and it stops
 * when told; one that dies leaves no core */
START_TEST(the_program_keeps_to_itself)
{
    int status, open = 0;
    long locked = 0;
    char limit[2][32];
    pid_t pid = vault_start();
    char *line = proc_line(pid, "limits", "Max core file size");
    ck_assert_int_eq(sscanf(line, "Max core file size %31s %31s", limit[0], limit[1]), 2);
    ck_assert_str_eq(limit[0], "0");
    ck_assert_str_eq(limit[1], "0");
    free(line);
    line = proc_line(pid, "status", "VmLck:");
    ck_assert_int_eq(sscanf(line, "VmLck: %ld kB", &locked), 1);
    ck_assert_int_ge(locked, 64);
    free(line);
    ck_assert_int_eq(listens(pid, "tcp", &open), 1); /* the admin port */
    ck_assert_int_eq(listens(pid, "tcp6", &open), 0);
    ck_assert_int_eq(open, 0);
    ck_assert_int_eq(kill(pid, SIGTERM), 0);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    pid = vault_start();
    ck_assert_int_eq(kill(pid, SIGABRT), 0);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSIGNALED(status) && !WCOREDUMP(status));
}
END_TEST

/* Every thread of the process has this line in its status. */
static void threads_say(pid_t pid, const char *name, const char *wanted)
{
    char folder[64], file[320];
    int threads = 0;
    snprintf(folder, sizeof folder, "/proc/%d/task", (int)pid);
    DIR *tasks = opendir(folder);
    ck_assert_ptr_nonnull(tasks);
    for (struct dirent *entry; (entry = readdir(tasks));) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(file, sizeof file, "task/%.32s/status", entry->d_name);
        char *line = proc_line(pid, file, name);
        ck_assert_msg(strcmp(line, wanted) == 0, "%s", line);
        free(line);
        threads++;
    }
    closedir(tasks);
    ck_assert_int_ge(threads, 4);
}

/* NUM-2, NUM-7: once it has started no thread can ask the kernel for more than its work needs, nor win rights back; a
 * vault told to go without does, and one told nonsense does not start */
START_TEST(the_program_is_confined)
{
    pid_t pid = vault_start();
#ifdef __SANITIZE_ADDRESS__
    threads_say(pid, "Seccomp:", "Seccomp:\t0\n"); /* see sandbox.c; `tests/run --release` proves the filter */
#else
    threads_say(pid, "Seccomp:", "Seccomp:\t2\n");
    threads_say(pid, "NoNewPrivs:", "NoNewPrivs:\t1\n");
#endif
    vault_stop(pid);
    setenv("SHIKAKU_VAULT_SANDBOX", "off", 1);
    pid = vault_start();
    threads_say(pid, "Seccomp:", "Seccomp:\t0\n");
    vault_stop(pid);
}
END_TEST

static const char *const nonsense[] = {
    "perhaps", "required,-everything", "required,user", "required,-user,", "offside"};

START_TEST(a_wrong_word_for_the_walls_is_refused)
{
    int status;
    char program[512];
    char *argv[] = {program, NULL};
    pid_t pid;
    snprintf(program, sizeof program, "%s/shikaku-vault", getenv("SHIKAKU_BIN"));
    for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++) {
        setenv("SHIKAKU_VAULT_SANDBOX", nonsense[i], 1);
        ck_assert_int_eq(posix_spawn(&pid, program, NULL, NULL, argv, environ), 0);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 1, "%s", nonsense[i]);
    }
}
END_TEST

/* --- a machine that lacks something ------------------------------------------------------------------------------- */

static const struct lack {
    const char *wall;
    int call; /* that fails there; 0: none */
    struct scmp_arg_cmp only;
    bool only_so;
    const char *says;
} lacks[] = {
    {"user", 0, {0}, false, "\"wall\":\"user\""},
    {"files", SCMP_SYS(landlock_create_ruleset), {0}, false, "\"wall\":\"files\""},
    {"files", SCMP_SYS(landlock_restrict_self), {0}, false, "\"wall\":\"files\""},
#ifndef __SANITIZE_ADDRESS__
    /* The sanitizer locks nothing, filters no calls, and sets this limit itself: `tests/run --release` proves these. */
    {"memory", SCMP_SYS(mlockall), {0}, false, "\"wall\":\"memory\""},
    {NULL, SCMP_SYS(prlimit64), {1, SCMP_CMP_EQ, RLIMIT_CORE, 0}, true, "limits_refused"},
    {"calls", SCMP_SYS(seccomp), {0}, false, "\"wall\":\"calls\""},
#endif
    {NULL, SCMP_SYS(prctl), {0, SCMP_CMP_EQ, PR_SET_DUMPABLE, 0}, true, "limits_refused"},
};

static void lack_make(const struct lack *lack)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    int added = lack->only_so ? seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), lack->call, 1, lack->only)
                              : seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), lack->call, 0);
    if (added != 0 || seccomp_load(filter) != 0)
        _exit(99);
    seccomp_release(filter);
}

static char said[300]; /* file of what the vault writes to its journal */

static pid_t vault_start_lacking(const struct lack *lack)
{
    char program[512];
    snprintf(program, sizeof program, "%s/shikaku-vault", getenv("SHIKAKU_BIN"));
    snprintf(said, sizeof said, "%s/said", keys_folder);
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    int fd = open(said, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || dup2(fd, 2) < 0)
        _exit(99);
    if (lack->call)
        lack_make(lack);
    execl(program, program, (char *)NULL);
    _exit(99);
}

/* Pitfall 13, NUM-2: where a wall cannot be had the vault does not start, and says which; a setting lets it go without
 * that one, which it says too. Cores and looking into its memory are no matter of settings. */
START_TEST(a_wall_that_cannot_be_had_refuses_the_start)
{
    const struct lack *lack = &lacks[_i];
    int status;
    setenv("SHIKAKU_VAULT_SANDBOX", lack->wall && strcmp(lack->wall, "user") == 0 ? "required" : "required,-user", 1);
    pid_t pid = vault_start_lacking(lack);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 1, "ended with %x", status);
    ck_assert(file_has(said, lack->says, strlen(lack->says)));
    ck_assert(!file_has(said, "\"ready\"", 7));
    if (lack->call == SCMP_SYS(landlock_create_ruleset)) { /* the setting is read alike for all */
        setenv("SHIKAKU_VAULT_SANDBOX", "required,-user,-files", 1);
        pid = vault_start_lacking(lack);
        await_ready(pid);
        vault_stop(pid);
        ck_assert(file_has(said, lack->says, strlen(lack->says)));
    }
    unlink(said);
}
END_TEST

#define OWN_USER 61611 /* nobody's */

static void own_user_prepare(void)
{
    char command[2200], dsn[700], *passfile;
    snprintf(command, sizeof command,
        "cp '%s/vault/db-password' '%s/vault/' && cp -r build/kit/card-roots '%s/' && chown -R %d '%s/vault' '%s' && "
        "chmod 700 '%s/vault' && chmod 711 "
        "'%s' && "
        "mkdir -m 700 '%s/intake' && chown 0 '%s/intake'",
        shared_keys, keys_folder, keys_folder, OWN_USER, keys_folder, keys_folder, keys_folder, keys_folder,
        keys_folder, keys_folder);
    ck_assert_int_eq(system(command), 0);
    snprintf(command, sizeof command, "%s/card-roots", keys_folder);
    setenv("SHIKAKU_CARD_ROOTS", command, 1);
    snprintf(dsn, sizeof dsn, "%s", store.dsn);
    passfile = strstr(dsn, "passfile=");
    ck_assert_ptr_nonnull(passfile);
    snprintf(passfile, sizeof dsn - (size_t)(passfile - dsn), "passfile=%s/vault/db-password", keys_folder);
    setenv("SHIKAKU_DSN", dsn, 1);
}

/* NUM-2: as an account of its own it starts with every wall; not when another service's keys are open to it. Only root
 * can try this, in a checkout that others may read. */
START_TEST(as_its_own_user_it_has_every_wall)
{
    char command[900], program[512];
    char *argv[] = {"setpriv", "--reuid=61611", "--regid=61611", "--clear-groups", "--inh-caps=+ipc_lock",
        "--ambient-caps=+ipc_lock", program, NULL};
    pid_t pid;
    int status;
    snprintf(program, sizeof program, "%s/shikaku-vault", getenv("SHIKAKU_BIN"));
    snprintf(command, sizeof command, "setpriv --reuid=61611 --regid=61611 --clear-groups test -x '%s'", program);
    if (geteuid() != 0 || system(command) != 0)
        return;
    own_user_prepare();
    setenv("SHIKAKU_VAULT_SANDBOX", "required", 1);
    ck_assert_int_eq(posix_spawnp(&pid, "setpriv", NULL, NULL, argv, environ), 0);
    await_ready(pid);
    vault_stop(pid);
    snprintf(command, sizeof command, "chmod 755 '%s/intake'", keys_folder);
    ck_assert_int_eq(system(command), 0);
    ck_assert_int_eq(posix_spawnp(&pid, "setpriv", NULL, NULL, argv, environ), 0);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}
END_TEST

/* With a token of its own, in its own key folder. */
static void own_user_set_up(void)
{
    own_token = true;
    process_set_up();
}

static int socket_listen(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int bound = bind(fd, (struct sockaddr *)&address, sizeof address);
    close(fd);
    return bound;
}

/* NUM-2: nothing can be written, made, moved or removed, in no folder, nor a program started; what was readable is */
START_TEST(the_view_of_files_is_read_only)
{
    char folder[] = "/tmp/shikaku-view-XXXXXX", old[64], new[64], path[64];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(old, sizeof old, "%s/old", folder);
    snprintf(new, sizeof new, "%s/new", folder);
    ck_assert_int_ge(open(old, O_WRONLY | O_CREAT, 0600), 0);
    snprintf(path, sizeof path, "%s/sub", folder);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    pid_t pid = fork();
    if (pid == 0) {
        bool right = file_view_narrow(folder) && open(old, O_RDONLY) >= 0 && open(old, O_WRONLY) < 0 &&
                     open(new, O_WRONLY | O_CREAT, 0600) < 0 &&
                     open("/dev/shm/shikaku", O_WRONLY | O_CREAT, 0600) < 0 && mkdir(new, 0700) != 0 &&
                     rename(old, new) != 0 && symlink(old, new) != 0 && rmdir(path) != 0 && socket_listen(new) == 0 &&
                     unlink(new) == 0 && socket_listen("/dev/shm/shikaku") != 0;
        _exit(right ? 0 : 1);
    }
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    rmdir(path);
    unlink(old);
    rmdir(folder);
}
END_TEST

int main(void)
{
    if (!kit_authorities_make("build/kit"))
        return 1;
    Suite *suite = suite_create("vault_process");
    TCase *tests = tcase_create("process");
    tcase_set_timeout(tests, 90);
    tcase_add_checked_fixture(tests, process_set_up, process_tear_down);
    tcase_add_test(tests, nothing_can_be_dumped);
    tcase_add_test(tests, the_program_keeps_to_itself);
    tcase_add_test(tests, the_program_is_confined);
    tcase_add_test(tests, a_wrong_word_for_the_walls_is_refused);
    tcase_add_loop_test(tests, a_wall_that_cannot_be_had_refuses_the_start, 0, sizeof lacks / sizeof *lacks);
    suite_add_tcase(suite, tests);
    tests = tcase_create("own user");
    tcase_set_timeout(tests, 90);
    tcase_add_checked_fixture(tests, own_user_set_up, process_tear_down);
    tcase_add_test(tests, as_its_own_user_it_has_every_wall);
    suite_add_tcase(suite, tests);
    tests = tcase_create("files");
    tcase_add_test(tests, the_view_of_files_is_read_only);
    suite_add_tcase(suite, tests);
    SRunner *r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
