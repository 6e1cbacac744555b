#include "residence/inquiry_wire.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define HEAD_BYTES 72
#define KEY_BYTES_OF_LINE 60 /* of a detail, before what is asked by */
#define ITEMS_BYTES (PERSON_NAME_BYTES + PERSON_ADDRESS_BYTES + 8 + 1)
#define TAIL_BYTES 7
#define JAPAN_SECONDS (9 * 60 * 60)

static const struct result_row {
    const char code[3];
    const char *text;
} results_table[RESULTS] = {
    [RESULT_MATCH] = {"00", "match"},
    [RESULT_SEVERAL] = {"01", "several"},
    [RESULT_NONE] = {"02", "none"},
    [RESULT_DEAD] = {"11", "dead"},
    [RESULT_REMOVED] = {"12", "removed"},
    [RESULT_ABROAD] = {"13", "abroad"},
    [RESULT_NUMBER_CHANGED] = {"21", "number_changed"},
    [RESULT_LATER] = {"90", "unavailable"},
};

const char *inquiry_result_text(enum inquiry_result result)
{
    return results_table[result].text;
}

void inquiry_made_at(char made_at[15])
{
    struct tm japan;
    time_t now = time(NULL) + JAPAN_SECONDS;
    gmtime_r(&now, &japan);
    strftime(made_at, 15, "%Y%m%d%H%M%S", &japan);
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

struct pen {
    uint8_t *at;
    bool fits;
};

/* memcpy and not a format: what is written may be a number. */
static void field_put(struct pen *pen, const char *text, size_t width)
{
    size_t len = strlen(text);
    pen->fits = pen->fits && len <= width;
    len = len <= width ? len : width;
    memcpy(pen->at, text, len);
    memset(pen->at + len, ' ', width - len);
    pen->at += width;
}

static void count_put(struct pen *pen, size_t count)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%06zu", count);
    field_put(pen, digits, 6);
}

static void head_put(struct pen *pen, const struct inquiry_file *file)
{
    const char form[2] = {(char)file->form, 0};
    field_put(pen, "1SHOKAI01", 9);
    field_put(pen, form, 1);
    field_put(pen, file->reference, 32);
    field_put(pen, file->made_at, 14);
    field_put(pen, file->body, 16);
    field_put(pen, "\n", 1);
}

static void record_put(struct pen *pen, size_t sequence, const struct inquiry_record *record)
{
    const char sex[2] = {record->person ? record->person->sex : 0, 0};
    field_put(pen, record->number ? "2N" : "2F", 2);
    count_put(pen, sequence);
    field_put(pen, record->reference, 36);
    field_put(pen, record->affair, 16);
    if (record->number) {
        field_put(pen, record->number, INQUIRY_NUMBER_DIGITS);
    } else {
        field_put(pen, record->person->name, PERSON_NAME_BYTES);
        field_put(pen, record->person->address, PERSON_ADDRESS_BYTES);
        field_put(pen, record->person->birth_date, 8);
        field_put(pen, sex, 1);
    }
    field_put(pen, "\n", 1);
}

