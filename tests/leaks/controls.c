#include "leaks/controls.h"

#include <libpq-fe.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <zlib.h>

#include "kit/journey.h"
#include "leaks/places.h"

#define BYTES_MAX (64 * 1024)
#define FILLING 6000 /* of a value that goes to TOAST; half of it when compressed */

/* Only the number of the person: names repeat, and the name of this one can be the name of one who is planted. */
static void number_take(uint32_t index, char number[13])
{
    struct kit_person person;
    kit_person_make(&person, JOURNEY_SEED, index);
    memcpy(number, person.number, 13);
    explicit_bzero(&person, sizeof person);
}

const char *control_value(enum planted_kind kind)
{
    static char number[13];
    static const char *const texts[PLANTED_KINDS] = {[PLANTED_NAME] = "検査　零号", /* of no list in kit/people.c */
        [PLANTED_ADDRESS] = "東京都検査区対照町９丁目８番７号　検査対照ビル６０５号室"};
    if (!*number)
        number_take(KIT_PEOPLE_MAX - 1, number);
    return kind == PLANTED_NUMBER ? number : texts[kind];
}

const char *control_typed_number(void)
{
    static char number[13];
    if (!*number)
        number_take(KIT_PEOPLE_MAX - 2, number);
    return number;
}

void controls_add(struct needles *needles)
{
    for (int kind = 0; kind < PLANTED_KINDS; kind++)
        encodings_add(needles, CONTROL_FORMS, (enum planted_kind)kind, control_value((enum planted_kind)kind));
    encodings_add(needles, CONTROL_TYPED, PLANTED_NUMBER, control_typed_number());
}

static uint8_t bytes[2 * BYTES_MAX];
static size_t open_size, whole_size;

static void append(void *user, enum encoding encoding, const void *form, size_t len)
{
    (void)user, (void)encoding;
    if (open_size + len + 1 > BYTES_MAX)
        abort();
    memcpy(bytes + open_size, form, len);
    bytes[open_size + len] = 0xA5;
    open_size += len + 1;
}

const uint8_t *control_bytes(size_t *size)
{
    if (!whole_size) {
        for (int kind = 0; kind < PLANTED_KINDS; kind++)
            encodings_make((enum planted_kind)kind, control_value((enum planted_kind)kind), append, NULL);
        z_stream stream = {.next_in = bytes, .avail_in = (uInt)open_size};
        stream.next_out = bytes + open_size;
        stream.avail_out = (uInt)(sizeof bytes - open_size);
        if (deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK ||
            deflate(&stream, Z_FINISH) != Z_STREAM_END)
            abort();
        whole_size = sizeof bytes - stream.avail_out;
        deflateEnd(&stream);
    }
    *size = whole_size;
    return bytes;
}

pid_t control_process_start(void)
{
    size_t size;
    const uint8_t *from = control_bytes(&size);
    int told[2];
    char ready = 1;
    if (pipe(told) != 0)
        return -1;
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        static void *volatile held; /* so that the copy is not optimized away */
        held = malloc(size);
        if (!held || prctl(PR_SET_DUMPABLE, 0) != 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
            _exit(EXIT_FAILURE);
        memcpy(held, from, size);
        /* The forms lie in `bytes` as well, which was ours before; only the copy shall be found. */
        explicit_bzero(bytes, sizeof bytes);
        if (write(told[1], &ready, 1) != 1)
            _exit(EXIT_FAILURE);
        for (;;)
            pause();
    }
    bool holds = pid > 0 && close(told[1]) == 0 && read(told[0], &ready, 1) == 1;
    close(told[0]);
    return holds ? pid : -1;
}

bool control_file_make(const char *path)
{
    size_t size;
    const uint8_t *from = control_bytes(&size);
    FILE *file = fopen(path, "w");
    bool made = file && fwrite(from, 1, size, file) == size;
    if (file)
        made = fclose(file) == 0 && made;
    if (!made)
        perror(path);
    return made;
}

bool control_send(const char *socket_path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char answer[4096];
    size_t size, sent = 0;
    const uint8_t *from = control_bytes(&size);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", socket_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool there = fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    for (ssize_t some; there && sent < size; sent += (size_t)some)
        if ((some = send(fd, from + sent, size - sent, MSG_NOSIGNAL)) <= 0)
            break;
    if (there && shutdown(fd, SHUT_WR) == 0)
        while (recv(fd, answer, sizeof answer, 0) > 0)
            ;
    if (fd >= 0)
        close(fd);
    if (sent < size)
        fprintf(stderr, "%s took %zu of %zu bytes of the controls\n", socket_path, sent, size);
    return sent == size;
}

