#include "chassis/door.h"

#include "chassis/boot.h"
#include "chassis/work_state.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define SENDERS_MAX 64 /* more than are enrolled anywhere; the last place is for all others */
#define KINDS_MAX 6    /* kinds of refusal that are told apart */
#define MINUTE_MS 60000
#define REASON_BYTES 256

struct sender {
    char name[64];
    int64_t recorded_ms; /* when its last record was made; 0: none yet */
    struct {
        enum fault_code code;
        int64_t count;
    } kinds[KINDS_MAX];
};

static struct {
    pthread_mutex_t lock;
    struct sender senders[SENDERS_MAX];
    size_t count;
} door = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct sender *sender_of(const char *name)
{
    for (size_t i = 0; i < door.count; i++)
        if (strcmp(door.senders[i].name, name) == 0)
            return &door.senders[i];
    if (door.count == SENDERS_MAX)
        return &door.senders[SENDERS_MAX - 1];
    struct sender *fresh = &door.senders[door.count++];
    snprintf(fresh->name, sizeof fresh->name, "%s", door.count == SENDERS_MAX ? "others" : name);
    return fresh;
}

static void kind_add(struct sender *sender, enum fault_code code, int64_t count)
{
    int i = 0;
    while (i < KINDS_MAX - 1 && sender->kinds[i].count && sender->kinds[i].code != code)
        i++;
    sender->kinds[i].code = code;
    sender->kinds[i].count += count;
}

/* What is noted, if it is to be recorded now; then it counts as recorded. */
static bool sender_take(struct sender *sender, int64_t now, bool all, struct sender *taken)
{
    if (!sender->kinds[0].count || (!all && sender->recorded_ms && now - sender->recorded_ms < MINUTE_MS))
        return false;
    *taken = *sender;
    memset(sender->kinds, 0, sizeof sender->kinds);
    sender->recorded_ms = now;
    return true;
}

/* It could not be recorded: it is noted still. */
static void sender_put_back(const struct sender *taken)
{
    pthread_mutex_lock(&door.lock);
    struct sender *sender = sender_of(taken->name);
    for (int i = 0; i < KINDS_MAX && taken->kinds[i].count; i++)
        kind_add(sender, taken->kinds[i].code, taken->kinds[i].count);
    sender->recorded_ms = taken->recorded_ms;
    pthread_mutex_unlock(&door.lock);
}

static void sender_record(struct work *work, const struct sender *taken)
{
    struct fault refused = work->fault;
    const struct seal_peer *peer_before = work->peer;
    struct seal_peer peer = {.name = "?"}, kept = work->state->peer;
    char reason[REASON_BYTES];
    size_t used = 0;
    for (int i = 0; i < KINDS_MAX && taken->kinds[i].count; i++)
        used += (size_t)snprintf(reason + used, sizeof reason - used, "%s%s:%lld", i ? " " : "",
            fault_code_text(taken->kinds[i].code), (long long)taken->kinds[i].count);
    if (*taken->name)
        snprintf(peer.name, sizeof peer.name, "%s", taken->name);
    work->state->peer = peer;
    work->peer = &work->state->peer;
    bool recorded = work_begin(work, "");
    if (recorded) {
        record_refused(work, &(struct touch){.act = DOOR_ACT, .reason = reason, .nobody = true}, taken->kinds[0].code);
        recorded = work_commit(work, NULL) == OUTCOME_DONE;
    }
    if (!recorded)
        sender_put_back(taken);
    work->state->peer = kept;
    work->peer = peer_before;
    work->fault = refused;
}

void door_refused(struct work *work)
{
    struct sender taken;
    if (!work->pg)
        return;
    pthread_mutex_lock(&door.lock);
    struct sender *sender = sender_of(work->peer ? work->peer->name : "");
    kind_add(sender, work->fault.code, 1);
    bool due = sender_take(sender, clock_ms(), false, &taken);
    pthread_mutex_unlock(&door.lock);
    if (due)
        sender_record(work, &taken);
}

void door_record(struct work *work, bool all)
{
    struct sender taken;
    for (size_t i = 0; i < SENDERS_MAX; i++) {
        pthread_mutex_lock(&door.lock);
        bool due = i < door.count && sender_take(&door.senders[i], clock_ms(), all, &taken);
        pthread_mutex_unlock(&door.lock);
        if (due)
            sender_record(work, &taken);
    }
}

static bool is_noted(void)
{
    bool noted = false;
    pthread_mutex_lock(&door.lock);
    for (size_t i = 0; i < door.count; i++)
        noted |= door.senders[i].kinds[0].count > 0;
    pthread_mutex_unlock(&door.lock);
    return noted;
}

void door_close(const struct service *service)
{
    struct work *work = service->schema_version && is_noted() ? work_new(service) : NULL;
    if (work)
        door_record(work, true);
    work_free(work);
}
