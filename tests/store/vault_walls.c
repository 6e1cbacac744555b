/* The walls around the numbers: who can reach the vault's tables, whether rows of two managers share anything, what a
 * copy of the database's log shows. The walls around the process: vault_process.c. */
#include <dirent.h>
#include <openssl/rand.h>
#include <time.h>

#include "audit.pb-c.h"
#include "store/vault.h"

static PGconn *owner_open(void)
{
    PGconn *owner = PQconnectdb(store.owner);
    ck_assert_int_eq(PQstatus(owner), CONNECTION_OK);
    return owner;
}

/* What the query finds, as one text; "" if nothing. */
static void finds(PGconn *by, const char *sql, const char *wanted)
{
    PGresult *rows = PQexec(by, sql);
    ck_assert_msg(PQresultStatus(rows) == PGRES_TUPLES_OK, "%s", PQerrorMessage(by));
    const char *found = PQntuples(rows) ? PQgetvalue(rows, 0, 0) : "";
    ck_assert_msg(strcmp(found, wanted) == 0, "%s, not %s", found, wanted);
    PQclear(rows);
}

/* --- in the database ---------------------------------------------------------------------------------------------- */

/* Every role but the vault's, the migrating owner and the cluster's own. PostgreSQL's pg_… are groups that nobody may
 * be in. */
#define OTHER_ROLES                                                                                                    \
    "FROM pg_catalog.pg_roles r WHERE NOT r.rolsuper AND r.rolname NOT IN ('shikaku_vault', 'shikaku_owner') "         \
    "AND r.rolname NOT LIKE 'pg\\_%'"

/* NUM-1, NUM-2: of all roles none but the vault's has any right to anything in its schema, nor is in a group that has
 */
START_TEST(no_role_but_the_vaults_reaches_in)
{
    PGconn *owner = owner_open();
    finds(owner, "SELECT (count(*) >= 8)::text " OTHER_ROLES " AND r.rolname LIKE 'shikaku\\_%'", "true");
    finds(owner,
        "SELECT string_agg(r.rolname || ' ' || c.relname, ', ') FROM pg_catalog.pg_class c, LATERAL (SELECT "
        "r.rolname, r.oid " OTHER_ROLES
        ") r WHERE c.relnamespace = 'vault'::regnamespace AND c.relkind IN ('r', 'p', "
        "'v', 'm') AND (has_table_privilege(r.oid, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, "
        "TRIGGER') OR has_any_column_privilege(r.oid, c.oid, 'SELECT, INSERT, UPDATE, REFERENCES'))",
        "");
    finds(owner,
        "SELECT string_agg(r.rolname, ', ') " OTHER_ROLES " AND has_schema_privilege(r.oid, 'vault', 'USAGE, CREATE')",
        "");
    finds(owner,
        "SELECT string_agg(m.member::regrole || ' in ' || m.roleid::regrole, ', ') FROM pg_catalog.pg_auth_members m "
        "JOIN pg_catalog.pg_roles r ON r.oid = m.member WHERE r.rolname LIKE 'shikaku\\_%' AND "
        "(m.roleid::regrole::text "
        "LIKE 'pg\\_%' OR m.roleid::regrole::text IN ('shikaku_vault', 'shikaku_owner'))",
        "");
    finds(owner,
        "SELECT (has_table_privilege('shikaku_vault', 'vault.tie', 'SELECT') AND NOT r.rolbypassrls)::text FROM "
        "pg_catalog.pg_roles r WHERE r.rolname = 'shikaku_vault'",
        "true"); /* the question can be answered otherwise */
    PQfinish(owner);
}
END_TEST

/* NUM-1, NUM-2: nor is there another way in: a sequence, a function, a type of the schema, a view, a rule, a foreign
 * key or a function with its owner's rights anywhere, a right that is given to objects to come, a role that may become
 * another */
