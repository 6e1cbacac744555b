#include "audit/analysis_rules.h"

#include "audit/analysis_store.h"
#include "chassis/arena.h"

#include <dirent.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TEXTS_BYTES (1 << 20)
#define EVERY_MAX_S (31 * 86400)
#define WORDS "abcdefghijklmnopqrstuvwxyz0123456789_-"
#define WORD_BYTES 63

static struct {
    struct arena *texts;
    struct analysis_rule rules[ANALYSIS_RULES_MAX];
    size_t count;
    const char *opens, *closes, *holidays; /* PostgreSQL arrays */
} known;

/* A file that is being read. */
struct reading {
    const char *file;
    json_t *json;
    char *problem; /* "" while all is well */
    int64_t keep_days;
};

static bool wrong(struct reading *reading, const char *field, const char *rule)
{
    if (!*reading->problem)
        snprintf(reading->problem, ANALYSIS_PROBLEM_MAX, "%.60s: %.60s: %.120s", reading->file, field, rule);
    return false;
}

static bool number_take(struct reading *reading, const char *key, int64_t min, int64_t max, int64_t *number)
{
    char rule[96];
    const json_t *value = json_object_get(reading->json, key);
    *number = json_integer_value(value);
    if (json_is_integer(value) && *number >= min && *number <= max)
        return true;
    snprintf(rule, sizeof rule, "must be a whole number from %" PRId64 " to %" PRId64, min, max);
    return wrong(reading, key, rule);
}

static bool text_take(struct reading *reading, const char *key, size_t max, const char **text)
{
    const json_t *value = json_object_get(reading->json, key);
    char rule[64];
    *text =
        json_string_length(value) ? arena_text(known.texts, json_string_value(value), json_string_length(value)) : NULL;
    if (*text && json_string_length(value) <= max && !strchr(*text, '\n'))
        return true;
    snprintf(rule, sizeof rule, "must be a text of 1 to %zu bytes on one line", max);
    return wrong(reading, key, rule);
}

static bool is_word(const char *word)
{
    size_t len = word ? strlen(word) : 0;
    return len > 0 && len <= WORD_BYTES && strspn(word, WORDS) == len;
}

/* A list of words between `open` and `close`, parted by commas; one that is not there is empty. */
static bool words_take(
    struct reading *reading, const char *key, const char *open, const char *close, bool needed, const char **list)
{
    const json_t *words = json_object_get(reading->json, key);
    char *text = arena_text(known.texts, open, strlen(open));
    size_t index;
    json_t *word;
    if ((words && !json_is_array(words)) || (needed && json_array_size(words) == 0))
        return wrong(reading, key, "must be a list of words");
    json_array_foreach((json_t *)words, index, word)
    {
        if (!is_word(json_string_value(word)))
            return wrong(reading, key, "must hold words of a-z, 0-9, _ and - alone");
        text = text ? arena_format(known.texts, "%s%s%s", text, index ? "," : "", json_string_value(word)) : NULL;
    }
    *list = text ? arena_format(known.texts, "%s%s", text, close) : NULL;
    return *list ? true : wrong(reading, key, "is too long");
}

static bool is_act(const char *name)
{
    static const char *const acts[] = {
#define KIND(name, NAME, months, japanese)
#define ACT(act, kind) #act,
#define BARE(route, why)
#define SAID(act, touch, japanese) #act,
#include "acts.def"
#undef KIND
#undef ACT
#undef BARE
#undef SAID
    };
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
        if (strcmp(acts[i], name) == 0)
            return true;
    return false;
}

/* A rule that looks at an act which nobody does would be silent for ever. */
static bool acts_take(struct reading *reading, const char *key, bool needed, const char **list)
{
    size_t index;
    json_t *act;
    if (!words_take(reading, key, "{", "}", needed, list))
        return false;
    json_array_foreach(
        json_object_get(reading->json, key), index, act) if (!is_act(json_string_value(act))) return wrong(reading, key,
        "names an act that proto/acts.def has not");
    return true;
}

static bool numbers_take(
    struct reading *reading, const char *key, size_t least, size_t most, int64_t min, int64_t max, const char **list)
{
    const json_t *numbers = json_object_get(reading->json, key);
    char *text = arena_text(known.texts, "{", 1), rule[96];
    size_t index;
    json_t *number;
    bool right = json_is_array(numbers) && json_array_size(numbers) >= least && json_array_size(numbers) <= most;
    json_array_foreach((json_t *)numbers, index, number)
    {
        int64_t value = json_integer_value(number);
        right = right && json_is_integer(number) && value >= min && value <= max;
        text = text ? arena_format(known.texts, "%s%s%" PRId64, text, index ? "," : "", value) : NULL;
    }
    *list = text ? arena_format(known.texts, "%s}", text) : NULL;
    if (right && *list)
        return true;
    snprintf(rule, sizeof rule, "must be %zu to %zu whole numbers from %" PRId64 " to %" PRId64, least, most, min, max);
    return wrong(reading, key, rule);
}

