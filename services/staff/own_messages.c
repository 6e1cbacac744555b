/* What a person does about the own account: password, second factor, consent to the terms, a look at it. */
#include "staff/staff_handlers.h"

#include "chassis/settings.h"
#include "staff.pb-c.h"
#include "staff/account_store.h"
#include "staff/programme_list.h"
#include "staff/session_store.h"
#include "staff/staff_duty.h"
#include "staff/staff_password.h"
#include "staff/totp.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>

#define DAY_MS (24 * 3600 * 1000LL)
#define ISSUER "Shikaku"

static bool own_read(struct work *work, struct account *account)
{
    *account = (struct account){.account = work->actor->account, .manager = work->actor->manager};
    return pg_ensure(work->pg, &work->fault) &&
           account_read(work->pg, work->arena, work->actor->terminal, account, &work->fault) &&
           (account->open || fault_set(&work->fault, FAULT_account_ended, "account"));
}

/* A guess of the own password counts as one at the login. Committed before the refusal is. */
static enum outcome guess_refuse(struct work *work, const struct account *account)
{
    work->correlation = account_reason(work, account->account);
    if (account->locked)
        return work_refuse_with(work, FAULT_login_failed, NULL);
    if (!work_begin(work, account->manager))
        return work_end(work);
    account_failed(work->pg, account, work->actor->terminal);
    if (!pg_commit(work->pg, &work->fault))
        return work_refuse(work);
    return work_refuse_with(work, FAULT_login_failed, NULL);
}

bool password_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Staff__PasswordRequest *request = (const Staff__PasswordRequest *)message;
    return staff_text_check(request->old, PASSWORD_MAX, true, "old", fault) &&
           staff_text_check(request->new_, PASSWORD_MAX, true, "new", fault);
}

static bool is_fresh(struct work *work, const struct account *account, const char *password)
{
    const char **earlier;
    int count = (int)setting_number("SHIKAKU_PASSWORD_HISTORY");
    if (!passwords_read(work->pg, work->arena, account, count, &earlier, &work->fault))
        return false;
    bool used = password_matches(password, account->password);
    for (int i = 0; i < count && earlier[i] && !used; i++)
        used = password_matches(password, earlier[i]);
    return !used || fault_set(&work->fault, FAULT_password_used, "new");
}

/* The person's other sessions end: whoever had the old password is out. */
enum outcome password_act(struct work *work)
{
    const Staff__PasswordRequest *request = (const Staff__PasswordRequest *)work->request;
    Staff__PasswordReply reply = STAFF__PASSWORD_REPLY__INIT;
    const struct actor *actor = work->actor;
    struct account account;
    char encoded[PASSWORD_ENCODED_MAX], *reason = account_reason(work, actor->account);
    if (!own_read(work, &account))
        return work_refuse(work);
    if (!password_matches(request->old, account.password) || account.locked)
        return guess_refuse(work, &account);
    if (!password_policy_check(request->new_, actor->account, &work->fault))
        return work_refuse_with(work, work->fault.code, "new");
    if (!is_fresh(work, &account, request->new_))
        return work_refuse(work);
    if (!reason || !password_encode(request->new_, encoded))
        return work_refuse_with(work, FAULT_internal, NULL);
    if (!work_begin(work, actor->manager))
        return work_end(work);
    if (!password_put(work->pg, work->arena, &account, encoded, false))
        return work_refuse_with(work, FAULT_internal, NULL);
    sessions_end(work->pg,
        &(struct session_choice){.manager = actor->manager, .account = actor->account, .except = actor->session},
        actor->account, "password");
    work_audit(work, &(struct touch){.reason = reason});
    return work_commit(work, &reply.base);
}

