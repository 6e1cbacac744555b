/* Two managers' rows lie side by side in every table, and row-level security alone keeps them apart: each table is
 * tried by its service's role, and every SQL text of the services (store/statements.h) is run without its filters. What
 * it gives or changes under one manager must be the same whether the other's rows are there or not. EXCH-12, ROLL-6,
 * STORE-1, ORG-1 */
#include "store/statements.h"
#include "store/tenants.h"

/* --- every table -------------------------------------------------------------------------------------------------- */

static long count_in(PGconn *conn, const struct table *table, const char *manager)
{
    char sql[200];
    snprintf(sql, sizeof sql, "SELECT count(*) FROM %s WHERE manager = '%s'", table->name, manager);
    return number_of(conn, sql);
}

static void reading_is_apart(PGconn *conn, const struct table *table)
{
    char sql[200];
    static const char *const nobody[] = {"", "nobody", "%", "tokyo "};
    begin_for(conn, OURS);
    ck_assert_int_eq(count_in(conn, table, OURS), ROWS_EACH);
    ck_assert_msg(count_in(conn, table, THEIRS) == 0, "%s shows another's rows", table->name);
    run(conn, "ROLLBACK");
    for (size_t i = 0; i < sizeof nobody / sizeof *nobody; i++) {
        begin_for(conn, nobody[i]);
        snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", table->name);
        ck_assert_msg(number_of(conn, sql) == 0, "%s shows rows to '%s'", table->name, nobody[i]);
        run(conn, "ROLLBACK");
    }
    ck_assert_msg(number_of(conn, sql) == 0, "%s shows rows where no manager is pinned", table->name);
}

static const struct column *column_to_update(const struct table *table)
{
    for (size_t i = 0; i < table->column_count; i++)
        if (table->columns[i].may_update && strcmp(table->columns[i].name, "manager") != 0)
            return &table->columns[i];
    return NULL;
}

/* Returns how many ways of writing were tried. */
static int writing_is_apart(PGconn *conn, const struct table *table)
{
    char sql[400];
    int tried = 0;
    const struct column *column = column_to_update(table);
    if (column) {
        begin_for(conn, OURS);
        snprintf(sql, sizeof sql, "UPDATE %s SET %s = %s", table->name, column->name, column->name);
        PGresult *updated = ask(conn, sql);
        ck_assert_msg(atoi(PQcmdTuples(updated)) == ROWS_EACH, "%s: update", table->name);
        PQclear(updated);
        snprintf(sql, sizeof sql, "UPDATE %s SET manager = '" THEIRS "'", table->name);
        ck_assert_msg(strcmp(try(conn, sql), "42501") == 0, "%s: a row was given to another", table->name);
        run(conn, "ROLLBACK");
        tried += 2;
    }
    if (table->may_delete) {
        begin_for(conn, OURS);
        snprintf(sql, sizeof sql, "DELETE FROM %s", table->name);
        PGresult *deleted = ask(conn, sql);
        ck_assert_msg(atoi(PQcmdTuples(deleted)) == ROWS_EACH, "%s: delete", table->name);
        PQclear(deleted);
        run(conn, "ROLLBACK");
        tried++;
    }
    /* audit takes over the records of all managers, in one transaction; reading them is narrowed. */
    if (table->may_insert && strcmp(table->name, "audit.log") != 0) {
        begin_for(conn, OURS);
        PGresult *put = row_put(conn, table, THEIRS, ROWS_EACH + 1);
        const char *state = PQresultErrorField(put, PG_DIAG_SQLSTATE);
        ck_assert_msg(state && strcmp(state, "42501") == 0, "%s: a row was put in for another (%s)", table->name,
            state ? PQresultErrorMessage(put) : "done");
        PQclear(put);
        run(conn, "ROLLBACK");
        tried++;
    }
    return tried;
}

START_TEST(every_table_is_apart)
{
    int reads = 0, writes = 0;
    both_put();
    for (size_t i = 0; i < table_count; i++) {
        PGconn *conn = role_of(tables[i].service);
        ck_assert_msg(tables[i].may_select, "%s: its service cannot read it", tables[i].name);
        reading_is_apart(conn, &tables[i]);
        writes += writing_is_apart(conn, &tables[i]);
        reads += 7;
    }
    printf("isolation: %zu tables with a manager under row-level security, %d reads, %d writes; %zu open tables\n",
        table_count, reads, writes, sizeof open_tables / sizeof *open_tables);
    ck_assert_uint_ge(table_count, 25);
}
END_TEST

