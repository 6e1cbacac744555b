/* The vault's program is killed at each named point of a request and of the relay of records of use: what it leaves is
 * all or nothing, and the same request made again gets one answer, has one effect and one record. Then two programs, as
 * replicas, are asked about the same persons at the same instant. */
#include "store/vault_program.h"

#include <pthread.h>

#define ROUNDS 20

static uint32_t people_used;

/* --- what it leaves --- */

static PGconn *owner_open(void)
{
    PGconn *owner = PQconnectdb(store.owner);
    PQclear(PQexec(owner, "SELECT set_config('shikaku.manager', 'tokyo', false)"));
    return owner;
}

static int count(PGconn *owner, const char *sql)
{
    PGresult *result = PQexec(owner, sql);
    ck_assert_msg(PQresultStatus(result) == PGRES_TUPLES_OK, "%s", PQerrorMessage(owner));
    int value = atoi(PQgetvalue(result, 0, 0));
    PQclear(result);
    return value;
}

struct left {
    int rows, inbox, records;
};

/* Records of this reason in the outbox that audit has not seen. */
static int records_waiting(PGconn *owner, const char *reason, const char *told)
{
    char sql[400], key[128];
    int waiting = 0;
    snprintf(sql, sizeof sql,
        "SELECT instance::text || ' ' || worker || ' ' || sequence || ' ' FROM vault.audit_outbox "
        "WHERE position('%s'::bytea IN event) > 0 AND position('done'::bytea IN event) > 0",
        reason);
    PGresult *rows = PQexec(owner, sql);
    for (int i = 0; i < PQntuples(rows); i++) {
        snprintf(key, sizeof key, "%s", PQgetvalue(rows, i, 0));
        waiting += !strstr(told, key);
    }
    PQclear(rows);
    return waiting;
}

/* What audit was told, whole; the caller's. */
static char *told_read(void)
{
    char *text = NULL, buffer[4096];
    size_t len, size;
    FILE *out = open_memstream(&text, &size), *in = fopen(seen_path, "r");
    while (in && (len = fread(buffer, 1, sizeof buffer, in)) > 0)
        fwrite(buffer, 1, len, out);
    if (in)
        fclose(in);
    fclose(out);
    return text;
}

/* Different records of this reason that audit was told; a relay may tell one twice. */
static int records_told(const char *told, const char *reason)
{
    char wanted[64];
    int found = 0;
    snprintf(wanted, sizeof wanted, " %s done\n", reason);
    for (const char *at = told; (at = strstr(at, wanted)); at++) {
        const char *line = at;
        while (line > told && line[-1] != '\n')
            line--;
        char *whole = strndup(line, (size_t)(at - line) + 1);
        found += strstr(told, whole) == line; /* its first telling */
        free(whole);
    }
    return found;
}

static struct left left_read(const char *reason)
{
    PGconn *owner = owner_open();
    char *told = told_read();
    struct left left = {count(owner,
                            "SELECT (SELECT count(*) FROM vault.tie) + (SELECT count(*) FROM vault.gateway_tie) + "
                            "(SELECT count(*) FROM vault.portal_tie) + (SELECT count(*) FROM vault.unnumbered)"),
        count(owner, "SELECT count(*) FROM vault.inbox"),
        records_waiting(owner, reason, told) + records_told(told, reason)};
    free(told);
    PQfinish(owner);
    return left;
}

/* --- acts --- */

/* A request ready to be sent, and sent again. */
struct act {
    enum route route;
    char application[37], pseudonym[PSEUDONYM_LENGTH + 1];
    int rows; /* that it makes */
    char *sealed;
    uint8_t signer[32], key[IDEMPOTENCY_KEY_BYTES];
    union {
        Vault__EnrolRequest enrol;
        Vault__IssueRequest issue;
        Vault__GatewayIdRequest gateway;
        Vault__PortalTieRequest portal;
        ProtobufCMessage base;
    } request;
};

static bool act_send(struct bus_caller *by, struct arena *in, const struct act *act, ProtobufCMessage **reply)
{
    struct fault fault = {0};
    const struct bus_request request = {
        .route = act->route, .key = act->key, .correlation = act->application, .message = &act->request.base};
    return bus_call(by, in, &request, reply, &fault);
}

