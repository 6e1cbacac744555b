#include "chassis/journal.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES 1024
#define WORD_MAX_BYTES 80
#define NUMBER_DIGITS 12

static const char *service_name = "-";

static const char *const level_names[] = {"info", "warning", "error"};

/* A run of exactly twelve digits could be a person's number; ids are hex with dashes or shorter. */
static int is_word(const char *text)
{
    size_t digits = 0, len = strlen(text);
    if (len > WORD_MAX_BYTES)
        return 0;
    for (size_t i = 0; i <= len; i++) {
        char c = text[i];
        int digit = c >= '0' && c <= '9';
        if (!digit && digits == NUMBER_DIGITS)
            return 0;
        digits = digit ? digits + 1 : 0;
        if (c && !digit && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !strchr("._:/-", c))
            return 0;
    }
    return 1;
}

void journal_open(const char *service)
{
    service_name = service;
}

static size_t line_add(char *line, size_t used, const char *name, const char *word, int64_t number)
{
    char *at = line + used;
    size_t left = LINE_MAX_BYTES - used;
    int added = word ? snprintf(at, left, ",\"%s\":\"%s\"", name, is_word(word) ? word : "?")
                     : snprintf(at, left, ",\"%s\":%lld", name, (long long)number);
    return added > 0 && (size_t)added < left ? used + (size_t)added : used;
}

void journal_write(
    enum journal_level level, const char *correlation, const char *event, const struct journal_item *items)
{
    char line[LINE_MAX_BYTES + 4];
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    size_t used = strftime(line, LINE_MAX_BYTES, "{\"at\":\"%Y-%m-%dT%H:%M:%S", &utc);
    used += (size_t)snprintf(line + used, LINE_MAX_BYTES - used, ".%03ldZ\"", now.tv_nsec / 1000000);
    used = line_add(line, used, "service", service_name, 0);
    used = line_add(line, used, "level", level_names[level], 0);
    used = line_add(line, used, "event", event, 0);
    if (correlation && *correlation)
        used = line_add(line, used, "correlation", correlation, 0);
    for (; items->name; items++)
        used = line_add(line, used, items->name, items->word, items->number);
    line[used++] = '}';
    line[used++] = '\n';
    ssize_t written = write(STDERR_FILENO, line, used);
    (void)written;
}
