#include "leaks/files.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "leaks/controls.h"

#define WAL_PAGE 8192u
#define WAL_LONG_HEADER 2 /* a flag of a page's header */

struct relations {
    PGresult *rows[2]; /* of the databases */
};

static const char sql_relations[] =
    "SELECT pg_relation_filepath(oid), relkind FROM pg_catalog.pg_class "
    "WHERE pg_relation_filepath(oid) IS NOT NULL AND relkind IN ('i', 't')";

struct relations *relations_read(void)
{
    static const char *const databases[] = {"shikaku", "postgres"};
    struct relations *relations = calloc(1, sizeof *relations);
    bool read = relations != NULL;
    for (size_t i = 0; read && i < 2; i++) {
        PGconn *conn = control_connect(databases[i]);
        relations->rows[i] = PQexec(conn, sql_relations);
        read = PQresultStatus(relations->rows[i]) == PGRES_TUPLES_OK;
        if (!read)
            fprintf(stderr, "%s", PQerrorMessage(conn));
        PQfinish(conn);
    }
    if (read)
        return relations;
    relations_free(relations);
    return NULL;
}

void relations_free(struct relations *relations)
{
    for (size_t i = 0; relations && i < 2; i++)
        PQclear(relations->rows[i]);
    free(relations);
}

/* 'i', 't', or 0 for the rest; "base/5/1234.1" is a further part of "base/5/1234", "base/5/1234_fsm" beside it. */
static char relation_kind(const struct relations *relations, const char *path)
{
    for (size_t r = 0; r < 2; r++)
        for (int i = 0; i < PQntuples(relations->rows[r]); i++) {
            const char *file = PQgetvalue(relations->rows[r], i, 0);
            size_t len = strlen(file);
            if (strncmp(path, file, len) == 0 && strchr("._", path[len]))
                return *PQgetvalue(relations->rows[r], i, 1);
        }
    return 0;
}

static const char *database_place(const struct relations *relations, const char *path)
{
    if (strncmp(path, "pg_wal/", 7) == 0)
        return "PostgreSQL WAL";
    if (strstr(path, "pgsql_tmp"))
        return "PostgreSQL temp";
    if (strcmp(path, "postgresql.log") == 0)
        return "PostgreSQL log";
    if (strncmp(path, "base/", 5) != 0 && strncmp(path, "global/", 7) != 0)
        return "PostgreSQL, other files";
    char kind = relation_kind(relations, path);
    return kind == 'i' ? "PostgreSQL index" : kind == 't' ? "PostgreSQL TOAST" : "PostgreSQL heap";
}

/* A record that goes over the end of a page goes on behind the next page's header: take the headers out. */
static size_t wal_join(const uint8_t *wal, size_t len, uint8_t *joined)
{
    size_t have = 0;
    uint16_t magic, info, first = 0;
    memcpy(&first, wal, sizeof first);
    for (size_t at = 0; at < len; at += WAL_PAGE) {
        size_t size = len - at < WAL_PAGE ? len - at : WAL_PAGE, skip = 0;
        memcpy(&magic, wal + at, sizeof magic);
        memcpy(&info, wal + at + 2, sizeof info);
        if (magic == first && first)
            skip = info & WAL_LONG_HEADER ? 40 : 24;
        memcpy(joined + have, wal + at + skip, size - skip);
        have += size - skip;
    }
    return have;
}

