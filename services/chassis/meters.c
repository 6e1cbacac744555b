#include "chassis/meters.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LABELS_MAX 64

struct slot {
    _Atomic(const char *) label;
    atomic_llong value;
};

static const struct {
    const char *name, *kind, *label, *prose;
} rows[METERS] = {
#define METER(name, kind, label, prose) {#name, #kind, label, prose},
#include "chassis/meters.def"
#undef METER
};

static struct slot slots[METERS][LABELS_MAX];
static pthread_mutex_t adding = PTHREAD_MUTEX_INITIALIZER;

static struct slot *slot_search(enum meter meter, const char *label)
{
    for (size_t i = 0; i < LABELS_MAX; i++) {
        const char *had = atomic_load_explicit(&slots[meter][i].label, memory_order_acquire);
        if (!had)
            return NULL;
        if (had == label || strcmp(had, label) == 0)
            return &slots[meter][i];
    }
    return NULL;
}

static struct slot *slot_find(enum meter meter, const char *label)
{
    struct slot *slot = slot_search(meter, label);
    if (slot)
        return slot;
    pthread_mutex_lock(&adding);
    slot = slot_search(meter, label);
    for (size_t i = 0; !slot && i < LABELS_MAX; i++)
        if (!atomic_load(&slots[meter][i].label)) {
            slot = &slots[meter][i];
            atomic_store_explicit(&slot->label, label, memory_order_release);
        }
    pthread_mutex_unlock(&adding);
    return slot;
}

void meter_add(enum meter meter, const char *label, int64_t value)
{
    struct slot *slot = slot_find(meter, label);
    if (slot)
        atomic_fetch_add_explicit(&slot->value, value, memory_order_relaxed);
}

void meter_set(enum meter meter, const char *label, int64_t value)
{
    struct slot *slot = slot_find(meter, label);
    if (slot)
        atomic_store_explicit(&slot->value, value, memory_order_relaxed);
}

static void value_print(FILE *out, size_t meter, long long value)
{
    if (strstr(rows[meter].name, "_seconds_total"))
        fprintf(out, "%lld.%06lld\n", value / 1000000, value % 1000000);
    else
        fprintf(out, "%lld\n", value);
}

char *meters_print(void)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    for (size_t m = 0; m < METERS; m++) {
        fprintf(out, "# HELP shikaku_%s %s\n# TYPE shikaku_%s %s\n", rows[m].name, rows[m].prose, rows[m].name,
            rows[m].kind);
        for (size_t i = 0; i < LABELS_MAX; i++) {
            const char *label = atomic_load_explicit(&slots[m][i].label, memory_order_acquire);
            if (!label)
                break;
            fprintf(out, "shikaku_%s{%s=\"%s\"} ", rows[m].name, rows[m].label, label);
            value_print(out, m, atomic_load_explicit(&slots[m][i].value, memory_order_relaxed));
        }
    }
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    return text;
}
