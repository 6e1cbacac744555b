/* kit-routes: each service, with its own real key, sends every route of routes.def to the service that takes it. Those
 * that the table allows it are let in, all others are refused as not allowed. What is let in has no effect: it lacks
 * the idempotency key, or is empty. Needs all keys (SHIKAKU_KEYS) and a way to every service (SHIKAKU_BUS). Prints what
 * is wrong, and last `N allowed, N refused, N wrong`; exit status 0 if nothing is. */
#include "chassis/bus.h"
#include "chassis/journal.h"
#include "chassis/keyring.h"
#include "chassis/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SENDERS (PARTY_AUDIT | (PARTY_AUDIT - 1) | PARTY_OPERATOR)

static const struct setting settings[] = {
    {"SHIKAKU_KEYS", SETTING_TEXT, "var/keys", 0, 0, "Folder of all keys."},
    {"SHIKAKU_BUS", SETTING_TEXT, "var/run", 0, 0, "Folder of the bus's sockets, or tls+tcp://HOST:PORT."},
};

static long allowed, refused, wrong;

static void route_try(struct bus_caller *caller, enum party sender, enum route route)
{
    const struct route_row *row = route_row(route);
    struct fault fault = {0};
    ProtobufCMessage *reply, *nothing = calloc(1, row->request->sizeof_message);
    struct arena *arena = arena_new(1 << 20);
    if (!nothing || !arena)
        exit(EXIT_FAILURE);
    row->request->message_init(nothing);
    const struct bus_request request = {.route = route, .message = nothing};
    bool let_in = bus_call(caller, arena, &request, &reply, &fault) || fault.code != FAULT_route_not_allowed;
    bool may = row->from & sender;
    bool answered = fault.code != FAULT_timed_out && fault.code != FAULT_unavailable;
    if (let_in != may || !answered) {
        printf("%s to %s, %s: %s, answer %s\n", party_name(sender), party_name(row->to), row->name,
            may ? "allowed" : "not allowed", fault_code_text(fault.code));
        wrong++;
    } else if (may)
        allowed++;
    else
        refused++;
    arena_free(arena);
    free(nothing);
}

static void sender_try(enum party sender)
{
    struct fault fault = {0};
    if (!keyring_open(party_name(sender), NULL, NULL, 0, &fault)) {
        printf("no key of %s\n", party_name(sender));
        exit(EXIT_FAILURE);
    }
    struct bus_caller *caller = bus_caller_new(party_name(sender));
    for (int route = 0; caller && route < ROUTES; route++)
        route_try(caller, sender, (enum route)route);
    wrong += caller == NULL;
    bus_caller_free(caller);
    keyring_close();
}

int main(void)
{
    journal_open("kit-routes");
    if (!settings_read(settings, sizeof settings / sizeof *settings))
        return EXIT_FAILURE;
    for (unsigned sender = 1; sender <= PARTY_OPERATOR; sender <<= 1)
        if (sender & SENDERS)
            sender_try((enum party)sender);
    printf("%ld allowed, %ld refused, %ld wrong\n", allowed, refused, wrong);
    return wrong || !refused ? EXIT_FAILURE : EXIT_SUCCESS;
}
