#include "audit/audit_answer.h"

#include "chassis/programme_keys.h"
#include "chassis/rights.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK 200
#define LOOKED_AT_MAX 20000         /* records for one page; what is further waits for the next one */
#define PAGE_BYTES_MAX (150 * 1024) /* of what a payload can hold */
#define CLOCKS_APART_MS 60000       /* between a service's clock and audit's */
#define SUBJECTS_MAX 1000           /* that one record of use names */
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

/* --- what is asked ------------------------------------------------------------------------------------------------ */

static bool is_made_of(const char *text, const char *letters)
{
    size_t len = strlen(text);
    return len > 0 && len <= ANSWER_ID_MAX && strspn(text, letters) == len;
}

bool answer_id_check(const char *text, bool needed, const char *field, struct fault *fault)
{
    if (!*text)
        return !needed || fault_set(fault, FAULT_item_missing, field);
    return is_made_of(text, LETTERS "._:-") || fault_set(fault, FAULT_item_invalid, field);
}

bool question_check(const char *reason, int64_t from_ms, int64_t until_ms, struct fault *fault)
{
    if (!*reason)
        return fault_set(fault, FAULT_reason_missing, "reason");
    if (!is_made_of(reason, LETTERS "_/.-"))
        return fault_set(fault, FAULT_item_invalid, "reason");
    if (from_ms < 0)
        return fault_set(fault, FAULT_item_invalid, "from_ms");
    if (until_ms < 0 || (until_ms && until_ms <= from_ms))
        return fault_set(fault, FAULT_item_invalid, "until_ms");
    return true;
}

bool cursor_read(const char *text, struct answer_cursor *cursor)
{
    int two = 0, three = 0;
    cursor->before = 0;
    int read = sscanf(text, "%19" SCNu64 ".%19" SCNu64 "%n.%19" SCNu64 "%n", &cursor->length, &cursor->place, &two,
        &cursor->before, &three);
    return ((read == 2 && !text[two]) || (read == 3 && !text[three])) && cursor->length <= INT64_MAX &&
           cursor->place <= INT64_MAX && cursor->before <= INT64_MAX;
}

char *cursor_print(struct arena *arena, const struct answer_cursor *cursor)
{
    return cursor->before
               ? arena_format(arena, "%" PRIu64 ".%" PRIu64 ".%" PRIu64, cursor->length, cursor->place, cursor->before)
               : arena_format(arena, "%" PRIu64 ".%" PRIu64, cursor->length, cursor->place);
}

bool page_check(const char *cursor, int32_t limit, int32_t most, struct fault *fault)
{
    struct answer_cursor parsed;
    if (limit < 0 || limit > most)
        return fault_set(fault, FAULT_item_invalid, "limit");
    return !*cursor || cursor_read(cursor, &parsed) || fault_set(fault, FAULT_item_invalid, "cursor");
}

/* --- who asks ----------------------------------------------------------------------------------------------------- */

static bool has_all_programmes(struct work *work, const char *manager)
{
    char listed[RIGHTS_PROGRAMMES_MAX], name[RIGHTS_PROGRAMMES_MAX];
    const struct programmes *programmes = programmes_in_use();
    enum route route;
    if (!route_find(work->envelope->route, &route))
        return false;
    rights_programmes(work->actor, route_row(route)->right, work->envelope->purpose, listed);
    for (size_t i = 0; *listed && programmes && i < programmes_count(programmes); i++) {
        const struct programme *programme = programmes_at(programmes, i);
        snprintf(name, sizeof name, ",%s,", programme->code);
        if (strcmp(programme->manager, manager) == 0 && !strstr(listed, name))
            return false;
    }
    return !*listed || programmes;
}

bool answer_permits(struct work *work, const char *manager)
{
    return work_permits(work, &(struct affair){.manager = manager, .body = ""}) &&
           (has_all_programmes(work, manager) || fault_set(&work->fault, FAULT_not_permitted, "programme"));
}

