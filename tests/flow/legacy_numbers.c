/* The number on its way out: from the vault, sealed, to each existing system that is entitled to it, and to no other.
 * Real vault, records, audit, legacy_sync and stand-ins on a stack of their own; this program speaks as intake, and,
 * run again as `legacy_numbers portal`, asks the vault for its public key as portal. */
#include "chassis/arena.h"
#include "chassis/bus.h"
#include "chassis/keyring.h"
#include "chassis/settings.h"
#include "chassis/work.h"
#include "kit/people.h"
#include "kit/sealed_number.h"
#include "legacy_sync.pb-c.h"
#include "legacy_sync/agile.h"
#include "legacy_sync/workbook.h"
#include "vault.pb-c.h"

#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define STACK "postgres double-kaigi double-hoikushi double-ginou audit vault records legacy_sync intake"
#define SEED 20261121
#define TERMINAL "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define WAIT_SECONDS 45 /* over the lease that a killed process leaves */

static const struct setting settings[] = {
    {"SHIKAKU_KEYS", SETTING_TEXT, NULL, 0, 0, "keys"},
    {"SHIKAKU_BUS", SETTING_TEXT, NULL, 0, 0, "sockets"},
    {"SHIKAKU_BIN", SETTING_TEXT, NULL, 0, 0, "programs"},
};
static struct bus_caller *caller;
static struct arena *arena;
static struct kit_sealer *sealer;
static char self[512];

/* --- the stack -------------------------------------------------------------------------------------------------- */

static void run(const char *format, const char *argument)
{
    char command[1024];
    snprintf(command, sizeof command, format, argument);
    ck_assert_msg(system(command) == 0, "failed: %s", command);
}

/* Take over the environment that a service of the stack is started with. */
static void environment_take(void)
{
    char line[2048];
    FILE *in = popen("deploy/stack env intake", "r");
    while (in && fgets(line, sizeof line, in)) {
        char *name = strstr(line, "SHIKAKU_"), *value = name ? strchr(name, '=') : NULL;
        size_t length = value ? strlen(value) : 0;
        if (value && length > 3 && value[1] == '"') {
            *value = 0;
            value[length - 2] = 0; /* the closing quote */
            setenv(name, value + 2, 1);
        }
    }
    ck_assert(in && pclose(in) == 0);
}

static void place_choose(void)
{
    char place[1024], *end;
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    ck_assert_int_gt(n, 0);
    snprintf(place, sizeof place, "%s", self);
    end = strstr(place, "/tests/flow/");
    ck_assert_ptr_nonnull(end);
    strcpy(end, "/bin");
    setenv("SHIKAKU_BIN", place, 1);
    strcpy(end, "/flow/legacy_numbers");
    setenv("SHIKAKU_VAR", place, 1);
    setenv("SHIKAKU_PORT_BASE", "9700", 1);
}

/* Outside a test too, so it says what is wrong itself. */
static bool identity_take(const char *name)
{
    struct fault fault = {0};
    bool taken =
        settings_read(settings, sizeof settings / sizeof *settings) && keyring_open(name, NULL, NULL, 0, &fault);
    caller = taken ? bus_caller_new(name) : NULL;
    arena = arena_new(4 << 20);
    if (!caller || !arena) {
        fprintf(stderr, "legacy_numbers: no identity of %s: %s %s\n", name, fault_code_text(fault.code), fault.field);
        return false;
    }
    return true;
}

static int portal_main(void)
{
    ProtobufCMessage *reply;
    struct fault fault = {0};
    Vault__KeysRequest request = VAULT__KEYS_REQUEST__INIT;
    struct bus_request asked = {.route = ROUTE_vault_keys, .message = &request.base};
    if (!identity_take("portal") || !bus_call(caller, arena, &asked, &reply, &fault)) {
        fprintf(stderr, "legacy_numbers: no key of the vault: %s\n", fault_code_text(fault.code));
        return 1;
    }
    puts(((Vault__KeysReply *)reply)->jwks);
    return 0;
}

static void setup(void)
{
    char command[1024], jwks[4096];
    place_choose();
    run("deploy/stack stop %s", STACK); /* what a run that was broken off left */
    run("deploy/stack start %s >/dev/null", STACK);
    environment_take();
    snprintf(command, sizeof command, "%s portal", self);
    FILE *in = popen(command, "r");
    ck_assert_msg(in && fgets(jwks, sizeof jwks, in), "the vault gave no key");
    ck_assert_int_eq(pclose(in), 0);
    sealer = kit_sealer_new(jwks);
    ck_assert_ptr_nonnull(sealer);
    ck_assert(identity_take("intake"));
}

