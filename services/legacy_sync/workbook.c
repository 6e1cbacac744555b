#include "legacy_sync/workbook.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <expat.h>
#include <linux/magic.h>
#include <xlsxwriter.h>
#include <zip.h>

/* --- writing ---------------------------------------------------------------------------------------------------- */

static bool cells_write(lxw_workbook *book, const struct workbook_table *table, const char *name)
{
    lxw_worksheet *sheet = workbook_add_worksheet(book, name);
    lxw_format *text = workbook_add_format(book), *heading = workbook_add_format(book);
    if (!sheet || !text || !heading) {
        return false;
    }
    format_set_num_format(text, "@");
    format_set_num_format(heading, "@");
    format_set_bold(heading);
    worksheet_freeze_panes(sheet, 1, 0);
    worksheet_set_column(sheet, 0, (lxw_col_t)(table->columns - 1), 24, NULL);
    for (size_t r = 0; r < table->rows; r++) {
        for (size_t c = 0; c < table->columns; c++) {
            const char *cell = table->cells[r * table->columns + c];
            if (cell && *cell &&
                worksheet_write_string(sheet, (lxw_row_t)r, (lxw_col_t)c, cell, r ? text : heading) != LXW_NO_ERROR) {
                return false;
            }
        }
    }
    return true;
}

static struct bytes file_take(struct arena *arena, int fd)
{
    struct stat state;
    uint8_t *out = fstat(fd, &state) == 0 && state.st_size > 0 ? arena_take(arena, (size_t)state.st_size) : NULL;
    if (!out || pread(fd, out, (size_t)state.st_size, 0) != state.st_size) {
        return (struct bytes){0};
    }
    return (struct bytes){out, (size_t)state.st_size};
}

static bool on_tmpfs(const char *folder)
{
    struct statfs kind;
    return statfs(folder, &kind) == 0 && kind.f_type == TMPFS_MAGIC;
}

struct bytes workbook_write(
    struct arena *arena, const struct workbook_table *table, const char *sheet, const char *scratch)
{
    struct bytes out = {0};
    char folder[256], path[64];
    bool within = table->rows > 0 && table->rows <= WORKBOOK_ROWS_MAX && table->columns > 0 &&
                  table->columns <= WORKBOOK_COLUMNS_MAX && on_tmpfs(scratch) &&
                  (size_t)snprintf(folder, sizeof folder, "%s/shikaku-XXXXXX", scratch) < sizeof folder;
    if (!within || !mkdtemp(folder)) {
        return out;
    }
    int fd = memfd_create("workbook", MFD_CLOEXEC);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    lxw_workbook_options options = {.constant_memory = LXW_FALSE, .tmpdir = folder};
    lxw_workbook *book = fd >= 0 ? workbook_new_opt(path, &options) : NULL;
    if (book) {
        bool filled = cells_write(book, table, sheet);
        if (workbook_close(book) == LXW_NO_ERROR && filled) {
            out = file_take(arena, fd);
        }
    }
    if (fd >= 0) {
        close(fd);
    }
    if (rmdir(folder) != 0) {
        out = (struct bytes){0}; /* something was left lying: nothing of it may count as done */
    }
    return out;
}

/* --- reading ---------------------------------------------------------------------------------------------------- */

static struct bytes part_read(struct arena *arena, zip_t *zip, const char *name)
{
    struct zip_stat stat;
    struct bytes part = {0};
    zip_file_t *file = NULL;
    if (zip_stat(zip, name, 0, &stat) != 0 || !(stat.valid & ZIP_STAT_SIZE) || stat.size > WORKBOOK_PART_MAX) {
        return part;
    }
    uint8_t *out = arena_take(arena, stat.size + 1);
    if (out && (file = zip_fopen(zip, name, 0))) {
        if (zip_fread(file, out, stat.size + 1) == (zip_int64_t)stat.size) {
            part = (struct bytes){out, stat.size};
        }
        zip_fclose(file);
    }
    return part;
}

