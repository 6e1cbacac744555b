#include "chassis/bus_way.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static int by_text(const void *one, const void *other)
{
    return strcmp(one, other);
}

size_t way_resolve(const char *host, char (*addresses)[WAY_ADDRESS_BYTES], size_t max)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    size_t count = 0;
    if (getaddrinfo(host, NULL, &hints, &found) != 0)
        return 0;
    for (const struct addrinfo *one = found; one && count < max; one = one->ai_next) {
        char text[WAY_ADDRESS_BYTES - 2];
        if (getnameinfo(one->ai_addr, one->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST) != 0)
            continue;
        snprintf(addresses[count], WAY_ADDRESS_BYTES, one->ai_family == AF_INET6 ? "[%s]" : "%s", text);
        size_t same = 0;
        while (strcmp(addresses[same], addresses[count]) != 0)
            same++;
        count += same == count;
    }
    freeaddrinfo(found);
    qsort(addresses, count, sizeof *addresses, by_text);
    return count;
}