bool inquiry_file_put(struct arena *arena, const struct inquiry_file *file, struct bytes *out, struct fault *fault)
{
    size_t size = HEAD_BYTES + 1 + TAIL_BYTES + 1, limit = file->form == INQUIRY_TERMINAL ? 1 : INQUIRY_RECORDS_MAX;
    if (file->count == 0 || file->count > limit)
        return fault_set(fault, FAULT_too_large, "records");
    for (size_t i = 0; i < file->count; i++)
        size += KEY_BYTES_OF_LINE + (file->records[i].number ? INQUIRY_NUMBER_DIGITS : ITEMS_BYTES) + 1;
    uint8_t *start = arena_take(arena, size);
    if (!start)
        return fault_set(fault, FAULT_internal, NULL);
    struct pen pen = {start, true};
    head_put(&pen, file);
    for (size_t i = 0; i < file->count; i++)
        record_put(&pen, i + 1, &file->records[i]);
    field_put(&pen, "9", 1);
    count_put(&pen, file->count);
    field_put(&pen, "\n", 1);
    *out = (struct bytes){start, (size_t)(pen.at - start)};
    return pen.fits || fault_set(fault, FAULT_too_large, "record");
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

struct reader {
    const char *at, *end;
    unsigned line;
};

static const char *line_take(struct reader *reader, size_t size)
{
    const char *line = reader->at;
    reader->line++;
    if ((size_t)(reader->end - line) <= size || line[size] != '\n')
        return NULL;
    reader->at = line + size + 1;
    return line;
}

static void field_take(char *out, const char *field, size_t width)
{
    while (width > 0 && field[width - 1] == ' ')
        width--;
    memcpy(out, field, width);
    out[width] = 0;
}

static bool number_take(const char *field, size_t width, unsigned *number)
{
    *number = 0;
    for (size_t i = 0; i < width; i++) {
        if (field[i] < '0' || field[i] > '9')
            return false;
        *number = *number * 10 + (unsigned)(field[i] - '0');
    }
    return true;
}

static bool head_fits(struct reader *reader, const struct inquiry_file *asked)
{
    char body[17];
    const char *line = line_take(reader, HEAD_BYTES);
    if (!line || memcmp(line, "1KEKKA001", 9) != 0 || line[9] != (char)asked->form ||
        memcmp(line + 10, asked->reference, 32) != 0)
        return false;
    field_take(body, line + 56, 16);
    return strcmp(body, asked->body) == 0;
}

static bool result_parse(const char *code, enum inquiry_result *result)
{
    for (int i = 0; i < RESULTS; i++)
        if (memcmp(results_table[i].code, code, 2) == 0) {
            *result = (enum inquiry_result)i;
            return true;
        }
    return false;
}

static bool person_take(const char *items, struct person *person)
{
    char name[PERSON_NAME_BYTES + 1], address[PERSON_ADDRESS_BYTES + 1], birth_date[9], sex[2];
    struct fault ignored;
    field_take(name, items, PERSON_NAME_BYTES);
    field_take(address, items + PERSON_NAME_BYTES, PERSON_ADDRESS_BYTES);
    field_take(birth_date, items + PERSON_NAME_BYTES + PERSON_ADDRESS_BYTES, 8);
    field_take(sex, items + ITEMS_BYTES - 1, 1);
    return person_fill(person, name, address, birth_date, sex, &ignored);
}

/* Candidates of one record stand together, 1..total in order; a record that is answered is not answered again. */
static bool follows(const struct inquiry_file *asked, unsigned sequence, const struct result_line *before,
    unsigned sequence_before, const struct result_line *line)
{
    if (sequence < 1 || sequence > asked->count || line->total > INQUIRY_CANDIDATES_MAX ||
        strcmp(asked->records[sequence - 1].reference, line->reference) != 0)
        return false;
    if (before && sequence == sequence_before)
        return line->index == before->index + 1 && line->total == before->total && line->index <= line->total &&
               line->result == before->result && line->result == RESULT_SEVERAL;
    bool whole = !before || before->index == before->total;
    return whole && sequence > sequence_before && line->index == (line->total ? 1 : 0) &&
           (line->total > 1) == (line->result == RESULT_SEVERAL) && line->has_person == (line->total > 0);
}

static bool detail_take(struct reader *reader, struct result_line *line, unsigned *sequence)
{
    bool has_person = reader->end - reader->at > KEY_BYTES_OF_LINE && reader->at[KEY_BYTES_OF_LINE - 1] == 'P';
    const char *text = line_take(reader, KEY_BYTES_OF_LINE + (has_person ? ITEMS_BYTES : 0));
    if (!text || text[0] != '3' || (!has_person && text[KEY_BYTES_OF_LINE - 1] != '-'))
        return false;
    field_take(line->reference, text + 7, 36);
    field_take(line->changed_on, text + 51, 8);
    line->has_person = has_person;
    return number_take(text + 1, 6, sequence) && result_parse(text + 43, &line->result) &&
           number_take(text + 45, 3, &line->index) && number_take(text + 48, 3, &line->total) &&
           (!has_person || person_take(text + KEY_BYTES_OF_LINE, &line->person));
}

static bool details_take(
    struct reader *reader, const struct inquiry_file *asked, struct result_file *results, size_t room)
{
    unsigned sequence = 0, before = 0;
    while (reader->at < reader->end && *reader->at == '3') {
        if (results->count == room)
            return false;
        struct result_line *line = &results->lines[results->count];
        if (!detail_take(reader, line, &sequence) ||
            !follows(asked, sequence, results->count ? line - 1 : NULL, before, line))
            return false;
        before = sequence;
        results->count++;
    }
    return results->count == 0 || results->lines[results->count - 1].index == results->lines[results->count - 1].total;
}

static bool tail_fits(struct reader *reader, size_t count)
{
    unsigned said = 0;
    const char *line = line_take(reader, TAIL_BYTES);
    return line && line[0] == '9' && number_take(line + 1, 6, &said) && said == count && reader->at == reader->end;
}

bool result_file_take(struct arena *arena, const struct inquiry_file *asked, struct bytes text,
    struct result_file *results, struct fault *fault)
{
    struct reader reader = {(const char *)text.data, (const char *)text.data + text.len, 0};
    /* No detail is shorter than its key: so many there can be at most. */
    size_t room = text.len / (KEY_BYTES_OF_LINE + 1), most = asked->count * INQUIRY_CANDIDATES_MAX;
    char where[24];
    room = room < most ? room : most;
    *results = (struct result_file){arena_take(arena, (room + 1) * sizeof *results->lines), 0};
    if (!results->lines)
        return fault_set(fault, FAULT_internal, NULL);
    memset(results->lines, 0, (room + 1) * sizeof *results->lines);
    if (head_fits(&reader, asked) && details_take(&reader, asked, results, room) && tail_fits(&reader, results->count))
        return true;
    snprintf(where, sizeof where, "line %u", reader.line);
    return fault_set(fault, FAULT_malformed, where);
}
