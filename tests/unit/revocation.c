/* Lists of revoked certificates: which count, which do not, and that the thread keeps the newest. */
#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <sys/socket.h>
#include "chassis/journal.h"
#include "intake/revocation.h"
#include "kit/applicant.h"

#define SEED 20260401u
#define HOUR 3600

static struct kit_authorities *authorities;
static struct trust_roots *roots;
static struct revocation *revocation;
static struct kit_applicant applicant;
static char *serial;

static void world_open(void)
{
    authorities = kit_authorities_load("build/kit");
    roots = trust_roots_load("build/kit/jpki-roots");
    ck_assert(authorities && roots);
    revocation = revocation_new(roots);
    ck_assert_ptr_nonnull(revocation);
    ck_assert(kit_applicant_init(&applicant, authorities, authorities->jpki, SEED, 0, 0));
    serial = kit_certificate_serial(applicant.certificate);
}

static void world_close(void)
{
    free(serial);
    kit_applicant_fini(&applicant);
    revocation_free(revocation);
    trust_roots_free(roots);
    kit_authorities_free(authorities);
}

static bool give(const struct kit_authority *authority, struct kit_crl crl, bool revoked)
{
    size_t size;
    crl.serials = (const char *const[]){serial};
    crl.count = revoked;
    uint8_t *der = kit_crl_make(authority, &crl, &size);
    ck_assert_ptr_nonnull(der);
    bool taken = revocation_take(revocation, der, size, time(NULL));
    free(der);
    return taken;
}

static enum revocation_answer find(time_t now)
{
    return revocation_find(revocation, &roots->roots[0], applicant.certificate, now);
}

/* APPLY-2: no list is no answer, and never "valid" */
START_TEST(without_a_list_nothing_is_known)
{
    time_t now = time(NULL);
    ck_assert_int_eq(find(now), REVOCATION_UNAVAILABLE);
    ck_assert(!revocation_is_available(revocation, now));
}
END_TEST

START_TEST(a_list_answers_until_its_next_update)
{
    time_t now = time(NULL);
    ck_assert(
        give(authorities->jpki, (struct kit_crl){.this_update = now, .next_update = now + HOUR, .number = 1}, false));
    ck_assert(revocation_is_available(revocation, now));
    ck_assert_int_eq(find(now), REVOCATION_GOOD);
    ck_assert_int_eq(find(now + HOUR - 1), REVOCATION_GOOD);
    ck_assert_int_eq(find(now + HOUR), REVOCATION_UNAVAILABLE);
    ck_assert(!revocation_is_available(revocation, now + HOUR));
    ck_assert(
        give(authorities->jpki, (struct kit_crl){.this_update = now, .next_update = now + HOUR, .number = 2}, true));
    ck_assert_int_eq(find(now), REVOCATION_REVOKED);
}
END_TEST

/* Each would let a revoked certificate pass, or is not the root's word. The held list stays. */
START_TEST(a_list_that_does_not_count_is_not_taken)
{
    time_t now = time(NULL);
    struct kit_authority *third = kit_authority_new("third");
    ck_assert(give(
        authorities->jpki, (struct kit_crl){.this_update = now - 60, .next_update = now + HOUR, .number = 5}, true));
    const struct {
        const struct kit_authority *authority;
        struct kit_crl crl;
    } rows[] = {
        /* another's, under the pinned name; another's under its own */
        {authorities->other, {.this_update = now, .next_update = now + HOUR, .number = 6}},
        {third, {.this_update = now, .next_update = now + HOUR, .number = 6}},
        /* out of date, without an end, of the future */
        {authorities->jpki, {.this_update = now - 2 * HOUR, .next_update = now - HOUR, .number = 6}},
        {authorities->jpki, {.this_update = now, .number = 6}},
        {authorities->jpki, {.this_update = now + HOUR, .next_update = now + 2 * HOUR, .number = 6}},
        /* not a full list */
        {authorities->jpki, {.this_update = now, .next_update = now + HOUR, .number = 6, .is_delta = true}},
        /* older than what is held, by time or by number */
        {authorities->jpki, {.this_update = now - 120, .next_update = now + HOUR, .number = 6}},
        {authorities->jpki, {.this_update = now, .next_update = now + HOUR, .number = 4}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ck_assert_msg(!give(rows[i].authority, rows[i].crl, false), "row %zu was taken", i);
        ck_assert_int_eq(find(now), REVOCATION_REVOKED);
    }
    ck_assert(!revocation_take(revocation, (const uint8_t *)"no list", 7, now));
    ck_assert(!revocation_take(revocation, (const uint8_t *)"", 0, now));
    kit_authority_free(third);
}
END_TEST

START_TEST(an_altered_list_is_not_taken)
{
    time_t now = time(NULL);
    size_t size;
    struct kit_crl crl = {.serials = (const char *const[]){serial},
        .count = 1,
        .this_update = now,
        .next_update = now + HOUR,
        .number = 1};
    uint8_t *der = kit_crl_make(authorities->jpki, &crl, &size);
    for (size_t at = 0; at < size; at += 3) {
        der[at] ^= 0x10;
        ck_assert_msg(!revocation_take(revocation, der, size, now), "byte %zu", at);
        der[at] ^= 0x10;
    }
    ck_assert(!revocation_take(revocation, der, size - 1, now));
    ck_assert(revocation_take(revocation, der, size, now));
    free(der);
}
END_TEST

/* A server that answers each connection with the list that is current, or with 404 where there is none. */
struct server {
    int socket;
    uint16_t port;
    pthread_t thread;
    pthread_mutex_t mutex;
    uint8_t *der;
    size_t size;
    atomic_int asked;
    char path[64];
};

static void *server_run(void *arg)
{
    struct server *server = arg;
    for (int client; (client = accept(server->socket, NULL, NULL)) >= 0; close(client)) {
        char request[1024];
        ssize_t length = read(client, request, sizeof request - 1);
        if (length <= 0)
            continue;
        request[length] = '\0';
        pthread_mutex_lock(&server->mutex);
        sscanf(request, "GET %63s", server->path);
        dprintf(client, "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
            server->der ? "200 OK" : "404 Not Found", server->size);
        if (server->der && write(client, server->der, server->size) != (ssize_t)server->size)
            abort();
        pthread_mutex_unlock(&server->mutex);
        server->asked++;
    }
    return NULL;
}

static void server_start(struct server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    memset(server, 0, sizeof *server);
    pthread_mutex_init(&server->mutex, NULL);
    server->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(server->socket, (struct sockaddr *)&address, length), 0);
    ck_assert_int_eq(listen(server->socket, 8), 0);
    ck_assert_int_eq(getsockname(server->socket, (struct sockaddr *)&address, &length), 0);
    server->port = ntohs(address.sin_port);
    ck_assert_int_eq(pthread_create(&server->thread, NULL, server_run, server), 0);
}