/* --- PostgreSQL -----------------------------------------------------------------------------------------------------
 */

PGconn *control_connect(const char *database)
{
    char dsn[PATH_MAX + 160];
    snprintf(dsn, sizeof dsn, "host=%s/pg port=5432 dbname=%s user=postgres passfile=%s/postgres/db-password",
        getenv("SHIKAKU_RUN"), database, getenv("SHIKAKU_KEYS"));
    return PQconnectdb(dsn);
}

static bool done(PGconn *conn, PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        fprintf(stderr, "%s", PQerrorMessage(conn));
    PQclear(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

bool control_sql(const char *database, const char *sql)
{
    PGconn *conn = control_connect(database);
    bool ran = done(conn, PQexec(conn, sql));
    PQfinish(conn);
    return ran;
}

static bool bytes_insert(PGconn *conn, const char *sql, const void *value, size_t len)
{
    const char *values[] = {value};
    int lengths[] = {(int)len}, formats[] = {1};
    return done(conn, PQexecParams(conn, sql, 1, (const Oid[]){17}, values, lengths, formats, 0));
}

static const char sql_tables[] =
    "CREATE TABLE leak_open (form bytea);"
    "CREATE INDEX leak_open_form ON leak_open (form);"
    "ALTER TABLE leak_open ALTER form SET STORAGE PLAIN;"
    "CREATE TABLE leak_packed (form bytea COMPRESSION pglz);"
    "CREATE TABLE leak_packed_lz4 (form bytea COMPRESSION lz4);"
    "CREATE TABLE leak_apart (form bytea);"
    "ALTER TABLE leak_apart ALTER form SET STORAGE EXTERNAL;"
    "CREATE TABLE leak_typed (as_bigint bigint, as_numeric numeric)";

struct inserting {
    PGconn *conn;
    bool done;
};

/* Each form in a row of its own, open; and twice behind filling that is compressed in its row. */
static void form_insert(void *user, enum encoding encoding, const void *form, size_t len)
{
    struct inserting *inserting = user;
    uint8_t filled[4096];
    (void)encoding;
    memset(filled, 'x', sizeof filled);
    memcpy(filled + 1000, form, len);
    memcpy(filled + 3000, form, len);
    inserting->done = inserting->done &&
                      bytes_insert(inserting->conn, "INSERT INTO leak_open VALUES ($1)", form, len) &&
                      bytes_insert(inserting->conn, "INSERT INTO leak_packed VALUES ($1)", filled, sizeof filled) &&
                      bytes_insert(inserting->conn, "INSERT INTO leak_packed_lz4 VALUES ($1)", filled, sizeof filled);
}

/* So much that it goes to TOAST, and there in several chunks, compressed or not: hex digits, which compress to half. */
static bool apart_insert(PGconn *conn, size_t filling)
{
    static uint8_t value[BYTES_MAX + FILLING];
    size_t size, at = 0;
    const uint8_t *from = control_bytes(&size);
    srandom(8);
    for (; at < filling; at++)
        value[at] = (uint8_t) "0123456789abcdef"[random() & 15];
    memcpy(value + at, from, open_size);
    at += open_size;
    return bytes_insert(conn, "INSERT INTO leak_apart VALUES ($1)", value, at) &&
           bytes_insert(conn, "INSERT INTO leak_packed VALUES ($1)", value, at) &&
           bytes_insert(conn, "INSERT INTO leak_packed_lz4 VALUES ($1)", value, at);
}

bool control_tables_make(void)
{
    char sql[160];
    struct inserting inserting = {control_connect("postgres"), true};
    snprintf(sql, sizeof sql, "INSERT INTO leak_typed VALUES (%s, %s)", control_typed_number(), control_typed_number());
    inserting.done =
        done(inserting.conn, PQexec(inserting.conn, sql_tables)) && done(inserting.conn, PQexec(inserting.conn, sql));
    for (int kind = 0; kind < PLANTED_KINDS; kind++)
        encodings_make((enum planted_kind)kind, control_value((enum planted_kind)kind), form_insert, &inserting);
    bool made =
        inserting.done && apart_insert(inserting.conn, FILLING) &&
        apart_insert(inserting.conn, FILLING - 500); /* what lies across two chunks the one time does not the other */
    PQfinish(inserting.conn);
    return made;
}
