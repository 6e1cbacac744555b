/* Reading the fixed-format file of inquiries to the residence network, line by line. */
#ifndef DOUBLES_JUKI_FILE_H
#define DOUBLES_JUKI_FILE_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define HEAD_SIZE 72

struct inquiry_file {
    const char *at, *end;
    char form;
    const char *reference; /* 32 */
    const char *body;      /* 16 */
    unsigned records, line;
};

/* The next line if it is exactly `size` bytes and a line feed, else NULL. */
static inline const char *line_take(struct inquiry_file *file, size_t size)
{
    const char *line = file->at;
    file->line++;
    if ((size_t)(file->end - line) <= size || line[size] != '\n' || memchr(line, '\n', size)) {
        return NULL;
    }
    file->at = line + size + 1;
    return line;
}

static inline bool all_digits(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
    }
    return true;
}

static inline void field_text(char *out, const char *field, size_t size)
{
    while (size > 0 && field[size - 1] == ' ') {
        size--;
    }
    memcpy(out, field, size);
    out[size] = 0;
}

static inline bool head_take(struct inquiry_file *file)
{
    const char *line = line_take(file, HEAD_SIZE);
    if (!line || memcmp(line, "1SHOKAI01", 9) != 0 || !strchr("BT", line[9]) || !all_digits(line + 42, 14)) {
        return false;
    }
    file->form = line[9];
    file->reference = line + 10;
    file->body = line + 56;
    return true;
}

static inline bool tail_take(struct inquiry_file *file)
{
    char count[8];
    const char *line = line_take(file, 7);
    snprintf(count, sizeof count, "9%06u", file->records);
    return line && memcmp(line, count, 7) == 0 && file->at == file->end && file->records > 0;
}

#endif
