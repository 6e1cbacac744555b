#include "intake/application_export.h"

#include "chassis/csv.h"

#include "export.pb-c.h"
#include "intake/application_store.h"
#include "intake/intake_setup.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define ROWS_A_PIECE 50
#define PIECE_BYTES (200 * 1024) /* a row has at most 4 KiB */
#define JAPAN_OFFSET_SECONDS (9 * 3600)

/* --- the table ---------------------------------------------------------------------------------------------------- */

static const char *const heading[] = {
    "受付番号", "受付日時", "手続", "経路", "担当", "状態", "氏名", "生年月日", "性別", "住所", "手数料", "登録番号"};
#define COLUMNS (sizeof heading / sizeof *heading)

static void application_put(struct csv *table, const struct application *a)
{
    char received[32], fee[24];
    time_t seconds = (time_t)(a->received_at_ms / 1000) + JAPAN_OFFSET_SECONDS;
    struct tm parts;
    strftime(received, sizeof received, "%Y-%m-%d %H:%M:%S", gmtime_r(&seconds, &parts));
    snprintf(fee, sizeof fee, "%lld", (long long)a->fee);
    const char sex[] = {a->person.sex, '\0'};
    const char *const cells[COLUMNS] = {a->receipt, received, a->procedure, a->channel, a->body,
        state_japanese(a->state), a->person.name, a->person.birth_date, sex, a->person.address, fee,
        a->registration_number};
    csv_row_put(table, cells, COLUMNS);
}

/* Each application is held against the person's programme and part once more. */
static bool table_fill(struct work *work, const struct application_id *ids, size_t count, struct csv *table)
{
    struct application *list = arena_take(work->arena, (count + 1) * sizeof *list);
    if (!list)
        return fault_set(&work->fault, FAULT_too_large, NULL);
    if (applications_find(work, ids, count, list) != count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!work_permits(work, &(struct affair){list[i].manager, list[i].programme, list[i].body}))
            return false;
        application_put(table, &list[i]);
        work_audit(work,
            &(struct touch){.act = "application_exported", .subject = list[i].pseudonym, .name = list[i].person.name});
    }
    return !table->full || fault_set(&work->fault, FAULT_too_large, NULL);
}

enum outcome export_act(struct work *work)
{
    const Export__TableRequest *request = (const Export__TableRequest *)work->request;
    Export__TableReply reply = EXPORT__TABLE_REPLY__INIT;
    struct csv table = {.text = arena_take(work->arena, PIECE_BYTES), .room = PIECE_BYTES};
    struct application_id *ids;
    size_t count;
    if (!table.text)
        return work_refuse_with(work, FAULT_internal, NULL);
    if (!work_permits(work, &(struct affair){.manager = request->manager, .programme = request->programme}))
        return work_refuse(work);
    if (!work_begin(work, request->manager))
        return work_end(work);
    if (!application_export_list(work, request->manager, request->programme, request->from, request->to, request->after,
            ROWS_A_PIECE, &ids, &count))
        return work_refuse(work);
    if (!*request->after)
        csv_row_put(&table, heading, COLUMNS);
    if (!table_fill(work, ids, count, &table))
        return work_refuse(work);
    reply.rows = (ProtobufCBinaryData){table.used, (uint8_t *)table.text};
    reply.count = (int32_t)count;
    if (count == ROWS_A_PIECE)
        reply.next = (char *)ids[count - 1].application;
    work_audit(work, &(struct touch){.count = (uint32_t)count, .nobody = !count});
    return work_commit(work, &reply.base);
}
