/* Logging in and going on: the password, the second factor, the terminal, and the token that comes of them. */
#include "staff/staff_handlers.h"

#include "chassis/rights.h"
#include "chassis/settings.h"
#include "staff.pb-c.h"
#include "staff/loan_store.h"
#include "staff/programme_list.h"
#include "staff/session_store.h"
#include "staff/staff_duty.h"
#include "staff/staff_password.h"
#include "staff/staff_token.h"
#include "staff/terminal_file.h"
#include "staff/totp.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

bool login_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Staff__LoginRequest *request = (const Staff__LoginRequest *)message;
    uint8_t fingerprint[TERMINAL_FINGERPRINT_LEN / 2];
    if (!hex_take(fingerprint, sizeof fingerprint, request->terminal))
        return fault_set(fault, FAULT_terminal_not_listed, "terminal");
    if (!is_id(request->account, ACCOUNT_MAX))
        return fault_set(fault, FAULT_login_failed, NULL);
    if (!*request->password || strlen(request->password) > PASSWORD_MAX || strlen(request->code) > TOTP_CODE_MAX)
        return fault_set(fault, FAULT_login_failed, NULL);
    return true;
}

/* Why a login is refused: what the register of logins says, what the person is told, whether it counts as guessing. */
static const struct refusal {
    const char *why;
    enum fault_code code;
    bool is_guess;
} refusals[] = {
    {"unknown", FAULT_login_failed, false},
    {"locked", FAULT_login_failed, false},
    {"wrong", FAULT_login_failed, true},
    {"closed", FAULT_login_failed, false},
    {"terminal", FAULT_terminal_not_listed, false},
    {"factor_missing", FAULT_second_factor_required, false},
    {"factor", FAULT_login_failed, true},
};
enum { UNKNOWN, LOCKED, WRONG, CLOSED, TERMINAL, FACTOR_MISSING, FACTOR };

static void login_note(struct work *work, const struct account *account, const char *outcome)
{
    const Staff__LoginRequest *request = (const Staff__LoginRequest *)work->request;
    login_record(work->pg, &(struct login_row){.manager = account->manager,
                               .account = *account->manager ? account->account : "?",
                               .terminal = request->terminal,
                               .outcome = outcome,
                               .from = (int)setting_number("SHIKAKU_USUAL_FROM_HOUR"),
                               .to = (int)setting_number("SHIKAKU_USUAL_TO_HOUR")});
}

/* A refusal goes out at a multiple of this after its request came, so that its time tells nothing of what was looked
 * up, computed and written for it, and a guesser has to wait. */
#define REFUSAL_STEP_MS 100

static void refusal_wait(struct timespec came)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t past_ms = (now.tv_sec - came.tv_sec) * 1000 + (now.tv_nsec - came.tv_nsec) / 1000000;
    int64_t until_ms = (past_ms / REFUSAL_STEP_MS + 1) * REFUSAL_STEP_MS;
    int64_t nanoseconds = came.tv_nsec + until_ms % 1000 * 1000000;
    came.tv_sec += until_ms / 1000 + nanoseconds / 1000000000;
    came.tv_nsec = nanoseconds % 1000000000;
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &came, NULL) == EINTR)
        ;
}

/* Committed before the refusal is: a refusal rolls back. */
static enum outcome login_refuse(
    struct work *work, const struct account *account, const struct refusal *refusal, struct timespec came)
{
    const Staff__LoginRequest *request = (const Staff__LoginRequest *)work->request;
    if (!work_begin(work, account->manager))
        return work_end(work);
    login_note(work, account, refusal->why);
    if (refusal->is_guess)
        account_failed(work->pg, account, request->terminal);
    if (!pg_commit(work->pg, &work->fault))
        return work_refuse(work);
    if (*account->manager)
        work->correlation = account_reason(work, account->account);
    refusal_wait(came);
    return work_refuse_with(work, refusal->code, refusal->code == FAULT_terminal_not_listed ? "terminal" : NULL);
}

static bool names_list(struct arena *arena, unsigned set, int count, const char *(*name)(int), char ***names, size_t *n)
{
    *names = arena_take(arena, (size_t)count * sizeof **names);
    for (int i = 0; i < count && *names; i++)
        if (set & 1u << i)
            (*names)[(*n)++] = (char *)name(i);
    return *names != NULL;
}

static const char *right_at(int right)
{
    return right_name((enum right)right);
}

static const char *duty_at(int duty)
{
    return duty_name((enum duty)duty);
}

/* What is lent to the account and can be used at this kind of terminal. */
static bool loans_grant(
    struct work *work, const struct account *account, const char *kind, Staff__Actor *actor, unsigned *lent)
{
    Staff__ActorLoan *loans;
    size_t count;
    if (!loans_in_force_read(work->pg, work->arena, account->manager, account->account, &loans, &count, &work->fault))
        return false;
    actor->loans = arena_take(work->arena, (count + 1) * sizeof *actor->loans);
    for (size_t i = 0; i < count && actor->loans; i++)
        for (int right = 0; right < RIGHTS; right++)
            if (rights_at(kind) & 1u << right && strcmp(right_name((enum right)right), loans[i].right) == 0) {
                actor->loans[actor->n_loans++] = &loans[i];
                *lent |= 1u << right;
            }
    return actor->loans || fault_set(&work->fault, FAULT_internal, NULL);
}

