/* What stands in a record of use, in Japanese words that a person can be shown (RIGHT-1), and what kind of touch it was
 * (RIGHT-3). The words are rows of proto/acts.def, proto/errors.def and the rights table. */
#ifndef AUDIT_WORDS_H
#define AUDIT_WORDS_H

#include "chassis/arena.h"

#include <stdint.h>

enum touch_kind {
    TOUCH_NONE, /* nobody's data */
    TOUCH_SEEN,
    TOUCH_CHANGED,
    TOUCH_PRINTED,
    TOUCH_EXPORTED,
    TOUCH_RELEASED, /* to another body */
    TOUCH_KINDS,
};

/* An act without a row is one of tomorrow: it is taken to have shown somebody's data. */
enum touch_kind act_touch(const char *act);
const char *act_japanese(const char *act);         /* static */
const char *outcome_japanese(const char *outcome); /* static */

/* "2026年11月21日 17時25分05秒", in Japan's time; in the arena, "" when memory is out. */
const char *moment_japanese(struct arena *arena, int64_t at_ms);

/* The office for which a manager's people work; `manager` itself where no programme of ours names it. */
const char *office_japanese(const char *manager);

#endif
