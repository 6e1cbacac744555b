/* Clerks: their accounts, their terminals, their sessions. */
#include "kit/journey.h"

#include "chassis/work.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <openssl/rand.h>

#define PASSWORD_SIZE 40

/* One first password for all synthetic clerks of a stack, made at its first use and kept with the synthetic keys. */
static bool password_read(char password[PASSWORD_SIZE])
{
    char path[600];
    unsigned char random[12];
    snprintf(path, sizeof path, "%s/clerks-password", journey_setting("SHIKAKU_AUTHORITIES"));
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    memset(password, 0, PASSWORD_SIZE);
    if (file < 0 || flock(file, LOCK_EX) != 0 || RAND_bytes(random, sizeof random) != 1)
        goto out;
    if (read(file, password, PASSWORD_SIZE - 1) <= 0) {
        int length = snprintf(password, PASSWORD_SIZE, "Kakuu-");
        for (size_t i = 0; i < sizeof random; i++)
            length += snprintf(password + length, (size_t)(PASSWORD_SIZE - length), "%02x", random[i]);
        if (write(file, password, (size_t)length) != length)
            password[0] = '\0';
    }
out:
    if (file >= 0)
        close(file);
    return password[0];
}

/* As an operator does it for the first two of a manager: shikakuctl on the services' machine, the password on its
 * standard input. */
static bool administrator_make(const char *manager, const char *account, const char *password)
{
    char command[1024];
    snprintf(command, sizeof command,
        "'%s/shikakuctl' staff add %s administrator %s all '架空　管理者(%s)' '起案第1号' 2>/dev/null",
        journey_setting("SHIKAKU_BIN"), account, manager, account);
    FILE *in = popen(command, "w");
    if (!in)
        return false;
    fprintf(in, "%s\n", password);
    return pclose(in) == 0;
}

static int log_in_once(
    struct journey *journey, struct journey_clerk *clerk, const char *password, struct journey_answer *answer)
{
    const struct journey_call call = {.as = clerk->terminal, .method = "POST", .path = "/api/staff/sessions"};
    int status =
        journey_call_json(journey, call, json_pack("{ss ss}", "account", clerk->account, "password", password), answer);
    free(clerk->token);
    clerk->token = status == 201 ? strdup(journey_text(answer->json, "token")) : NULL;
    return status;
}

static int call_once(struct journey *journey, const struct journey_clerk *clerk, const char *path, json_t *body_take,
    struct journey_answer *answer)
{
    char key[37];
    uuid_make(key);
    const struct journey_call call = {
        .as = clerk->terminal, .method = "POST", .path = path, .token = clerk->token, .key = key};
    return journey_call_json(journey, call, body_take, answer);
}

/* Log in with a first password, change it, log in anew. */
static bool password_change(
    struct journey *journey, struct journey_clerk *clerk, const char *first, const char *password)
{
    struct journey_answer answer = {0};
    bool changed = log_in_once(journey, clerk, first, &answer) == 201 &&
                   call_once(journey, clerk, "/api/staff/me/password",
                       json_pack("{ss ss}", "old", first, "new", password), &answer) == 204 &&
                   log_in_once(journey, clerk, password, &answer) == 201;
    journey_answer_fini(&answer);
    return changed;
}

/* Also where an earlier try was broken off half way. */
static bool administrator_log_in(
    struct journey *journey, struct journey_clerk *administrator, const char *manager, int number, const char *password)
{
    char first[PASSWORD_SIZE + 8];
    struct journey_answer answer = {0};
    *administrator = (struct journey_clerk){.terminal = AS_ADMINISTRATION_TERMINAL};
    snprintf(administrator->account, sizeof administrator->account, "%s-admin-%d", manager, number);
    snprintf(first, sizeof first, "%s-Shokai", password);
    int status = log_in_once(journey, administrator, password, &answer);
    journey_answer_fini(&answer);
    if (status == 201)
        return true;
    administrator_make(manager, administrator->account, first);
    return password_change(journey, administrator, first, password);
}

/* One administrator applies, the other one approves; where the account is there, its first password is made anew. */
static bool first_password_get(struct journey *journey, struct journey_clerk administrators[2],
    const struct journey_clerk *clerk, struct journey_answer *answer)
{
    char path[160], person[160], role[16];
    snprintf(person, sizeof person, "架空　係員(%s)", clerk->account);
    snprintf(role, sizeof role, "%.*s", (int)strcspn(clerk->role, "#"), clerk->role);
    int status = call_once(journey, &administrators[0], "/api/staff/account-applications",
        json_pack("{ss ss ss ss ss ss ss}", "kind", "issue", "account", clerk->account, "person", person, "category",
            "staff", "role", role, "need", "見本の利用者", "until", "2099-03-31"),
        answer);
    if (status == 200) {
        snprintf(path, sizeof path, "/api/staff/account-applications/%s/decision",
            journey_text(answer->json, "application"));
        status = call_once(journey, &administrators[1], path, json_pack("{sb}", "approve", 1), answer);
    }
    if (status == 409) {
        snprintf(path, sizeof path, "/api/staff/accounts/%s/first-password", clerk->account);
        status = call_once(journey, &administrators[1], path, json_object(), answer);
    }
    return status == 200;
}

