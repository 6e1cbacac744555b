#include "intake/revocation.h"

#include "chassis/arena.h"
#include "chassis/journal.h"
#include "chassis/outside.h"

#include <pthread.h>
#include <stdlib.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#define CLOCK_TOLERANCE 60 /* seconds that an authority's clock may be ahead of ours */
#define FETCH_MS 5000

struct revocation {
    const struct trust_roots *roots;
    struct outside_peer authority;
    int64_t seconds;
    pthread_t thread;
    bool started;
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t wake;
    bool stopping;
    X509_CRL *lists[TRUST_ROOTS_MAX]; /* replaced whole; a reader holds a reference of its own */
};

struct revocation *revocation_new(const struct trust_roots *roots)
{
    struct revocation *revocation = calloc(1, sizeof *revocation);
    if (!revocation)
        return NULL;
    revocation->roots = roots;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&revocation->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&revocation->mutex, NULL);
    return revocation;
}

static bool is_current(const X509_CRL *list, time_t now)
{
    time_t ahead = now + CLOCK_TOLERANCE;
    const ASN1_TIME *next = X509_CRL_get0_nextUpdate(list);
    return X509_cmp_time(X509_CRL_get0_lastUpdate(list), &ahead) < 0 && next && X509_cmp_time(next, &now) > 0;
}

/* A reference of the caller's own to the held list; NULL if there is none. */
static X509_CRL *list_hold(struct revocation *revocation, size_t root)
{
    pthread_mutex_lock(&revocation->mutex);
    X509_CRL *list = revocation->lists[root];
    if (list)
        X509_CRL_up_ref(list);
    pthread_mutex_unlock(&revocation->mutex);
    return list;
}

static bool is_older(const X509_CRL *list, const X509_CRL *held)
{
    if (ASN1_TIME_compare(X509_CRL_get0_lastUpdate(list), X509_CRL_get0_lastUpdate(held)) < 0)
        return true;
    ASN1_INTEGER *number = X509_CRL_get_ext_d2i(list, NID_crl_number, NULL, NULL);
    ASN1_INTEGER *held_number = X509_CRL_get_ext_d2i(held, NID_crl_number, NULL, NULL);
    bool older = held_number && (!number || ASN1_INTEGER_cmp(number, held_number) < 0);
    ASN1_INTEGER_free(number);
    ASN1_INTEGER_free(held_number);
    return older;
}

/* The index of the root whose key signed this full list; -1 for none. */
static int list_root(const struct revocation *revocation, X509_CRL *list)
{
    if (X509_CRL_get_signature_nid(list) != NID_sha256WithRSAEncryption ||
        X509_CRL_get_ext_by_critical(list, 1, -1) >= 0)
        return -1;
    for (size_t i = 0; i < revocation->roots->count; i++) {
        X509 *root = revocation->roots->roots[i].certificate;
        if (trust_names_equal(X509_CRL_get_issuer(list), X509_get_subject_name(root)) &&
            X509_CRL_verify(list, X509_get0_pubkey(root)) == 1)
            return (int)i;
    }
    return -1;
}

bool revocation_take(struct revocation *revocation, const uint8_t *der, size_t size, time_t now)
{
    const unsigned char *at = der;
    X509_CRL *list = size <= REVOCATION_CRL_BYTES ? d2i_X509_CRL(NULL, &at, (long)size) : NULL;
    int root = list && at == der + size && is_current(list, now) ? list_root(revocation, list) : -1;
    bool ok = false;
    if (root >= 0) {
        /* The first search sorts the entries, so that readers never write. */
        X509_REVOKED *entry;
        (void)X509_CRL_get0_by_cert(list, &entry, revocation->roots->roots[root].certificate);
        pthread_mutex_lock(&revocation->mutex);
        X509_CRL *held = revocation->lists[root];
        ok = !held || !is_older(list, held);
        if (ok) {
            revocation->lists[root] = list;
            list = held;
        }
        pthread_mutex_unlock(&revocation->mutex);
    }
    X509_CRL_free(list);
    ERR_clear_error();
    return ok;
}

enum revocation_answer revocation_find(
    struct revocation *revocation, const struct trust_root *root, X509 *certificate, time_t now)
{
    enum revocation_answer answer = REVOCATION_UNAVAILABLE;
    X509_CRL *list = list_hold(revocation, (size_t)(root - revocation->roots->roots));
    X509_REVOKED *entry;
    if (list && is_current(list, now))
        answer = X509_CRL_get0_by_serial(list, &entry, X509_get0_serialNumber(certificate)) == 0 ? REVOCATION_GOOD
                                                                                                 : REVOCATION_REVOKED;
    X509_CRL_free(list);
    return answer;
}