START_TEST(nothing_leads_in_from_elsewhere)
{
    static const char *const ways[] = {
        "SELECT string_agg(r.rolname || ' ' || c.relname, ', ') FROM pg_catalog.pg_class c, LATERAL (SELECT r.rolname, "
        "r.oid " OTHER_ROLES
        ") r WHERE c.relnamespace = 'vault'::regnamespace AND c.relkind = 'S' AND "
        "has_sequence_privilege(r.oid, c.oid, 'USAGE, SELECT, UPDATE')",
        "SELECT string_agg(r.rolname || ' ' || p.proname, ', ') FROM pg_catalog.pg_proc p, LATERAL (SELECT r.rolname, "
        "r.oid " OTHER_ROLES
        ") r WHERE p.pronamespace = 'vault'::regnamespace AND "
        "has_function_privilege(r.oid, p.oid, 'EXECUTE')",
        "SELECT string_agg(r.rolname, ', ') " OTHER_ROLES
        " AND (r.rolcreaterole OR r.rolcreatedb OR r.rolbypassrls OR r.rolreplication OR "
        "has_database_privilege(r.oid, current_database(), 'CREATE, TEMPORARY'))",
        "SELECT string_agg(r.rolname || ' ' || n.nspname, ', ') FROM pg_catalog.pg_namespace n, LATERAL (SELECT "
        "r.rolname, r.oid " OTHER_ROLES
        ") r WHERE n.nspname LIKE 'sqitch%' AND "
        "has_schema_privilege(r.oid, n.oid, 'USAGE, CREATE')",
        "SELECT string_agg(conrelid::regclass::text || ' ' || conname, ', ') FROM pg_catalog.pg_constraint k JOIN "
        "pg_catalog.pg_class c ON c.oid IN (k.conrelid, k.confrelid) WHERE k.contype = 'f' AND c.relnamespace = "
        "'vault'::regnamespace",
        "SELECT string_agg(w.ev_class::regclass::text, ', ') FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_rewrite w "
        "ON w.oid = d.objid AND d.classid = 'pg_rewrite'::regclass JOIN pg_catalog.pg_class c ON c.oid = d.refobjid "
        "WHERE c.relnamespace = 'vault'::regnamespace",
        "SELECT string_agg(p.oid::regprocedure::text, ', ') FROM pg_catalog.pg_proc p WHERE p.prosecdef AND "
        "p.pronamespace <> 'pg_catalog'::regnamespace AND p.oid <> 'vault.order_forget(integer)'::regprocedure",
        "SELECT string_agg(a.defaclacl::text, ', ') FROM pg_catalog.pg_default_acl a, aclexplode(a.defaclacl) e "
        "WHERE e.grantee NOT IN (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = 'shikaku_owner')",
        "SELECT string_agg(r.rolname || ' as ' || t.rolname, ', ') FROM pg_catalog.pg_roles t, LATERAL (SELECT "
        "r.rolname, r.oid " OTHER_ROLES
        ") r WHERE t.rolname IN ('shikaku_vault', 'shikaku_owner') AND "
        "pg_has_role(r.oid, t.oid, 'MEMBER')",
        "SELECT string_agg(t.tgname, ', ') FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = "
        "t.tgrelid WHERE c.relnamespace = 'vault'::regnamespace",
    };
    PGconn *owner = owner_open();
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        finds(owner, ways[i], "");
    PQfinish(owner);
}
END_TEST

/* Each kind of way, opened on purpose, is seen: else the test above proves nothing. */
START_TEST(a_way_in_would_be_seen)
{
    static const struct {
        const char *open, *look;
    } ways[] = {
        {"GRANT SELECT (pseudonym) ON vault.tie TO shikaku_intake",
            "SELECT has_any_column_privilege('shikaku_intake', 'vault.tie', 'SELECT')::text"},
        {"GRANT EXECUTE ON FUNCTION vault.manager_in_force() TO PUBLIC",
            "SELECT has_function_privilege('shikaku_intake', 'vault.manager_in_force()', 'EXECUTE')::text"},
        {"GRANT USAGE ON SEQUENCE vault.outbox_id_seq TO shikaku_intake",
            "SELECT has_sequence_privilege('shikaku_intake', 'vault.outbox_id_seq', 'USAGE, SELECT')::text"},
        {"CREATE VIEW vault.window AS SELECT manager FROM vault.tie",
            "SELECT (count(*) > 0)::text FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_rewrite w ON w.oid = d.objid "
            "AND d.classid = 'pg_rewrite'::regclass JOIN pg_catalog.pg_class c ON c.oid = d.refobjid WHERE "
            "c.relnamespace = 'vault'::regnamespace"},
        {"ALTER DEFAULT PRIVILEGES IN SCHEMA vault GRANT SELECT ON TABLES TO shikaku_intake",
            "SELECT (count(*) > 0)::text FROM pg_catalog.pg_default_acl a, aclexplode(a.defaclacl) e WHERE e.grantee = "
            "'shikaku_intake'::regrole"},
    };
    PGconn *owner = owner_open();
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        PGresult *opened = PQexec(owner, ways[i].open);
        ck_assert_msg(PQresultStatus(opened) == PGRES_COMMAND_OK, "%s", PQerrorMessage(owner));
        PQclear(opened);
        finds(owner, ways[i].look, "true");
    }
    PQfinish(owner);
}
END_TEST