static int64_t earlier(int64_t one, int64_t other)
{
    return one < other ? one : other;
}

/* By which services tell whether whose data is touched bears the account's name. */
static void tags_fill(const struct account *account, struct likeness_tags *tags, Staff__Actor *actor)
{
    uint8_t key[LIKENESS_KEY_BYTES];
    memset(tags, 0, sizeof *tags);
    if (name_key_make(key))
        likeness_tags_make(key, account->manager, account->person, tags);
    if (tags->has_name)
        actor->name_tag = (ProtobufCBinaryData){sizeof tags->name, tags->name};
    if (tags->has_family)
        actor->family_tag = (ProtobufCBinaryData){sizeof tags->family, tags->family};
}

/* Fill the reply: a token with the rights of role and terminal, or, while something must be done first, with none but
 * `session`. */
static bool token_grant(struct work *work, const struct account *account, const char *kind, const char *terminal,
    const char *session, Staff__LoginReply *reply)
{
    Staff__Actor actor = STAFF__ACTOR__INIT;
    struct rights_edition edition;
    struct likeness_tags tags;
    char person[ACTOR_PERSON_MAX + 1];
    int64_t now = clock_ms();
    rights_edition(&edition); /* before the rights are read: a token may be older than its version says, never newer */
    unsigned duties = duties_find(account, now, setting_number("SHIKAKU_PASSWORD_DAYS"));
    unsigned rights = duties ? 1u << RIGHT_session : rights_of(account->role, kind);
    unsigned lent = 0;
    actor.account = (char *)account->account;
    actor.role = (char *)account->role;
    actor.manager = (char *)account->manager;
    actor.terminal = (char *)terminal;
    actor.session = (char *)session;
    actor.body = (char *)account->body;
    actor.rights_version = edition.version;
    tags_fill(account, &tags, &actor);
    person_print(account->manager, account->person, person);
    actor.person = person;
    actor.expires_at_ms = earlier(now + setting_number("SHIKAKU_TOKEN_SECONDS") * 1000, reply->lives_until_ms);
    if (!duties && !loans_grant(work, account, kind, &actor, &lent))
        return false;
    if (!programme_list_split(work->arena, account->programmes, &actor.programmes, &actor.n_programmes) ||
        !names_list(work->arena, rights, RIGHTS, right_at, &actor.rights, &actor.n_rights) ||
        !names_list(work->arena, rights | lent, RIGHTS, right_at, &reply->rights, &reply->n_rights) ||
        !names_list(work->arena, duties, DUTIES, duty_at, &reply->must, &reply->n_must))
        return fault_set(&work->fault, FAULT_internal, NULL);
    reply->token = token_issue(work->arena, &actor);
    reply->expires_at_ms = actor.expires_at_ms;
    reply->manager = actor.manager;
    return reply->token || fault_set(&work->fault, FAULT_internal, NULL);
}

/* From now on the request is this person's: the record of use says who, in which role, at which terminal. */
static bool person_take(struct work *work, const struct account *account, const char *terminal)
{
    struct actor *person = arena_take(work->arena, sizeof *person);
    if (!person)
        return fault_set(&work->fault, FAULT_internal, NULL);
    memset(person, 0, sizeof *person);
    snprintf(person->account, sizeof person->account, "%s", account->account);
    snprintf(person->role, sizeof person->role, "%s", account->role);
    snprintf(person->manager, sizeof person->manager, "%s", account->manager);
    snprintf(person->terminal, sizeof person->terminal, "%s", terminal);
    person_print(account->manager, account->person, person->person);
    work->actor = person;
    return true;
}

static enum outcome login_grant(
    struct work *work, const struct account *account, const struct terminal *terminal, int64_t factor_step)
{
    const Staff__LoginRequest *request = (const Staff__LoginRequest *)work->request;
    Staff__LoginReply reply = STAFF__LOGIN_REPLY__INIT;
    char session[UUID_LEN + 1], *reason = account_reason(work, account->account);
    uuid_make(session);
    reply.lives_until_ms = clock_ms() + setting_number("SHIKAKU_SESSION_SECONDS") * 1000;
    if (!reason)
        return work_refuse_with(work, FAULT_internal, NULL);
    if (!token_grant(work, account, terminal->kind, request->terminal, session, &reply) ||
        !person_take(work, account, request->terminal))
        return work_refuse(work);
    if (!work_begin(work, account->manager))
        return work_end(work);
    login_note(work, account, "done");
    account_succeeded(work->pg, account, request->terminal, factor_step);
    session_start(work->pg, &(struct session){.manager = account->manager,
                                .session = session,
                                .account = account->account,
                                .terminal = request->terminal,
                                .expires_at_ms = reply.expires_at_ms,
                                .lives_until_ms = reply.lives_until_ms});
    work_audit(work, &(struct touch){.reason = reason});
    return work_commit(work, &reply.base);
}