/* --- inside a manager --------------------------------------------------------------------------------------------- */

static const struct {
    const char *service, *table;
} narrowed[] = {
    {"intake", "intake.application"},
    {"intake", "intake.history"},
    {"intake", "intake.fee_entry"},
    {"intake", "intake.attachment"},
    {"records", "records.entry"},
    {"records", "records.version"},
    {"certificates", "certificates.certificate"},
    {"residence", "residence.inquiry"},
    {"residence", "residence.passing"},
};

static long shown_to(PGconn *conn, const char *table, const char *programmes, const char *body)
{
    char sql[256];
    begin_for(conn, OURS);
    snprintf(sql, sizeof sql,
        "SELECT set_config('shikaku.programmes', '%s', true), set_config('shikaku.body', '%s', true)", programmes,
        body);
    run(conn, sql);
    snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", table);
    long shown = number_of(conn, sql);
    run(conn, "ROLLBACK");
    return shown;
}

static void part_check(PGconn *conn, const char *table)
{
    ck_assert_int_eq(shown_to(conn, table, "", ""), ROWS_EACH);
    ck_assert_int_eq(shown_to(conn, table, ",tokyo-programme-1,", ""), 1);
    ck_assert_int_eq(shown_to(conn, table, ",tokyo-programme-3,tokyo-programme-1,", ""), 2);
    ck_assert_int_eq(shown_to(conn, table, ",tokyo-programme,", ""), 0);
    ck_assert_int_eq(shown_to(conn, table, ",,", ""), 0);
    ck_assert_int_eq(shown_to(conn, table, "", "tokyo-body-2"), 1);
    ck_assert_int_eq(shown_to(conn, table, "", "tokyo-body"), 0);
    ck_assert_int_eq(shown_to(conn, table, ",tokyo-programme-1,", "tokyo-body-2"), 0);
    ck_assert_int_eq(shown_to(conn, table, ",saitama-programme-1,", ""), 0);
}

/* ORG-1, ROLL-6: a person in charge of one programme, or of one body's part, is shown that alone */
START_TEST(a_part_is_shown_alone)
{
    both_put();
    for (size_t i = 0; i < sizeof narrowed / sizeof *narrowed; i++)
        part_check(role_of(narrowed[i].service), narrowed[i].table);
}
END_TEST

/* --- every query -------------------------------------------------------------------------------------------------- */

static bool names_tenant_table(const char *sql)
{
    for (size_t i = 0; i < table_count; i++)
        if (names_table(sql, tables[i].name))
            return true;
    return false;
}

/* What a text must look like where the statement makes something else of it; %d is the parameter's number. */
static const struct {
    const char *use, *value;
    unsigned type; /* a made-up value of this type; 0: `value` */
} readings[] = {
    {"$%d::text::uuid", NULL, UUID},
    {"nullif($%d, '')::date", NULL, DATE},
    {"nullif($%d, '')::uuid", NULL, UUID},
    {"$%d::text::bigint[]", NULL, BIGINTS},
    {"to_date($%d,", "203003", 0},
};

/* The other manager's value for each parameter: it is asked for what is theirs. */
static const char *parameter_of(const struct statement_text *statement, int number, unsigned type)
{
    char column[64], use[48];
    parameter_column(statement->sql, number, column);
    for (size_t i = 0; i < sizeof readings / sizeof *readings; i++) {
        snprintf(use, sizeof use, readings[i].use, number);
        if (strstr(statement->sql, use))
            return readings[i].type ? value_of(column, readings[i].type, THEIRS, 1) : readings[i].value;
    }
    if (*column && strcmp(statement->service, "audit") == 0 && strcmp(column, "kind") == 0)
        return "use";
    if (*column)
        return value_of(column, type, THEIRS, 1);
    return type == TEXT ? THEIRS : type == INTEGER || type == BIGINT ? "50" : value_of("manager_of", type, THEIRS, 1);
}

/* A digest of the rows that are seen, but for what the clock or a sequence gives. */
static const char *rows_digest_sql(const struct table *table)
{
    static char sql[1200];
    char without[800] = "";
    size_t used = 0;
    for (size_t i = 0; i < table->column_count; i++) {
        const struct column *column = &table->columns[i];
        if (!column->given || column->type == TIMESTAMPTZ || column->type == DATE)
            used += (size_t)snprintf(without + used, sizeof without - used, "%s%s", used ? "," : "", column->name);
    }
    snprintf(sql, sizeof sql,
        "SELECT count(*) || coalesce(md5(string_agg(r, ' ' ORDER BY r)), '') FROM "
        "(SELECT (to_jsonb(t) - '{%s}'::text[])::text AS r FROM %s t) AS rows",
        without, table->name);
    return sql;
}

