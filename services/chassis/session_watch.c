#include "chassis/session_watch.h"

#include "chassis/bus.h"
#include "chassis/journal.h"
#include "chassis/likeness.h"
#include "chassis/meters.h"
#include "chassis/rights.h"
#include "chassis/work.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BEAT_MS 1000
#define RETRY_MS 100
#define STOP_LOOK_MS 20
#define ARENA_BYTES (1024 * 1024)
#define SKEW_MS 60000 /* an ended session is kept so long past its last token: clocks differ */

struct ended {
    char session[SESSION_ID_MAX + 1];
    int64_t tokens_until_ms;
};

static struct {
    pthread_rwlock_t lock;
    struct ended *rows; /* by session */
    size_t count, room;
    int64_t number; /* of staff's last revocation that is in rows */
} known = {.lock = PTHREAD_RWLOCK_INITIALIZER};

static _Atomic int64_t asked_at; /* the question of the newest answer */
static atomic_bool ever_heard;

int64_t clock_up_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int session_compare(const void *session, const void *row)
{
    return strcmp(session, ((const struct ended *)row)->session);
}

static struct ended *row_find(const char *session)
{
    return known.count ? bsearch(session, known.rows, known.count, sizeof *known.rows, session_compare) : NULL;
}

bool session_check(const char *session, struct fault *fault)
{
    if (!atomic_load(&ever_heard) || clock_up_ms() - atomic_load(&asked_at) >= SESSION_SILENCE_MS)
        return fault_set(fault, FAULT_revocation_unknown, NULL);
    pthread_rwlock_rdlock(&known.lock);
    bool ended = row_find(session) != NULL;
    pthread_rwlock_unlock(&known.lock);
    return !ended || fault_set(fault, FAULT_not_authenticated, NULL);
}

static void outdated_drop(int64_t now_ms)
{
    size_t kept = 0;
    for (size_t i = 0; i < known.count; i++)
        if (known.rows[i].tokens_until_ms + SKEW_MS > now_ms)
            known.rows[kept++] = known.rows[i];
    known.count = kept;
}

static bool row_add(const char *session, int64_t tokens_until_ms)
{
    size_t len = strlen(session);
    struct ended *row = len > SESSION_ID_MAX ? NULL : row_find(session);
    if (row && row->tokens_until_ms < tokens_until_ms)
        row->tokens_until_ms = tokens_until_ms;
    if (row || len > SESSION_ID_MAX) /* no token is of a longer one */
        return true;
    if (known.count == known.room) {
        size_t room = known.room ? 2 * known.room : 64;
        struct ended *rows = realloc(known.rows, room * sizeof *rows);
        if (!rows)
            return false;
        known.rows = rows;
        known.room = room;
    }
    size_t at = 0;
    while (at < known.count && strcmp(known.rows[at].session, session) < 0)
        at++;
    memmove(known.rows + at + 1, known.rows + at, (known.count - at) * sizeof *known.rows);
    memcpy(known.rows[at].session, session, len + 1);
    known.rows[at].tokens_until_ms = tokens_until_ms;
    known.count++;
    return true;
}

void session_ended(const char *session, int64_t tokens_until_ms)
{
    pthread_rwlock_wrlock(&known.lock);
    (void)row_add(session, tokens_until_ms); /* staff's word comes anyway */
    pthread_rwlock_unlock(&known.lock);
}

int64_t session_watch_since(void)
{
    pthread_rwlock_rdlock(&known.lock);
    int64_t number = known.number;
    pthread_rwlock_unlock(&known.lock);
    return number;
}

/* An answer with more to come, or for which memory is out, makes nothing fresh. A number below ours: staff's tables are
 * of an earlier day, so all is asked for anew, and nothing forgotten. */
void session_watch_take(const Staff__EndedReply *reply, int64_t asked_at_ms)
{
    bool whole = true;
    pthread_rwlock_wrlock(&known.lock);
    outdated_drop(clock_ms());
    for (size_t i = 0; i < reply->n_sessions && whole; i++)
        whole = row_add(reply->sessions[i]->session, reply->sessions[i]->tokens_until_ms);
    bool set_back = reply->number < known.number;
    if (whole)
        known.number = set_back ? 0 : reply->number;
    pthread_rwlock_unlock(&known.lock);
    if (!whole || set_back || reply->more)
        return;
    atomic_store(&asked_at, asked_at_ms);
    atomic_store(&ever_heard, true);
}

/* Its thread */

static struct {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t stop;
    struct bus_caller *caller;
    struct arena *arena;
    atomic_bool stopping;
    bool running;
} watch = {.mutex = PTHREAD_MUTEX_INITIALIZER, .stop = PTHREAD_COND_INITIALIZER};

static bool staff_ask(bool *more)
{
    Staff__EndedRequest request = STAFF__ENDED_REQUEST__INIT;
    struct bus_request call = {.route = ROUTE_staff_ended, .message = &request.base};
    struct fault fault = {0};
    ProtobufCMessage *reply;
    int64_t before = clock_up_ms();
    struct rights_edition edition;
    arena_reset(watch.arena);
    rights_edition(&edition);
    request.since = session_watch_since();
    request.rights_version = (int32_t)edition.version;
    request.rights_sha256 = edition.sha256;
    if (!bus_call(watch.caller, watch.arena, &call, &reply, &fault))
        return false;
    const Staff__EndedReply *ended = (const Staff__EndedReply *)reply;
    session_watch_take(ended, before);
    likeness_key_take(ended->name_key.data, ended->name_key.len);
    *more = ended->more || ended->number < request.since;
    return true;
}

static void pause_ms(int ms)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += (long)(ms % 1000) * 1000000L;
    until.tv_sec += ms / 1000 + until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_mutex_lock(&watch.mutex);
    while (!atomic_load(&watch.stopping))
        if (pthread_cond_timedwait(&watch.stop, &watch.mutex, &until) == ETIMEDOUT)
            break;
    pthread_mutex_unlock(&watch.mutex);
}

static void *watch_run(void *unused)
{
    bool heard = true;
    while (!atomic_load(&watch.stopping)) {
        bool before = heard, more = false;
        heard = staff_ask(&more);
        if (heard != before && !atomic_load(&watch.stopping))
            journal(heard ? JOURNAL_INFO : JOURNAL_WARNING, NULL, heard ? "revocations_heard" : "revocations_silent");
        meter_set(METER_revocations_heard, "staff", heard);
        if (!more)
            pause_ms(heard ? BEAT_MS : RETRY_MS);
    }
    return unused;
}

bool session_watch_start(const char *self)
{
    watch.caller = bus_caller_new(self);
    watch.arena = arena_new(ARENA_BYTES);
    watch.running = watch.caller && watch.arena && pthread_create(&watch.thread, NULL, watch_run, NULL) == 0;
    return watch.running;
}

void session_watch_stop(void)
{
    struct timespec look;
    if (watch.running) {
        pthread_mutex_lock(&watch.mutex);
        atomic_store(&watch.stopping, true);
        pthread_cond_broadcast(&watch.stop);
        pthread_mutex_unlock(&watch.mutex);
        do { /* a call may begin just after the first cancelling */
            bus_caller_cancel(watch.caller);
            clock_gettime(CLOCK_REALTIME, &look);
            look.tv_nsec += STOP_LOOK_MS * 1000000L;
            look.tv_sec += look.tv_nsec / 1000000000L;
            look.tv_nsec %= 1000000000L;
        } while (pthread_timedjoin_np(watch.thread, NULL, &look) != 0);
    }
    bus_caller_free(watch.caller);
    arena_free(watch.arena);
}
