/* certificates issues, shows and verifies the certificate. Start-up: the programmes, then what every service does
 * (chassis/boot.h). With --render it is the renderer instead (certificate_render.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "certificates/certificate_messages.h"
#include "certificates/certificate_publish.h"
#include "certificates/certificate_render.h"
#include "chassis/boot.h"

static const struct setting settings[] = {
    {"SHIKAKU_PUBLIC_URL", SETTING_TEXT, "https://localhost:8443", 0, 0,
        "Public address; the QR code of a certificate leads to it with /w/?c=…. At most 150 bytes."},
};

static struct programmes *programmes;
static struct key_want *volatile key_wants; /* kept as long as the process; volatile, or the compiler drops it */
static char problem[PROGRAMMES_PROBLEM_MAX];
static const char **managers;
static size_t manager_count;

static bool manager_is_new(const char *manager)
{
    for (size_t i = 0; i < manager_count; i++)
        if (strcmp(managers[i], manager) == 0)
            return false;
    return true;
}

/* A data key and an issuing key for each manager of a programme, and a data key for the service's own inbox. */
static size_t keys(const struct key_want **wants)
{
    programmes = programmes_load(setting_text("SHIKAKU_PROGRAMMES"), problem, sizeof problem);
    size_t programme_count = programmes ? programmes_count(programmes) : 0, count = 0;
    struct key_want *list = key_wants = calloc(2 * programme_count + 1, sizeof *list);
    managers = calloc(programme_count + 1, sizeof *managers);
    if (!list || !managers)
        return 0;
    list[count++] = (struct key_want){"*", KEY_DATA};
    for (size_t i = 0; i < programme_count; i++) {
        const char *manager = programmes_at(programmes, i)->manager;
        if (!manager_is_new(manager))
            continue;
        managers[manager_count++] = manager;
        list[count++] = (struct key_want){manager, KEY_DATA};
        list[count++] = (struct key_want){manager, KEY_ISSUE};
    }
    *wants = list;
    return count;
}

static bool prepare(struct fault *fault)
{
    if (!programmes) {
        fprintf(stderr, "%s\n", problem); /* a definition's key and rule: no person's data */
        return fault_set(fault, FAULT_programme_unknown, "SHIKAKU_PROGRAMMES");
    }
    if (!certificate_serve(programmes, setting_text("SHIKAKU_PUBLIC_URL")))
        return fault_set(fault, FAULT_item_too_long, "SHIKAKU_PUBLIC_URL");
    return certificate_keys_publish(setting_text("SHIKAKU_KEYS"), managers, manager_count, fault);
}

int main(int argc, char **argv)
{
    const struct service service = {
        .name = "certificates",
        .schema_version = 1,
        .settings = settings,
        .setting_count = sizeof settings / sizeof *settings,
        .keys = keys,
        .prepare = prepare,
        .messages = certificate_messages,
        .message_count = certificate_message_count,
    };
    if (argc == 3 && strcmp(argv[1], "--render") == 0)
        certificate_render_main(argv[2]);
    return service_run(&service, argc, argv);
}
