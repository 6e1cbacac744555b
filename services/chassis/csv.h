/* A table as CSV (RFC 4180), every cell in quotes, in a room that was taken before; UTF-8. What a spreadsheet would
 * take for a formula is made text of. */
#ifndef CHASSIS_CSV_H
#define CHASSIS_CSV_H

#include <stdbool.h>
#include <stddef.h>

struct csv {
    char *text; /* the caller's; no NUL behind */
    size_t used, room;
    bool full; /* something did not fit and is not there */
};

void csv_row_put(struct csv *csv, const char *const *cells, size_t count);

#endif