/* Until its first code confirms it a second factor can be enrolled anew; after that an administrator has to drop it. */
enum outcome factor_enrol_act(struct work *work)
{
    const Staff__FactorEnrolRequest *request = (const Staff__FactorEnrolRequest *)work->request;
    Staff__FactorEnrolReply reply = STAFF__FACTOR_ENROL_REPLY__INIT;
    struct account account;
    uint8_t key[TOTP_KEY_BYTES];
    char *reason = account_reason(work, work->actor->account);
    if (!own_read(work, &account))
        return work_refuse(work);
    if (!password_matches(request->password, account.password) || account.locked)
        return guess_refuse(work, &account);
    if (!reason || RAND_bytes(key, sizeof key) != 1)
        return work_refuse_with(work, FAULT_internal, NULL);
    reply.otpauth = totp_address(work->arena, ISSUER, account.account, key);
    reply.qr = reply.otpauth ? qr_picture(work->arena, reply.otpauth) : NULL;
    if (!reply.qr)
        return work_refuse_with(work, FAULT_internal, NULL);
    if (!work_begin(work, account.manager))
        return work_end(work);
    bool put = factor_put(work->pg, work->arena, &account, key, sizeof key);
    OPENSSL_cleanse(key, sizeof key);
    if (!put)
        return work_refuse_with(work, FAULT_internal, NULL);
    work_audit(work, &(struct touch){.reason = reason});
    return work_commit(work, &reply.base);
}

enum outcome factor_confirm_act(struct work *work)
{
    const Staff__FactorConfirmRequest *request = (const Staff__FactorConfirmRequest *)work->request;
    Staff__FactorConfirmReply reply = STAFF__FACTOR_CONFIRM_REPLY__INIT;
    struct account account;
    char *reason = account_reason(work, work->actor->account);
    if (!own_read(work, &account))
        return work_refuse(work);
    if (!account.factor.data || account.factor_confirmed)
        return work_refuse_with(work, FAULT_state_conflict, "second_factor");
    int64_t step = totp_step_find(account.factor.data, request->code, clock_ms(), 0);
    if (!step)
        return work_refuse_with(work, FAULT_second_factor_wrong, "code");
    if (!reason)
        return work_refuse_with(work, FAULT_internal, NULL);
    if (!work_begin(work, account.manager))
        return work_end(work);
    factor_confirm(work->pg, &account, step);
    work_audit(work, &(struct touch){.reason = reason});
    return work_commit(work, &reply.base);
}

enum outcome terms_accept_act(struct work *work)
{
    const Staff__TermsAcceptRequest *request = (const Staff__TermsAcceptRequest *)work->request;
    Staff__TermsAcceptReply reply = STAFF__TERMS_ACCEPT_REPLY__INIT;
    struct account account;
    char *reason = account_reason(work, work->actor->account);
    if (!own_read(work, &account))
        return work_refuse(work);
    if (!*account.terms || strcmp(account.terms, request->version) != 0)
        return work_refuse_with(work, FAULT_item_invalid, "version");
    if (!reason)
        return work_refuse_with(work, FAULT_internal, NULL);
    if (!work_begin(work, account.manager))
        return work_end(work);
    consent_put(work->pg, account.manager, account.account, account.terms);
    work_audit(work, &(struct touch){.reason = reason});
    return work_commit(work, &reply.base);
}

enum outcome me_act(struct work *work)
{
    Staff__MeReply reply = STAFF__ME_REPLY__INIT;
    struct account account;
    int64_t days = setting_number("SHIKAKU_PASSWORD_DAYS");
    char *must[DUTIES];
    if (!own_read(work, &account) ||
        !programme_list_split(work->arena, account.programmes, &reply.programmes, &reply.n_programmes))
        return work_refuse(work);
    unsigned duties = duties_find(&account, clock_ms(), days);
    for (int duty = 0; duty < DUTIES; duty++)
        if (duties & 1u << duty)
            must[reply.n_must++] = (char *)duty_name(duty);
    reply.must = must;
    reply.account = (char *)account.account;
    reply.role = (char *)account.role;
    reply.manager = (char *)account.manager;
    reply.until = (char *)account.until;
    reply.password_until_ms = account.password_set_at_ms + days * DAY_MS;
    reply.second_factor = (char *)account.second_factor;
    reply.terms = (char *)account.terms;
    reply.trained_on = (char *)account.trained_on;
    reply.last_login_at_ms = account.previous_login_at_ms;
    return work_commit(work, &reply.base);
}
