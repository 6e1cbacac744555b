#include "kit/junk.h"

#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>
#include <openssl/rand.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define KINDS 40
#define SENT_MAX (400 * 1024)

/* The first ten are random; the others begin as a frame does, with names known and unknown, too long and none. */
static size_t junk_make(int kind, uint8_t bytes[SENT_MAX])
{
    static const size_t sizes[] = {0, 1, 5, 6, 31, 47, 200, 4096, 65536, SENT_MAX};
    static const uint8_t name_lengths[] = {0, 6, 63, 255};
    size_t len = sizes[kind % 10];
    if (RAND_bytes(bytes, (int)len) != 1)
        return 0;
    if (kind >= 10 && len >= 6) {
        memcpy(bytes, "SHK1Q", 5);
        bytes[5] = name_lengths[kind / 10];
    }
    if (kind >= 10 && kind < 20 && len >= 12)
        memcpy(bytes + 6, kind % 2 ? "portal" : "intake", 6);
    return len;
}

/* True if it was answered. */
static bool message_send(nng_socket socket, const void *bytes, size_t len)
{
    nng_msg *message;
    if (nng_msg_alloc(&message, 0) != 0)
        return false;
    if (nng_msg_append(message, bytes, len) != 0 || nng_sendmsg(socket, message, 0) != 0) {
        nng_msg_free(message);
        return false;
    }
    bool answered = nng_recvmsg(socket, &message, 0) == 0;
    if (answered)
        nng_msg_free(message);
    return answered;
}

static int messages_send(const char *path)
{
    static uint8_t bytes[SENT_MAX];
    char url[256];
    nng_socket socket;
    int answered = 0;
    snprintf(url, sizeof url, "ipc://%s", path);
    if (nng_req0_open(&socket) != 0)
        return -1;
    nng_socket_set_ms(socket, NNG_OPT_SENDTIMEO, 1000);
    nng_socket_set_ms(socket, NNG_OPT_RECVTIMEO, 20);
    bool dialed = nng_dial(socket, url, NULL, 0) == 0;
    for (int kind = 0; dialed && kind < KINDS; kind++) {
        size_t len = junk_make(kind, bytes);
        answered += message_send(socket, bytes, len);
    }
    nng_close(socket);
    return dialed ? answered : -1;
}

static bool bytes_send(const char *path, const void *first, size_t first_len, const void *second, size_t second_len)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const struct timeval limit = {0, 200000};
    char answer[64];
    if (strlen(path) >= sizeof address.sun_path)
        return false;
    memcpy(address.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    bool sent = connect(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
                send(fd, first, first_len, MSG_NOSIGNAL) == (ssize_t)first_len;
    if (sent && second_len)
        (void)!send(fd, second, second_len, MSG_NOSIGNAL); /* it may have been closed by then */
    if (sent)
        (void)!recv(fd, answer, sizeof answer, 0); /* nng's own greeting */
    close(fd);
    return sent;
}

int junk_send(const char *path)
{
    static const char greeting[8] = "\0SP\0\0\x30";                     /* of a REQ socket */
    static const char huge[9] = "\x01\xff\xff\xff\xff\xff\xff\xff\xff"; /* a message of 2^64 - 1 bytes */
    static const char http[] = "GET / HTTP/1.1\r\n\r\n";
    bool taken = bytes_send(path, http, sizeof http - 1, NULL, 0) && bytes_send(path, greeting, 3, NULL, 0) &&
                 bytes_send(path, greeting, sizeof greeting, huge, sizeof huge) &&
                 bytes_send(path, greeting, sizeof greeting, huge, 4);
    return taken ? messages_send(path) : -1;
}
