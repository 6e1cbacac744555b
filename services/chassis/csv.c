#include "chassis/csv.h"

#include <string.h>

static void letter_put(struct csv *csv, char letter)
{
    if (csv->used < csv->room)
        csv->text[csv->used++] = letter;
    else
        csv->full = true;
}

static void cell_put(struct csv *csv, const char *text, bool last)
{
    letter_put(csv, '"');
    if (*text && strchr("=+-@\t\r", *text))
        letter_put(csv, '\'');
    for (; *text; text++) {
        if (*text == '"')
            letter_put(csv, '"');
        letter_put(csv, *text);
    }
    letter_put(csv, '"');
    letter_put(csv, last ? '\r' : ',');
    if (last)
        letter_put(csv, '\n');
}

void csv_row_put(struct csv *csv, const char *const *cells, size_t count)
{
    for (size_t i = 0; i < count; i++)
        cell_put(csv, cells[i], i + 1 == count);
}
