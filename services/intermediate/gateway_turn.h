/* A leased inquiry on its way through one turn: first it advances, by calls, as far as it can without waiting; then
 * what became of it is recorded. */
#ifndef INTERMEDIATE_GATEWAY_TURN_H
#define INTERMEDIATE_GATEWAY_TURN_H

#include "intermediate/gateway_store.h"

struct gateway_turn {
    struct inquiry *inquiry;
    enum inquiry_state from; /* as it was read */
    bool failed;             /* a call failed, work->fault says how; to be tried again */
    bool not_yet;            /* asked, and not there yet */
    bool code_new;           /* inquiry->code was had in this turn */
    bool acquisition_lost;   /* neither code nor 取得番号: a new one is to be made */
    const char *domicile;    /* 本籍, "" */
    int64_t provided_at_ms;  /* 0: nothing was provided */
};

/* The code_needed inquiry: hand 取得番号 and number to the residence network, by vault and residence, sealed to the
 * latter. */
void gateway_acquire(struct work *work, struct gateway_turn *turn);

/* From code_requested on: code, permit, inquiry, answer. */
void gateway_advance(struct work *work, struct gateway_turn *turn);

#endif
