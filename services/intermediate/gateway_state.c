#include "intermediate/gateway_state.h"

#include <string.h>

static const char *const names[INQUIRY_STATES] = {
    "code_needed", "code_requested", "code_had", "permitted", "asked", "answered", "refused", "failed"};

static const struct transition {
    enum inquiry_state from, to;
    const char *why;
} transitions[] = {
    {INQUIRY_CODE_NEEDED, INQUIRY_CODE_REQUESTED, "residence took 取得番号 and number, sealed"},
    {INQUIRY_CODE_NEEDED, INQUIRY_CODE_HAD, "another inquiry about the person had the code first"},
    {INQUIRY_CODE_NEEDED, INQUIRY_REFUSED, "the vault knows no such person"},
    {INQUIRY_CODE_NEEDED, INQUIRY_FAILED, "tries used up"},
    {INQUIRY_CODE_REQUESTED, INQUIRY_CODE_HAD, "the network gave the code"},
    {INQUIRY_CODE_REQUESTED, INQUIRY_CODE_NEEDED, "another inquiry about the person used the 取得番号 up"},
    {INQUIRY_CODE_REQUESTED, INQUIRY_ANSWERED, "the network knows nobody of that number"},
    {INQUIRY_CODE_REQUESTED, INQUIRY_FAILED, "tries or patience used up"},
    {INQUIRY_CODE_HAD, INQUIRY_PERMITTED, "the inquiry is on the 照会許可照合リスト"},
    {INQUIRY_CODE_HAD, INQUIRY_REFUSED, "it is not"},
    {INQUIRY_CODE_HAD, INQUIRY_FAILED, "tries used up"},
    {INQUIRY_PERMITTED, INQUIRY_ASKED, "the network took the inquiry"},
    {INQUIRY_PERMITTED, INQUIRY_CODE_HAD, "the permit ran out before it was used"},
    {INQUIRY_PERMITTED, INQUIRY_FAILED, "tries used up"},
    {INQUIRY_ASKED, INQUIRY_ANSWERED, "the provider answered"},
    {INQUIRY_ASKED, INQUIRY_FAILED, "tries or patience used up"},
};

bool gateway_state_set(enum inquiry_state *state, enum inquiry_state to, struct fault *fault)
{
    for (size_t i = 0; i < sizeof transitions / sizeof *transitions; i++)
        if (transitions[i].from == *state && transitions[i].to == to) {
            *state = to;
            return true;
        }
    return fault_set(fault, FAULT_state_conflict, "inquiry");
}

bool gateway_state_is_final(enum inquiry_state state)
{
    for (size_t i = 0; i < sizeof transitions / sizeof *transitions; i++)
        if (transitions[i].from == state)
            return false;
    return true;
}

const char *gateway_state_text(enum inquiry_state state)
{
    return names[state];
}

enum inquiry_state gateway_state_parse(const char *text)
{
    for (int i = 0; i < INQUIRY_STATES; i++)
        if (strcmp(names[i], text) == 0)
            return (enum inquiry_state)i;
    return INQUIRY_STATES;
}

void gateway_state_print(FILE *out)
{
    fprintf(out, "stateDiagram-v2\n    [*] --> %s: accepted\n    [*] --> %s: accepted, the code is known\n",
        names[INQUIRY_CODE_NEEDED], names[INQUIRY_CODE_HAD]);
    for (size_t i = 0; i < sizeof transitions / sizeof *transitions; i++)
        fprintf(out, "    %s --> %s: %s\n", names[transitions[i].from], names[transitions[i].to], transitions[i].why);
}
