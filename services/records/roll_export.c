#include "records/roll_export.h"

#include "chassis/csv.h"
#include "chassis/number_guard.h"
#include "chassis/programme_value.h"
#include "export.pb-c.h"
#include "records/roll_messages.h"

#include <string.h>

#define ROWS_A_PIECE 50
#define PIECE_BYTES (250 * 1024)
#define PIECE_ENOUGH (100 * 1024) /* an entry has at most 64 KiB; quotes can double it */

/* --- the table ---------------------------------------------------------------------------------------------------- */

/* Before the programme's own fields. */
static const char *const heading[] = {"登録番号", "状態", "版", "担当", "登録日"};
#define OWN_COLUMNS (sizeof heading / sizeof *heading)

static const char *state_japanese(const char *state)
{
    static const char *const states[][2] = {
        {"valid", "有効"}, {"suspended", "停止"}, {"revoked", "取消し"}, {"struck_off", "消除"}};
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (strcmp(states[i][0], state) == 0)
            return states[i][1];
    return state;
}

/* Neither the number nor what ties a person to another place leaves the house (NUM-1, NUM-3). */
static bool is_carried_out(const struct programme_field *field)
{
    return field->source != PROGRAMME_NUMBER && field->source != PROGRAMME_PSEUDONYM &&
           field->source != PROGRAMME_PORTAL_PSEUDONYM;
}

struct roll_table {
    const struct programme *programme;
    struct csv csv;
    const char **cells;
    size_t columns;
};

static bool table_make(struct work *work, struct roll_table *table)
{
    size_t most = OWN_COLUMNS;
    for (size_t t = 0; t < table->programme->table_count; t++)
        most += table->programme->tables[t].field_count;
    table->cells = arena_take(work->arena, most * sizeof *table->cells);
    table->csv = (struct csv){.text = arena_take(work->arena, PIECE_BYTES), .room = PIECE_BYTES};
    return (table->cells && table->csv.text) || fault_set(&work->fault, FAULT_internal, NULL);
}

/* A cell a field that is carried out: its label, or (entry) its value. */
static void cells_fill(struct roll_table *table, const json_t *entry)
{
    table->columns = OWN_COLUMNS;
    for (size_t t = 0; t < table->programme->table_count; t++) {
        const struct programme_table *of = &table->programme->tables[t];
        for (size_t f = 0; f < of->field_count; f++) {
            const struct programme_target target = {of, &of->fields[f]};
            if (!is_carried_out(target.field))
                continue;
            const char *text = entry ? programme_entry_value(&target, entry) : target.field->label;
            table->cells[table->columns++] = number_guard_text(text) ? "(伏字)" : text;
        }
    }
}

static void heading_put(struct roll_table *table)
{
    memcpy(table->cells, heading, sizeof heading);
    cells_fill(table, NULL);
    csv_row_put(&table->csv, table->cells, table->columns);
}

/* The person's name as the roll has it; NULL where it keeps none. */
static const char *name_find(const struct programme *programme, const json_t *entry)
{
    for (size_t t = 0; t < programme->table_count; t++)
        for (size_t f = 0; f < programme->tables[t].field_count; f++) {
            const struct programme_target target = {&programme->tables[t], &programme->tables[t].fields[f]};
            if (target.field->source == PROGRAMME_RESIDENCE && strcmp(target.field->value, "name") == 0)
                return programme_entry_value(&target, entry);
        }
    return NULL;
}

/* Each entry is held against the person's programme and part once more. */
static bool row_put(struct work *work, struct roll_table *table, const struct roll_row *row)
{
    const char *manager = work_manager(work);
    char *number;
    struct bytes fields;
    if (!work_permits(work, &(struct affair){manager, row->entry.programme, row->body}) ||
        !roll_entry_open(work, manager, &row->entry, &number, &fields))
        return false;
    json_t *entry = json_loadb((const char *)fields.data, fields.len, 0, NULL);
    const char *version = arena_format(work->arena, "%u", row->entry.version);
    const char *const own[OWN_COLUMNS] = {
        number, state_japanese(row->entry.state), version, row->body, row->registered_on};
    bool good = (entry && version) || fault_set(&work->fault, FAULT_internal, "entry");
    if (good) {
        memcpy(table->cells, own, sizeof own);
        cells_fill(table, entry);
        csv_row_put(&table->csv, table->cells, table->columns);
        work_audit(work,
            &(struct touch){
                .act = "entry_exported", .subject = row->entry.pseudonym, .name = name_find(table->programme, entry)});
    }
    json_decref(entry);
    return good;
}

static bool rows_put(
    struct work *work, const Export__TableRequest *request, struct roll_table *table, Export__TableReply *reply)
{
    struct roll_row *rows;
    size_t count, done = 0;
    if (!roll_page_read(work, request->manager, request->programme, request->from, request->to, request->after,
            ROWS_A_PIECE, &rows, &count))
        return false;
    for (; done < count && table->csv.used < PIECE_ENOUGH; done++)
        if (!row_put(work, table, &rows[done]))
            return false;
    if (table->csv.full)
        return fault_set(&work->fault, FAULT_too_large, NULL);
    reply->count = (int32_t)done;
    if (done < count || count == ROWS_A_PIECE)
        reply->next = rows[done - 1].entry.entry;
    return true;
}

enum outcome roll_export_act(struct work *work)
{
    const Export__TableRequest *request = (const Export__TableRequest *)work->request;
    Export__TableReply reply = EXPORT__TABLE_REPLY__INIT;
    struct roll_table table = {0};
    if (!work_permits(work, &(struct affair){.manager = request->manager, .programme = request->programme}) ||
        !(table.programme = roll_programme_find(request->manager, request->programme, &work->fault)) ||
        !table_make(work, &table))
        return work_refuse(work);
    if (!work_begin(work, request->manager))
        return work_end(work);
    if (!*request->after)
        heading_put(&table);
    if (!rows_put(work, request, &table, &reply))
        return work_refuse(work);
    reply.rows = (ProtobufCBinaryData){table.csv.used, (uint8_t *)table.csv.text};
    work_audit(work, &(struct touch){.count = (uint32_t)reply.count, .nobody = !reply.count});
    return work_commit(work, &reply.base);
}
