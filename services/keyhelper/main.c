/* The key helper: the only process that logs in to a service's PKCS#11 token.
 *
 *   shikaku-keyhelper SERVICE
 *       started by the service (posix_spawn); unwraps and makes keys over descriptor 3, then exits
 *   shikaku-keyhelper --make SERVICE
 *       by deploy/keys: makes token, PIN and the service's key on the bus where they are missing
 *   shikaku-keyhelper --erase SERVICE MANAGER
 *       destroys a manager's wrapping key, and with it all its rows of this service
 */
#include "chassis/bus_key.h"
#include "chassis/journal.h"
#include "chassis/key_request.h"
#include "chassis/keyring.h"
#include "chassis/settings.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

static const struct setting settings[] = {
    {"SHIKAKU_KEYS", SETTING_TEXT, "var/keys", 0, 0, "folder of the keys: a folder a service, and peers/"},
    {"SHIKAKU_PKCS11_MODULE", SETTING_TEXT, "/usr/lib/softhsm/libsofthsm2.so", 0, 0, "PKCS#11 library of the token"},
};

static enum token_result answer(struct token *token, const struct key_request *request, struct key_reply *reply)
{
    if (!memchr(request->manager, '\0', sizeof request->manager) ||
        !memchr(request->kind, '\0', sizeof request->kind) || request->wrapped_len > sizeof request->wrapped)
        return TOKEN_FAILED;
    switch (request->what) {
    case KEY_REQUEST_UNWRAP:
        return token_unwrap(
            token, request->manager, request->kind, request->wrapped, request->wrapped_len, reply->secret);
    case KEY_REQUEST_GENERATE:
        return token_generate(token, request->manager, request->kind, reply->secret, reply->wrapped);
    default:
        return TOKEN_FAILED;
    }
}

static bool serve(struct token *token)
{
    struct key_request request;
    struct key_reply reply;
    ssize_t len;
    while ((len = read(KEY_HELPER_FD, &request, sizeof request)) == sizeof request) {
        memset(&reply, 0, sizeof reply);
        reply.result = answer(token, &request, &reply);
        bool sent = write(KEY_HELPER_FD, &reply, sizeof reply) == sizeof reply;
        OPENSSL_cleanse(&reply, sizeof reply);
        if (!sent)
            return false;
    }
    return len == 0;
}

static bool run(int argc, char **argv)
{
    const char *module = setting_text("SHIKAKU_PKCS11_MODULE"), *keys = setting_text("SHIKAKU_KEYS");
    bool make = argc == 3 && strcmp(argv[1], "--make") == 0, erase = argc == 4 && strcmp(argv[1], "--erase") == 0;
    const char *service = make || erase ? argv[2] : argv[1];
    struct token *token;
    if (make && !token_make(module, keys, service)) {
        journal(JOURNAL_ERROR, NULL, "token_not_made", WORD("service", service));
        return false;
    }
    if (!token_open(&token, module, keys, service)) {
        journal(JOURNAL_ERROR, NULL, "token_not_opened", WORD("service", service));
        return false;
    }
    bool done = make ? bus_key_make(token, keys, service) : erase ? token_erase(token, argv[3]) : serve(token);
    token_close(token);
    if (!done)
        journal(JOURNAL_ERROR, NULL, "key_helper_failed", WORD("service", service));
    return done;
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