/* State of one pass over sharedStrings.xml or a sheet. */
struct parse {
    XML_Parser parser;
    struct arena *arena;
    bool bad;
    char text[4 * WORKBOOK_CELL_MAX + 1]; /* of the value being read */
    size_t text_len;
    int collecting, phonetic; /* inside <t> or <v>; inside <rPh> */
    const char **strings;     /* shared strings */
    size_t string_count, string_room;
    const char **cells; /* rows of WORKBOOK_COLUMNS_MAX */
    size_t rows, columns, row_room;
    size_t row, column;
    char type[16];
};

static void parse_fail(struct parse *p)
{
    p->bad = true;
    XML_StopParser(p->parser, XML_FALSE);
}

static void doctype_refuse(
    void *arg, const XML_Char *name, const XML_Char *system, const XML_Char *public, int internal)
{
    parse_fail(arg);
}

static void text_take(void *arg, const XML_Char *text, int len)
{
    struct parse *p = arg;
    if (!p->collecting || p->phonetic) {
        return;
    }
    if (p->text_len + (size_t)len >= sizeof p->text) {
        parse_fail(p);
        return;
    }
    memcpy(p->text + p->text_len, text, (size_t)len);
    p->text_len += (size_t)len;
}

/* Room for one more in an array of the arena; what it outgrows stays there until the arena is reset. */
static void *room_make(struct parse *p, void *array, size_t *room, size_t need, size_t size)
{
    if (need <= *room) {
        return array;
    }
    size_t more = *room ? 2 * *room : 64;
    while (more < need) {
        more *= 2;
    }
    char *larger = arena_take(p->arena, more * size);
    if (!larger) {
        parse_fail(p);
        return NULL;
    }
    memset(larger, 0, more * size);
    if (*room) {
        memcpy(larger, array, *room * size);
    }
    *room = more;
    return larger;
}

static void string_end(struct parse *p)
{
    const char **strings = room_make(p, p->strings, &p->string_room, p->string_count + 1, sizeof *strings);
    if (strings && (strings[p->string_count] = arena_text(p->arena, p->text, p->text_len))) {
        p->strings = strings;
        p->string_count++;
        p->text_len = 0;
        return;
    }
    parse_fail(p);
}

static void strings_start(void *arg, const XML_Char *name, const XML_Char **attributes)
{
    struct parse *p = arg;
    p->collecting += strcmp(name, "t") == 0;
    p->phonetic += strcmp(name, "rPh") == 0;
}

static void strings_end(void *arg, const XML_Char *name)
{
    struct parse *p = arg;
    p->collecting -= strcmp(name, "t") == 0;
    p->phonetic -= strcmp(name, "rPh") == 0;
    if (strcmp(name, "si") == 0) {
        string_end(p);
    }
}

/* "AB12" to row 11, column 27. */
static bool reference_take(const char *text, size_t *row, size_t *column)
{
    size_t col = 0;
    for (; *text >= 'A' && *text <= 'Z' && col <= WORKBOOK_COLUMNS_MAX; text++) {
        col = col * 26 + (size_t)(*text - 'A') + 1;
    }
    char *end;
    unsigned long line = strtoul(text, &end, 10);
    if (col == 0 || col > WORKBOOK_COLUMNS_MAX || *end || line == 0 || line > WORKBOOK_ROWS_MAX) {
        return false;
    }
    *column = col - 1;
    *row = line - 1;
    return true;
}

static void sheet_start(void *arg, const XML_Char *name, const XML_Char **attributes)
{
    struct parse *p = arg;
    if (strcmp(name, "c") == 0) {
        bool placed = false;
        p->type[0] = 0;
        p->text_len = 0;
        for (; attributes[0]; attributes += 2) {
            if (strcmp(attributes[0], "r") == 0) {
                placed = reference_take(attributes[1], &p->row, &p->column);
            } else if (strcmp(attributes[0], "t") == 0) {
                snprintf(p->type, sizeof p->type, "%s", attributes[1]);
            }
        }
        if (!placed) {
            parse_fail(p);
        }
    }
    p->collecting += strcmp(name, "t") == 0 || strcmp(name, "v") == 0;
    p->phonetic += strcmp(name, "rPh") == 0;
}

