/* A vault with many people: ties as the vault itself would make them, under its own keys, written by COPY.
 *
 *   fill COUNT FIRST     people FIRST … at BENCH_MANAGER; BENCH_DSN: a connection as PostgreSQL's own role */
#include "chassis/cover.h"
#include "chassis/keyring.h"
#include "chassis/settings.h"
#include "kit/people.h"
#include "vault/number_cover.h"
#include "vault/pseudonym.h"

#include <arpa/inet.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEED 20260503u
#define ROW_BYTES 512
#define COLUMNS 4

static void stop(const char *why)
{
    fprintf(stderr, "fill: %s\n", why);
    exit(EXIT_FAILURE);
}

static char *field_put(char *at, const void *value, size_t len)
{
    uint32_t size = htonl((uint32_t)len);
    memcpy(at, &size, sizeof size);
    memcpy(at + sizeof size, value, len);
    return at + sizeof size + len;
}

/* One row in PostgreSQL's binary format of COPY. */
static size_t row_print(struct arena *arena, const char *manager, uint32_t index, char row[ROW_BYTES])
{
    static const uint16_t columns = COLUMNS;
    struct kit_person person;
    uint8_t token[INDEX_TOKEN_BYTES];
    char pseudonym[PSEUDONYM_LENGTH + 1], *at = row;
    kit_person_make(&person, SEED, index);
    if (!index_token(manager, DOMAIN_TIE, person.number, strlen(person.number), token) || !pseudonym_make(pseudonym))
        stop("no token");
    struct bytes covered =
        cover_put(arena, (struct cover_place){TABLE_TIE, manager, pseudonym}, person.number, strlen(person.number));
    if (!covered.data)
        stop("not covered");
    uint16_t count = htons(columns);
    memcpy(at, &count, sizeof count);
    at = field_put(at + sizeof count, manager, strlen(manager));
    at = field_put(at, token, sizeof token);
    at = field_put(at, pseudonym, PSEUDONYM_LENGTH);
    at = field_put(at, covered.data, covered.len);
    return (size_t)(at - row);
}

static void rows_copy(PGconn *server, const char *manager, uint32_t first, uint32_t count)
{
    static const char head[19] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0"; /* signature, flags, length of extensions */
    static const char end[2] = "\377\377";
    char row[ROW_BYTES];
    struct arena *arena = arena_new(64 * 1024);
    PGresult *begun =
        PQexec(server, "COPY vault.tie (manager, token, pseudonym, number) FROM STDIN WITH (FORMAT binary)");
    if (!arena || PQresultStatus(begun) != PGRES_COPY_IN || PQputCopyData(server, head, sizeof head) != 1)
        stop(PQerrorMessage(server));
    PQclear(begun);
    for (uint32_t i = 0; i < count; i++) {
        size_t len = row_print(arena, manager, first + i, row);
        if (PQputCopyData(server, row, (int)len) != 1)
            stop(PQerrorMessage(server));
        arena_reset(arena);
    }
    if (PQputCopyData(server, end, sizeof end) != 1 || PQputCopyEnd(server, NULL) != 1)
        stop(PQerrorMessage(server));
    PGresult *ended = PQgetResult(server);
    if (PQresultStatus(ended) != PGRES_COMMAND_OK)
        stop(PQerrorMessage(server));
    PQclear(ended);
    arena_free(arena);
}

static const struct setting settings[] = {
    {"SHIKAKU_KEYS", SETTING_TEXT, NULL, 0, 0, ""},
};

int main(int argc, char **argv)
{
    struct fault fault = {0};
    struct pg *pg;
    const char *manager = getenv("BENCH_MANAGER"), *dsn = getenv("BENCH_DSN");
    uint32_t count = argc == 3 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;
    if (!count || !manager || !dsn) {
        fprintf(stderr, "usage: BENCH_DSN=… BENCH_MANAGER=… fill COUNT FIRST\n");
        return 64;
    }
    if (!settings_read(settings, sizeof settings / sizeof *settings) || !pg_open(&pg, dsn, &fault) ||
        !keyring_open("vault", pg, NULL, 0, &fault))
        stop("no keys");
    pg_close(pg);
    PGconn *server = PQconnectdb(dsn);
    rows_copy(server, manager, (uint32_t)strtoul(argv[2], NULL, 10), count);
    PQfinish(server);
    keyring_close();
    return 0;
}
