#include "legacy_sync/hand_over_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const state_texts[HAND_OVER_STATES] = {"waiting", "asking_person", "handed_over"};
static const char *const cause_texts[HAND_OVER_CAUSES] = {"taken", "not_now", "tried_out", "refused", "again"};

static const struct {
    enum hand_over_state from;
    enum hand_over_cause cause;
    enum hand_over_state to;
} transitions[] = {
    {HAND_OVER_WAITING, HAND_OVER_TAKEN, HAND_OVER_HANDED_OVER},
    {HAND_OVER_WAITING, HAND_OVER_NOT_NOW, HAND_OVER_WAITING},
    {HAND_OVER_WAITING, HAND_OVER_TRIED_OUT, HAND_OVER_ASKING_PERSON},
    {HAND_OVER_WAITING, HAND_OVER_REFUSED, HAND_OVER_ASKING_PERSON},
    {HAND_OVER_WAITING, HAND_OVER_AGAIN, HAND_OVER_WAITING},
    {HAND_OVER_ASKING_PERSON, HAND_OVER_TAKEN, HAND_OVER_HANDED_OVER},
    {HAND_OVER_ASKING_PERSON, HAND_OVER_NOT_NOW, HAND_OVER_ASKING_PERSON},
    {HAND_OVER_ASKING_PERSON, HAND_OVER_TRIED_OUT, HAND_OVER_ASKING_PERSON},
    {HAND_OVER_ASKING_PERSON, HAND_OVER_REFUSED, HAND_OVER_ASKING_PERSON},
    {HAND_OVER_ASKING_PERSON, HAND_OVER_AGAIN, HAND_OVER_WAITING},
};
#define TRANSITIONS (sizeof transitions / sizeof *transitions)

const char *hand_over_state_text(enum hand_over_state state)
{
    return state_texts[state];
}

bool hand_over_state_find(const char *text, enum hand_over_state *state)
{
    for (int i = 0; i < HAND_OVER_STATES; i++) {
        if (strcmp(state_texts[i], text) == 0) {
            *state = (enum hand_over_state)i;
            return true;
        }
    }
    return false;
}

bool hand_over_state_next(enum hand_over_state from, enum hand_over_cause cause, enum hand_over_state *to)
{
    for (size_t i = 0; i < TRANSITIONS; i++) {
        if (transitions[i].from == from && transitions[i].cause == cause) {
            *to = transitions[i].to;
            return true;
        }
    }
    return false;
}

char *hand_over_state_diagram(void)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out) {
        return NULL;
    }
    fputs("stateDiagram-v2\n    [*] --> waiting\n", out);
    for (size_t i = 0; i < TRANSITIONS; i++) {
        fprintf(out, "    %s --> %s: %s\n", state_texts[transitions[i].from], state_texts[transitions[i].to],
            cause_texts[transitions[i].cause]);
    }
    fputs("    handed_over --> [*]\n", out);
    fclose(out);
    return text;
}
