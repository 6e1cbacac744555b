#include "chassis/route.h"
#include "chassis/settings.h"
#include "shikakuctl/commands.h"

#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

static bool file_show(const char *service, const char *what, const char *path)
{
    struct stat state;
    char day[16] = "missing";
    bool there = stat(path, &state) == 0 && state.st_size > 0;
    struct tm made;
    if (there && gmtime_r(&state.st_mtime, &made))
        strftime(day, sizeof day, "%Y-%m-%d", &made);
    printf("%-14s %-12s %s\n", service, what, day);
    return there;
}

int keys_status_command(int argc, char **argv)
{
    (void)argv;
    const char *keys = setting_text("SHIKAKU_KEYS");
    bool all = true;
    if (argc != 0)
        return COMMAND_USAGE;
    for (unsigned party = PARTY_PORTAL; party <= PARTY_OPERATOR; party <<= 1) {
        const char *name = party_name((enum party)party);
        char path[PATH_MAX];
        if (party == PARTY_AGENCY)
            continue;
        snprintf(path, sizeof path, "%s/%s/pin", keys, name);
        all &= file_show(name, "token", path);
        snprintf(path, sizeof path, "%s/%s/bus.wrapped", keys, name);
        all &= file_show(name, "bus secret", path);
        snprintf(path, sizeof path, "%s/peers/%s.pub", keys, name);
        all &= file_show(name, "bus public", path);
    }
    return !all;
}
