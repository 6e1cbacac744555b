/* Incident files (漏えい等の事案, RIGHT-3): what happened in nine items, whose data it was (a scope, frozen at the
 * moment of asking), and two clocks that run from the moment it became known: preliminary report (速報), final report
 * (確報).
 *
 *   open -> preliminary -> final -> closed        open, preliminary -> closed: it turned out to be no leak
 *
 * How many days a clock has is a setting, for the texts do not agree and the law of numbers was not read (domain.md 7);
 * a clock counts days of 24 hours, so it never runs out later than one that counts days of the calendar. A change of
 * the setting moves no clock that runs. Every change is kept, with by whom and why. */
#ifndef AUDIT_INCIDENT_H
#define AUDIT_INCIDENT_H

#include "chassis/step.h"

bool incident_open_check(const ProtobufCMessage *message, struct fault *fault);
enum outcome incident_open_act(struct work *work);
bool incident_scope_check(const ProtobufCMessage *message, struct fault *fault);
enum outcome incident_scope_act(struct work *work);
bool incident_change_check(const ProtobufCMessage *message, struct fault *fault);
enum outcome incident_change_act(struct work *work);
bool incident_step_check(const ProtobufCMessage *message, struct fault *fault);
enum outcome incident_step_act(struct work *work);
bool incidents_check(const ProtobufCMessage *message, struct fault *fault);
enum outcome incidents_act(struct work *work);
bool incident_check(const ProtobufCMessage *message, struct fault *fault);
enum outcome incident_act(struct work *work);
bool incident_persons_check(const ProtobufCMessage *message, struct fault *fault);
enum outcome incident_persons_act(struct work *work);

/* Lane turn: show in the meters how many files there are and whose report is overdue; tell the journal when one becomes
 * so, and once a day of all that are. */
int incident_clock_turn(struct work *work, const struct lane *lane);

#endif