/* Every value of every column of every table of the schema, for the rows of one manager. */
static void values_gather(PGconn *owner, const char *manager)
{
    char sql[1024];
    snprintf(sql, sizeof sql,
        "DO $$ DECLARE t text; BEGIN PERFORM set_config('shikaku.manager', '%s', false); FOR t IN SELECT relname FROM "
        "pg_class WHERE relnamespace = 'vault'::regnamespace AND relkind = 'r' AND relrowsecurity LOOP EXECUTE format("
        "'INSERT INTO gathered SELECT %%L, %%L, j.key, j.value FROM vault.%%I x, jsonb_each_text(to_jsonb(x)) "
        "j WHERE j.value IS NOT NULL', '%s', t, t); END LOOP; END $$",
        manager, manager);
    PGresult *result = PQexec(owner, sql);
    ck_assert_msg(PQresultStatus(result) == PGRES_COMMAND_OK, "%s", PQerrorMessage(owner));
    PQclear(result);
}

static void gateway_id_make(const char *manager, const char *pseudonym)
{
    Vault__GatewayIdRequest request = VAULT__GATEWAY_ID_REQUEST__INIT;
    ProtobufCMessage *reply;
    request.manager = (char *)manager;
    request.pseudonym = (char *)pseudonym;
    request.application = APPLICATION;
    ck_assert_int_eq(deliver(work, ROUTE_vault_gateway_id, "intake", pseudonym, &request.base, &reply), OUTCOME_DONE);
}

/* NUM-1, NUM-2: of one person at two managers, at the roll and at the gateway, no two rows have any value in common but
 * the day and, within one manager, its name and the number of the index key, which all rows of the manager share */
START_TEST(no_value_joins_two_rows_of_a_person)
{
    static const char *const managers[] = {"tokyo", "mlit"};
    struct kit_person person;
    PGconn *owner = owner_open();
    kit_person_make(&person, SEED, 1);
    PGresult *made = PQexec(owner, "CREATE TEMPORARY TABLE gathered (manager text, of text, key text, value text)");
    ck_assert_msg(PQresultStatus(made) == PGRES_COMMAND_OK, "%s", PQerrorMessage(owner));
    PQclear(made);
    for (int i = 0; i < 2; i++) {
        struct enrolled enrolled = enrol_card(&person, managers[i]);
        gateway_id_make(managers[i], enrolled.pseudonym);
        values_gather(owner, managers[i]);
    }
    finds(owner, "SELECT count(DISTINCT (manager, of))::text FROM gathered", "4");
    finds(owner, "SELECT (count(*) >= 20)::text FROM gathered", "true");
    finds(owner,
        "SELECT string_agg(a.of || '.' || a.key || ' = ' || b.of || '.' || b.key, ', ') FROM gathered a JOIN "
        "gathered b ON a.value = b.value AND (a.manager, a.of) < (b.manager, b.of) WHERE NOT (a.key = "
        "'tied_on' AND b.key = 'tied_on') AND NOT (a.key = 'settled' AND b.key = 'settled') AND NOT (a.manager = "
        "b.manager AND a.key = b.key AND a.key IN ('manager', "
        "'index_key'))",
        "");
    PQfinish(owner);
}
END_TEST

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

/* In the segments of the write-ahead log that were written since. */
static bool log_has(time_t since, const void *wanted, size_t len)
{
    char folder[512], path[1024];
    struct stat about;
    bool has = false;
    snprintf(folder, sizeof folder, "%s/pg/pg_wal", getenv("SHIKAKU_VAR"));
    DIR *segments = opendir(folder);
    ck_assert_msg(segments != NULL, "%s", folder);
    for (struct dirent *entry; !has && (entry = readdir(segments));) {
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (stat(path, &about) == 0 && S_ISREG(about.st_mode) && about.st_mtime >= since - 1)
            has = file_has(path, wanted, len);
    }
    closedir(segments);
    return has;
}

/* NUM-8: a copy of the log, from which every row and every backup can be made, shows no number in text, bytes or hex;
 * the pseudonym, which lies open, is found there, so the look is at the right place */
START_TEST(no_number_is_in_the_databases_log)
{
    struct kit_person person;
    uint32_t index;
    uint8_t digits[12], packed[6];
    char hex[25];
    time_t since = time(NULL);
    ck_assert_int_eq(RAND_bytes((uint8_t *)&index, sizeof index), 1); /* others' numbers are in the log, too */
    kit_person_make(&person, SEED, index);
    struct enrolled enrolled = enrol_card(&person, "tokyo");
    gateway_id_make("tokyo", enrolled.pseudonym);
    for (int i = 0; i < 12; i++)
        digits[i] = (uint8_t)(person.number[i] - '0');
    for (int i = 0; i < 6; i++)
        packed[i] = (uint8_t)(digits[2 * i] << 4 | digits[2 * i + 1]);
    hex_put(hex, person.number, 12);
    ck_assert(log_has(since, enrolled.pseudonym, strlen(enrolled.pseudonym)));
    ck_assert(!log_has(since, person.number, 12));
    ck_assert(!log_has(since, hex, 24));
    ck_assert(!log_has(since, digits, 12));
    ck_assert(!log_has(since, packed, 6));
    ck_assert(!log_has(since, person.person.name, strlen(person.person.name)));
}
END_TEST