static void cell_end(struct parse *p)
{
    p->text[p->text_len] = 0;
    const char *value = NULL;
    if (strcmp(p->type, "s") == 0) {
        char *end;
        unsigned long at = strtoul(p->text, &end, 10);
        value = p->text_len && !*end && at < p->string_count ? p->strings[at] : NULL;
    } else {
        value = arena_text(p->arena, p->text, p->text_len);
    }
    const char **cells = room_make(p, p->cells, &p->row_room, p->row + 1, WORKBOOK_COLUMNS_MAX * sizeof *cells);
    if (!value || !cells) {
        parse_fail(p);
        return;
    }
    p->cells = cells;
    cells[p->row * WORKBOOK_COLUMNS_MAX + p->column] = value;
    p->rows = p->row >= p->rows ? p->row + 1 : p->rows;
    p->columns = p->column >= p->columns ? p->column + 1 : p->columns;
}

static void sheet_end(void *arg, const XML_Char *name)
{
    struct parse *p = arg;
    p->collecting -= strcmp(name, "t") == 0 || strcmp(name, "v") == 0;
    p->phonetic -= strcmp(name, "rPh") == 0;
    if (strcmp(name, "c") == 0 && p->text_len > 0) {
        cell_end(p);
    }
}

static bool part_parse(struct parse *p, struct bytes part, XML_StartElementHandler start, XML_EndElementHandler end)
{
    p->parser = XML_ParserCreate(NULL);
    if (!p->parser) {
        return false;
    }
    p->text_len = 0;
    p->collecting = p->phonetic = 0;
    XML_SetUserData(p->parser, p);
    XML_SetElementHandler(p->parser, start, end);
    XML_SetCharacterDataHandler(p->parser, text_take);
    XML_SetStartDoctypeDeclHandler(p->parser, doctype_refuse);
    bool whole = XML_Parse(p->parser, (const char *)part.data, (int)part.len, 1) == XML_STATUS_OK;
    XML_ParserFree(p->parser);
    return whole && !p->bad;
}

/* Close the rows up to the widest one in use. */
static bool table_take(struct parse *p, struct workbook_table *table)
{
    const char **cells = arena_take(p->arena, (p->rows * p->columns + 1) * sizeof *cells);
    for (size_t r = 0; cells && r < p->rows; r++) {
        memcpy(cells + r * p->columns, p->cells + r * WORKBOOK_COLUMNS_MAX, p->columns * sizeof *cells);
    }
    *table = (struct workbook_table){p->rows, p->columns, cells};
    return cells;
}

bool workbook_read(struct arena *arena, const void *file, size_t len, struct workbook_table *table)
{
    zip_error_t error;
    zip_error_init(&error);
    bool done = false;
    struct parse *p = arena_take(arena, sizeof *p);
    zip_source_t *source = zip_source_buffer_create(file, len, 0, &error);
    zip_t *zip = source ? zip_open_from_source(source, ZIP_RDONLY, &error) : NULL;
    if (!zip) {
        zip_source_free(source);
        return false;
    }
    if (p) {
        memset(p, 0, sizeof *p);
        p->arena = arena;
        struct bytes strings = part_read(arena, zip, "xl/sharedStrings.xml");
        struct bytes sheet = part_read(arena, zip, "xl/worksheets/sheet1.xml");
        done = sheet.data && (!strings.data || part_parse(p, strings, strings_start, strings_end)) &&
               part_parse(p, sheet, sheet_start, sheet_end) && table_take(p, table);
    }
    zip_discard(zip);
    zip_error_fini(&error);
    return done;
}
