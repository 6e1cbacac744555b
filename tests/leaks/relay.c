#include "leaks/relay.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PIECE (64 * 1024)
#define KEPT_MAX (64u << 20) /* of one direction, before it is written */
#define CONNECTIONS 4096

struct relay {
    int listener, record;
    char behind[108];
    pthread_t thread;
    pthread_mutex_t lock; /* of the record and the list */
    pthread_cond_t quiet;
    unsigned running;
    int fds[CONNECTIONS][2];
    bool lost;
};

struct connection {
    struct relay *relay;
    int fds[2];
    atomic_int left; /* directions that still flow */
    int slot;
};

struct direction {
    struct connection *connection;
    int from, to;
};

static int socket_open(const char *path, struct sockaddr_un *address)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address->sun_path)
        return -1;
    strcpy(address->sun_path, path);
    return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static void record_write(struct relay *relay, const uint8_t *bytes, size_t len)
{
    pthread_mutex_lock(&relay->lock);
    for (ssize_t some; len; len -= (size_t)some, bytes += some)
        if ((some = write(relay->record, bytes, len)) <= 0) {
            relay->lost = true;
            break;
        }
    pthread_mutex_unlock(&relay->lock);
}

static bool all_send(int fd, const uint8_t *bytes, size_t len)
{
    for (ssize_t some; len; len -= (size_t)some, bytes += some)
        if ((some = send(fd, bytes, len, MSG_NOSIGNAL)) <= 0)
            return false;
    return true;
}

static void connection_leave(struct connection *connection)
{
    struct relay *relay = connection->relay;
    if (atomic_fetch_sub(&connection->left, 1) == 1) {
        pthread_mutex_lock(&relay->lock);
        relay->fds[connection->slot][0] = relay->fds[connection->slot][1] = -1;
        pthread_mutex_unlock(&relay->lock);
        close(connection->fds[0]);
        close(connection->fds[1]);
        free(connection);
    }
    pthread_mutex_lock(&relay->lock);
    relay->running--;
    pthread_cond_signal(&relay->quiet);
    pthread_mutex_unlock(&relay->lock);
}

static void *direction_run(void *argument)
{
    struct direction direction = *(struct direction *)argument;
    struct relay *relay = direction.connection->relay;
    uint8_t *kept = malloc(PIECE);
    size_t have = 0, room = PIECE;
    ssize_t some = 0;
    free(argument);
    while (kept && (some = recv(direction.from, kept + have, room - have, 0)) > 0) {
        if (!all_send(direction.to, kept + have, (size_t)some)) {
            have += (size_t)some;
            break;
        }
        have += (size_t)some;
        if (have >= KEPT_MAX) {
            record_write(relay, kept, have);
            have = 0;
        }
        if (room - have < PIECE && !(kept = realloc(kept, room *= 2)))
            abort();
    }
    /* Its peer learns of the end; where nothing can be sent on, nothing more need be received. */
    shutdown(direction.to, SHUT_WR);
    if (some > 0)
        shutdown(direction.from, SHUT_RD);
    record_write(relay, kept, have);
    free(kept);
    connection_leave(direction.connection);
    return NULL;
}

static bool direction_start(struct connection *connection, int from, int to)
{
    pthread_t thread;
    struct direction *direction = malloc(sizeof *direction);
    if (!direction)
        abort();
    *direction = (struct direction){connection, from, to};
    pthread_mutex_lock(&connection->relay->lock);
    connection->relay->running++;
    pthread_mutex_unlock(&connection->relay->lock);
    if (pthread_create(&thread, NULL, direction_run, direction) != 0 || pthread_detach(thread) != 0)
        abort();
    return true;
}

static int slot_take(struct relay *relay, int one, int other)
{
    int slot = 0;
    pthread_mutex_lock(&relay->lock);
    while (slot < CONNECTIONS && relay->fds[slot][0] >= 0)
        slot++;
    if (slot == CONNECTIONS)
        abort();
    relay->fds[slot][0] = one;
    relay->fds[slot][1] = other;
    pthread_mutex_unlock(&relay->lock);
    return slot;
}

static void connection_start(struct relay *relay, int near)
{
    struct sockaddr_un address;
    int far = socket_open(relay->behind, &address);
    if (far < 0 || connect(far, (struct sockaddr *)&address, sizeof address) != 0) {
        if (far >= 0)
            close(far);
        close(near); /* as if nobody listened */
        return;
    }
    struct connection *connection = malloc(sizeof *connection);
    if (!connection)
        abort();
    *connection = (struct connection){.relay = relay, .fds = {near, far}, .slot = slot_take(relay, near, far)};
    atomic_store(&connection->left, 2);
    direction_start(connection, near, far);
    direction_start(connection, far, near);
}

static void *relay_run(void *argument)
{
    struct relay *relay = argument;
    int near;
    while ((near = accept4(relay->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
        connection_start(relay, near);
    return NULL;
}

struct relay *relay_start(const char *path, const char *behind, const char *record)
{
    struct sockaddr_un address;
    struct relay *relay = calloc(1, sizeof *relay);
    if (!relay)
        abort();
    memset(relay->fds, 0xFF, sizeof relay->fds);
    snprintf(relay->behind, sizeof relay->behind, "%s", behind);
    pthread_mutex_init(&relay->lock, NULL);
    pthread_cond_init(&relay->quiet, NULL);
    remove(path);
    relay->record = open(record, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    relay->listener = socket_open(path, &address);
    if (relay->record >= 0 && relay->listener >= 0 &&
        bind(relay->listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(relay->listener, 128) == 0 &&
        pthread_create(&relay->thread, NULL, relay_run, relay) == 0)
        return relay;
    perror(path);
    free(relay);
    return NULL;
}

bool relay_stop(struct relay *relay)
{
    shutdown(relay->listener, SHUT_RDWR);
    pthread_join(relay->thread, NULL);
    pthread_mutex_lock(&relay->lock);
    for (int i = 0; i < CONNECTIONS; i++)
        if (relay->fds[i][0] >= 0) {
            shutdown(relay->fds[i][0], SHUT_RDWR);
            shutdown(relay->fds[i][1], SHUT_RDWR);
        }
    while (relay->running)
        pthread_cond_wait(&relay->quiet, &relay->lock);
    bool whole = !relay->lost;
    pthread_mutex_unlock(&relay->lock);
    close(relay->listener);
    whole = close(relay->record) == 0 && whole;
    free(relay);
    return whole;
}
