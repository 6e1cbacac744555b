#include "chassis/statement.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATEMENT_MAX 1024

char *statement_make(const char *form, const struct statement_word *words, size_t count)
{
    char text[STATEMENT_MAX];
    size_t used = 0;
    while (*form && used < sizeof text - 1) {
        const struct statement_word *found = NULL;
        for (size_t i = 0; i < count && !found; i++)
            if (strncmp(form, words[i].name, strlen(words[i].name)) == 0)
                found = &words[i];
        if (!found) {
            text[used++] = *form++;
            continue;
        }
        used += (size_t)snprintf(text + used, sizeof text - used, "%s", found->text);
        form += strlen(found->name);
    }
    if (*form || used >= sizeof text)
        return NULL;
    text[used] = '\0';
    return strdup(text);
}
