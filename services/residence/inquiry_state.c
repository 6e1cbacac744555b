#include "residence/inquiry_state.h"

#include <string.h>

static const char *const names[INQUIRY_STATES] = {"waiting", "answered", "failed"};

static const struct transition {
    enum inquiry_state from, to;
    const char *why;
} transitions[] = {
    {INQUIRY_WAITING, INQUIRY_ANSWERED, "the network answered"},
    {INQUIRY_WAITING, INQUIRY_FAILED, "the vault refused the number, or the tries are used up"},
};

bool inquiry_state_set(enum inquiry_state *state, enum inquiry_state to, struct fault *fault)
{
    for (size_t i = 0; i < sizeof transitions / sizeof *transitions; i++)
        if (transitions[i].from == *state && transitions[i].to == to) {
            *state = to;
            return true;
        }
    return fault_set(fault, FAULT_state_conflict, "inquiry");
}

const char *inquiry_state_text(enum inquiry_state state)
{
    return names[state];
}

enum inquiry_state inquiry_state_parse(const char *text)
{
    for (int i = 0; i < INQUIRY_STATES; i++)
        if (strcmp(names[i], text) == 0)
            return (enum inquiry_state)i;
    return INQUIRY_STATES;
}

void inquiry_state_print(FILE *out)
{
    fprintf(out, "stateDiagram-v2\n    [*] --> %s: accepted\n", names[INQUIRY_WAITING]);
    for (size_t i = 0; i < sizeof transitions / sizeof *transitions; i++)
        fprintf(out, "    %s --> %s: %s\n", names[transitions[i].from], names[transitions[i].to], transitions[i].why);
}
