/* The rules by which the log is looked through (LOG-3, JUKI-6, STORE-4), as data: SHIKAKU_ANALYSES (deploy/analyses,
 * its README.md says what stands in a file). Read once before threads; everything below lives as long as the process
 * and is shared without a lock. */
#ifndef ANALYSIS_RULES_H
#define ANALYSIS_RULES_H

#include "chassis/fault.h"

#include <stddef.h>
#include <stdint.h>

#define ANALYSIS_RULES_MAX 32
#define ANALYSIS_NAME_MAX 32
#define ANALYSIS_PARAMETERS_MAX 6
#define ANALYSIS_PROBLEM_MAX 256

/* What a test's parameter must look like in a rule. Each becomes a text for the test's SQL. */
enum analysis_shape {
    SHAPE_NUMBER,   /* min..max */
    SHAPE_WORD,     /* one of `words` */
    SHAPE_WORDS,    /* a list of words, one at least */
    SHAPE_HOURS,    /* [from, up to], of a day in Japan */
    SHAPE_WEEKDAYS, /* 1 Monday … 7 Sunday */
    SHAPE_HOLIDAYS, /* stands in no rule: the days of holidays.json */
};

struct analysis_parameter {
    const char *key;
    enum analysis_shape shape;
    int64_t min, max;
    const char *words;  /* ",account,role," */
    int64_t looks_back; /* so many hours each: never further than touches are kept; 0: it looks at nothing earlier */
};

/* A kind of test. Its SQL stands in analysis_test_store.c. */
struct analysis_test {
    const char *name, *sql;
    bool services; /* it looks at what services do by themselves, too */
    struct analysis_parameter parameters[ANALYSIS_PARAMETERS_MAX + 1]; /* up to the one without a key */
};

struct analysis_rule {
    char name[ANALYSIS_NAME_MAX]; /* the file's, without .json */
    const struct analysis_test *test;
    const char *title, *text; /* Japanese, for the person who reads the finding */
    int64_t every_ms, close_within_days;
    bool by_person;                           /* a finding is of an account and a person; else of an account */
    const char *managers;                     /* ",nara,tokyo,"; ",,": all */
    const char *acts, *purposes, *programmes; /* PostgreSQL arrays; "{}": any */
    const char *parameters[ANALYSIS_PARAMETERS_MAX];
};

/* False when a file cannot be read, is missing or breaks a rule: then problem says file, field and what must be there.
 * keep_days: how long touches are kept. */
MUST_USE bool analysis_rules_open(const char *folder, int64_t keep_days, char problem[ANALYSIS_PROBLEM_MAX]);
void analysis_rules_close(void); /* for tests that open others */

size_t analysis_rules(const struct analysis_rule **rules);
const struct analysis_rule *analysis_rule_find(const char *name); /* NULL: none (any more) */
bool analysis_rule_is_for(const struct analysis_rule *rule, const char *manager);

/* What opens and closes a cause (an application) that touches happen for. */
bool analysis_opens(const char *act);
bool analysis_closes(const char *act);
/* Does a rule look at this act even where no person did it? */
bool analysis_looks_at_service(const char *act);

#endif