static bool parameter_take(struct reading *reading, const struct analysis_parameter *parameter, const char **text)
{
    int64_t number;
    switch (parameter->shape) {
    case SHAPE_NUMBER:
        if (!number_take(reading, parameter->key, parameter->min, parameter->max, &number))
            return false;
        if (number * parameter->looks_back > reading->keep_days * 24)
            return wrong(reading, parameter->key, "must not look back further than SHIKAKU_ANALYSIS_KEEP_DAYS");
        return (*text = arena_format(known.texts, "%" PRId64, number)) != NULL;
    case SHAPE_WORD: {
        char wanted[WORD_BYTES + 3];
        if (!text_take(reading, parameter->key, WORD_BYTES, text))
            return false;
        snprintf(wanted, sizeof wanted, ",%s,", *text);
        return strstr(parameter->words, wanted) ? true : wrong(reading, parameter->key, parameter->words);
    }
    case SHAPE_WORDS:
        return words_take(reading, parameter->key, "{", "}", true, text);
    case SHAPE_HOURS:
        return numbers_take(reading, parameter->key, 2, 2, 0, 24, text);
    case SHAPE_WEEKDAYS:
        return numbers_take(reading, parameter->key, 1, 7, 1, 7, text);
    case SHAPE_HOLIDAYS:
        *text = known.holidays;
        return true;
    }
    return false;
}

static bool is_known(const struct analysis_test *test, const char *key)
{
    static const char *const common[] = {"test", "title", "text", "every_seconds", "close_within_days", "group",
        "managers", "acts", "purposes", "programmes"};
    for (size_t i = 0; i < sizeof common / sizeof *common; i++)
        if (strcmp(common[i], key) == 0)
            return true;
    for (const struct analysis_parameter *parameter = test->parameters; parameter->key; parameter++)
        if (strcmp(parameter->key, key) == 0 && parameter->shape != SHAPE_HOLIDAYS)
            return true;
    return false;
}

static const struct analysis_test *test_find(const char *name)
{
    for (size_t i = 0; i < analysis_test_count; i++)
        if (strcmp(analysis_tests[i].name, name) == 0)
            return &analysis_tests[i];
    return NULL;
}

static bool parameters_take(struct reading *reading, struct analysis_rule *rule)
{
    const char *key;
    json_t *value;
    json_object_foreach(reading->json, key, value) if (!is_known(rule->test, key)) return wrong(
        reading, key, "is not known for this test");
    for (int i = 0; rule->test->parameters[i].key; i++)
        if (!parameter_take(reading, &rule->test->parameters[i], &rule->parameters[i]))
            return false;
    return true;
}

static bool rule_take(struct reading *reading, struct analysis_rule *rule)
{
    const char *test, *group;
    int64_t every;
    if (!text_take(reading, "test", WORD_BYTES, &test))
        return false;
    rule->test = test_find(test);
    if (!rule->test)
        return wrong(reading, "test", "is not known");
    if (!text_take(reading, "title", 200, &rule->title) || !text_take(reading, "text", 2000, &rule->text) ||
        !number_take(reading, "every_seconds", 1, EVERY_MAX_S, &every) ||
        !number_take(reading, "close_within_days", 1, 366, &rule->close_within_days) ||
        !text_take(reading, "group", WORD_BYTES, &group))
        return false;
    rule->every_ms = every * 1000;
    rule->by_person = strcmp(group, "person") == 0;
    if (!rule->by_person && strcmp(group, "account") != 0)
        return wrong(reading, "group", "must be person or account");
    return words_take(reading, "managers", ",", ",", false, &rule->managers) &&
           acts_take(reading, "acts", false, &rule->acts) &&
           words_take(reading, "purposes", "{", "}", false, &rule->purposes) &&
           words_take(reading, "programmes", "{", "}", false, &rule->programmes) && parameters_take(reading, rule);
}

static bool causes_take(struct reading *reading)
{
    return acts_take(reading, "opens", true, &known.opens) && acts_take(reading, "closes", true, &known.closes);
}