static bool account_make(struct journey *journey, struct journey_clerk *clerk, const char *password)
{
    struct journey_clerk administrators[2] = {0};
    struct journey_answer answer = {0};
    char first[64];
    bool made = administrator_log_in(journey, &administrators[0], clerk->manager, 1, password) &&
                administrator_log_in(journey, &administrators[1], clerk->manager, 2, password) &&
                first_password_get(journey, administrators, clerk, &answer);
    if (made) {
        snprintf(first, sizeof first, "%s", journey_text(answer.json, "first_password"));
        made = password_change(journey, clerk, first, password);
    } else
        fprintf(stderr, "journey: no account for %s: %s\n", clerk->account, journey_text(answer.json, "code"));
    free(administrators[0].token);
    free(administrators[1].token);
    journey_answer_fini(&answer);
    return made;
}

/* Threads and programs that want an account at the same time come one after another: one makes it, and for the others
 * no login fails, for failures add up to a wait. */
static bool account_have(struct journey *journey, struct journey_clerk *clerk, const char *password)
{
    char path[600];
    struct journey_answer answer = {0};
    snprintf(path, sizeof path, "%s/clerks-lock", journey_setting("SHIKAKU_AUTHORITIES"));
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int status = file >= 0 && flock(file, LOCK_EX) == 0 ? log_in_once(journey, clerk, password, &answer) : 0;
    bool had = status == 201 || (status == 401 && account_make(journey, clerk, password));
    if (!had)
        fprintf(
            stderr, "journey: %s cannot log in: %d %s\n", clerk->account, status, journey_text(answer.json, "code"));
    if (file >= 0)
        close(file);
    journey_answer_fini(&answer);
    return had;
}

bool journey_administrator(
    struct journey *journey, const char *manager, int number, struct journey_clerk *administrator)
{
    char path[600], password[PASSWORD_SIZE];
    snprintf(path, sizeof path, "%s/clerks-lock", journey_setting("SHIKAKU_AUTHORITIES"));
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    bool in = file >= 0 && password_read(password) && flock(file, LOCK_EX) == 0 &&
              administrator_log_in(journey, administrator, manager, number, password);
    if (file >= 0)
        close(file);
    return in;
}

static bool clerk_log_in(struct journey *journey, struct journey_clerk *clerk)
{
    char password[PASSWORD_SIZE];
    return password_read(password) && account_have(journey, clerk, password);
}

struct journey_clerk *journey_clerk(struct journey *journey, const char *manager, const char *role)
{
    for (size_t i = 0; i < journey->clerk_count; i++) {
        struct journey_clerk *known = &journey->clerks[i];
        if (strcmp(known->manager, manager) == 0 && strcmp(known->role, role) == 0)
            return known->token || clerk_log_in(journey, known) ? known : NULL;
    }
    if (journey->clerk_count == JOURNEY_CLERKS)
        return NULL;
    struct journey_clerk *clerk = &journey->clerks[journey->clerk_count];
    *clerk =
        (struct journey_clerk){.terminal = strcmp(role, "residence") == 0 ? AS_RESIDENCE_TERMINAL : AS_NUMBER_TERMINAL};
    snprintf(clerk->account, sizeof clerk->account, "%s-%s", manager, role);
    clerk->account[strcspn(clerk->account, "#")] = strchr(role, '#') ? '-' : '\0';
    snprintf(clerk->role, sizeof clerk->role, "%s", role);
    snprintf(clerk->manager, sizeof clerk->manager, "%s", manager);
    if (!clerk_log_in(journey, clerk))
        return NULL;
    journey->clerk_count++;
    return clerk;
}

int journey_clerk_call(struct journey *journey, struct journey_clerk *clerk, const char *method, const char *path,
    const char *key, json_t *body_take, struct journey_answer *answer)
{
    int status = 401;
    for (int try = 0; try < 2 && status == 401; try++) {
        if ((try > 0 || !clerk->token) && !clerk_log_in(journey, clerk))
            break;
        const struct journey_call call = {
            .as = clerk->terminal, .method = method, .path = path, .token = clerk->token, .key = key};
        status = journey_call_json(journey, call, json_incref(body_take), answer);
    }
    json_decref(body_take);
    return status;
}
