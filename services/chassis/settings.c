#include "chassis/settings.h"

#include "chassis/journal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TABLES_MAX 8

static struct {
    const struct setting *rows;
    size_t count;
} tables[TABLES_MAX];
static size_t table_count;

static const struct setting *setting_find(const char *name)
{
    for (size_t t = 0; t < table_count; t++)
        for (size_t i = 0; i < tables[t].count; i++)
            if (strcmp(tables[t].rows[i].name, name) == 0)
                return &tables[t].rows[i];
    journal(JOURNAL_ERROR, NULL, "setting_not_in_any_table", WORD("setting", name));
    abort();
}

static const char *setting_given(const struct setting *setting)
{
    const char *given = getenv(setting->name);
    return given && *given ? given : setting->fallback;
}

static bool number_parse(const struct setting *setting, const char *text, int64_t *number)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    bool plain = *text == '-' || (*text >= '0' && *text <= '9'); /* strtoll lets blanks and + pass */
    if (errno || !plain || end == text || *end || value < setting->min || value > setting->max)
        return false;
    *number = value;
    return true;
}

static bool is_url(const char *text)
{
    size_t scheme = strncmp(text, "https://", 8) == 0 ? 8 : strncmp(text, "http://", 7) == 0 ? 7 : 0;
    return scheme && text[scheme] && strcspn(text + scheme, "/?#") > 0 && !strpbrk(text, " \t\r\n") &&
           text[strlen(text) - 1] != '/';
}

/* What leaves the machine is encrypted (STORE-2). */
static bool stays_here(const char *url)
{
    const char *host = url + strlen("http://");
    size_t len = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/?#");
    char text[64];
    struct in_addr address;
    if (strncmp(url, "https://", 8) == 0)
        return true;
    if (len >= sizeof text)
        return false;
    memcpy(text, host, len);
    text[len] = 0;
    return strcmp(text, "localhost") == 0 || strcmp(text, "[::1]") == 0 ||
           (inet_pton(AF_INET, text, &address) == 1 && ntohl(address.s_addr) >> 24 == 127);
}

static bool setting_check(const struct setting *setting)
{
    const char *given = setting_given(setting);
    if (!given) {
        journal(JOURNAL_ERROR, NULL, "setting_missing", WORD("setting", setting->name));
        return false;
    }
    if (setting->kind == SETTING_URL && !is_url(given)) {
        journal(JOURNAL_ERROR, NULL, "setting_is_no_url", WORD("setting", setting->name));
        return false;
    }
    if (setting->kind == SETTING_URL && !stays_here(given)) {
        journal(JOURNAL_ERROR, NULL, "setting_is_not_encrypted", WORD("setting", setting->name), WORD("use", "https"));
        return false;
    }
    int64_t number;
    if (setting->kind == SETTING_NUMBER && !number_parse(setting, given, &number)) {
        journal(JOURNAL_ERROR, NULL, "setting_out_of_range", WORD("setting", setting->name),
            NUMBER("min", setting->min), NUMBER("max", setting->max));
        return false;
    }
    return true;
}

bool settings_read(const struct setting *rows, size_t count)
{
    size_t place = 0;
    bool right = true;
    while (place < table_count && tables[place].rows != rows)
        place++;
    if (place == TABLES_MAX) {
        journal(JOURNAL_ERROR, NULL, "too_many_tables_of_settings");
        return false;
    }
    for (size_t i = 0; i < count; i++)
        right = setting_check(&rows[i]) && right;
    tables[place].rows = rows;
    tables[place].count = count;
    if (place == table_count)
        table_count++;
    return right;
}

const char *setting_text(const char *name)
{
    return setting_given(setting_find(name));
}

int64_t setting_number(const char *name)
{
    const struct setting *setting = setting_find(name);
    int64_t number = 0;
    if (!number_parse(setting, setting_given(setting), &number))
        abort();
    return number;
}

void settings_print(void)
{
    for (size_t t = 0; t < table_count; t++)
        for (size_t i = 0; i < tables[t].count; i++) {
            const struct setting *row = &tables[t].rows[i];
            if (setting_find(row->name) != row)
                continue;
            printf("| `%s` | %s | ", row->name, row->fallback ? row->fallback : "(required)");
            if (row->kind == SETTING_NUMBER)
                printf("%lld..%lld", (long long)row->min, (long long)row->max);
            printf(" | %s |\n", row->prose);
        }
}