/* The newest record of use. */
static Audit__Event *event_newest(void)
{
    struct fault fault = {0};
    pg_begin(work->pg, "");
    PGresult *rows =
        pg_query(work->pg, "SELECT event FROM vault.audit_outbox ORDER BY sequence DESC LIMIT 1", &fault, PG_NONE);
    ck_assert_ptr_nonnull(rows);
    struct bytes packed = pg_get_bytes(rows, 0, 0);
    Audit__Event *event = audit__event__unpack(NULL, packed.len, packed.data);
    ck_assert_ptr_nonnull(event);
    PQclear(rows);
    pg_rollback(work->pg);
    return event;
}

/* LOG-1: who, what, whose, at which manager, why; and of a refusal at which manager, by whom, for which application */
START_TEST(records_of_use_are_whole)
{
    struct kit_person person;
    struct enrolment e;
    struct enrolled enrolled;
    kit_person_make(&person, SEED, 1);
    enrolment_by_card(&e, &person, "tokyo");
    ck_assert_int_eq(enrol(work, "one", &e, &enrolled), OUTCOME_DONE);
    Audit__Event *event = event_newest();
    ck_assert_str_eq(event->service, "vault");
    ck_assert_str_eq(event->who, "intake");
    ck_assert_str_eq(event->act, "vault_enrol");
    ck_assert_str_eq(event->manager, "tokyo");
    ck_assert_str_eq(event->subject, enrolled.pseudonym);
    ck_assert_str_eq(event->reason, e.application);
    ck_assert_str_eq(event->outcome, "done");
    ck_assert(llabs(event->at_ms - clock_ms()) < 60000);
    audit__event__free_unpacked(event, NULL);
    e.signer_bytes[0] ^= 1;
    expect_fault(enrol(work, "two", &e, &enrolled), FAULT_number_binding, "signer");
    event = event_newest();
    ck_assert_str_eq(event->who, "intake");
    ck_assert_str_eq(event->act, "vault_enrol");
    ck_assert_str_eq(event->manager, "tokyo");
    ck_assert_str_eq(event->reason, e.application);
    ck_assert_str_eq(event->outcome, "number_binding");
    audit__event__free_unpacked(event, NULL);
    free(e.sealed);
}
END_TEST

/* LOG-1, LOG-3: a release that was refused says by whom, at which manager */
START_TEST(a_refused_release_is_recorded)
{
    Vault__ReleaseRequest request = VAULT__RELEASE_REQUEST__INIT;
    ProtobufCMessage *reply;
    struct kit_person person;
    kit_person_make(&person, SEED, 1);
    struct enrolled enrolled = enrol_card(&person, "tokyo");
    char *pseudonyms[] = {enrolled.pseudonym};
    request.manager = "tokyo";
    request.recipient = "residence";
    request.purpose = "residence_inquiry";
    request.reason = APPLICATION;
    request.pseudonyms = pseudonyms;
    request.n_pseudonyms = 1;
    expect_fault(deliver(work, ROUTE_vault_release, "legacy_sync", "key", &request.base, &reply),
        FAULT_recipient_not_entitled, "recipient");
    Audit__Event *event = event_newest();
    ck_assert_str_eq(event->who, "legacy_sync");
    ck_assert_str_eq(event->act, "vault_release");
    ck_assert_str_eq(event->manager, "tokyo");
    ck_assert_str_eq(event->outcome, "recipient_not_entitled");
    audit__event__free_unpacked(event, NULL);
}
END_TEST

int main(void)
{
    if (!kit_authorities_make("build/kit"))
        return 1;
    Suite *suite = suite_create("vault_walls");
    TCase *tests = tcase_create("database");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, no_role_but_the_vaults_reaches_in);
    tcase_add_test(tests, nothing_leads_in_from_elsewhere);
    tcase_add_test(tests, a_way_in_would_be_seen);
    tcase_add_test(tests, no_value_joins_two_rows_of_a_person);
    tcase_add_test(tests, no_number_is_in_the_databases_log);
    tcase_add_test(tests, records_of_use_are_whole);
    tcase_add_test(tests, a_refused_release_is_recorded);
    suite_add_tcase(suite, tests);
    SRunner *r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
