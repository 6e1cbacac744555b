/* Rows lie where they were inserted, and people come to a roll and to the gateway in the same order. So that nobody who
 * has the tables matches by it (NUM-1), ties of earlier days are laid down anew in the order of their tokens. Today's
 * still lie as they came. */
#ifndef VAULT_ORDER_STORE_H
#define VAULT_ORDER_STORE_H

#include "chassis/step.h"

/* A lane's turn: at most ORDER_AT_ONCE ties of each table and manager. Returns how many were laid down; 0 too while
 * keys are being replaced, for that walks over the rows where they lie. */
int order_forget(struct work *work, const struct lane *lane);

#define ORDER_AT_ONCE 2000

#endif
