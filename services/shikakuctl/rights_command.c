#include "shikakuctl/commands.h"

#include "chassis/work.h"
#include "shikakuctl/operator_call.h"
#include "staff.pb-c.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define ARENA_BYTES (1024 * 1024)

/* As a day in Japan; "-" for none. */
static const char *day_print(int64_t ms, char day[11])
{
    time_t seconds = (time_t)(ms / 1000) + 9 * 3600;
    struct tm parts;
    strcpy(day, "-");
    if (ms)
        strftime(day, 11, "%Y-%m-%d", gmtime_r(&seconds, &parts));
    return day;
}

static bool services_print(const Staff__RightsReply *reply)
{
    char since[11];
    bool agree = true;
    for (size_t i = 0; i < reply->n_services; i++) {
        const Staff__RightsInForce *there = reply->services[i];
        bool same = strcmp(there->sha256, reply->sha256) == 0;
        printf("service\t%s\tversion %d\t%.16s\tsince %s%s\n", there->service, there->version, there->sha256,
            day_print(there->since_ms, since), same ? "" : "\tdiffers");
        agree &= same;
    }
    return agree;
}

static bool reviews_print(const Staff__RightsReply *reply)
{
    char at[11], due[11];
    bool good = true;
    for (size_t i = 0; i < reply->n_reviews; i++) {
        const Staff__RightsReview *review = reply->reviews[i];
        printf("manager\t%s\t%s\tversion %d\tby %s\ton %s\tdue %s\n", review->manager, review->state, review->version,
            *review->reviewed_by ? review->reviewed_by : "-", day_print(review->reviewed_at_ms, at),
            day_print(review->due_at_ms, due));
        good &= strcmp(review->state, "reviewed") == 0 || strcmp(review->state, "past") == 0;
    }
    return good;
}

/* 1 where something is to be done: for a schedule that is to hear of it. */
int rights_status_command(int argc, char **argv)
{
    Staff__RightsStatusRequest request = STAFF__RIGHTS_STATUS_REQUEST__INIT;
    ProtobufCMessage *message;
    if (argc > 1)
        return COMMAND_USAGE;
    struct arena *arena = arena_new(ARENA_BYTES);
    request.manager = argc ? argv[0] : "";
    if (!arena || !operator_call(arena, ROUTE_staff_rights_status, NULL, &request.base, &message)) {
        arena_free(arena);
        return 1;
    }
    const Staff__RightsReply *reply = (const Staff__RightsReply *)message;
    printf("version %d\t%s\treviewed every %d days\n", reply->version, reply->sha256, reply->review_every_days);
    bool agree = services_print(reply), reviewed = reviews_print(reply);
    arena_free(arena);
    return !agree || !reviewed;
}
