/* Calls from a stand-in to another system: curl's multi interface on the stand-in's own loop. Only double.c uses this;
 * a stand-in calls double_call_start. */
#ifndef DOUBLES_DOUBLE_CALL_H
#define DOUBLES_DOUBLE_CALL_H

#include "doubles/double.h"

struct calls;

struct calls *calls_new(struct event_base *base);
void calls_free(struct calls *calls);
void calls_start(struct calls *calls, const struct double_call *call);

#endif
