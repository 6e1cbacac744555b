#include "intake/application_state.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *japanese, *waits_for;
} states[STATES] = {
#define STATE(name, japanese, waits_for) {#name, japanese, waits_for},
#include "intake/application_state.def"
#undef STATE
};

static const struct {
    enum application_state from, to;
    const char *reason;
} transitions[] = {
    {STATE_residence, STATE_family, "residents agree; the programme asks for the family register"},
    {STATE_residence, STATE_review, "residents agree; the programme asks for no family register"},
    {STATE_residence, STATE_person, "residents differ, none or several were found, or too many tries failed"},
    {STATE_residence_terminal, STATE_family, "the operator registered an agreeing result"},
    {STATE_residence_terminal, STATE_review, "as above, without family register"},
    {STATE_residence_terminal, STATE_person, "the operator registered a differing result or none"},
    {STATE_family, STATE_review, "the domicile is known"},
    {STATE_family, STATE_person, "the domicile cannot be determined, was refused, or too many tries failed"},
    {STATE_person, STATE_residence, "a person lets it try again, or settled whose portal pseudonym it is"},
    {STATE_person, STATE_residence_terminal, "a person settled whose portal pseudonym it is"},
    {STATE_person, STATE_family, "a person settled the residence's answer, or lets it try again"},
    {STATE_person, STATE_review, "a person settled what was open"},
    {STATE_person, STATE_fee, "a person lets it try again"},
    {STATE_person, STATE_registering, "a person lets it try again"},
    {STATE_person, STATE_certifying, "a person lets it try again"},
    {STATE_person, STATE_handing_over, "a person lets it try again"},
    {STATE_person, STATE_notifying, "a person lets it try again, or the existing system has it after all"},
    {STATE_person, STATE_returning, "a person sends it back"},
    {STATE_person, STATE_rejecting, "a person rejects it"},
    {STATE_review, STATE_fee, "the reviewer accepts"},
    {STATE_review, STATE_registering, "the reviewer accepts; there is no fee"},
    {STATE_review, STATE_returning, "the reviewer sends it back"},
    {STATE_review, STATE_rejecting, "the reviewer rejects it"},
    {STATE_fee, STATE_registering, "the fee is paid"},
    {STATE_fee, STATE_person, "too many tries failed"},
    {STATE_registering, STATE_certifying, "the roll has the entry"},
    {STATE_registering, STATE_person, "the roll refused, or too many tries failed"},
    {STATE_certifying, STATE_handing_over, "the certificate is issued; there is an existing system"},
    {STATE_certifying, STATE_notifying, "the certificate is issued"},
    {STATE_certifying, STATE_person, "refused, or too many tries failed"},
    {STATE_handing_over, STATE_notifying, "the existing system has it"},
    {STATE_handing_over, STATE_person, "refused, or too many tries failed"},
    {STATE_notifying, STATE_completed, "the applicant is told"},
    {STATE_notifying, STATE_person, "too many tries failed"},
    {STATE_returning, STATE_returned, "the applicant is told"},
    {STATE_rejecting, STATE_rejected, "the applicant is told"},
};

const char *state_name(enum application_state state)
{
    return states[state].name;
}

const char *state_japanese(enum application_state state)
{
    return states[state].japanese;
}

const char *state_waits_for(enum application_state state)
{
    return states[state].waits_for;
}

bool state_find(const char *name, enum application_state *state)
{
    for (int i = 0; i < STATES; i++)
        if (strcmp(states[i].name, name) == 0) {
            *state = (enum application_state)i;
            return true;
        }
    return false;
}

bool state_may_follow(enum application_state from, enum application_state to)
{
    for (size_t i = 0; i < sizeof transitions / sizeof *transitions; i++)
        if (transitions[i].from == from && transitions[i].to == to)
            return true;
    return false;
}

bool state_numbered(const struct programme *programme, const char *channel)
{
    return programme->number_on_paper || strcmp(channel, "paper") != 0;
}

enum application_state state_first(const struct programme *programme, bool numbered)
{
    bool batch = numbered && programme->residence == PROGRAMME_RESIDENCE_BATCH;
    return batch ? STATE_residence : STATE_residence_terminal;
}

enum application_state state_next(const struct programme *programme, bool numbered, enum application_state state)
{
    switch (state) {
    case STATE_residence:
    case STATE_residence_terminal:
        return numbered && programme->family_register ? STATE_family : STATE_review;
    case STATE_family:
        return STATE_review;
    case STATE_fee:
        return STATE_registering;
    case STATE_registering:
        return STATE_certifying;
    case STATE_certifying:
        return strcmp(programme->legacy, "none") == 0 ? STATE_notifying : STATE_handing_over;
    case STATE_handing_over:
        return STATE_notifying;
    case STATE_notifying:
        return STATE_completed;
    case STATE_returning:
        return STATE_returned;
    case STATE_rejecting:
        return STATE_rejected;
    default:
        return state;
    }
}

void state_diagram_print(void)
{
    printf("stateDiagram-v2\n");
    for (size_t i = 0; i < sizeof transitions / sizeof *transitions; i++)
        printf("    %s --> %s: %s\n", states[transitions[i].from].name, states[transitions[i].to].name,
            transitions[i].reason);
}
