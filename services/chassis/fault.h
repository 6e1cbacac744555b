/* What can go wrong, as data. Every fault is a row of proto/errors.def: a code for machines, a sentence in
 * Japanese for people, an HTTP status, and what a caller on the bus may do about it. A fault names the field
 * that broke the rule and never carries the value that was given. */
#ifndef CHASSIS_FAULT_H
#define CHASSIS_FAULT_H

#include <stdbool.h>
#include <stddef.h>

#define MUST_USE __attribute__((warn_unused_result))

/* What the outcome of a message means to its sender. */
enum outcome {
    OUTCOME_DONE = 1,   /* it happened, once, and is durable */
    OUTCOME_RETRY = 2,  /* not now: send the same message with the same key again */
    OUTCOME_REJECT = 3, /* never: the same message will be refused again */
};

enum fault_code {
    FAULT_NONE = 0,
#define FAULT(name, http, outcome, japanese) FAULT_##name,
#include "errors.def"
#undef FAULT
    FAULT_CODES
};

#define FAULT_FIELD_MAX 96

struct fault {
    enum fault_code code;
    char field[FAULT_FIELD_MAX]; /* name of the field at fault, "" where there is none; never a value */
};

/* Set code and field (NULL for none) and return false, so that a check can end with `return fault_set(...)`. */
bool fault_set(struct fault *fault, enum fault_code code, const char *field);

const char *fault_code_text(enum fault_code code);  /* "number_check_digit"; static */
enum fault_code fault_code_parse(const char *text); /* FAULT_internal for a code not in the table */
const char *fault_japanese(enum fault_code code);   /* static, UTF-8 */
int fault_http_status(enum fault_code code);
enum outcome fault_outcome(enum fault_code code);

#endif
