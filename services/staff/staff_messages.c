#include "staff/staff_messages.h"

#include "chassis/keyring.h"
#include "chassis/programme_keys.h"
#include "chassis/rights.h"
#include "chassis/session_watch.h"
#include "chassis/settings.h"
#include "staff.pb-c.h"
#include "staff/staff_password.h"
#include "staff/staff_rights.h"
#include "staff/session_store.h"
#include "staff/staff_store.h"
#include "staff/staff_token.h"

#include <stdio.h>
#include <string.h>

#define ACCOUNT_MAX 63
#define PERSON_MAX 600
#define PROGRAMMES_MAX 255

static bool is_id(const char *text, size_t max)
{
    size_t len = strlen(text);
    return len > 0 && len <= max && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789._-") == len;
}

/* login */

static bool login_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Staff__LoginRequest *request = (const Staff__LoginRequest *)message;
    uint8_t fingerprint[TERMINAL_FINGERPRINT_LEN / 2];
    if (!hex_take(fingerprint, sizeof fingerprint, request->terminal))
        return fault_set(fault, FAULT_terminal_not_listed, "terminal");
    if (!is_id(request->account, ACCOUNT_MAX))
        return fault_set(fault, FAULT_login_failed, NULL);
    if (!*request->password || strlen(request->password) > PASSWORD_MAX)
        return fault_set(fault, FAULT_login_failed, NULL);
    return true;
}

/* Committed before the refusal is: a refusal rolls back. */
static enum outcome login_refuse(struct work *work, const struct account *account, const char *why)
{
    const Staff__LoginRequest *request = (const Staff__LoginRequest *)work->request;
    bool known = *account->manager;
    if (!work_begin(work, account->manager))
        return work_end(work);
    login_record(work->pg, account->manager, known ? account->account : "?", request->terminal, why);
    if (strcmp(why, "wrong") == 0)
        account_failed(work->pg, account->manager, account->account);
    if (!pg_commit(work->pg, &work->fault))
        return work_refuse(work);
    if (known)
        work->correlation = arena_format(work->arena, "account:%s", account->account);
    if (strcmp(why, "terminal") == 0)
        return work_refuse_with(work, FAULT_terminal_not_listed, "terminal");
    return work_refuse_with(work, FAULT_login_failed, NULL);
}

/* ",chorishi,hoikushi," to a list. */
static bool programmes_split(struct arena *arena, const char *joined, Staff__Actor *actor)
{
    size_t count = 0;
    for (const char *at = joined; *at; at++)
        count += *at == ',';
    actor->programmes = arena_take(arena, (count + 1) * sizeof *actor->programmes);
    if (!actor->programmes)
        return false;
    for (const char *from = joined; *from; from += strcspn(from, ",")) {
        from += *from == ',';
        if (*from && !(actor->programmes[actor->n_programmes++] = arena_text(arena, from, strcspn(from, ","))))
            return false;
    }
    return true;
}

static bool rights_list(struct arena *arena, unsigned rights, Staff__Actor *actor)
{
    actor->rights = arena_take(arena, RIGHTS * sizeof *actor->rights);
    if (!actor->rights)
        return false;
    for (int right = 0; right < RIGHTS; right++)
        if (rights & 1u << right)
            actor->rights[actor->n_rights++] = (char *)right_name(right);
    return true;
}

