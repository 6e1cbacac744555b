/* Analyses on schedule: a lane walks the log and takes what they need (tokens, never names), then runs the rules that
 * are due, each for each manager, from where it left off. A turn is one transaction: a killed one is done again whole,
 * and nothing is found twice. Rules look at touches only when every record that could explain them must have come:
 * SHIKAKU_ANALYSIS_SETTLE_SECONDS after they were appended. */
#ifndef ANALYSIS_STEPS_H
#define ANALYSIS_STEPS_H

#include "chassis/step.h"

int analysis_turn(struct work *work, const struct lane *lane);

/* The parts of a turn. Records taken, 0 at the end of the log, -1 with a fault or while another replica walks. */
int analysis_walk(struct work *work);
/* Run a rule at a manager on what was appended until then, if it is due. Touches looked at; -1 with a fault. */
struct analysis_rule;
int analysis_step(struct work *work, const struct analysis_rule *rule, const char *manager, int64_t until_ms);

#endif
