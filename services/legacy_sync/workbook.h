/* A workbook (xlsx) of one sheet of text, made and read in memory. Nothing of it touches a disk: the parts that
 * libxlsxwriter writes before it packs them go into a private folder on a tmpfs, the packed file into a memfd. */
#ifndef LEGACY_SYNC_WORKBOOK_H
#define LEGACY_SYNC_WORKBOOK_H

#include "chassis/arena.h"
#include "chassis/fault.h"

#define WORKBOOK_COLUMNS_MAX 64
#define WORKBOOK_ROWS_MAX 20000
#define WORKBOOK_CELL_MAX 32767       /* Excel's limit, in characters */
#define WORKBOOK_PART_MAX (16u << 20) /* of one unpacked part, when reading */

struct workbook_table {
    size_t rows, columns;
    const char *const *cells; /* row by row; UTF-8; NULL is an empty cell */
};

/* The table as xlsx; the first row is set as headings and stays in view. `scratch` must lie on a tmpfs. Every cell is
 * text, so leading zeros stay. data NULL: scratch is no tmpfs, a limit is passed, or the arena is full. */
MUST_USE struct bytes workbook_write(
    struct arena *arena, const struct workbook_table *table, const char *sheet, const char *scratch);

/* The first sheet of an xlsx as text, phonetic guides (ふりがな) left out. False: no xlsx, or a limit is passed. */
MUST_USE bool workbook_read(struct arena *arena, const void *file, size_t len, struct workbook_table *table);

#endif