static bool file_search(struct places *places, const char *place_name, const char *path, size_t size)
{
    struct place *place = place_find(places, place_name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    void *hay = fd >= 0 && size ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
    bool read = fd >= 0 && (!size || hay != MAP_FAILED);
    if (!read)
        perror(path);
    if (hay != MAP_FAILED && strcmp(place_name, "PostgreSQL WAL") == 0 && size >= WAL_PAGE && size % WAL_PAGE == 0) {
        uint8_t *joined = malloc(size);
        if (!joined)
            abort();
        place_search(places, place, path, joined, wal_join(hay, size, joined), NULL, NULL);
        free(joined);
    } else if (hay != MAP_FAILED)
        place_search(places, place, path, hay, size, NULL, NULL);
    if (hay != MAP_FAILED)
        munmap(hay, size);
    if (fd >= 0)
        close(fd);
    return read;
}

struct walk {
    struct places *places;
    const char *place; /* NULL: as the relations say */
    const struct relations *relations;
    const char *const *skipped; /* beginnings of paths below the root; NULL: none */
};

static bool is_skipped(const struct walk *walk, const char *path)
{
    for (const char *const *skipped = walk->skipped; skipped && *skipped; skipped++)
        if (strncmp(path, *skipped, strlen(*skipped)) == 0)
            return true;
    return false;
}

static bool tree_search(const struct walk *walk, const char *root)
{
    char real[PATH_MAX];
    if (!realpath(root, real)) {
        perror(root);
        return false;
    }
    char *const roots[] = {real, NULL};
    FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    bool read = tree != NULL;
    for (FTSENT *entry; tree && (entry = fts_read(tree));) {
        const char *path = entry->fts_path + strlen(real);
        path += *path == '/';
        if (*path && is_skipped(walk, path))
            fts_set(tree, entry, FTS_SKIP);
        else if (entry->fts_info == FTS_F) {
            const char *place = walk->place ? walk->place : database_place(walk->relations, path);
            read = file_search(walk->places, place, entry->fts_path, (size_t)entry->fts_statp->st_size) && read;
        } else if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR || entry->fts_info == FTS_NS) {
            fprintf(stderr, "%s: %s\n", entry->fts_path, strerror(entry->fts_errno));
            read = false;
        }
    }
    if (tree)
        fts_close(tree);
    return read;
}

bool files_search_database(struct places *places, const struct relations *relations)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/pg", getenv("SHIKAKU_VAR"));
    return tree_search(&(struct walk){.places = places, .relations = relations}, path);
}

void files_search_temporary(struct places *places)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/pg/base/pgsql_tmp", getenv("SHIKAKU_VAR"));
    (void)place_find(places, "PostgreSQL temp");
    if (access(path, F_OK) == 0 && !files_search(places, "PostgreSQL temp", path))
        return; /* it went meanwhile */
}

bool files_search_logs(struct places *places)
{
    static const char *const skipped[] = {"double-", NULL};
    return tree_search(
        &(struct walk){.places = places, .place = "service logs", .skipped = skipped}, getenv("SHIKAKU_LOG"));
}

bool files_search_var(struct places *places)
{
    static const char *const skipped[] = {"doubles", "pg", "log", NULL};
    const struct walk walk = {.places = places, .place = "var/", .skipped = skipped};
    return tree_search(&walk, getenv("SHIKAKU_VAR")) && tree_search(&walk, getenv("SHIKAKU_RUN"));
}

bool files_search(struct places *places, const char *place, const char *path)
{
    return tree_search(&(struct walk){.places = places, .place = place}, path);
}

/* --- pages ----------------------------------------------------------------------------------------------------------
 */

struct page {
    uint8_t bytes[1 << 20];
    size_t len;
};

static size_t page_take(char *data, size_t one, size_t len, void *user)
{
    struct page *page = user;
    size_t size = len < sizeof page->bytes - page->len ? len : sizeof page->bytes - page->len;
    memcpy(page->bytes + page->len, data, size);
    page->len += size;
    return one * len;
}

bool files_search_metrics(struct places *places)
{
    static struct page page;
    static const char *const paths[] = {"metrics", "healthz", "readyz"};
    struct place *place = place_find(places, "metrics pages");
    long base = strtol(getenv("SHIKAKU_PORT_BASE"), NULL, 10);
    CURL *easy = curl_easy_init();
    bool read = easy != NULL;
    for (long port = base + 1; read && port <= base + 10; port++)
        for (size_t p = 0; read && p < 3; p++) {
            char url[96];
            page.len = 0;
            snprintf(url, sizeof url, "http://127.0.0.1:%ld/%s", port, paths[p]);
            curl_easy_setopt(easy, CURLOPT_URL, url);
            curl_easy_setopt(easy, CURLOPT_PROXY, "");
            curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, page_take);
            curl_easy_setopt(easy, CURLOPT_WRITEDATA, &page);
            read = curl_easy_perform(easy) == CURLE_OK;
            if (!read)
                fprintf(stderr, "%s did not answer\n", url);
            place_search(places, place, url, page.bytes, page.len, NULL, NULL);
        }
    curl_easy_cleanup(easy);
    return read;
}