static void teardown(void)
{
    bus_caller_free(caller);
    kit_sealer_free(sealer);
    arena_free(arena);
    keyring_close();
    run("deploy/stack stop %s", STACK);
}

/* --- speaking as intake ----------------------------------------------------------------------------------------- */

static ProtobufCMessage *call(enum route route, const char *act, const ProtobufCMessage *message)
{
    struct fault fault = {0};
    ProtobufCMessage *reply = NULL;
    uint8_t key[IDEMPOTENCY_KEY_BYTES];
    bus_key(key, route, act, NULL);
    struct bus_request request = {.route = route, .key = key, .message = message};
    ck_assert_msg(bus_call(caller, arena, &request, &reply, &fault), "%s: %s %s", route_row(route)->name,
        fault_code_text(fault.code), fault.field);
    return reply;
}

/* A paper application's number goes to the vault; the manager's pseudonym comes back. */
static const char *enrol(const char *manager, const char *application, const char *number)
{
    Vault__EnrolRequest request = VAULT__ENROL_REQUEST__INIT;
    uint8_t signer[32];
    ck_assert(hex_take(signer, sizeof signer, TERMINAL));
    char *sealed = kit_seal_paper(sealer, &(struct kit_binding){application, manager, TERMINAL}, number);
    request.manager = (char *)manager;
    request.application = (char *)application;
    request.signer = (ProtobufCBinaryData){sizeof signer, signer};
    request.sealed_number = sealed;
    request.paper = 1;
    const Vault__EnrolReply *reply = (const Vault__EnrolReply *)call(ROUTE_vault_enrol, application, &request.base);
    free(sealed);
    return reply->pseudonym;
}

struct wish {
    const char *manager, *programme, *fields;
};

static const char *hand_over(struct wish wish, const char *application, const char *pseudonym)
{
    LegacySync__HandOverRequest request = LEGACY_SYNC__HAND_OVER_REQUEST__INIT;
    request.manager = (char *)wish.manager;
    request.programme = (char *)wish.programme;
    request.application = (char *)application;
    request.pseudonym = (char *)pseudonym;
    request.registration_number = "第1号";
    request.fields = (ProtobufCBinaryData){strlen(wish.fields), (uint8_t *)wish.fields};
    return ((LegacySync__HandOverReply *)call(ROUTE_legacy_sync_hand_over, application, &request.base))->hand_over;
}

/* The stand-in's ledger rows of a hand-over, waited for. New reference. */
static json_t *taken(const char *url_setting, const char *hand_over_id)
{
    char command[512];
    snprintf(command, sizeof command, "curl -fs \"$%s/ledger?kind=taken&key=%s\"", url_setting, hand_over_id);
    for (time_t end = time(NULL) + WAIT_SECONDS; time(NULL) < end;) {
        FILE *in = popen(command, "r");
        json_t *answer = in ? json_loadf(in, 0, NULL) : NULL, *rows = json_incref(json_object_get(answer, "rows"));
        pclose(in);
        json_decref(answer);
        if (json_array_size(rows) > 0) {
            return rows;
        }
        json_decref(rows);
        nanosleep(&(struct timespec){0, 50000000}, NULL);
    }
    ck_abort_msg("%s took nothing within %d s", url_setting, WAIT_SECONDS);
}

static const char *mark_of(json_t *rows)
{
    ck_assert_uint_eq(json_array_size(rows), 1);
    return json_string_value(json_object_get(json_object_get(json_array_get(rows, 0), "body"), "number_mark"));
}

static const struct wish hoikushi = {"saitama", "hoikushi", "{\"roll\":{\"name\":\"山田　花子\"}}"};
static const struct wish ginou = {"mhlw", "ginou-kentei", "{\"candidate\":{\"name\":\"山田　花子\"}}"};
static const struct wish kaigi = {"mlit", "kaigishi", "{\"roll\":{\"family_name\":\"山田\"}}"};
static const struct wish jun_kangoshi = {"nara", "jun-kangoshi", "{\"roll\":{\"name\":\"山田　花子\"}}"};

/* --- tests ------------------------------------------------------------------------------------------------------ */

/* LINK-2, LINK-3: the number arrives sealed to that system, of the right person: the stand-in opened it and checked its
 * check digit; two applications of one person bear one mark, another person another */