static void act_begin(struct act *act, enum route route, int rows)
{
    memset(act, 0, sizeof *act);
    act->route = route;
    act->rows = rows;
    uuid_make(act->application);
    bus_key(act->key, route, act->application, NULL);
    memset(act->signer, 0xA5, sizeof act->signer);
}

static void act_seal(struct act *act)
{
    char hex[65];
    hex_put(hex, act->signer, sizeof act->signer);
    struct kit_person person;
    kit_person_make(&person, SEED, people_used++);
    act->sealed = kit_seal_paper(sealer, &(struct kit_binding){act->application, "tokyo", hex}, person.number);
}

static void enrol_make(struct act *act)
{
    act_begin(act, ROUTE_vault_enrol, 1);
    act_seal(act);
    act->request.enrol = (Vault__EnrolRequest)VAULT__ENROL_REQUEST__INIT;
    act->request.enrol.manager = "tokyo";
    act->request.enrol.application = act->application;
    act->request.enrol.signer = (ProtobufCBinaryData){sizeof act->signer, act->signer};
    act->request.enrol.sealed_number = act->sealed;
    act->request.enrol.paper = true;
}

/* Somebody new, who is enrolled already. */
static void pseudonym_take(char pseudonym[PSEUDONYM_LENGTH + 1])
{
    struct act enrol;
    ProtobufCMessage *reply;
    enrol_make(&enrol);
    ck_assert(act_send(caller, arena, &enrol, &reply));
    snprintf(pseudonym, PSEUDONYM_LENGTH + 1, "%s", ((Vault__EnrolReply *)reply)->pseudonym);
    free(enrol.sealed);
}

static void issue_make(struct act *act)
{
    act_begin(act, ROUTE_vault_issue, 1);
    act->request.issue = (Vault__IssueRequest)VAULT__ISSUE_REQUEST__INIT;
    act->request.issue.manager = "tokyo";
    act->request.issue.application = act->application;
}

static void gateway_make(struct act *act)
{
    act_begin(act, ROUTE_vault_gateway_id, 1);
    pseudonym_take(act->pseudonym);
    act->request.gateway = (Vault__GatewayIdRequest)VAULT__GATEWAY_ID_REQUEST__INIT;
    act->request.gateway.manager = "tokyo";
    act->request.gateway.pseudonym = act->pseudonym;
    act->request.gateway.application = act->application;
}

static void portal_make(struct act *act)
{
    act_begin(act, ROUTE_vault_portal_tie, 1);
    pseudonym_take(act->pseudonym);
    act->request.portal = (Vault__PortalTieRequest)VAULT__PORTAL_TIE_REQUEST__INIT;
    act->request.portal.manager = "tokyo";
    act->request.portal.pseudonym = act->pseudonym;
    act->request.portal.portal_pseudonym = act->application; /* as good as any */
    act->request.portal.application = act->application;
}

/* --- being killed --- */

enum leaves { NOTHING, EITHER, ALL };

struct point {
    const char *name;
    enum trap_when when;
    const char *what, *within;
    enum leaves leaves;
    bool around; /* a commit: for every act */
};

static const struct point points[] = {
    {"before the claim", TRAP_BEFORE, "FROM vault.inbox WHERE caller", "", NOTHING},
    {"after the claim", TRAP_AFTER, "FROM vault.inbox WHERE caller", "", NOTHING},
    {"before the record of use", TRAP_BEFORE, "INSERT INTO vault.audit_outbox", "", NOTHING},
    {"before the reply is kept", TRAP_BEFORE, "INSERT INTO vault.inbox", "", NOTHING},
    {"before the commit", TRAP_BEFORE, "COMMIT", "request", NOTHING},
    {"before the commit's answer", TRAP_SENT, "COMMIT", "request", EITHER, true},
    {"after the commit", TRAP_AFTER, "COMMIT", "request", ALL, true},
    {"before the reply is sent", TRAP_BEFORE, "message:reply", "", ALL},
    {"after the reply was sent", TRAP_AFTER, "message:reply", "", ALL},
    {"before the record is relayed", TRAP_BEFORE, "message:audit", "", ALL},
    {"after the record was relayed", TRAP_BEFORE, "DELETE FROM vault.audit_outbox", "", ALL},
    {"before the relay's commit", TRAP_BEFORE, "COMMIT", "relay", ALL},
    {"before the answer to the relay's commit", TRAP_SENT, "COMMIT", "relay", ALL},
    {"after the relay's commit", TRAP_AFTER, "COMMIT", "relay", ALL},
};

