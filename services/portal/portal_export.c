/* Applications, or a roll, as a table that leaves the system: piece by piece, as the bus carries it. */
#include "portal/portal_handlers.h"
#include "portal/portal_routes.h"

#include "export.pb-c.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_MAX 5000
#define FIELD_MAX 64
static const char byte_order_mark[] = "\xef\xbb\xbf"; /* without it spreadsheets take the text for another encoding */

struct whole {
    char *text;
    size_t used, room;
    int64_t rows;
};

/* Grows by wiping and leaving the old place: it holds personal data. */
static bool piece_add(struct whole *whole, const void *bytes, size_t len)
{
    if (whole->used + len > whole->room) {
        size_t room = 2 * (whole->used + len);
        char *text = malloc(room);
        if (!text)
            return false;
        if (whole->text) {
            memcpy(text, whole->text, whole->used);
            OPENSSL_cleanse(whole->text, whole->room);
            free(whole->text);
        }
        whole->text = text;
        whole->room = room;
    }
    memcpy(whole->text + whole->used, bytes, len);
    whole->used += len;
    return true;
}

static bool query_take(struct exchange *x, struct work *work, const char *name, char **field)
{
    const char *value;
    if (!exchange_query(x, work->arena, name, &value, &work->fault))
        return false;
    *field = (char *)(value ? value : "");
    return !value || is_word(value, FIELD_MAX) || fault_set(&work->fault, FAULT_item_invalid, name);
}

static bool pieces_collect(struct work *work, enum route route, Export__TableRequest *request, struct whole *whole)
{
    ProtobufCMessage *message;
    do {
        if (!work_call(work, route, NULL, &request->base, &message))
            return false;
        const Export__TableReply *reply = (const Export__TableReply *)message;
        if (!piece_add(whole, reply->rows.data, reply->rows.len))
            return fault_set(&work->fault, FAULT_internal, NULL);
        whole->rows += reply->count;
        if (whole->rows > ROWS_MAX)
            return fault_set(&work->fault, FAULT_too_large, "from");
        request->after = reply->next;
    } while (*request->after);
    return true;
}

bool export_http(struct exchange *x, struct work *work)
{
    Export__TableRequest request = EXPORT__TABLE_REQUEST__INIT;
    struct whole whole = {0};
    enum route route;
    if (!route_find(x->route->name, &route))
        return fault_set(&work->fault, FAULT_internal, NULL);
    request.manager = x->actor.manager;
    if (!query_take(x, work, "programme", &request.programme) || !query_take(x, work, "from", &request.from) ||
        !query_take(x, work, "to", &request.to))
        return false;
    bool done = (piece_add(&whole, byte_order_mark, sizeof byte_order_mark - 1) ||
                    fault_set(&work->fault, FAULT_internal, NULL)) &&
                pieces_collect(work, route, &request, &whole);
    if (done)
        exchange_answer(x, 200, "text/csv; charset=utf-8", whole.text, whole.used);
    if (whole.text)
        OPENSSL_cleanse(whole.text, whole.room);
    free(whole.text);
    return done;
}