static bool root_is_available(struct revocation *revocation, size_t root, time_t now)
{
    X509_CRL *list = list_hold(revocation, root);
    bool available = list && is_current(list, now);
    X509_CRL_free(list);
    return available;
}

bool revocation_is_available(struct revocation *revocation, time_t now)
{
    for (size_t i = 0; i < revocation->roots->count; i++)
        if (!root_is_available(revocation, i, now))
            return false;
    return true;
}

/* Fetch the list of one root. What comes may be another root's: it is taken for whose it is. */
static bool root_refresh(struct revocation *revocation, const char *name, struct fault *fault)
{
    struct arena *arena = arena_new(4 * (size_t)REVOCATION_CRL_BYTES);
    char *path = arena ? arena_format(arena, "/%s.crl", name) : NULL;
    struct outside_request request = {.method = "GET", .path = path};
    struct outside_answer answer;
    bool ok = false;
    if (path && outside_call(&revocation->authority, arena, &request, &answer, fault))
        ok = answer.status == 200 && revocation_take(revocation, answer.body.data, answer.body.len, time(NULL));
    arena_free(arena);
    return ok;
}

/* Says so when it succeeds or fails after the contrary, not every second. */
static void roots_refresh(struct revocation *revocation, int told[TRUST_ROOTS_MAX])
{
    enum { NOT_TOLD, TOLD_TAKEN, TOLD_REFUSED };
    for (size_t i = 0; i < revocation->roots->count; i++) {
        const char *name = revocation->roots->roots[i].name;
        struct fault fault = {0};
        int outcome = root_refresh(revocation, name, &fault) ? TOLD_TAKEN : TOLD_REFUSED;
        if (outcome == told[i])
            continue;
        told[i] = outcome;
        if (outcome == TOLD_TAKEN)
            journal(JOURNAL_INFO, NULL, "crl_taken", WORD("root", name));
        else
            journal(JOURNAL_WARNING, NULL, "crl_not_taken", WORD("root", name),
                WORD("fault", fault.code ? fault_code_text(fault.code) : "refused"));
    }
}

/* Looks every second whether it is time, so that a list that runs out in between is noticed. */
static void *refresh_run(void *arg)
{
    struct revocation *revocation = arg;
    int told[TRUST_ROOTS_MAX] = {0};
    struct timespec now, last = {0};
    pthread_mutex_lock(&revocation->mutex);
    while (!revocation->stopping) {
        pthread_mutex_unlock(&revocation->mutex);
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (last.tv_sec == 0 || now.tv_sec - last.tv_sec >= revocation->seconds ||
            !revocation_is_available(revocation, time(NULL))) {
            roots_refresh(revocation, told);
            last = now;
        }
        clock_gettime(CLOCK_MONOTONIC, &now);
        now.tv_sec++;
        pthread_mutex_lock(&revocation->mutex);
        if (!revocation->stopping)
            pthread_cond_timedwait(&revocation->wake, &revocation->mutex, &now);
    }
    pthread_mutex_unlock(&revocation->mutex);
    return NULL;
}

bool revocation_start(struct revocation *revocation, const char *url, const char *ca_file, int64_t seconds)
{
    revocation->authority = (struct outside_peer){
        .name = "jpki", .base_url = url, .ca_file = ca_file, .total_ms = FETCH_MS, .answer_max = REVOCATION_CRL_BYTES};
    revocation->seconds = seconds;
    revocation->started = pthread_create(&revocation->thread, NULL, refresh_run, revocation) == 0;
    return revocation->started;
}

void revocation_free(struct revocation *revocation)
{
    if (!revocation)
        return;
    pthread_mutex_lock(&revocation->mutex);
    revocation->stopping = true;
    pthread_cond_signal(&revocation->wake);
    pthread_mutex_unlock(&revocation->mutex);
    if (revocation->started)
        pthread_join(revocation->thread, NULL);
    for (size_t i = 0; i < TRUST_ROOTS_MAX; i++)
        X509_CRL_free(revocation->lists[i]);
    pthread_cond_destroy(&revocation->wake);
    pthread_mutex_destroy(&revocation->mutex);
    free(revocation);
}
