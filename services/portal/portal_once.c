#include "portal/portal_once.h"

#include <openssl/sha.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE 60
#define FILL_NUMERATOR 7 /* of 8: fuller, and finding a free slot takes long */
#define FILL_DENOMINATOR 8

/* One a minute of expiry: what it holds expires together, so it is emptied as a whole and nothing is ever searched for
 * age. A digest of zeroes marks a free slot. */
struct window {
    int64_t minute;
    size_t used;
    uint64_t (*slots)[2];
};

struct once {
    pthread_mutex_t lock;
    size_t size; /* slots a window */
    int count;
    struct window windows[];
};

struct once *once_new(size_t a_minute, int minutes)
{
    int count = minutes + 2; /* the minute that runs, and that in which the longest ends */
    struct once *once = calloc(1, sizeof *once + (size_t)count * sizeof once->windows[0]);
    if (!once)
        return NULL;
    pthread_mutex_init(&once->lock, NULL);
    once->size = a_minute * FILL_DENOMINATOR / FILL_NUMERATOR + 1;
    once->count = count;
    for (int i = 0; i < count; i++)
        if (!(once->windows[i].slots = calloc(once->size, sizeof once->windows[i].slots[0]))) {
            once_free(once);
            return NULL;
        }
    return once;
}

void once_free(struct once *once)
{
    if (!once)
        return;
    for (int i = 0; i < once->count; i++)
        free(once->windows[i].slots);
    pthread_mutex_destroy(&once->lock);
    free(once);
}

static void digest_make(const char *id, uint64_t digest[2])
{
    uint64_t whole[SHA256_DIGEST_LENGTH / 8];
    SHA256((const uint8_t *)id, strlen(id), (uint8_t *)whole);
    digest[0] = whole[0];
    digest[1] = whole[1] | 1; /* never zero */
}

/* The slot that holds the digest, or the free one where it belongs. There is always a free one. */
static uint64_t *slot_find(const struct once *once, const struct window *window, const uint64_t digest[2])
{
    size_t at = digest[0] % once->size;
    while (window->slots[at][1] && memcmp(window->slots[at], digest, sizeof window->slots[at]) != 0)
        at = at + 1 == once->size ? 0 : at + 1;
    return window->slots[at];
}

static bool is_held(const struct once *once, const uint64_t digest[2], int64_t now)
{
    for (int i = 0; i < once->count; i++) {
        const struct window *window = &once->windows[i];
        if (window->minute >= now / MINUTE && window->used && slot_find(once, window, digest)[1])
            return true;
    }
    return false;
}

static void window_empty(const struct once *once, struct window *window, int64_t minute)
{
    if (window->used)
        memset(window->slots, 0, once->size * sizeof window->slots[0]);
    window->minute = minute;
    window->used = 0;
}

enum once_result once_use(struct once *once, const char *id, int64_t expires_at, int64_t now)
{
    uint64_t digest[2];
    enum once_result result = ONCE_FRESH;
    int64_t minute = expires_at / MINUTE;
    if (expires_at <= now || minute > now / MINUTE + once->count - 1)
        return ONCE_EXPIRED;
    digest_make(id, digest);
    pthread_mutex_lock(&once->lock);
    struct window *window = &once->windows[minute % once->count];
    if (window->minute != minute)
        window_empty(once, window, minute);
    if (is_held(once, digest, now))
        result = ONCE_USED;
    else if (window->used >= once->size * FILL_NUMERATOR / FILL_DENOMINATOR)
        result = ONCE_FULL;
    else {
        memcpy(slot_find(once, window, digest), digest, sizeof digest);
        window->used++;
    }
    pthread_mutex_unlock(&once->lock);
    return result;
}
