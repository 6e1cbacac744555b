/* Clerks: their accounts, their terminals, their sessions. */
#include "kit/journey.h"

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

/* As an operator does it: shikakuctl on the services' machine, the password on its standard input. */
static bool account_make(const struct journey_clerk *clerk, const char *password)
{
    char command[1024];
    snprintf(command, sizeof command, "'%s/shikakuctl' staff add %s %.*s %s all '架空　係員' '見本の利用者'",
        journey_setting("SHIKAKU_BIN"), clerk->account, (int)strcspn(clerk->role, "#"), clerk->role, clerk->manager);
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

/* Another thread or program may make the same account between the two: then that one counts. */
static bool clerk_log_in(struct journey *journey, struct journey_clerk *clerk)
{
    char password[PASSWORD_SIZE];
    struct journey_answer answer = {0};
    if (!password_read(password))
        return false;
    int status = log_in_once(journey, clerk, password, &answer);
    if (status == 401) {
        bool made = account_make(clerk, password);
        status = log_in_once(journey, clerk, password, &answer);
        if (status != 201 && !made)
            fprintf(stderr, "journey: shikakuctl staff add %s failed\n", clerk->account);
    }
    if (status != 201)
        fprintf(
            stderr, "journey: %s cannot log in: %d %s\n", clerk->account, status, journey_text(answer.json, "code"));
    journey_answer_fini(&answer);
    return status == 201;
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
