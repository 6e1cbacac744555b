/* Speaking to the residence network (住基ネット). Every call is bounded in time; none stands in a transaction. */
#ifndef RESIDENCE_JUKI_NETWORK_H
#define RESIDENCE_JUKI_NETWORK_H

#include <jansson.h>

#include "chassis/work.h"
#include "residence/inquiry_wire.h"

/* Read the settings of the network; called once, before threads. */
void juki_open(void);

/* Post one inquiry file and take its result file. Fills reference and made_at of `file`. Faults: unavailable,
 * timed_out, malformed (the answer is no result file), residence_refused (it took our file for no inquiry file). */
MUST_USE bool juki_inquire(struct work *work, struct inquiry_file *file, struct result_file *results);

/* Hand over acquisitions, a JSON array of {"acquisition_number","number","body"}. Faults as above. */
MUST_USE bool juki_acquire(struct work *work, const json_t *acquisitions);

#endif
