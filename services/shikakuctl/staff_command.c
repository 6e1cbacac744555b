#include "shikakuctl/commands.h"

#include "chassis/work.h"
#include "shikakuctl/operator_call.h"
#include "staff.pb-c.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#define PASSWORD_LINE 256
#define PROGRAMMES_MAX 32
#define ARENA_BYTES (1024 * 1024)

/* From standard input, never from the command line, where every user of the machine could read it. */
static bool password_read(char line[PASSWORD_LINE])
{
    if (!fgets(line, PASSWORD_LINE, stdin))
        line[0] = '\0';
    line[strcspn(line, "\r\n")] = '\0';
    return line[0];
}

static size_t programmes_split(char *text, char *list[PROGRAMMES_MAX])
{
    size_t count = 0;
    char *rest = NULL;
    if (strcmp(text, "all") == 0)
        return 0;
    for (char *one = strtok_r(text, ",", &rest); one && count < PROGRAMMES_MAX; one = strtok_r(NULL, ",", &rest))
        list[count++] = one;
    return count;
}

/* The act is named by a random id: entering the same account anew, after it was refused, is another act. */
int staff_add_command(int argc, char **argv)
{
    Staff__AddRequest request = STAFF__ADD_REQUEST__INIT;
    ProtobufCMessage *reply;
    char password[PASSWORD_LINE], *programmes[PROGRAMMES_MAX], act[37];
    if (argc != 6)
        return COMMAND_USAGE;
    if (!password_read(password)) {
        fprintf(stderr, "the first password is read from standard input\n");
        return 1;
    }
    struct arena *arena = arena_new(ARENA_BYTES);
    uuid_make(act);
    request.account = argv[0];
    request.role = argv[1];
    request.manager = argv[2];
    request.n_programmes = programmes_split(argv[3], programmes);
    request.programmes = programmes;
    request.person = argv[4];
    request.need = argv[5];
    request.password = password;
    bool added = arena && operator_call(arena, ROUTE_staff_add, act, &request.base, &reply);
    OPENSSL_cleanse(password, sizeof password);
    arena_free(arena);
    return !added;
}

/* 1 where there are differences: for a schedule that is to hear of them. */
int staff_compare_command(int argc, char **argv)
{
    Staff__CompareRequest request = STAFF__COMPARE_REQUEST__INIT;
    ProtobufCMessage *message;
    if (argc != 1)
        return COMMAND_USAGE;
    struct arena *arena = arena_new(ARENA_BYTES);
    request.manager = argv[0];
    if (!arena || !operator_call(arena, ROUTE_staff_compare, NULL, &request.base, &message)) {
        arena_free(arena);
        return 1;
    }
    const Staff__CompareReply *reply = (const Staff__CompareReply *)message;
    for (size_t i = 0; i < reply->n_differences; i++)
        printf("%s\t%s\n", reply->differences[i]->account, reply->differences[i]->rule);
    printf(
        "%d accounts, %d applications, %zu differences\n", reply->accounts, reply->applications, reply->n_differences);
    bool agree = reply->n_differences == 0;
    arena_free(arena);
    return !agree;
}
