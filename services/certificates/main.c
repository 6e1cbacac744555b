/* certificates issues, shows and verifies the certificate. Start-up: the programmes, then what every service does
 * (chassis/boot.h). With --render it is the renderer instead (certificate_render.h). */
#include <string.h>
#include "certificates/certificate_messages.h"
#include "certificates/certificate_publish.h"
#include "certificates/certificate_render.h"
#include "certificates/certificate_store.h"
#include "chassis/boot.h"
#include "chassis/programme_keys.h"

static const struct setting settings[] = {
    {"SHIKAKU_PUBLIC_URL", SETTING_URL, "https://localhost:8443", 0, 0,
        "Public address; the QR code of a certificate leads to it with /w/?c=…. At most 150 bytes."},
};

static size_t keys(const struct key_want **wants)
{
    return programme_keys_want(KEY_SET(KEY_DATA), KEY_SET(KEY_DATA) | KEY_SET(KEY_ISSUE), wants);
}

static bool publish(struct fault *fault)
{
    const char *const *managers;
    size_t count = programmes_managers(programmes_in_use(), &managers);
    return certificate_keys_publish(setting_text("SHIKAKU_KEYS"), managers, count, fault);
}

static bool prepare(struct fault *fault)
{
    return certificate_serve(programmes_in_use(), setting_text("SHIKAKU_PUBLIC_URL"))
               ? true
               : fault_set(fault, FAULT_item_too_long, "SHIKAKU_PUBLIC_URL");
}

int main(int argc, char **argv)
{
    const struct service service = {
        .name = "certificates",
        .schema_version = 3,
        .settings = settings,
        .setting_count = sizeof settings / sizeof *settings,
        .keys = keys,
        .columns = &certificate_columns,
        .publish = publish,
        .prepare = prepare,
        .messages = certificate_messages,
        .message_count = certificate_message_count,
    };
    if (argc == 3 && strcmp(argv[1], "--render") == 0)
        certificate_render_main(argv[2]);
    return service_run(&service, argc, argv);
}
