#include "audit/second_witness.h"

#include "chassis/audit_head.h"
#include "chassis/journal.h"
#include "chassis/meters.h"
#include "chassis/outside.h"

#include <stdio.h>
#include <string.h>

#define LINES_AT_ONCE 100

static struct outside_peer peer = {.name = "witness", .connect_ms = 1000, .total_ms = 5000};
static const char *first;
static long given = -1; /* bytes of the first witness that the second one has; -1: not known */

void second_witness_open(const char *path, const char *url, const char *ca)
{
    first = path;
    peer.base_url = url;
    peer.ca_file = *ca ? ca : NULL;
    given = -1;
}

/* Where the line ends that the second one has last; -1 where the first one does not have it. */
static long place_find(FILE *file, const struct bytes *last)
{
    char line[AUDIT_LINE_MAX];
    long place = last->len ? -1 : 0;
    while (last->len && fgets(line, sizeof line, file))
        if (strlen(line) == last->len && memcmp(line, last->data, last->len) == 0)
            place = ftell(file);
    return place;
}

static bool place_learn(struct work *work, FILE *file)
{
    const struct outside_request request = {.method = "GET", .path = "/heads/newest"};
    struct outside_answer answer;
    if (!outside_call(&peer, work->arena, &request, &answer, &work->fault) ||
        (answer.status != 200 && answer.status != 204))
        return false;
    given = place_find(file, &answer.body);
    if (given < 0)
        journal(JOURNAL_ERROR, NULL, "second_witness_knows_more", WORD("setting", "SHIKAKU_WITNESS"));
    return given >= 0;
}

/* Whole lines only: the last one may still be being written. */
static size_t lines_read(FILE *file, char lines[LINES_AT_ONCE * AUDIT_LINE_MAX], int *count)
{
    size_t used = 0;
    *count = 0;
    while (*count < LINES_AT_ONCE && fgets(lines + used, AUDIT_LINE_MAX, file)) {
        size_t len = strlen(lines + used);
        if (lines[used + len - 1] != '\n')
            break;
        used += len;
        ++*count;
    }
    return used;
}

static int lines_give(struct work *work, FILE *file)
{
    static char lines[LINES_AT_ONCE * AUDIT_LINE_MAX];
    char path[48];
    int count;
    struct outside_answer answer;
    if (fseek(file, given, SEEK_SET) != 0)
        return 0;
    size_t len = lines_read(file, lines, &count);
    snprintf(path, sizeof path, "/heads?at=%ld", given);
    const struct outside_request request = {
        .method = "POST", .path = path, .media_type = "text/plain", .body = lines, .len = len};
    meter_set(METER_audit_second_witness_behind, "audit", count);
    if (!count)
        return 0;
    if (!outside_call(&peer, work->arena, &request, &answer, &work->fault) || answer.status / 100 != 2) {
        given = -1; /* it may have kept them all the same */
        return 0;
    }
    given += (long)len;
    meter_set(METER_audit_second_witness_behind, "audit", 0);
    return count;
}

int second_witness_turn(struct work *work, const struct lane *lane)
{
    (void)lane;
    static bool told;
    FILE *file = *peer.base_url ? fopen(first, "re") : NULL;
    if (!file)
        return 0;
    bool reached = given >= 0 || place_learn(work, file);
    int count = reached ? lines_give(work, file) : 0;
    fclose(file);
    if (given < 0 && !told)
        journal(JOURNAL_ERROR, NULL, "second_witness_not_reached", WORD("setting", "SHIKAKU_WITNESS_URL"));
    told = given < 0;
    return count;
}