/* What the clock said, as the years of this decade begin it; rows that were put in are of 2031 and 2032. */
static void clock_blank(char *text)
{
    for (char *at = text; (at = strstr(at, "202")); at++)
        for (char *part = at; isdigit((unsigned char)*part) || strchr("-: TZ.+", *part ? *part : 'x'); part++)
            *part = '-';
}

/* The rows that are seen of the tables that a statement names. */
static void rows_print(PGconn *conn, const struct statement_text *statement, char *text)
{
    size_t used = strlen(text);
    for (size_t i = 0; i < table_count; i++) {
        if (!names_table(statement->sql, tables[i].name))
            continue;
        PGresult *left = ask(conn, rows_digest_sql(&tables[i]));
        used += (size_t)snprintf(text + used, RESULT_BYTES - used, "%s: %s\n", tables[i].name, PQgetvalue(left, 0, 0));
        PQclear(left);
    }
}

/* All that a statement showed. */
static void result_print(const PGresult *result, char *text)
{
    size_t used = 0;
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    used += (size_t)snprintf(
        text, RESULT_BYTES, "%s %s\n", state ? "refused" : PQcmdStatus((PGresult *)result), state ? state : "");
    for (int row = 0; row < PQntuples(result); row++)
        for (int column = 0; column < PQnfields(result) && used < RESULT_BYTES / 2; column++)
            used += (size_t)snprintf(text + used, RESULT_BYTES - used, "%s|", PQgetvalue(result, row, column));
    clock_blank(text);
}

/* What a statement shows without its filters, and the rows of `after` behind it. Rolled back. */
static void stripped_run(const struct statement_text *statement, const char *manager, const char *after, char *text)
{
    static char sql[2 * STATEMENT_BYTES];
    const char *values[32];
    char copies[32][160];
    PGconn *conn = role_of(statement->service);
    PGresult *prepared = PQprepare(conn, "", statement->sql, 0, NULL);
    ck_assert_msg(PQresultStatus(prepared) == PGRES_COMMAND_OK, "%s %s: %s", statement->file, statement->name,
        PQresultErrorMessage(prepared));
    PQclear(prepared);
    PGresult *described = PQdescribePrepared(conn, "");
    unsigned types[32];
    int count = PQnparams(described);
    ck_assert_int_le(count, 32);
    for (int i = 0; i < count; i++) {
        types[i] = PQparamtype(described, i);
        snprintf(copies[i], sizeof copies[0], "%s", parameter_of(statement, i + 1, types[i]));
        values[i] = copies[i];
    }
    PQclear(described);
    filters_strip(statement->sql, sql);
    begin_for(conn, manager);
    run(conn, "SAVEPOINT before");
    PGresult *result = PQexecParams(conn, sql, count, types, values, NULL, NULL, 0);
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    ck_assert_msg(!state || strcmp(state, "42501") == 0 || strcmp(state, "23505") == 0 || strcmp(state, "21000") == 0,
        "%s %s: %s\n%s", statement->file, statement->name, PQresultErrorMessage(result), sql);
    result_print(result, text);
    run(conn, state ? "ROLLBACK TO before" : "RELEASE before");
    if (strcmp(manager, after) != 0) {
        char pin[128];
        snprintf(pin, sizeof pin, "SELECT set_config('shikaku.manager', '%s', true)", after);
        run(conn, pin);
        text[0] = '\0';
    }
    rows_print(conn, statement, text);
    PQclear(result);
    run(conn, "ROLLBACK");
}

static void rows_of(const struct statement_text *statement, const char *manager, char *text)
{
    PGconn *conn = role_of(statement->service);
    begin_for(conn, manager);
    text[0] = '\0';
    rows_print(conn, statement, text);
    run(conn, "ROLLBACK");
}

static bool looks_theirs(const char *text)
{
    static const char *const looks[] = {THEIRS, "bbbbbbbb-", "\\xbbbb", "77000", "2032-01"};
    for (size_t i = 0; i < sizeof looks / sizeof *looks; i++)
        if (strstr(text, looks[i]))
            return true;
    return false;
}

/* What a statement gave and left under our manager: alone, and with the other's rows beside. */
static char *alone[STATEMENTS_MAX], *beside[STATEMENTS_MAX];
static char other_before[RESULT_BYTES], other_left[RESULT_BYTES], as_other[RESULT_BYTES], as_nobody[RESULT_BYTES];

