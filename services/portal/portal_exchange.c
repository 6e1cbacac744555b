#include "portal/portal_exchange.h"

#include "chassis/jwe.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

static const char word_letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
static const char json_media_type[] = "application/json; charset=utf-8";

struct exchange *exchange_new(void)
{
    return calloc(1, sizeof(struct exchange));
}

static void wipe(char *text, size_t len)
{
    if (text)
        OPENSSL_cleanse(text, len);
    free(text);
}

static void wipe_text(char *text)
{
    wipe(text, text ? strlen(text) : 0);
}

void exchange_free(struct exchange *exchange)
{
    if (!exchange)
        return;
    wipe_text(exchange->query);
    wipe_text(exchange->authorization);
    wipe_text(exchange->assertion);
    wipe_text(exchange->idempotency_key);
    wipe_text(exchange->purpose);
    wipe(exchange->body, exchange->body_len);
    wipe(exchange->answer, exchange->answer_len);
    OPENSSL_cleanse(exchange, sizeof *exchange);
    free(exchange);
}

/* --- answering --- */

static void answer_take(struct exchange *exchange, int status, const char *media_type, char *bytes_take, size_t len)
{
    wipe(exchange->answer, exchange->answer_len);
    exchange->status = status;
    exchange->media_type = media_type;
    exchange->answer = bytes_take;
    exchange->answer_len = len;
}

void exchange_answer(struct exchange *exchange, int status, const char *media_type, const void *bytes, size_t len)
{
    char *copy = malloc(len + 1);
    if (!copy) {
        answer_take(exchange, 500, NULL, NULL, 0);
        return;
    }
    if (len)
        memcpy(copy, bytes, len);
    copy[len] = '\0';
    answer_take(exchange, status, media_type, copy, len);
}

void exchange_answer_json(struct exchange *exchange, int status, json_t *json_take)
{
    char *text = json_take ? json_dumps(json_take, JSON_COMPACT) : NULL;
    json_decref(json_take);
    if (text)
        answer_take(exchange, status, json_media_type, text, strlen(text));
    else
        answer_take(exchange, 500, NULL, NULL, 0);
}

void exchange_refuse(struct exchange *exchange, const struct fault *fault)
{
    exchange_answer_json(exchange, fault_http_status(fault->code),
        json_pack("{ss ss ss}", "code", fault_code_text(fault->code), "field", fault->field, "message",
            fault_japanese(fault->code)));
}

/* --- asking --- */

static int hex_value(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static char *percent_decode(struct arena *arena, const char *from, size_t len)
{
    char *text = arena_take(arena, len + 1);
    size_t used = 0;
    for (size_t i = 0; text && i < len; i++) {
        int value = (unsigned char)from[i];
        if (from[i] == '%') {
            int high = i + 2 < len ? hex_value(from[i + 1]) : -1, low = i + 2 < len ? hex_value(from[i + 2]) : -1;
            value = high < 0 || low < 0 ? 0 : high << 4 | low;
            i += 2;
        }
        if (value == 0)
            return NULL;
        text[used++] = (char)value;
    }
    if (text)
        text[used] = '\0';
    return text;
}

static bool is_utf8(const char *text)
{
    json_t *probe = json_string(text);
    json_decref(probe);
    return probe != NULL;
}

bool exchange_query(
    const struct exchange *exchange, struct arena *arena, const char *name, const char **value, struct fault *fault)
{
    size_t name_len = strlen(name);
    *value = NULL;
    for (const char *at = exchange->query ? exchange->query : ""; *at;) {
        size_t len = strcspn(at, "&");
        if (len > name_len && strncmp(at, name, name_len) == 0 && at[name_len] == '=') {
            const char *text = percent_decode(arena, at + name_len + 1, len - name_len - 1);
            if (*value || !text || !is_utf8(text))
                return fault_set(fault, FAULT_malformed, name);
            *value = text;
        }
        at += len;
        at += *at == '&';
    }
    return true;
}

bool is_word(const char *text, size_t max)
{
    size_t len = strlen(text);
    return len > 0 && len <= max && strspn(text, word_letters) == len;
}

static const struct member *member_find(const struct member *members, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(members[i].name, name) == 0)
            return &members[i];
    return NULL;
}

static bool member_check(const struct member *member, const json_t *value, struct fault *fault)
{
    json_type type = json_is_false(value) ? JSON_TRUE : json_typeof(value);
    if (type != member->type)
        return fault_set(fault, FAULT_item_invalid, member->name);
    if (type == JSON_STRING && json_string_length(value) > member->max)
        return fault_set(fault, FAULT_item_too_long, member->name);
    return true;
}

static bool members_check(json_t *object, const struct member *members, size_t count, struct fault *fault)
{
    const char *name;
    json_t *value;
    if (!json_is_object(object))
        return fault_set(fault, FAULT_malformed, "body");
    json_object_foreach(object, name, value)
    {
        const struct member *member = member_find(members, count, name);
        if (!member) /* the name came from outside: it is not repeated */
            return fault_set(fault, FAULT_item_unknown, "body");
        if (!member_check(member, value, fault))
            return false;
    }
    for (size_t i = 0; i < count; i++)
        if (members[i].required && !json_object_get(object, members[i].name))
            return fault_set(fault, FAULT_item_missing, members[i].name);
    return true;
}

json_t *exchange_json(const struct exchange *exchange, const struct member *members, size_t count, struct fault *fault)
{
    json_t *object = json_loadb(exchange->body ? exchange->body : "", exchange->body_len, JSON_REJECT_DUPLICATES, NULL);
    if (members_check(object, members, count, fault))
        return object;
    json_decref(object);
    return NULL;
}

const char *member_text(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

bool base64_take(
    struct arena *arena, const char *text, const char *name, size_t max, struct bytes *bytes, struct fault *fault)
{
    size_t len = strlen(text);
    if (len % 4 != 0)
        return fault_set(fault, FAULT_malformed, name);
    if (len / 4 * 3 > max + 2)
        return fault_set(fault, FAULT_too_large, name);
    char *url = arena_text(arena, text, len);
    if (!url)
        return fault_set(fault, FAULT_internal, NULL);
    for (int padding = 0; padding < 2 && len > 0 && url[len - 1] == '='; padding++)
        len--;
    for (size_t i = 0; i < len; i++) {
        if (url[i] == '-' || url[i] == '_')
            return fault_set(fault, FAULT_malformed, name);
        url[i] = url[i] == '+' ? '-' : url[i] == '/' ? '_' : url[i];
    }
    if (!base64url_take(arena, url, len, bytes))
        return fault_set(fault, FAULT_malformed, name);
    return bytes->len <= max || fault_set(fault, FAULT_too_large, name);
}
