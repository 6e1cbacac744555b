/* Answers of the connectors, relayed until taken: each moves its application on once. An answer to an application that
 * stands elsewhere by now is taken and changes nothing. */
#ifndef INTAKE_APPLICATION_EVENTS_H
#define INTAKE_APPLICATION_EVENTS_H

#include "chassis/work.h"
#include "intake/application_store.h"

enum outcome residence_answered_act(struct work *work);
enum outcome family_answered_act(struct work *work);
enum outcome handed_over_act(struct work *work);

/* Record what the residence network says and move on: to the next step when exactly one living person was found and the
 * four items agree, to a person otherwise (pitfalls 15: never a guess). Queued in the open transaction; returns the
 * state that follows. */
enum application_state residence_take(
    struct work *work, const struct application *application, const char *result, const struct person *person);

#endif
