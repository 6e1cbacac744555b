/* Refusals at the door: before it is known which route a request is for, so that no handler could record them. They
 * stand in the records of use too (LOG-1), and a flood cannot fill the log: one record a sender and minute, with how
 * many there were of each kind. The first of a minute is recorded at once; a process that dies loses the count, not the
 * fact, of what followed in that minute. */
#ifndef CHASSIS_DOOR_H
#define CHASSIS_DOOR_H

#include "chassis/work.h"

#define DOOR_ACT "refused_at_the_door"

/* Note a refusal of work->fault.code by the sender in work->peer ("": it proved nobody), and record it where this
 * sender's minute is over. Outside a transaction. Does nothing in a service without a schema. */
void door_refused(struct work *work);
/* Record what is noted of senders whose minute is over; of all. A lane calls it. */
void door_record(struct work *work, bool all);
/* At the end of the process, when the bus has closed: record all that is noted. */
struct service;
void door_close(const struct service *service);

#endif
