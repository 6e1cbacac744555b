/* The bound's pgbench script, made from the server's statement log of one run.
 *
 *   replay LOG [TOUCHED [KEPT]] >SCRIPT
 *
 * LOG: PostgreSQL's jsonlog with log_statement=all; BENCH_DSN: a connection to the same database. TOUCHED: only
 * transactions in which a statement names this. KEPT: statements that name this keep their values, because they find
 * what is there.
 *
 * Every transaction that did something, in the order of commit, with the same boundaries and the same pipelining: a
 * statement whose answer a service reads before it goes on ends a pipeline. What differs from application to
 * application (ids, keys, digests, ciphertext) is made from pgbench's :n, so that each turn of the script writes rows
 * of its own; ciphertext keeps its length. Looks into an empty queue are left out, and what services do by themselves.
 * A row that the database numbers itself is deleted by its place in the queue, not by its number. Every statement is
 * prepared (pgbench -M prepared). */
#include <jansson.h>
#include <libpq-fe.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARAMETERS_MAX 32
#define SESSIONS_MAX 512

struct statement {
    char *sql;
    char *values[PARAMETERS_MAX]; /* NULL: SQL NULL */
    int count;
};

struct transaction {
    struct statement *statements;
    size_t count, room;
    bool open; /* BEGIN was seen, its end not yet */
};

struct session {
    char name[64];
    struct transaction running;
    struct transaction held; /* a single statement, until it is seen that it was not made again at once */
};

static struct session sessions[SESSIONS_MAX];
static size_t session_count;
static PGconn *server;
static char **texts; /* values that differ from turn to turn; their place is their name */
static size_t text_count;

static void stop(const char *why)
{
    fprintf(stderr, "replay: %s\n", why);
    exit(EXIT_FAILURE);
}

static void *made(void *memory)
{
    if (!memory)
        stop("no memory");
    return memory;
}

/* --- reading the log ---------------------------------------------------------------------------------------------- */

/* parameters: $1 = 'it''s', $2 = NULL */
static void values_read(struct statement *statement, const char *detail)
{
    const char *at = detail ? strchr(detail, '$') : NULL;
    while (at && statement->count < PARAMETERS_MAX) {
        char *value = NULL;
        at = strstr(at, " = ");
        if (!at)
            return;
        at += 3;
        if (*at == '\'') {
            char *to = value = made(malloc(strlen(at)));
            for (at++; *at && !(at[0] == '\'' && at[1] != '\''); at++) {
                at += *at == '\'';
                *to++ = *at;
            }
            *to = '\0';
            at++;
        } else
            at += strlen("NULL");
        statement->values[statement->count++] = value;
        at = *at == ',' ? strchr(at, '$') : NULL;
    }
}

static struct session *session_find(const char *name)
{
    for (size_t i = 0; i < session_count; i++)
        if (strcmp(sessions[i].name, name) == 0)
            return &sessions[i];
    if (session_count == SESSIONS_MAX)
        stop("too many sessions");
    struct session *session = &sessions[session_count++];
    snprintf(session->name, sizeof session->name, "%s", name);
    return session;
}

static void transaction_add(struct transaction *transaction, struct statement statement)
{
    if (transaction->count == transaction->room) {
        transaction->room = transaction->room ? 2 * transaction->room : 16;
        transaction->statements =
            made(realloc(transaction->statements, transaction->room * sizeof *transaction->statements));
    }
    transaction->statements[transaction->count++] = statement;
}

static bool is_same(const struct statement *one, const struct statement *other)
{
    if (strcmp(one->sql, other->sql) != 0 || one->count != other->count)
        return false;
    for (int i = 0; i < one->count; i++)
        if (!one->values[i] != !other->values[i] || (one->values[i] && strcmp(one->values[i], other->values[i]) != 0))
            return false;
    return true;
}

/* --- what differs from turn to turn ------------------------------------------------------------------------------- */