static void server_give(struct server *server, long number, bool revoked)
{
    time_t now = time(NULL);
    struct kit_crl crl = {.serials = (const char *const[]){serial},
        .count = revoked,
        .this_update = now - 1,
        .next_update = now + HOUR,
        .number = number};
    size_t size;
    uint8_t *der = kit_crl_make(authorities->jpki, &crl, &size);
    ck_assert_ptr_nonnull(der);
    pthread_mutex_lock(&server->mutex);
    free(server->der);
    server->der = der;
    server->size = size;
    pthread_mutex_unlock(&server->mutex);
}

static void server_stop(struct server *server)
{
    shutdown(server->socket, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->socket);
    free(server->der);
    pthread_mutex_destroy(&server->mutex);
}

static bool await(enum revocation_answer answer)
{
    for (int i = 0; i < 1000; i++) {
        if (find(time(NULL)) == answer)
            return true;
        usleep(10000);
    }
    return false;
}

/* The authority is away at first, comes, revokes, and goes again: what was taken counts until its end */
START_TEST(the_thread_fetches_and_keeps_the_newest)
{
    struct server server;
    char url[64];
    server_start(&server);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/crl", server.port);
    ck_assert(revocation_start(revocation, url, NULL, 1));
    for (int i = 0; i < 1000 && server.asked == 0; i++)
        usleep(10000);
    ck_assert_int_gt(server.asked, 0);
    ck_assert_int_eq(find(time(NULL)), REVOCATION_UNAVAILABLE);
    server_give(&server, 1, false);
    ck_assert(await(REVOCATION_GOOD));
    server_give(&server, 2, true);
    ck_assert(await(REVOCATION_REVOKED));
    server_give(&server, 1, false); /* an old list, served again */
    int asked = server.asked;
    for (int i = 0; i < 1000 && server.asked < asked + 2; i++)
        usleep(10000);
    ck_assert_int_ge(server.asked, asked + 2);
    ck_assert_int_eq(find(time(NULL)), REVOCATION_REVOKED);
    pthread_mutex_lock(&server.mutex);
    ck_assert_str_eq(server.path, "/crl/jpki-root.crl");
    pthread_mutex_unlock(&server.mutex);
    server_stop(&server);
    ck_assert_int_eq(find(time(NULL)), REVOCATION_REVOKED);
}
END_TEST

static atomic_bool stop_reading;

static void *read_run(void *arg)
{
    long *read = arg;
    while (!stop_reading) {
        enum revocation_answer answer = find(time(NULL));
        if (answer != REVOCATION_GOOD && answer != REVOCATION_REVOKED)
            abort();
        (*read)++;
    }
    return NULL;
}

/* A list is replaced under readers: each sees a whole one */
START_TEST(lists_are_replaced_under_readers)
{
    time_t now = time(NULL);
    pthread_t readers[3];
    long read[3] = {0};
    ck_assert(
        give(authorities->jpki, (struct kit_crl){.this_update = now, .next_update = now + HOUR, .number = 1}, true));
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(pthread_create(&readers[i], NULL, read_run, &read[i]), 0);
    for (int i = 2; i < 300; i++)
        ck_assert(give(authorities->jpki, (struct kit_crl){.this_update = now, .next_update = now + HOUR, .number = i},
            i % 2 == 0));
    stop_reading = true;
    for (int i = 0; i < 3; i++) {
        pthread_join(readers[i], NULL);
        ck_assert_int_gt(read[i], 0);
    }
    ck_assert_int_eq(find(now), REVOCATION_GOOD);
}
END_TEST

int main(void)
{
    journal_open("test");
    if (!kit_authorities_make("build/kit"))
        return 1;
    Suite *suite = suite_create("revocation");
    TCase *tests = tcase_create("lists");
    tcase_add_checked_fixture(tests, world_open, world_close);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, without_a_list_nothing_is_known);
    tcase_add_test(tests, a_list_answers_until_its_next_update);
    tcase_add_test(tests, a_list_that_does_not_count_is_not_taken);
    tcase_add_test(tests, an_altered_list_is_not_taken);
    tcase_add_test(tests, the_thread_fetches_and_keeps_the_newest);
    tcase_add_test(tests, lists_are_replaced_under_readers);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