static enum outcome login_grant(struct work *work, const struct account *account, const struct terminal *terminal)
{
    const Staff__LoginRequest *request = (const Staff__LoginRequest *)work->request;
    struct rights_edition edition;
    char session[37];
    uuid_make(session);
    rights_edition(&edition); /* before the rights are read: a token may be older than its version says, never newer */
    Staff__Actor actor = STAFF__ACTOR__INIT;
    actor.account = (char *)account->account;
    actor.role = (char *)account->role;
    actor.manager = (char *)account->manager;
    actor.terminal = request->terminal;
    actor.session = session;
    actor.body = (char *)account->body;
    actor.rights_version = edition.version;
    actor.expires_at_ms = clock_ms() + setting_number("SHIKAKU_TOKEN_SECONDS") * 1000;
    if (!programmes_split(work->arena, account->programmes, &actor) ||
        !rights_list(work->arena, rights_of(account->role, terminal->kind), &actor))
        return work_refuse_with(work, FAULT_internal, NULL);
    Staff__LoginReply reply = STAFF__LOGIN_REPLY__INIT;
    reply.token = token_issue(work->arena, &actor);
    reply.expires_at_ms = actor.expires_at_ms;
    reply.manager = actor.manager;
    reply.rights = actor.rights;
    reply.n_rights = actor.n_rights;
    char *reason = arena_format(work->arena, "account:%s", account->account);
    if (!reply.token || !reason)
        return work_refuse_with(work, FAULT_internal, NULL);
    if (!work_begin(work, account->manager))
        return work_end(work);
    account_succeeded(work->pg, account->manager, account->account);
    session_start(work->pg, &(struct session){.manager = account->manager,
                                .session = session,
                                .account = account->account,
                                .terminal = request->terminal,
                                .expires_at_ms = actor.expires_at_ms,
                                .lives_until_ms = actor.expires_at_ms});
    login_record(work->pg, account->manager, account->account, request->terminal, "done");
    work_audit(work, &(struct touch){.reason = reason});
    return work_commit(work, &reply.base);
}

static const char *login_judge(const struct account *account, bool matches, const struct terminal *terminal)
{
    return !*account->manager                             ? "unknown"
           : account->locked                              ? "locked"
           : !matches                                     ? "wrong"
           : !account->open                               ? "closed"
           : !terminal_serves(terminal, account->manager) ? "terminal"
                                                          : NULL;
}

/* The password is computed for every attempt, so that time does not tell which accounts there are. */
static enum outcome login_act(struct work *work)
{
    const Staff__LoginRequest *request = (const Staff__LoginRequest *)work->request;
    struct terminal terminal;
    struct account account = {.account = request->account, .manager = "", .password = NULL};
    char *list = arena_format(work->arena, "%s/terminals.json", setting_text("SHIKAKU_KEYS"));
    if (!list || !terminal_find(list, request->terminal, &terminal, &work->fault))
        return work_refuse(work);
    if (!account_place_find(work->pg, work->arena, account.account, &account.manager, &work->fault) ||
        (*account.manager && !account_read(work->pg, work->arena, &account, &work->fault)))
        return work_refuse(work);
    bool matches = password_matches(request->password, account.password);
    const char *why = login_judge(&account, matches, &terminal);
    return why ? login_refuse(work, &account, why) : login_grant(work, &account, &terminal);
}

/* logout */

static enum outcome logout_act(struct work *work)
{
    Staff__LogoutReply reply = STAFF__LOGOUT_REPLY__INIT;
    const struct actor *actor = work->actor;
    char *reason = arena_format(work->arena, "account:%s", actor->account);
    if (!reason)
        return work_refuse_with(work, FAULT_internal, NULL);
    if (!work_begin(work, actor->manager))
        return work_end(work);
    if (!session_find(work->pg, actor->manager, actor->session, &work->fault))
        return work_refuse(work);
    sessions_end(work->pg, &(struct session_choice){.manager = actor->manager, .session = actor->session},
        actor->account, "logout");
    work_audit(work, &(struct touch){.reason = reason});
    enum outcome outcome = work_commit(work, &reply.base);
    if (outcome == OUTCOME_DONE)
        session_ended(actor->session, actor->expires_at_ms);
    return outcome;
}

/* what every service asks once a second */

static enum outcome ended_act(struct work *work)
{
    const Staff__EndedRequest *request = (const Staff__EndedRequest *)work->request;
    Staff__EndedReply reply = STAFF__ENDED_REPLY__INIT;
    if (!ended_read(work->pg, work->arena, request->since, &reply, &work->fault))
        return work_refuse(work);
    return work_commit(work, &reply.base);
}