struct sending {
    const struct act *act;
    bool done;
};

/* What waits for an answer while the vault dies and comes back; nng may repeat it by itself. */
static void *send_run(void *argument)
{
    struct sending *sending = argument;
    ProtobufCMessage *reply;
    struct bus_caller *by = bus_caller_new("intake");
    struct arena *in = arena_new(256 * 1024);
    sending->done = act_send(by, in, sending->act, &reply);
    arena_free(in);
    bus_caller_free(by);
    return NULL;
}

static void left_check(const struct point *point, const struct left *before, const struct left *now, int rows)
{
    int made = now->rows - before->rows, kept = now->inbox - before->inbox;
    bool nothing = made == 0 && kept == 0 && now->records == 0;
    bool all = made == rows && kept == 1 && now->records == 1;
    ck_assert_msg(point->leaves == NOTHING ? nothing
                  : point->leaves == ALL   ? all
                                           : nothing || all,
        "%s: %d rows, %d replies, %d records", point->name, made, kept, now->records);
}

/* The same request twice more: done, and the very same answer. */
static void again_check(const struct point *point, const struct act *act)
{
    uint8_t first[512], second[512];
    size_t len[2];
    uint8_t *const into[] = {first, second};
    for (int i = 0; i < 2; i++) {
        ProtobufCMessage *reply;
        ck_assert_msg(act_send(caller, arena, act, &reply), "%s: not done at try %d", point->name, i + 1);
        len[i] = protobuf_c_message_get_packed_size(reply);
        ck_assert_uint_le(len[i], sizeof first);
        protobuf_c_message_pack(reply, into[i]);
    }
    ck_assert_uint_eq(len[0], len[1]);
    ck_assert_mem_eq(first, second, len[0]);
}

static void records_await(const struct point *point, const char *reason)
{
    int told = 0;
    for (int i = 0; i < 1000 && !told; i++) {
        char *text = told_read();
        told = records_told(text, reason);
        free(text);
        nanosleep(&(struct timespec){0, 10 * 1000000L}, NULL);
    }
    ck_assert_msg(told == 1, "%s: %d records", point->name, told);
}

/* Nothing of what came before is still on its way. */
static void relayed_await(void)
{
    PGconn *owner = owner_open();
    for (int i = 0; i < 1000 && count(owner, "SELECT count(*) FROM vault.audit_outbox") > 0; i++)
        nanosleep(&(struct timespec){0, 10 * 1000000L}, NULL);
    PQfinish(owner);
}

static void kill_at(const struct point *point, void (*make)(struct act *))
{
    struct act act;
    struct sending sending = {.act = &act};
    pthread_t thread;
    int status;
    make(&act);
    relayed_await();
    struct left before = left_read(act.application);
    snprintf(trap->what, sizeof trap->what, "%s", point->what);
    snprintf(trap->within, sizeof trap->within, "%s", point->within);
    trap->sprung = false;
    trap->when = point->when;
    ck_assert_int_eq(pthread_create(&thread, NULL, send_run, &sending), 0);
    ck_assert_int_eq(waitpid(vaults[0].pid, &status, 0), vaults[0].pid);
    ck_assert_msg(trap->sprung && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "%s", point->name);
    struct left dead = left_read(act.application);
    left_check(point, &before, &dead, act.rows);
    vault_start(&vaults[0]);
    pthread_join(thread, NULL);
    again_check(point, &act);
    records_await(point, act.application);
    struct left after = left_read(act.application);
    left_check(&(struct point){.name = point->name, .leaves = ALL}, &before, &after, act.rows);
    free(act.sealed);
    arena_reset(arena);
}

static void killed_set_up(void)
{
    world_open();
    if ((auditor = fork()) == 0)
        auditor_main();
    vault_start(&vaults[0]);
    voice_open();
}

static void killed_tear_down(void)
{
    vault_stop(&vaults[0]);
    kill(auditor, SIGKILL);
    waitpid(auditor, NULL, 0);
    voice_close();
    world_close();
}