static bool is_hex(const char *text, size_t length)
{
    return strspn(text, "0123456789abcdef") >= length;
}

static bool is_uuid(const char *text)
{
    return strlen(text) == 36 && text[8] == '-' && text[13] == '-' && text[18] == '-' && is_hex(text, 8);
}

/* 受付番号 and 資格仮名ID, which can do without a digit. */
static bool is_grouped(const char *text)
{
    size_t length = strlen(text);
    return length >= 11 && strchr(text, '-') && strspn(text, "ABCDEFGHJKLMNPQRSTUVWXYZ23456789-") == length;
}

/* Random text: letters and digits mixed, at least ten of them, no word of ours ("application/pdf", "residence"). */
static bool is_random_text(const char *text)
{
    size_t length = strlen(text), digits = 0, letters = 0;
    static const char known[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";
    for (size_t i = 0; i < length; i++) {
        digits += text[i] >= '0' && text[i] <= '9';
        letters += (text[i] >= 'a' && text[i] <= 'z') || (text[i] >= 'A' && text[i] <= 'Z');
    }
    return length >= 10 && digits >= 1 && letters >= 1 && strspn(text, known) == length;
}

static size_t text_number(const char *text)
{
    for (size_t i = 0; i < text_count; i++)
        if (strcmp(texts[i], text) == 0)
            return i;
    texts = made(realloc(texts, (text_count + 1) * sizeof *texts));
    texts[text_count] = made(strdup(text));
    return text_count++;
}

/* A constant as SQL text that holds no colon, so that pgbench takes nothing in it for a variable. */
static void literal_print(const char *text)
{
    fputs("E'", stdout);
    for (; *text; text++)
        if (*text == '\'' || *text == '\\' || *text == ':' || *text == '\n')
            printf("\\x%02x", (unsigned char)*text);
        else
            putchar(*text);
    putchar('\'');
}

static void bytes_print(const char *hex)
{
    size_t number = text_number(hex), length = strlen(hex);
    if (length > 32) {
        printf("(pg_catalog.decode(pg_catalog.md5((:n::bigint + %zu)::text), 'hex') || ", number);
        printf("'\\x%s'::bytea)", hex + 32);
    } else
        printf("pg_catalog.substr(pg_catalog.decode(pg_catalog.md5((:n::bigint + %zu)::text), 'hex'), 1, %zu)", number,
            length / 2);
}

static const char *touched, *kept;

/* A piece of an attachment is everybody's. */
static bool is_shared(const char *sql)
{
    return strstr(sql, "intake.piece") || (kept && strstr(sql, kept));
}

static void uuids_print(const char *value)
{
    char *list = made(strdup(value)), *rest = list;
    fputs("ARRAY[", stdout);
    for (char *one; (one = strtok_r(rest, "{},", &rest));)
        printf("%spg_catalog.md5((:n::bigint + %zu)::text)::uuid", one == list + 1 ? "" : ", ", text_number(one));
    fputs("]::uuid[]", stdout);
    free(list);
}

static void value_print(const char *value, const char *type)
{
    if (!value)
        printf("NULL::%s", type);
    else if (strcmp(type, "uuid[]") == 0)
        uuids_print(value);
    else if (is_uuid(value))
        printf("(pg_catalog.md5((:n::bigint + %zu)::text)::uuid)::%s", text_number(value), type);
    else if (strncmp(value, "\\x", 2) == 0 && strlen(value) >= 2 + 16)
        bytes_print(value + 2);
    else if (strcmp(type, "text") == 0 && (is_random_text(value) || is_grouped(value)))
        printf(
            "pg_catalog.substr(pg_catalog.md5((:n::bigint + %zu)::text), 1, %zu)", text_number(value), strlen(value));
    else {
        literal_print(value);
        printf("::%s", type);
    }
}

/* --- writing the script ------------------------------------------------------------------------------------------- */

static char *type_name(Oid type)
{
    char text[16];
    const char *values[] = {text};
    snprintf(text, sizeof text, "%u", type);
    PGresult *row =
        PQexecParams(server, "SELECT pg_catalog.format_type($1::oid, NULL)", 1, NULL, values, NULL, NULL, 0);
    if (PQresultStatus(row) != PGRES_TUPLES_OK)
        stop("a type is unknown");
    char *name = made(strdup(PQgetvalue(row, 0, 0)));
    PQclear(row);
    return name;
}

static PGresult *describe(const char *sql)
{
    PQclear(PQprepare(server, "", sql, 0, NULL));
    PGresult *described = PQdescribePrepared(server, "");
    if (PQresultStatus(described) != PGRES_COMMAND_OK) {
        fprintf(stderr, "replay: %s\n%s", sql, PQresultErrorMessage(described));
        exit(EXIT_FAILURE);
    }
    return described;
}

/* What the database numbered in the logged run has another number now. */
static const char *sql_of(const struct statement *statement)
{
    static char text[4096];
    const char *where = strstr(statement->sql, ".outbox WHERE id = $1::bigint"), *from = statement->sql;
    if (where && strncmp(from, "DELETE FROM ", 12) == 0) {
        int schema = (int)(where - from - 12);
        snprintf(text, sizeof text,
            "DELETE FROM %.*s.outbox WHERE id = (SELECT id FROM %.*s.outbox WHERE sent_at IS NULL ORDER BY due_at "
            "LIMIT "
            "1 FOR UPDATE SKIP LOCKED) AND $1::bigint > 0",
            schema, from + 12, schema, from + 12);
        return text;
    }
    return statement->sql;
}

/* The log's places go on where they stand, each turn with its own. */
static bool is_position(const char *sql, int parameter)
{
    return strncmp(sql, "INSERT INTO audit.log", 21) == 0 && parameter == 0;
}

static void statement_print(const struct statement *statement)
{
    const char *sql = sql_of(statement);
    PGresult *described = describe(sql);
    for (const char *at = sql; *at;) {
        if (*at != '$' || at[1] < '0' || at[1] > '9') {
            putchar(*at++);
            continue;
        }
        char *end;
        int parameter = (int)strtol(at + 1, &end, 10) - 1;
        char *type = type_name(PQparamtype(described, parameter));
        at = end;
        if (is_position(sql, parameter))
            printf("(:n::bigint + %s)", statement->values[parameter]);
        else if (is_shared(sql) && statement->values[parameter]) {
            literal_print(statement->values[parameter]);
            printf("::%s", type);
        } else
            value_print(statement->values[parameter], type);
        free(type);
    }
    puts(";");
    PQclear(described);
}

static bool is_setting(const char *sql)
{
    return strncmp(sql, "SELECT pg_catalog.set_config", 28) == 0;
}

/* The look into the inbox goes out with the first question. */
static bool is_inbox_look(const char *sql)
{
    return strncmp(sql, "SELECT request_sha256, reply FROM ", 34) == 0;
}

/* Is its answer read before anything else is sent? */
static bool is_read(const char *sql)
{
    bool asks = strncmp(sql, "SELECT", 6) == 0 || strncmp(sql, "WITH", 4) == 0;
    return (asks && !is_setting(sql) && !is_inbox_look(sql)) || strstr(sql, " RETURNING ");
}

/* What services do by themselves, however many applications come: heartbeats, keys, analyses, the order of ties. */
static bool is_own_work(const struct transaction *transaction)
{
    static const char *const names[] = {"staff.rights_heard", ".key_holder", ".key_state", ".rotation", "audit.walk",
        "audit.touch", "audit.finding", "audit.analysis", "audit.incident", "vault.order_forget"};
    for (size_t i = 0; i < transaction->count; i++)
        for (size_t k = 0; k < sizeof names / sizeof *names; k++)
            if (strstr(transaction->statements[i].sql, names[k]))
                return true;
    return false;
}

static bool is_wanted(const struct transaction *transaction)
{
    if (is_own_work(transaction))
        return false;
    for (size_t i = 0; touched && i < transaction->count; i++)
        if (strstr(transaction->statements[i].sql, touched))
            return true;
    return !touched;
}

static void transaction_print(const struct transaction *transaction)
{
    size_t last = transaction->count - 1;
    bool counted = false;
    if (!is_wanted(transaction))
        return;
    if (transaction->count == 1) {
        statement_print(&transaction->statements[0]);
        return;
    }
    puts("\\startpipeline");
    for (size_t i = 0; i <= last; i++) {
        const char *sql = transaction->statements[i].sql;
        counted = counted || (strncmp(sql, "UPDATE", 6) == 0 && !is_read(sql));
        if (i == last && counted) /* that it touched its row is seen before COMMIT is sent */
            puts("\\endpipeline\n\\startpipeline");
        statement_print(&transaction->statements[i]);
        if (i < last && is_read(sql))
            puts("\\endpipeline\n\\startpipeline");
    }
    puts("\\endpipeline");
}

static void held_print(struct session *session)
{
    if (session->held.count)
        transaction_print(&session->held);
    session->held.count = 0;
}

static void statement_take(struct session *session, struct statement statement)
{
    struct transaction *running = &session->running;
    bool ends = strcmp(statement.sql, "COMMIT") == 0 || strcmp(statement.sql, "ROLLBACK") == 0;
    if (strcmp(statement.sql, "BEGIN") == 0) {
        held_print(session);
        running->open = true;
        running->count = 0;
    }
    if (running->open) {
        transaction_add(running, statement);
        running->open = !ends;
        if (strcmp(statement.sql, "COMMIT") == 0)
            transaction_print(running);
        return;
    }
    if (ends) /* of what began before the run */
        return;
    if (session->held.count && !is_same(&session->held.statements[0], &statement))
        held_print(session);
    session->held.count = 0;
    transaction_add(&session->held, statement);
}

static bool in_run; /* load.c marks where its run begins and ends */

static void line_take(const char *line)
{
    json_t *row = json_loads(line, 0, NULL);
    const char *user = json_string_value(json_object_get(row, "user")),
               *message = json_string_value(json_object_get(row, "message")),
               *name = json_string_value(json_object_get(row, "session_id"));
    if (message && strstr(message, " AS bench_"))
        in_run = strstr(message, "bench_begins") != NULL;
    const char *sql =
        in_run && user && name && message && strncmp(user, "shikaku_", 8) == 0 && strncmp(message, "execute ", 8) == 0
            ? strstr(message, ": ")
            : NULL;
    if (sql) {
        struct statement statement = {.sql = made(strdup(sql + 2))};
        values_read(&statement, json_string_value(json_object_get(row, "detail")));
        statement_take(session_find(name), statement);
    }
    json_decref(row);
}

int main(int argc, char **argv)
{
    char *line = NULL;
    size_t room = 0;
    FILE *log = argc >= 2 && argc <= 4 ? fopen(argv[1], "re") : NULL;
    if (!log || !getenv("BENCH_DSN")) {
        fprintf(stderr, "usage: BENCH_DSN=… replay LOG [TOUCHED [KEPT]] >SCRIPT\n");
        return 64;
    }
    touched = argc > 2 ? argv[2] : NULL;
    kept = argc > 3 ? argv[3] : NULL;
    server = PQconnectdb(getenv("BENCH_DSN"));
    if (PQstatus(server) != CONNECTION_OK)
        stop("no database");
    puts("\\set n random(1000000000, 9000000000000000000)");
    while (getline(&line, &room, log) > 0)
        line_take(line);
    free(line);
    fclose(log);
    PQfinish(server);
    return 0;
}
