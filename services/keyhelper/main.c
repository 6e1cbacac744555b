/* The key helper: the only process that logs in to a service's PKCS#11 token.
 *
 *   shikaku-keyhelper SERVICE
 *       started by the service (posix_spawn); unwraps, makes and rewraps keys over descriptor 3 until that is closed
 *   shikaku-keyhelper --make SERVICE
 *       by deploy/keys: makes token, PIN and the service's key on the bus where they are missing
 *   shikaku-keyhelper --erase SERVICE MANAGER
 *       destroys a manager's wrapping key, and with it all its rows of this service
 */
#include "chassis/bus_key.h"
#include "chassis/journal.h"
#include "chassis/settings.h"
#include "keyhelper/key_serve.h"

#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static const struct setting settings[] = {
    {"SHIKAKU_KEYS", SETTING_TEXT, "var/keys", 0, 0, "folder of the keys: a folder a service, and peers/"},
    {"SHIKAKU_PKCS11_MODULE", SETTING_TEXT, "/usr/lib/softhsm/libsofthsm2.so", 0, 0, "PKCS#11 library of the token"},
};

static bool make(const struct token_place *place)
{
    struct token *token = NULL;
    if (!token_make(place->module, place->keys, place->service)) {
        journal(JOURNAL_ERROR, NULL, "token_not_made", WORD("service", place->service));
        return false;
    }
    bool made = token_have(&token, place) && bus_key_make(token, place->keys, place->service);
    token_rest(&token);
    return made;
}

static bool erase(const struct token_place *place, const char *manager)
{
    struct token *token = NULL;
    bool erased = token_have(&token, place) && token_erase(token, manager);
    token_rest(&token);
    return erased;
}

static bool run(int argc, char **argv)
{
    bool makes = argc == 3 && strcmp(argv[1], "--make") == 0, erases = argc == 4 && strcmp(argv[1], "--erase") == 0;
    const struct token_place place = {
        setting_text("SHIKAKU_PKCS11_MODULE"), setting_text("SHIKAKU_KEYS"), makes || erases ? argv[2] : argv[1]};
    bool right = makes ? make(&place) : erases ? erase(&place, argv[3]) : key_serve(&place);
    if (!right)
        journal(JOURNAL_ERROR, NULL, "key_helper_failed", WORD("service", place.service));
    return right;
}

int main(int argc, char **argv)
{
    struct rlimit none = {0, 0};
    journal_open("keyhelper");
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
    if (argc < 2 || !settings_read(settings, sizeof settings / sizeof *settings))
        return EXIT_FAILURE;
    return run(argc, argv) ? EXIT_SUCCESS : EXIT_FAILURE;
}
