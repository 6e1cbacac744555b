#include "chassis/bus_way.h"

#include <linux/tcp.h>
#include <netinet/in.h>

#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_MS 3000
#define PRESSED_MS 250          /* when half of the descriptors are taken */
#define TCP_STATE_ESTABLISHED 1 /* netinet/tcp.h names it and lacks tcpi_bytes_received, linux/tcp.h the other way */
#define HANDSHAKE_BYTES 400     /* a client's hello, certificate and signature are more */
#define AT_ONCE 256             /* descriptors; most numbers are not taken, and one question tells it of all these */

static bool is_at_port(int fd, int port)
{
    struct sockaddr_in6 own; /* the port lies at the same place in both families */
    socklen_t len = sizeof own;
    return getsockname(fd, (struct sockaddr *)&own, &len) == 0 &&
           (own.sin6_family == AF_INET || own.sin6_family == AF_INET6) && ntohs(own.sin6_port) == port;
}

static bool is_silent(int fd, unsigned patience_ms)
{
    struct tcp_info info;
    socklen_t len = sizeof info;
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 && info.tcpi_state == TCP_STATE_ESTABLISHED &&
           info.tcpi_bytes_received < HANDSHAKE_BYTES && info.tcpi_last_data_recv >= patience_ms;
}

/* A new descriptor gets the lowest free number, so that number tells how many are taken. */
static bool is_pressed(int limit)
{
    int lowest = dup(STDERR_FILENO);
    if (lowest >= 0)
        close(lowest);
    return lowest < 0 || lowest > limit / 2;
}

/* The descriptors are nng's: they are shut, and nng itself closes them. */
static size_t cut_some(struct pollfd *some, nfds_t count, int port, unsigned patience_ms)
{
    size_t cut = 0;
    if (poll(some, count, 0) < 0)
        return 0;
    for (nfds_t i = 0; i < count; i++)
        if (!(some[i].revents & POLLNVAL) && is_at_port(some[i].fd, port) && is_silent(some[i].fd, patience_ms) &&
            shutdown(some[i].fd, SHUT_RDWR) == 0)
            cut++;
    return cut;
}

size_t way_silent_cut(int port, bool at_leisure)
{
    struct pollfd some[AT_ONCE];
    struct rlimit limit;
    size_t cut = 0;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 0;
    bool pressed = is_pressed((int)limit.rlim_cur);
    for (int fd = 3; (pressed || at_leisure) && fd < (int)limit.rlim_cur;) {
        nfds_t count = 0;
        for (; count < AT_ONCE && fd < (int)limit.rlim_cur; count++, fd++)
            some[count] = (struct pollfd){.fd = fd};
        cut += cut_some(some, count, port, pressed ? PRESSED_MS : PATIENCE_MS);
    }
    return cut;
}
