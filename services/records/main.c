/* records keeps the rolls. Start-up: the programmes, then what every service does (chassis/boot.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "chassis/boot.h"
#include "records/roll_messages.h"

static struct programmes *programmes;
static char problem[PROGRAMMES_PROBLEM_MAX];
static struct key_want *volatile key_wants; /* kept as long as the process */

static bool manager_is_new(size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp(programmes_at(programmes, i)->manager, programmes_at(programmes, index)->manager) == 0)
            return false;
    return true;
}

/* A data key and an index key for each manager of a programme, and a data key for the service's own inbox and outbox.
 */
static size_t keys(const struct key_want **wants)
{
    programmes = programmes_load(setting_text("SHIKAKU_PROGRAMMES"), problem, sizeof problem);
    size_t programme_count = programmes == NULL ? 0 : programmes_count(programmes), count = 0;
    struct key_want *list = key_wants = calloc(2 * programme_count + 1, sizeof *list);
    if (list == NULL)
        return 0;
    list[count++] = (struct key_want){"*", KEY_DATA};
    for (size_t i = 0; i < programme_count; i++) {
        if (!manager_is_new(i))
            continue;
        list[count++] = (struct key_want){programmes_at(programmes, i)->manager, KEY_DATA};
        list[count++] = (struct key_want){programmes_at(programmes, i)->manager, KEY_INDEX};
    }
    *wants = list;
    return count;
}

static bool prepare(struct fault *fault)
{
    if (programmes == NULL) {
        fprintf(stderr, "%s\n", problem); /* a definition's key and rule: no person's data */
        return fault_set(fault, FAULT_programme_unknown, "SHIKAKU_PROGRAMMES");
    }
    roll_serve(programmes);
    return true;
}

int main(int argc, char **argv)
{
    const struct service service = {
        .name = "records",
        .schema_version = 1,
        .keys = keys,
        .prepare = prepare,
        .messages = roll_messages,
        .message_count = roll_message_count,
    };
    return service_run(&service, argc, argv);
}