/* NUM-1, LOG-1, pitfalls 1 and 11: an enrolment at every point; every other act that writes, around its commit */
START_TEST(an_act_is_whole_wherever_it_dies)
{
    static void (*const makes[])(struct act *) = {issue_make, gateway_make, portal_make};
    for (size_t i = 0; i < sizeof points / sizeof *points; i++)
        kill_at(&points[i], enrol_make);
    for (size_t i = 0; i < sizeof points / sizeof *points; i++)
        for (size_t j = 0; points[i].around && j < sizeof makes / sizeof *makes; j++)
            kill_at(&points[i], makes[j]);
}
END_TEST

/* --- replicas --- */

struct answers {
    char pseudonyms[ROUNDS][PSEUDONYM_LENGTH + 1];
    bool known[ROUNDS];
};

/* Seen by the test and by the processes that ask. */
static struct shared {
    pthread_barrier_t ready, line; /* of all; of those who ask */
    struct answers answers[REPLICAS];
} * shared;
static pid_t asking[REPLICAS];

/* A process of its own asks one replica about everybody; it waits for the other before each. */
static void replica_ask(const struct program *vault, struct answers *answers)
{
    ProtobufCMessage *reply;
    setenv("SHIKAKU_BUS", vault->bus, 1);
    pthread_barrier_wait(&shared->ready);
    if (!settings_read(settings, sizeof settings / sizeof *settings))
        _exit(1);
    voice_open();
    for (int i = 0; i < ROUNDS; i++) {
        struct act act;
        enrol_make(&act);
        pthread_barrier_wait(&shared->line);
        if (!act_send(caller, arena, &act, &reply))
            _exit(2);
        const Vault__EnrolReply *enrolled = (const Vault__EnrolReply *)reply;
        snprintf(answers->pseudonyms[i], sizeof answers->pseudonyms[i], "%s", enrolled->pseudonym);
        answers->known[i] = enrolled->known_already;
    }
    _exit(0);
}

static void replicas_set_up(void)
{
    pthread_barrierattr_t across;
    world_open();
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert(shared != MAP_FAILED);
    pthread_barrierattr_init(&across);
    pthread_barrierattr_setpshared(&across, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(&shared->ready, &across, REPLICAS + 1);
    pthread_barrier_init(&shared->line, &across, REPLICAS);
    for (int i = 0; i < REPLICAS; i++)
        if ((asking[i] = fork()) == 0) /* before nng has threads */
            replica_ask(&vaults[i], &shared->answers[i]);
    for (int i = 0; i < REPLICAS; i++)
        vault_start(&vaults[i]);
}

static void replicas_tear_down(void)
{
    for (int i = 0; i < REPLICAS; i++)
        vault_stop(&vaults[i]);
    munmap(shared, sizeof *shared);
    world_close();
}

/* NUM-1: one person at the same instant at two replicas is one, and exactly one of them made it */
START_TEST(two_replicas_agree)
{
    int status;
    pthread_barrier_wait(&shared->ready);
    for (int i = 0; i < REPLICAS; i++) {
        ck_assert_int_eq(waitpid(asking[i], &status, 0), asking[i]);
        ck_assert_int_eq(status, 0);
    }
    for (int i = 0; i < ROUNDS; i++) {
        ck_assert_str_eq(shared->answers[0].pseudonyms[i], shared->answers[1].pseudonyms[i]);
        ck_assert_int_ne(shared->answers[0].known[i], shared->answers[1].known[i]);
    }
    PGconn *owner = owner_open();
    ck_assert_int_eq(count(owner, "SELECT count(*) FROM vault.tie"), ROUNDS);
    PQfinish(owner);
}
END_TEST

int main(void)
{
    if (!kit_authorities_make("build/kit"))
        return 1;
    Suite *suite = suite_create("vault_killed");
    TCase *tests = tcase_create("killed");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, killed_set_up, killed_tear_down);
    tcase_add_test(tests, an_act_is_whole_wherever_it_dies);
    suite_add_tcase(suite, tests);
    tests = tcase_create("replicas");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, replicas_set_up, replicas_tear_down);
    tcase_add_test(tests, two_replicas_agree);
    suite_add_tcase(suite, tests);
    SRunner *r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