/* --- a page ------------------------------------------------------------------------------------------------------- */

static bool page_take(void *to, const struct use *use)
{
    struct answer_page *page = to;
    page->search.before = use->position;
    if (use->at_ms < page->from_ms || (page->until_ms && use->at_ms >= page->until_ms) ||
        (use->event && !page->wants(page, use)))
        return true;
    page->failed = !page->put(page, use);
    page->rows++;
    page->full = page->rows >= page->limit || page->bytes > PAGE_BYTES_MAX;
    return !page->failed && !page->full;
}

static bool page_begin(struct work *work, struct answer_page *page, const char *text, struct answer_cursor *cursor)
{
    page->arena = work->arena;
    page->search.from_ms = page->from_ms > CLOCKS_APART_MS ? page->from_ms - CLOCKS_APART_MS : 0;
    page->search.limit = CHUNK;
    if (!*text && !log_length(work->pg, &cursor->length, &work->fault))
        return false;
    if (!*text)
        cursor->place = cursor->length;
    else if (!cursor_read(text, cursor))
        return fault_set(&work->fault, FAULT_item_invalid, "cursor");
    page->search.before = cursor->place < cursor->length ? cursor->place : cursor->length;
    return true;
}

bool page_read(struct work *work, struct answer_page *page, const char *text)
{
    struct answer_cursor cursor;
    size_t found = CHUNK, looked_at = 0;
    if (!page_begin(work, page, text, &cursor))
        return false;
    for (; found == CHUNK && !page->full && looked_at < LOOKED_AT_MAX; looked_at += found) {
        if (!uses_each(work->pg, &page->search, page_take, page, &found, &work->fault))
            return false;
        if (page->failed)
            return fault_set(&work->fault, FAULT_too_large, NULL);
    }
    cursor.place = page->search.before;
    page->cursor = page->full || found == CHUNK ? cursor_print(work->arena, &cursor) : "";
    return page->cursor || fault_set(&work->fault, FAULT_internal, NULL);
}

bool sealed_count(struct work *work, const struct answer_page *page, const char *text, int32_t *sealed)
{
    struct answer_cursor cursor = {0};
    if (!page->search.tokens->shut)
        return true;
    if (*text ? !cursor_read(text, &cursor) : !log_length(work->pg, &cursor.length, &work->fault))
        return false;
    return uses_count(
        work->pg, page->search.manager, page->from_ms, page->until_ms, cursor.length, sealed, &work->fault);
}

/* --- its record --------------------------------------------------------------------------------------------------- */

static int texts_compare(const void *one, const void *other)
{
    return strcmp(*(const char *const *)one, *(const char *const *)other);
}

static size_t doubles_drop(const char **persons, size_t count)
{
    size_t kept = 0;
    qsort(persons, count, sizeof *persons, texts_compare);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || strcmp(persons[kept - 1], persons[i]) != 0)
            persons[kept++] = persons[i];
    return kept;
}

static char *persons_join(struct arena *arena, const char *const *persons, size_t count)
{
    size_t len = 1;
    for (size_t i = 0; i < count; i++)
        len += strlen(persons[i]) + 1;
    char *joined = arena_take(arena, len), *at = joined;
    for (size_t i = 0; joined && i < count; i++)
        at += sprintf(at, "%s%s", i ? " " : "", persons[i]);
    if (joined)
        *at = '\0';
    return joined;
}

void answer_record(struct work *work, const char **persons, size_t count, const char *reason, uint32_t shown)
{
    size_t distinct = count ? doubles_drop(persons, count) : 0, done = 0;
    do {
        size_t some = distinct - done < SUBJECTS_MAX ? distinct - done : SUBJECTS_MAX;
        const char *subjects = persons_join(work->arena, persons + done, some);
        if (!subjects) {
            pg_fail(work->pg, FAULT_internal);
            return;
        }
        work_audit(work, &(struct touch){.subject = subjects, .reason = reason, .count = shown, .nobody = !shown});
        done += some;
    } while (done < distinct);
}