static bool terminal_is_for(const struct terminal *terminal, const struct account *account)
{
    bool theirs = strcmp(terminal->account, account->account) == 0;
    return terminal_serves(terminal, account->manager) && (!*terminal->account || theirs) &&
           (strcmp(account->second_factor, "terminal") != 0 || theirs);
}

/* NULL: nothing is against it, and *step is that of the one-time code. */
static const struct refusal *login_judge(
    const struct account *account, bool matches, const struct terminal *terminal, const char *code, int64_t *step)
{
    *step = 0;
    if (!*account->manager)
        return &refusals[UNKNOWN];
    if (account->locked)
        return &refusals[LOCKED];
    if (!matches)
        return &refusals[WRONG];
    if (!account->open)
        return &refusals[CLOSED];
    if (!terminal_is_for(terminal, account))
        return &refusals[TERMINAL];
    if (strcmp(account->second_factor, "totp") != 0 || !account->factor_confirmed)
        return NULL;
    if (!*code)
        return &refusals[FACTOR_MISSING];
    *step = totp_step_find(account->factor.data, code, clock_ms(), account->factor_step);
    return *step ? NULL : &refusals[FACTOR];
}

/* A terminal that the operator handed over in the file enters the list when it is first seen. What was taken off the
 * list stays off, whatever the file says. */
static bool terminal_import(struct work *work, const char *fingerprint, struct terminal *terminal)
{
    struct fault not_listed = work->fault;
    bool ended = false;
    if (not_listed.code != FAULT_terminal_not_listed ||
        !terminal_file_find(work->arena, fingerprint, terminal, &work->fault) ||
        !terminal_was_ended(work->pg, terminal->manager, fingerprint, &ended, &work->fault))
        return false;
    if (ended)
        return fault_set(&work->fault, FAULT_terminal_not_listed, "terminal");
    if (!work_begin(work, terminal->manager))
        return false;
    terminal_add(work->pg, fingerprint, terminal, "operator");
    work_audit(work, &(struct touch){.act = "staff_terminal_add", .reason = "terminals.json"});
    if (work_commit(work, NULL) == OUTCOME_DONE)
        return true;
    /* Another worker may have seen it first. */
    return terminal_find(work->pg, work->arena, fingerprint, terminal, &work->fault);
}

bool terminal_take(struct work *work, const char *fingerprint, struct terminal *terminal)
{
    return terminal_find(work->pg, work->arena, fingerprint, terminal, &work->fault) ||
           terminal_import(work, fingerprint, terminal);
}

/* The password is computed for every attempt, so that time does not tell which accounts there are. */
enum outcome staff_login_act(struct work *work)
{
    const Staff__LoginRequest *request = (const Staff__LoginRequest *)work->request;
    struct terminal terminal;
    struct account account = {.account = request->account, .manager = "", .password = NULL};
    int64_t step;
    struct timespec came;
    clock_gettime(CLOCK_MONOTONIC, &came);
    if (!terminal_take(work, request->terminal, &terminal))
        return work_refuse(work);
    if (!account_place_find(work->pg, work->arena, account.account, &account.manager, &work->fault) ||
        (*account.manager && !account_read(work->pg, work->arena, request->terminal, &account, &work->fault)))
        return work_refuse(work);
    bool matches = password_matches(request->password, account.password);
    const struct refusal *refusal = login_judge(&account, matches, &terminal, request->code, &step);
    return refusal ? login_refuse(work, &account, refusal, came) : login_grant(work, &account, &terminal, step);
}

/* With what the account, the terminal and the manager's policy are now. */
enum outcome renew_act(struct work *work)
{
    const struct actor *actor = work->actor;
    Staff__LoginReply reply = STAFF__LOGIN_REPLY__INIT;
    struct terminal terminal;
    struct account account = {.account = actor->account, .manager = actor->manager};
    char *reason = account_reason(work, actor->account);
    if (!reason)
        return work_refuse_with(work, FAULT_internal, NULL);
    if (!terminal_find(work->pg, work->arena, actor->terminal, &terminal, &work->fault) ||
        !account_read(work->pg, work->arena, actor->terminal, &account, &work->fault) ||
        !session_life(work->pg, actor->manager, actor->session, &reply.lives_until_ms, &work->fault))
        return work_refuse(work);
    if (!account.open)
        return work_refuse_with(work, FAULT_account_ended, "account");
    if (!terminal_is_for(&terminal, &account))
        return work_refuse_with(work, FAULT_terminal_not_listed, "terminal");
    if (!token_grant(work, &account, terminal.kind, actor->terminal, actor->session, &reply))
        return work_refuse(work);
    if (!work_begin(work, actor->manager))
        return work_end(work);
    if (!account_hold(work->pg, actor->manager, actor->account, &work->fault) ||
        !session_renew(work->pg, actor->manager, actor->session, reply.expires_at_ms, &work->fault))
        return work_refuse(work);
    work_audit(work, &(struct touch){.reason = reason});
    return work_commit(work, &reply.base);
}
