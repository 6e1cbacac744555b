/* The list of terminals, kept by an administrator (AUTH-3). */
#include "staff/staff_handlers.h"

#include "chassis/rights.h"
#include "staff.pb-c.h"
#include "staff/programme_list.h"
#include "staff/session_store.h"
#include "staff/staff_setup.h"

#include <string.h>

#define PLACE_MAX 200

static bool fingerprint_check(const char *text, struct fault *fault)
{
    return (strlen(text) == TERMINAL_FINGERPRINT_LEN && strspn(text, "0123456789abcdef") == TERMINAL_FINGERPRINT_LEN) ||
           fault_set(fault, FAULT_item_invalid, "terminal");
}

static char *terminal_reason(struct work *work, const char *terminal)
{
    return arena_format(work->arena, "terminal:%.16s", terminal);
}

/* Terminals of every manager are the platform's. */
static const char *list_of(const char *manager)
{
    return strcmp(manager, STAFF_PLATFORM) == 0 ? "*" : manager;
}

bool terminal_add_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Staff__TerminalAddRequest *request = (const Staff__TerminalAddRequest *)message;
    if (!fingerprint_check(request->terminal, fault) ||
        !staff_text_check(request->place, PLACE_MAX, true, "place", fault))
        return false;
    if (!rights_kind_exists(request->kind))
        return fault_set(fault, FAULT_item_invalid, "kind");
    return !*request->account || is_id(request->account, ACCOUNT_MAX) ||
           fault_set(fault, FAULT_item_invalid, "account");
}

enum outcome terminal_add_act(struct work *work)
{
    const Staff__TerminalAddRequest *request = (const Staff__TerminalAddRequest *)work->request;
    Staff__TerminalAddReply reply = STAFF__TERMINAL_ADD_REPLY__INIT;
    struct terminal listed;
    struct fault fault = {0};
    char *reason = terminal_reason(work, request->terminal);
    if (!is_permitted(work, request->manager))
        return work_refuse(work);
    if (terminal_find(work->pg, work->arena, request->terminal, &listed, &fault))
        return work_refuse_with(work, FAULT_terminal_listed, "terminal");
    if (!reason)
        return work_refuse_with(work, FAULT_internal, NULL);
    if (!work_begin(work, list_of(request->manager)))
        return work_end(work);
    terminal_add(work->pg, request->terminal,
        &(struct terminal){.manager = list_of(request->manager),
            .kind = request->kind,
            .place = request->place,
            .account = request->account},
        work->actor->account);
    work_audit(work, &(struct touch){.reason = reason});
    return work_commit(work, &reply.base);
}

bool terminal_end_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Staff__TerminalEndRequest *request = (const Staff__TerminalEndRequest *)message;
    return fingerprint_check(request->terminal, fault) &&
           staff_text_check(request->reason, PLACE_MAX, true, "reason", fault);
}

static void sessions_there_end(struct work *work, const char *list, const char *terminal)
{
    const char *const *managers;
    size_t count = staff_managers(&managers);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(list, "*") != 0 && strcmp(list, managers[i]) != 0)
            continue;
        work_switch(work, managers[i]);
        sessions_end(work->pg, &(struct session_choice){.manager = managers[i], .terminal = terminal},
            work->actor->account, "terminal");
    }
    work_switch(work, work->actor->manager);
}

/* The sessions at it end with it. */
enum outcome terminal_end_act(struct work *work)
{
    const Staff__TerminalEndRequest *request = (const Staff__TerminalEndRequest *)work->request;
    Staff__TerminalEndReply reply = STAFF__TERMINAL_END_REPLY__INIT;
    const char *list = list_of(request->manager);
    char *reason = terminal_reason(work, request->terminal);
    if (!is_permitted(work, request->manager))
        return work_refuse(work);
    if (!reason)
        return work_refuse_with(work, FAULT_internal, NULL);
    if (!work_begin(work, list))
        return work_end(work);
    terminal_end(work->pg, list, request->terminal, work->actor->account, request->reason);
    sessions_there_end(work, list, request->terminal);
    work_audit(work, &(struct touch){.reason = reason});
    return work_commit(work, &reply.base);
}

enum outcome terminals_act(struct work *work)
{
    const Staff__TerminalsRequest *request = (const Staff__TerminalsRequest *)work->request;
    Staff__TerminalsReply reply = STAFF__TERMINALS_REPLY__INIT;
    if (!is_permitted(work, request->manager) ||
        !terminals_read(work->pg, work->arena, request->manager, &reply, &work->fault))
        return work_refuse(work);
    return work_commit(work, &reply.base);
}
