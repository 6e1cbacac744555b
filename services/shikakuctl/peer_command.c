/* Enrolments are files under SHIKAKU_KEYS, read by the services while they run. */
#include "chassis/route.h"
#include "chassis/settings.h"
#include "chassis/work.h"
#include "shikakuctl/commands.h"

#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Whole or not at all: a service may be reading it. */
static bool json_write(const char *path, json_t *json)
{
    char aside[PATH_MAX + 16];
    snprintf(aside, sizeof aside, "%s.%d", path, (int)getpid());
    if (json_dump_file(json, aside, JSON_INDENT(2) | JSON_SORT_KEYS) == 0 && rename(aside, path) == 0)
        return true;
    fprintf(stderr, "%s cannot be written\n", path);
    return false;
}

static bool name_is_right(const char *name)
{
    size_t len = strlen(name);
    enum party party;
    return len > 0 && len < 64 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") == len &&
           !party_find(name, &party);
}

static json_t *routes_read(int count, char **names)
{
    json_t *routes = json_array();
    for (int i = 0; i < count; i++) {
        enum route route;
        if (!route_find(names[i], &route) || !(route_row(route)->from & PARTY_AGENCY)) {
            fprintf(stderr, "%s is no route that proto/routes.def opens to agencies\n", names[i]);
            json_decref(routes);
            return NULL;
        }
        json_array_append_new(routes, json_string(names[i]));
    }
    return routes;
}

int peer_add_command(int argc, char **argv)
{
    uint8_t key[32];
    char path[PATH_MAX];
    if (argc < 4)
        return COMMAND_USAGE;
    if (!name_is_right(argv[0]) || !hex_take(key, sizeof key, argv[1]) || strlen(argv[2]) > 31) {
        fprintf(stderr, "NAME: a-z 0-9 - _, not a service's; KEY: 64 hex digits; MANAGER: a manager's code\n");
        return 1;
    }
    json_t *routes = routes_read(argc - 3, argv + 3);
    if (!routes)
        return 1;
    json_t *enrolment = json_pack("{s:s, s:s, s:o}", "key", argv[1], "manager", argv[2], "routes", routes);
    snprintf(path, sizeof path, "%s/peers/%s.json", setting_text("SHIKAKU_KEYS"), argv[0]);
    bool written = enrolment && json_write(path, enrolment);
    json_decref(enrolment);
    return !written;
}
