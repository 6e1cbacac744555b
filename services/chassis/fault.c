#include "chassis/fault.h"

#include <stdio.h>
#include <string.h>

#define DONE OUTCOME_DONE
#define RETRY OUTCOME_RETRY
#define REJECT OUTCOME_REJECT

static const struct {
    const char *text;
    int http;
    enum outcome outcome;
    const char *japanese;
} faults[FAULT_CODES] = {
    [FAULT_NONE] = {"none", 200, DONE, ""},
#define FAULT(name, http, outcome, japanese) [FAULT_##name] = {#name, http, outcome, japanese},
#include "errors.def"
#undef FAULT
};

bool fault_set(struct fault *fault, enum fault_code code, const char *field)
{
    fault->code = code;
    snprintf(fault->field, sizeof fault->field, "%s", field ? field : "");
    return false;
}

const char *fault_code_text(enum fault_code code)
{
    return faults[code].text;
}

enum fault_code fault_code_parse(const char *text)
{
    for (int code = FAULT_NONE + 1; code < FAULT_CODES; code++)
        if (strcmp(faults[code].text, text) == 0)
            return code;
    return FAULT_internal;
}

const char *fault_japanese(enum fault_code code)
{
    return faults[code].japanese;
}

int fault_http_status(enum fault_code code)
{
    return faults[code].http;
}

enum outcome fault_outcome(enum fault_code code)
{
    return faults[code].outcome;
}