static void number_arrives(struct wish wish, const char *url_setting)
{
    struct kit_person person, other;
    char application[3][37];
    json_t *rows[3];
    kit_person_make(&person, SEED, 1);
    kit_person_make(&other, SEED, 2);
    for (int i = 0; i < 3; i++) {
        uuid_make(application[i]);
        const char *number = i == 2 ? other.number : person.number;
        const char *pseudonym = enrol(wish.manager, application[i], number);
        const char *id = hand_over(wish, application[i], pseudonym);
        ck_assert_str_eq(hand_over(wish, application[i], pseudonym), id);
        rows[i] = taken(url_setting, id);
    }
    ck_assert_uint_eq(strlen(mark_of(rows[0])), 64);
    ck_assert_str_eq(mark_of(rows[0]), mark_of(rows[1]));
    ck_assert_str_ne(mark_of(rows[0]), mark_of(rows[2]));
    for (int i = 0; i < 3; i++) {
        json_decref(rows[i]);
    }
}

START_TEST(childcare_system_gets_it)
{
    number_arrives(hoikushi, "SHIKAKU_HOIKUSHI_URL");
}
END_TEST

START_TEST(skills_system_gets_it)
{
    number_arrives(ginou, "SHIKAKU_GINOU_URL");
}
END_TEST

/* LINK-1, NUM-1: 海技 gets none, though the vault has it */
START_TEST(maritime_system_gets_none)
{
    struct kit_person person;
    char application[37];
    kit_person_make(&person, SEED, 3);
    uuid_make(application);
    const char *id = hand_over(kaigi, application, enrol("mlit", application, person.number));
    json_t *rows = taken("SHIKAKU_KAIGI_URL", id);
    char *text = json_dumps(rows, 0);
    ck_assert_str_eq(mark_of(rows), "");
    ck_assert_ptr_null(strstr(text, person.number));
    free(text);
    json_decref(rows);
}
END_TEST

static size_t file_await(const char *path, uint8_t *file, size_t size)
{
    for (time_t end = time(NULL) + WAIT_SECONDS; time(NULL) < end;) {
        FILE *in = fopen(path, "r");
        if (in) {
            size_t len = fread(file, 1, size, in);
            fclose(in);
            return len;
        }
        nanosleep(&(struct timespec){0, 50000000}, NULL);
    }
    ck_abort_msg("no workbook within %d s", WAIT_SECONDS);
}

/* LINK-4 */
START_TEST(the_workbook_holds_it)
{
    static uint8_t file[1 << 20];
    struct kit_person person;
    struct bytes document;
    struct workbook_table table;
    char application[37], path[600];
    kit_person_make(&person, SEED, 4);
    uuid_make(application);
    const char *id = hand_over(jun_kangoshi, application, enrol("nara", application, person.number));
    snprintf(path, sizeof path, "%s/export/%s.xlsx", getenv("SHIKAKU_VAR"), id);
    size_t len = file_await(path, file, sizeof file);
    ck_assert(!memmem(file, len, person.number, strlen(person.number)));
    snprintf(path, sizeof path, "%s/legacy_sync/workbook-password.json", getenv("SHIKAKU_KEYS"));
    json_t *password = json_load_file(path, 0, NULL);
    ck_assert_int_eq(
        agile_decrypt(arena, file, len, json_string_value(json_object_get(password, "password")), &document),
        AGILE_OPENED);
    json_decref(password);
    ck_assert(workbook_read(arena, document.data, document.len, &table));
    ck_assert_str_eq(table.cells[table.columns], "山田　花子");
    ck_assert_str_eq(table.cells[2 * table.columns - 1], person.number);
}
END_TEST

/* LINK-6: accepted while the vault and the other side are dead, delivered once when they are back, through a kill of
 * our own */
START_TEST(it_arrives_after_kills)
{
    struct kit_person person;
    char application[37];
    kit_person_make(&person, SEED, 5);
    uuid_make(application);
    const char *pseudonym = enrol("saitama", application, person.number);
    run("deploy/stack kill %s", "vault double-hoikushi");
    const char *id = hand_over(hoikushi, application, pseudonym);
    run("deploy/stack start %s >/dev/null", "double-hoikushi");
    run("deploy/stack kill %s", "legacy_sync");
    run("deploy/stack start %s >/dev/null", "vault legacy_sync");
    json_t *rows = taken("SHIKAKU_HOIKUSHI_URL", id);
    ck_assert_uint_eq(strlen(mark_of(rows)), 64);
    json_decref(rows);
}
END_TEST

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "portal") == 0) {
        return portal_main();
    }
    Suite *s = suite_create("legacy_numbers");
    TCase *t = tcase_create("legacy_numbers");
    tcase_add_unchecked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 120);
    tcase_add_test(t, childcare_system_gets_it);
    tcase_add_test(t, skills_system_gets_it);
    tcase_add_test(t, maritime_system_gets_none);
    tcase_add_test(t, the_workbook_holds_it);
    tcase_add_test(t, it_arrives_after_kills);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_set_fork_status(r, CK_NOFORK); /* one identity on the bus, one stack */
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
