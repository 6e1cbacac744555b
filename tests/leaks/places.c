#include "leaks/places.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "leaks/controls.h"
#include "leaks/unpack.h"

#define PLACES_MAX 96
#define SHOWN_MAX 4

#define NUMBERS KIND_BIT(PLANTED_NUMBER)
#define BOTH (CONTROL_OPEN | CONTROL_PACKED)
#define TEXTS (KIND_BIT(PLANTED_NAME) | KIND_BIT(PLANTED_ADDRESS))

/* What may be where; the first row that fits. Everything else: nothing. */
static const struct {
    const char *place;
    unsigned allowed;
    unsigned controls;
} rules[] = {
    {"memory of control", 0, BOTH},
    {"memory of vault*", NUMBERS, 0},
    {"memory of residence, load", NUMBERS | TEXTS, 0},
    {"memory of legacy_sync, load", NUMBERS | TEXTS, 0},
    {"memory of residence*", TEXTS, 0},
    {"memory of legacy_sync*", TEXTS, 0},
    {"memory of haproxy*", TEXTS, 0},
    {"memory of portal*", TEXTS, 0},
    {"memory of intake*", TEXTS, 0},
    {"memory of intermediate*", KIND_BIT(PLANTED_ADDRESS), 0}, /* 本籍, compared with the family register */
    {"memory of records*", TEXTS, 0},
    {"memory of certificates*", TEXTS, 0},
    {"HAProxy to portal", TEXTS, BOTH},
    {"bus", 0, BOTH},
    {"PostgreSQL heap", 0, BOTH},
    {"PostgreSQL index", 0, CONTROL_OPEN},
    {"PostgreSQL TOAST", 0, BOTH},
    {"PostgreSQL WAL", 0, BOTH},
    {"service logs", 0, BOTH},
    {"var/", 0, BOTH},
};

struct places {
    const struct needles *needles;
    struct place *list[PLACES_MAX];
    size_t count;
};

struct places *places_new(const struct needles *needles)
{
    struct places *places = calloc(1, sizeof *places);
    if (!places)
        abort();
    places->needles = needles;
    return places;
}

void places_free(struct places *places)
{
    for (size_t i = 0; i < places->count; i++)
        free(places->list[i]);
    free(places);
}

struct place *place_find(struct places *places, const char *name)
{
    for (size_t i = 0; i < places->count; i++)
        if (strcmp(places->list[i]->name, name) == 0)
            return places->list[i];
    struct place *place = places->count < PLACES_MAX ? calloc(1, sizeof *place) : NULL;
    if (!place)
        abort();
    snprintf(place->name, sizeof place->name, "%s", name);
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (fnmatch(rules[i].place, name, 0) == 0) {
            place->allowed = rules[i].allowed;
            place->controls = rules[i].controls;
            break;
        }
    return places->list[places->count++] = place;
}

struct searching {
    const struct places *places;
    struct place *place;
    const char *where;
    bool packed;
    const uint8_t *hay;
    size_t len;
    place_saw saw;
    void *user;
};

static void tally_add(struct tally *tally, bool packed)
{
    if (packed)
        tally->packed++;
    else
        tally->raw++;
}

/* For whoever looks for the cause: the people are made up, so what lies around the value may be seen on request. */
static void surroundings_show(const struct searching *search, size_t at, size_t size)
{
    size_t from = at > 64 ? at - 64 : 0, past = at + size + 64 < search->len ? at + size + 64 : search->len;
    fputs("      ", stderr);
    for (size_t i = from; i < past; i++)
        fputc(search->hay[i] >= ' ' && search->hay[i] < 0x7F ? search->hay[i] : '.', stderr);
    fputc('\n', stderr);
}

static void hit(void *user, const struct needle *needle, size_t at)
{
    struct searching *search = user;
    struct place *place = search->place;
    if (needle->person == CONTROL_TYPED) {
        tally_add(&place->typed[needle->encoding], search->packed);
        return;
    }
    if (needle->person == CONTROL_FORMS) {
        tally_add(&place->forms[needle->kind][needle->encoding], search->packed);
        return;
    }
    tally_add(&place->hits[needle->kind][needle->encoding], search->packed);
    if (search->saw)
        search->saw(search->user, needle);
    if (place->allowed & KIND_BIT(needle->kind) || place->shown >= SHOWN_MAX)
        return;
    place->shown++;
    fprintf(stderr, "%s: %s as %s%s, person %u, %s at %zu\n", place->name, planted_kind_names[needle->kind],
        encoding_names[needle->encoding], search->packed ? " (packed)" : "", needle->person, search->where, at);
    if (getenv("SHIKAKU_LEAK_SHOW"))
        surroundings_show(search, at, needle->len);
}

static void packed_search(void *user, const uint8_t *plain, size_t len)
{
    struct searching search = *(struct searching *)user;
    search.packed = true;
    search.hay = plain;
    search.len = len;
    needles_find(search.places->needles, plain, len, hit, &search);
}

void place_search(struct places *places, struct place *place, const char *where, const void *hay, size_t len,
    place_saw saw, void *user)
{
    struct searching search = {places, place, where, false, hay, len, saw, user};
    place->bytes += len;
    needles_find(places->needles, hay, len, hit, &search);
    unpack_all(hay, len, packed_search, &search);
}

/* --- what came of it ------------------------------------------------------------------------------------------------
 */

static uint64_t sum(const struct tally row[ENCODINGS])
{
    uint64_t all = 0;
    for (size_t e = 0; e < ENCODINGS; e++)
        all += row[e].raw + row[e].packed;
    return all;
}