/* Days since 1970-01-01, by the Gregorian calendar; -1 for what is none. */
static int64_t day_number(const char *text)
{
    struct tm day = {0};
    const char *end = text ? strptime(text, "%Y-%m-%d", &day) : NULL;
    char again[16];
    if (!end || *end)
        return -1;
    time_t at = timegm(&day);
    strftime(again, sizeof again, "%Y-%m-%d", &day);
    return strcmp(again, text) == 0 && at >= 0 ? at / 86400 : -1;
}

static bool holidays_take(struct reading *reading)
{
    const json_t *days = json_object_get(reading->json, "days");
    char *text = NULL;
    size_t size, index;
    json_t *day;
    FILE *out = open_memstream(&text, &size);
    bool right = out && json_is_array(days);
    json_array_foreach((json_t *)days, index, day)
    {
        int64_t number = day_number(json_string_value(day));
        right = right && number >= 0;
        if (out)
            fprintf(out, "%s%" PRId64, index ? "," : "", number);
    }
    if (out)
        fclose(out);
    known.holidays = right ? arena_format(known.texts, "{%s}", text) : NULL;
    free(text);
    return known.holidays ? true : wrong(reading, "days", "must be a list of days, YYYY-MM-DD");
}

static bool file_read(const char *folder, const char *file, struct reading *reading)
{
    char path[512];
    json_error_t error;
    reading->file = file;
    snprintf(path, sizeof path, "%s/%s", folder, file);
    reading->json = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    return json_is_object(reading->json) ? true : wrong(reading, "file", "must be there and hold one JSON object");
}

static bool table_open(
    const char *folder, const char *file, struct reading *reading, bool (*take)(struct reading *reading))
{
    bool taken = file_read(folder, file, reading) && take(reading);
    json_decref(reading->json);
    return taken;
}

static bool rule_open(const char *folder, const char *file, struct reading *reading)
{
    struct analysis_rule rule = {0};
    size_t len = strlen(file) - strlen(".json");
    reading->file = file;
    if (len == 0 || len >= ANALYSIS_NAME_MAX || strspn(file, WORDS) != len)
        return wrong(reading, "file", "must have a short name of a-z, 0-9, _ and -");
    if (known.count == ANALYSIS_RULES_MAX)
        return wrong(reading, "file", "is one rule too many");
    memcpy(rule.name, file, len);
    bool taken = file_read(folder, file, reading) && rule_take(reading, &rule);
    json_decref(reading->json);
    if (taken)
        known.rules[known.count++] = rule;
    return taken;
}

static int is_rule(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return len > 5 && strcmp(entry->d_name + len - 5, ".json") == 0 && strcmp(entry->d_name, "causes.json") != 0 &&
           strcmp(entry->d_name, "holidays.json") != 0;
}

bool analysis_rules_open(const char *folder, int64_t keep_days, char problem[ANALYSIS_PROBLEM_MAX])
{
    struct reading reading = {.problem = problem, .keep_days = keep_days};
    struct dirent **files = NULL;
    problem[0] = '\0';
    known.count = 0;
    known.texts = arena_new(TEXTS_BYTES);
    bool read = known.texts && table_open(folder, "causes.json", &reading, causes_take) &&
                table_open(folder, "holidays.json", &reading, holidays_take);
    int count = read ? scandir(folder, &files, is_rule, alphasort) : 0;
    for (int i = 0; i < count; i++) {
        read = read && rule_open(folder, files[i]->d_name, &reading);
        free(files[i]);
    }
    free(files);
    return read;
}

void analysis_rules_close(void)
{
    arena_free(known.texts);
    memset(&known, 0, sizeof known);
}

size_t analysis_rules(const struct analysis_rule **rules)
{
    *rules = known.rules;
    return known.count;
}

const struct analysis_rule *analysis_rule_find(const char *name)
{
    for (size_t i = 0; i < known.count; i++)
        if (strcmp(known.rules[i].name, name) == 0)
            return &known.rules[i];
    return NULL;
}

/* In "{a,b}" or ",a,b,". */
static bool holds(const char *list, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = list ? list : ""; len && (at = strstr(at, word)); at++)
        if (at > list && strchr("{,", at[-1]) && strchr(",}", at[len]))
            return true;
    return false;
}

bool analysis_rule_is_for(const struct analysis_rule *rule, const char *manager)
{
    return strcmp(rule->managers, ",,") == 0 || holds(rule->managers, manager);
}

bool analysis_opens(const char *act)
{
    return holds(known.opens, act);
}

bool analysis_closes(const char *act)
{
    return holds(known.closes, act);
}

bool analysis_looks_at_service(const char *act)
{
    for (size_t i = 0; i < known.count; i++)
        if (known.rules[i].test->services && holds(known.rules[i].acts, act))
            return true;
    return false;
}