/* a new account */

/* A body of one of the manager's programmes that the account is for. */
static bool body_exists(const Staff__AddRequest *request)
{
    for (size_t i = 0; i < programmes_count(programmes_in_use()); i++) {
        const struct programme *programme = programmes_at(programmes_in_use(), i);
        bool meant = request->n_programmes == 0;
        for (size_t listed = 0; listed < request->n_programmes; listed++)
            meant |= strcmp(request->programmes[listed], programme->code) == 0;
        if (meant && strcmp(programme->manager, request->manager) == 0 && programme_has_body(programme, request->body))
            return true;
    }
    return false;
}

static bool add_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Staff__AddRequest *request = (const Staff__AddRequest *)message;
    size_t programmes = 1;
    if (!is_id(request->account, ACCOUNT_MAX))
        return fault_set(fault, FAULT_item_invalid, "account");
    if (!*request->person)
        return fault_set(fault, FAULT_item_missing, "person");
    if (strlen(request->person) > PERSON_MAX)
        return fault_set(fault, FAULT_item_too_long, "person");
    if (strlen(request->need) > PERSON_MAX)
        return fault_set(fault, FAULT_item_too_long, "need");
    if (!rights_role_exists(request->role))
        return fault_set(fault, FAULT_item_invalid, "role");
    if (!keyring_newest(request->manager, KEY_DATA) || strcmp(request->manager, "*") == 0)
        return fault_set(fault, FAULT_item_invalid, "manager");
    for (size_t i = 0; i < request->n_programmes; i++) {
        if (!is_id(request->programmes[i], PROGRAMMES_MAX))
            return fault_set(fault, FAULT_item_invalid, "programmes");
        programmes += strlen(request->programmes[i]) + 1;
    }
    if (programmes > PROGRAMMES_MAX)
        return fault_set(fault, FAULT_item_too_long, "programmes");
    if (*request->body && !body_exists(request))
        return fault_set(fault, FAULT_item_invalid, "body");
    return password_policy_check(request->password, fault);
}

static const char *programmes_join(struct arena *arena, const Staff__AddRequest *request)
{
    char joined[PROGRAMMES_MAX + 1] = "";
    size_t used = 0;
    for (size_t i = 0; i < request->n_programmes; i++)
        used += (size_t)snprintf(joined + used, sizeof joined - used, "%s%s,", used ? "" : ",", request->programmes[i]);
    return arena_text(arena, joined, used);
}

static enum outcome add_act(struct work *work)
{
    const Staff__AddRequest *request = (const Staff__AddRequest *)work->request;
    Staff__AddReply reply = STAFF__ADD_REPLY__INIT;
    char encoded[PASSWORD_ENCODED_MAX];
    const char *taken = "", *reason = arena_format(work->arena, "account:%s", request->account);
    struct account account = {.account = request->account,
        .manager = request->manager,
        .person = request->person,
        .need = request->need,
        .password = encoded,
        .role = request->role,
        .programmes = programmes_join(work->arena, request),
        .body = request->body};
    if (!account.programmes || !reason || !password_encode(request->password, encoded))
        return work_refuse_with(work, FAULT_internal, NULL);
    if (!work_begin(work, request->manager))
        return work_end(work);
    if (!account_place_read(work->pg, work->arena, request->account, &taken, &work->fault))
        return work_refuse(work);
    if (*taken)
        return work_refuse_with(work, FAULT_account_exists, "account");
    if (!account_add(work->pg, work->arena, &account))
        return work_refuse_with(work, FAULT_internal, NULL);
    work_audit(work, &(struct touch){.reason = reason});
    return work_commit(work, &reply.base);
}

const struct message staff_messages[] = {
    {ROUTE_staff_login, login_check, login_act},
    {ROUTE_staff_logout, NULL, logout_act},
    {ROUTE_staff_ended, NULL, ended_act},
    {ROUTE_staff_add, add_check, add_act},
};
const size_t staff_message_count = sizeof staff_messages / sizeof *staff_messages;