/* What is across managers by design, with the reason. */
static const struct {
    const char *name, *reason;
} across[] = {
    {"log_put_sql", "audit takes records of all managers over in one transaction; it can read none back"},
};

static bool is_across(const struct statement_text *statement)
{
    for (size_t i = 0; i < sizeof across / sizeof *across; i++)
        if (strcmp(across[i].name, statement->name) == 0)
            return true;
    return false;
}

static void all_run(char **texts)
{
    for (size_t i = 0; i < statement_count; i++) {
        if (!names_tenant_table(statements[i].sql) || is_across(&statements[i]))
            continue;
        texts[i] = malloc(RESULT_BYTES);
        ck_assert_ptr_nonnull(texts[i]);
        stripped_run(&statements[i], OURS, OURS, texts[i]);
    }
}

static size_t covered, blind;

static void statement_judge(const struct statement_text *statement, const char *before, const char *with)
{
    ck_assert_msg(strcmp(before, with) == 0, "%s %s: the other's rows change what it does:\n%s\n---\n%s",
        statement->file, statement->name, before, with);
    ck_assert_msg(!looks_theirs(with) || strstr(statement->sql, "INSERT"), "%s %s shows another's row:\n%s",
        statement->file, statement->name, with);
    rows_of(statement, THEIRS, other_before);
    stripped_run(statement, OURS, THEIRS, other_left);
    ck_assert_msg(
        strcmp(other_before, other_left) == 0, "%s %s changes another's rows", statement->file, statement->name);
    stripped_run(statement, THEIRS, THEIRS, as_other);
    stripped_run(statement, "nobody", "nobody", as_nobody);
    if (strcmp(as_other, as_nobody) == 0) {
        printf("isolation: %s %s does the same for whoever runs it: it proves nothing\n", statement->file,
            statement->name);
        blind++;
    }
    covered++;
}

/* Each text alone and with the other's rows beside. */
static void both_run(void)
{
    statements_read();
    for (int row = 1; row <= ROWS_EACH; row++)
        rows_put(OURS, row);
    all_run(alone);
    for (int row = 1; row <= ROWS_EACH; row++)
        rows_put(THEIRS, row);
    all_run(beside);
}

static void texts_free(void)
{
    for (size_t i = 0; i < statement_count; i++) {
        free(alone[i]);
        free(beside[i]);
    }
}

START_TEST(every_query_is_apart_without_its_filters)
{
    size_t open = 0, constants = 0;
    both_run();
    for (size_t i = 0; i < statement_count; i++) {
        constants += strcmp(statements[i].name, "text") != 0;
        if (!names_tenant_table(statements[i].sql))
            open++;
        else if (!is_across(&statements[i]))
            statement_judge(&statements[i], alone[i], beside[i]);
    }
    printf(
        "isolation: %zu SQL texts, %zu of them name a table under row-level security: %zu run without filters, "
        "%zu of them blind; %zu across by design; %zu name none\n",
        statement_count, statement_count - open, covered, blind, sizeof across / sizeof *across, open);
    texts_free();
    ck_assert_uint_eq(covered + sizeof across / sizeof *across, statement_count - open);
    ck_assert_uint_eq(blind, 0);
    ck_assert_uint_gt(constants, 100);
}
END_TEST

/* The test of the test: with row-level security off, every text tells that another's rows are there. */
START_TEST(without_the_wall_every_query_would_tell)
{
    size_t told = 0, run_count = 0;
    for (size_t i = 0; i < table_count; i++) {
        char sql[200];
        snprintf(sql, sizeof sql, "ALTER TABLE %.79s DISABLE ROW LEVEL SECURITY", tables[i].name);
        run(owner, sql);
    }
    both_run();
    for (size_t i = 0; i < statement_count; i++) {
        run_count += alone[i] != NULL;
        told += alone[i] && strcmp(alone[i], beside[i]) != 0;
        if (alone[i] && strcmp(alone[i], beside[i]) == 0)
            printf("isolation: %s %s does not tell\n", statements[i].file, statements[i].name);
    }
    texts_free();
    ck_assert_uint_eq(told, run_count);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("isolation");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, every_table_is_apart);
    tcase_add_test(cases, a_part_is_shown_alone);
    tcase_add_test(cases, every_query_is_apart_without_its_filters);
    tcase_add_test(cases, without_the_wall_every_query_would_tell);
    tcase_set_timeout(cases, 60);
    Suite *suite = suite_create("isolation");
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
