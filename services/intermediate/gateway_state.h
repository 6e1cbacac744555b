/* Where an inquiry to the information provision network stands. Its table says all that can happen; a test holds it
 * against the CHECK constraint in SQL. */
#ifndef INTERMEDIATE_GATEWAY_STATE_H
#define INTERMEDIATE_GATEWAY_STATE_H

#include <stdio.h>
#include "chassis/fault.h"

enum inquiry_state {
    INQUIRY_CODE_NEEDED,    /* the person's 機関別符号 is not known; a 取得番号 is made */
    INQUIRY_CODE_REQUESTED, /* 取得番号 and number are on their way through the residence network */
    INQUIRY_CODE_HAD,
    INQUIRY_PERMITTED, /* a 提供許可証 is in hand */
    INQUIRY_ASKED,     /* the network gave a 処理通番; the provider will answer */
    INQUIRY_ANSWERED,
    INQUIRY_REFUSED, /* no permit, or the vault knows no such person */
    INQUIRY_FAILED,  /* no answer to be had: a person is asked */
    INQUIRY_STATES,
};

/* The only way to change a state. False, with state_conflict, for a change that the table does not have. */
MUST_USE bool gateway_state_set(enum inquiry_state *state, enum inquiry_state to, struct fault *fault);

bool gateway_state_is_final(enum inquiry_state state);
const char *gateway_state_text(enum inquiry_state state); /* "code_needed"; static */
/* INQUIRY_STATES for an unknown word. */
enum inquiry_state gateway_state_parse(const char *text);
void gateway_state_print(FILE *out); /* the table as a Mermaid diagram */

#endif
