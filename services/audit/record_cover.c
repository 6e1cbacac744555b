#include "audit/record_cover.h"

#include "chassis/cover.h"
#include "chassis/keyring.h"
#include "chassis/wire_scan.h"

#include <stdio.h>
#include <string.h>

#define TEXT_MAX 255

static const char *const kinds[] = {
#define KIND(name, NAME, months, japanese) #name,
#define ACT(act, kind)
#define BARE(route, why)
#include "acts.def"
#undef KIND
#undef ACT
#undef BARE
};

static const struct {
    const char *act, *kind;
} acts[] = {
#define KIND(name, NAME, months, japanese)
#define ACT(act, kind) {#act, #kind},
#define BARE(route, why)
#include "acts.def"
#undef KIND
#undef ACT
#undef BARE
};

size_t kinds_list(const char *const **list)
{
    *list = kinds;
    return sizeof kinds / sizeof *kinds;
}

const char *act_kind(const char *act)
{
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
        if (strcmp(acts[i].act, act) == 0)
            return acts[i].kind;
    return "use";
}

static const char *const token_domains[] = {"audit.subject", "audit.account", "audit.terminal", "audit.reason"};

static uint64_t token_number(const uint8_t token[INDEX_TOKEN_BYTES])
{
    uint64_t number;
    memcpy(&number, token, sizeof number);
    return number;
}

uint64_t record_token(const char *manager, enum token_kind kind, const char *text, size_t len)
{
    uint8_t token[INDEX_TOKEN_BYTES];
    return index_token(manager, token_domains[kind], text, len, token) ? token_number(token) : 0;
}

uint64_t record_tokens_make(
    struct record_tokens *tokens, const char *manager, enum token_kind kind, const char *text, size_t len)
{
    uint8_t token[INDEX_TOKEN_BYTES];
    if (strcmp(tokens->manager, manager) != 0) {
        record_tokens_fini(tokens);
        snprintf(tokens->manager, sizeof tokens->manager, "%s", manager);
    }
    if (!tokens->fields[kind])
        tokens->fields[kind] = index_field_new(manager, token_domains[kind]);
    return index_field_token(tokens->fields[kind], text, len, token) ? token_number(token) : 0;
}

void record_tokens_fini(struct record_tokens *tokens)
{
    for (int kind = 0; kind < TOKEN_KINDS; kind++)
        index_field_free(tokens->fields[kind]);
    memset(tokens, 0, sizeof *tokens);
}

/* Subjects are parted by blanks. Services name themselves as who they are: they are found by `service` and `act`. */
static bool tokens_make(
    struct arena *arena, struct record_tokens *makers, const Audit__Event *event, struct audit_record *record)
{
    const struct {
        enum token_kind kind;
        const char *text;
    } others[] = {{TOKEN_ACCOUNT, *event->role ? event->who : ""}, {TOKEN_TERMINAL, event->terminal},
        {TOKEN_REASON, event->reason}};
    size_t most = 4;
    for (const char *at = event->subject; *at; at++)
        most += *at == ' ';
    uint64_t *tokens = arena_take(arena, most * sizeof *tokens);
    if (!tokens || most > AUDIT_TOKENS_MAX)
        return false;
    record->tokens = tokens;
    for (const char *from = event->subject; *from; from += strspn(from, " ")) {
        size_t len = strcspn(from, " ");
        if (len)
            tokens[record->token_count++] = record_tokens_make(makers, record->manager, TOKEN_SUBJECT, from, len);
        from += len;
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (*others[i].text)
            tokens[record->token_count++] =
                record_tokens_make(makers, record->manager, others[i].kind, others[i].text, strlen(others[i].text));
    return true;
}

static char *row_print(
    struct arena *arena, const char *service, const char *instance, uint32_t worker, uint64_t sequence)
{
    return arena_format(arena, "%s/%s/%u/%llu", service, instance, worker, (unsigned long long)sequence);
}

static bool fits(const char *text)
{
    return strlen(text) <= TEXT_MAX;
}

bool record_cover(struct arena *arena, struct record_tokens *tokens, const char *instance, struct bytes packed,
    struct audit_record *record)
{
    Audit__Event *event = wire_scan(&audit__event__descriptor, packed.data, packed.len)
                              ? audit__event__unpack(arena_allocator(arena), packed.len, packed.data)
                              : NULL;
    char *row = row_print(arena, record->service, instance, record->worker, record->sequence);
    if (!event || !row || !fits(event->act) || !fits(event->outcome))
        return false;
    /* A refused request can name any manager. Of one that is none of ours, or that has ended, no person is kept. */
    record->manager = *event->manager ? event->manager : "*";
    if (!keyring_newest(record->manager, KEY_DATA) || !keyring_newest(record->manager, KEY_INDEX)) {
        record->manager = "*";
        event->subject = "";
    }
    record->act = event->act;
    record->kind = act_kind(event->act);
    record->outcome = event->outcome;
    record->token_count = 0;
    size_t len = audit__event__get_packed_size(event);
    uint8_t *plain = arena_take(arena, len + 1);
    if (!plain || !tokens_make(arena, tokens, event, record))
        return false;
    audit__event__pack(event, plain);
    record->event = cover_put(arena, (struct cover_place){"audit.log", record->manager, row}, plain, len);
    return record->event.data != NULL;
}

Audit__Event *record_uncover(struct arena *arena, const char *manager, const char *service, const char *instance,
    uint32_t worker, uint64_t sequence, struct bytes covered)
{
    char *row = row_print(arena, service, instance, worker, sequence);
    if (!row)
        return NULL;
    struct bytes plain = cover_take(arena, (struct cover_place){"audit.log", manager, row}, covered.data, covered.len);
    return plain.data ? audit__event__unpack(arena_allocator(arena), plain.len, plain.data) : NULL;
}
