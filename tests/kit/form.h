/* Filling in a programme's form for a synthetic person, from the programme's definition alone: a new programme needs a
 * line here only where an item has a pattern of its own. */
#ifndef KIT_FORM_H
#define KIT_FORM_H

#include <jansson.h>
#include "chassis/programme.h"
#include "kit/people.h"

/* {key: value} with every required item, and the optional ones that need no thought. New reference; NULL: no memory. */
json_t *kit_form_fill(const struct programme_procedure *procedure, const struct kit_person *person);

#endif
