#include "keyhelper/key_serve.h"

#include "chassis/bus_key.h"
#include "chassis/journal.h"
#include "chassis/key_request.h"

#include <openssl/crypto.h>
#include <string.h>
#include <unistd.h>

static enum token_result done(bool right)
{
    return right ? TOKEN_OK : TOKEN_FAILED;
}

static enum token_result answer(
    struct token *token, const struct token_place *place, const struct key_request *request, struct key_reply *reply)
{
    if (!memchr(request->manager, '\0', sizeof request->manager) ||
        !memchr(request->kind, '\0', sizeof request->kind) || request->wrapped_len > sizeof request->wrapped)
        return TOKEN_FAILED;
    enum token_result result;
    switch (request->what) {
    case KEY_REQUEST_UNWRAP:
        return token_unwrap(
            token, request->manager, request->kind, request->wrapped, request->wrapped_len, reply->secret);
    case KEY_REQUEST_GENERATE:
        result = token_generate(token, request->manager, request->kind, reply->secret, reply->wrapped);
        OPENSSL_cleanse(reply->secret, sizeof reply->secret);
        return result;
    case KEY_REQUEST_REWRAP:
        return token_rewrap(
            token, request->manager, request->kind, request->wrapped, request->wrapped_len, reply->wrapped);
    case KEY_REQUEST_RENEW:
        return done(token_renew(token, request->manager, request->version));
    case KEY_REQUEST_REWRAP_BUS:
        return done(bus_key_rewrap(token, place->keys, place->service));
    case KEY_REQUEST_DROP:
        return done(token_drop(token, request->manager, request->version));
    default:
        return TOKEN_FAILED;
    }
}

bool token_have(struct token **token, const struct token_place *place)
{
    if (*token || token_open(token, place->module, place->keys, place->service))
        return true;
    journal(JOURNAL_ERROR, NULL, "token_not_opened", WORD("service", place->service));
    return false;
}

void token_rest(struct token **token)
{
    token_close(*token);
    *token = NULL;
}

/* Logged in from the first request until it is told to rest; what it was asked is wiped with the answer. */
bool key_serve(const struct token_place *place)
{
    struct token *token = NULL;
    struct key_request request;
    struct key_reply reply;
    ssize_t len;
    bool sent = true;
    while (sent && (len = read(KEY_HELPER_FD, &request, sizeof request)) == sizeof request) {
        memset(&reply, 0, sizeof reply);
        if (request.what == KEY_REQUEST_REST)
            token_rest(&token);
        else
            reply.result = token_have(&token, place) ? answer(token, place, &request, &reply) : TOKEN_FAILED;
        sent = write(KEY_HELPER_FD, &reply, sizeof reply) == sizeof reply;
        OPENSSL_cleanse(&reply, sizeof reply);
        OPENSSL_cleanse(&request, sizeof request);
    }
    token_rest(&token);
    return sent && len == 0;
}