static void row_print(const struct place *place, size_t kind)
{
    printf(
        "%-32s %8.1f  %-8s", kind ? "" : place->name, kind ? 0 : (double)place->bytes / 1e6, planted_kind_names[kind]);
    for (size_t e = 0; e < ENCODINGS; e++) {
        uint64_t hits = place->hits[kind][e].raw + place->hits[kind][e].packed;
        if (hits)
            printf(" %6llu", (unsigned long long)hits);
        else
            printf(" %6s", ".");
    }
    bool allowed = place->allowed & KIND_BIT(kind);
    printf("  %s\n", !sum(place->hits[kind]) ? "" : allowed ? "allowed" : "LEAK");
}

void places_print(const struct places *places)
{
    printf("\n%-32s %8s  %-8s", "place", "MB", "what");
    for (size_t e = 0; e < ENCODINGS; e++)
        printf(" %6zu", e + 1);
    printf("\n");
    for (size_t i = 0; i < places->count; i++)
        for (size_t kind = 0; kind < PLANTED_KINDS; kind++)
            if (!kind || sum(places->list[i]->hits[kind]))
                row_print(places->list[i], kind);
    for (size_t e = 0; e < ENCODINGS; e++)
        printf("%s%zu %s", e ? ", " : "", e + 1, encoding_names[e]);
    printf("\n");
}

/* Random bytes of this size show so many of the forms of six bytes by chance; so many more that it happens once in a
 * million runs are let pass, and told. */
static bool is_chance(const struct places *places, const struct place *place, size_t encoding, uint64_t hits)
{
    double expected = (double)place->bytes * (double)needles_count(places->needles) / ENCODINGS / 281474976710656.0;
    if (!encoding_is_short((enum encoding)encoding) || (double)hits > expected + 2)
        return false;
    printf("%s: %llu × %s in %.0f MB is chance (%.3f expected)\n", place->name, (unsigned long long)hits,
        encoding_names[encoding], (double)place->bytes / 1e6, expected);
    return true;
}

bool places_are_clean(const struct places *places)
{
    bool clean = true;
    for (size_t i = 0; i < places->count; i++)
        for (size_t kind = 0; kind < PLANTED_KINDS; kind++)
            for (size_t e = 0; e < ENCODINGS; e++) {
                const struct place *place = places->list[i];
                uint64_t hits = place->hits[kind][e].raw + place->hits[kind][e].packed;
                if (!hits || place->allowed & KIND_BIT(kind) || is_chance(places, place, e, hits))
                    continue;
                printf("LEAK: %s holds a %s as %s, %llu times\n", place->name, planted_kind_names[kind],
                    encoding_names[e], (unsigned long long)hits);
                clean = false;
            }
    return clean;
}

struct wanted {
    bool form[PLANTED_KINDS][ENCODINGS];
    size_t kind;
};

static void want(void *user, enum encoding encoding, const void *bytes, size_t len)
{
    struct wanted *wanted = user;
    (void)bytes;
    wanted->form[wanted->kind][encoding] |= len >= NEEDLE_MIN;
}

struct score {
    size_t due, found;
};

static void score_add(struct score *score, bool due, bool found, const struct place *place, const char *what,
    const char *encoding, const char *how)
{
    score->due += due;
    score->found += due && found;
    if (due && !found)
        printf("NOT FOUND: the control %s as %s, %s, in %s\n", what, encoding, how, place->name);
}

static void controls_score(const struct place *place, const struct wanted *wanted, struct score *score)
{
    for (size_t kind = 0; kind < PLANTED_KINDS; kind++)
        for (size_t e = 0; e < ENCODINGS; e++) {
            const struct tally *tally = &place->forms[kind][e];
            if (!wanted->form[kind][e])
                continue;
            score_add(score, place->controls & CONTROL_OPEN, tally->raw, place, planted_kind_names[kind],
                encoding_names[e], "open");
            score_add(score, place->controls & CONTROL_PACKED, tally->packed, place, planted_kind_names[kind],
                encoding_names[e], "packed");
        }
}

bool places_are_searched(const struct places *places)
{
    struct wanted wanted = {0};
    struct score score = {0};
    for (wanted.kind = 0; wanted.kind < PLANTED_KINDS; wanted.kind++)
        encodings_make((enum planted_kind)wanted.kind, control_value((enum planted_kind)wanted.kind), want, &wanted);
    for (size_t i = 0; i < places->count; i++) {
        const struct place *place = places->list[i];
        controls_score(place, &wanted, &score);
        bool typed = strcmp(place->name, "PostgreSQL heap") == 0 || strcmp(place->name, "PostgreSQL WAL") == 0;
        score_add(
            &score, typed, place->typed[ENCODING_INT64_LE].raw, place, "number", "bigint", "written by PostgreSQL");
        score_add(
            &score, typed, place->typed[ENCODING_NUMERIC].raw, place, "number", "numeric", "written by PostgreSQL");
    }
    for (size_t r = 0; r < sizeof rules / sizeof *rules; r++) {
        bool there = false;
        for (size_t i = 0; i < places->count; i++)
            there = there || strcmp(places->list[i]->name, rules[r].place) == 0;
        if (rules[r].controls && !there) {
            printf("NOT SEARCHED: %s\n", rules[r].place);
            score.due++;
        }
    }
    printf("controls: %zu of %zu forms found\n", score.found, score.due);
    return score.due && score.found == score.due;
}
