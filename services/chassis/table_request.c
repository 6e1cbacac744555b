#include "chassis/table_request.h"

#include "chassis/form.h"

#include "export.pb-c.h"

static bool day_check(const char *text, const char *field, struct fault *fault)
{
    return !*text || form_is_day(text) || fault_set(fault, FAULT_item_invalid, field);
}

bool table_request_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Export__TableRequest *request = (const Export__TableRequest *)message;
    if (!*request->programme)
        return fault_set(fault, FAULT_item_missing, "programme");
    if (*request->after && !form_is_uuid(request->after))
        return fault_set(fault, FAULT_item_invalid, "after");
    return day_check(request->from, "from", fault) && day_check(request->to, "to", fault);
}
