#include "intake/attachment_store.h"

#include "chassis/cover.h"
#include "chassis/wire_scan.h"
#include "intake/application_manifest.h"

#include <stdlib.h>

static struct cover_place received_place(struct arena *arena, const uint8_t sha256[32])
{
    char hex[65];
    hex_put(hex, sha256, 32);
    return (struct cover_place){"intake.piece.content", "*", arena_text(arena, hex, 64)};
}

static struct cover_place kept_place(
    struct arena *arena, const char *manager, const char *application, int number, int piece)
{
    return (struct cover_place){
        "intake.attachment.content", manager, arena_format(arena, "%s|%d|%d", application, number, piece)};
}

/* Received pieces */

static const char sql_piece_put[] =
    "INSERT INTO intake.piece (sha256, content, size) VALUES ($1, $2, $3::int) "
    "ON CONFLICT (sha256) DO UPDATE SET received_at = now()";

bool piece_put(struct work *work, const uint8_t sha256[32], const void *content, size_t len)
{
    struct bytes cover = cover_put(work->arena, received_place(work->arena, sha256), content, len);
    if (!cover.data)
        return fault_set(&work->fault, FAULT_internal, "cover");
    pg_queue(work->pg, sql_piece_put,
        PG_VALUES(pg_bytes(sha256, 32), pg_bytes(cover.data, cover.len), pg_integer((int64_t)len)));
    return true;
}

static const char sql_piece_find[] = "SELECT content FROM intake.piece WHERE sha256 = $1";

bool piece_find(struct work *work, struct arena *arena, const uint8_t sha256[32], struct bytes *content)
{
    PGresult *row = pg_query(work->pg, sql_piece_find, &work->fault, PG_VALUES(pg_bytes(sha256, 32)));
    if (!row)
        return false;
    struct bytes stored = PQntuples(row) ? pg_get_bytes(row, 0, 0) : (struct bytes){NULL, 0};
    *content = stored.data ? cover_take(arena, received_place(arena, sha256), stored.data, stored.len) : stored;
    PQclear(row);
    return content->data ? true : fault_set(&work->fault, FAULT_attachment_missing, NULL);
}

static const char sql_pieces_sweep[] =
    "DELETE FROM intake.piece WHERE sha256 IN (SELECT sha256 FROM intake.piece "
    "WHERE received_at < now() - make_interval(secs => $1::bigint) ORDER BY received_at LIMIT 100 "
    "FOR UPDATE SKIP LOCKED)";

int pieces_sweep(struct work *work, int64_t keep_seconds)
{
    PGresult *swept = pg_query(work->pg, sql_pieces_sweep, &work->fault, PG_VALUES(pg_integer(keep_seconds)));
    int count = swept ? atoi(PQcmdTuples(swept)) : 0;
    PQclear(swept);
    return count;
}

/* An application's attachments */

static const char sql_attachment_keep[] =
    "INSERT INTO intake.attachment (manager, application, number, piece, name, media_type, size, content) "
    "VALUES ($1, $2, $3::int, $4::int, $5, $6, $7::bigint, $8)";

bool attachment_piece_keep(struct work *work, const struct attachment_piece *piece, const uint8_t sha256[32])
{
    struct bytes content = {NULL, 0}, cover = {NULL, 0};
    struct arena *arena = arena_new(4 * PIECE_BYTES_MAX);
    if (!arena)
        return fault_set(&work->fault, FAULT_internal, NULL);
    bool found = piece_find(work, arena, sha256, &content);
    if (found)
        cover = cover_put(arena, kept_place(arena, piece->manager, piece->application, piece->number, piece->piece),
            content.data, content.len);
    if (cover.data)
        pg_queue(work->pg, sql_attachment_keep,
            PG_VALUES(pg_text(piece->manager), pg_text(piece->application), pg_integer(piece->number),
                pg_integer(piece->piece), pg_text(piece->name), pg_text(piece->media_type), pg_integer(piece->size),
                pg_bytes(cover.data, cover.len)));
    else if (found)
        fault_set(&work->fault, FAULT_internal, "cover");
    arena_free(arena);
    return cover.data != NULL;
}

static const char sql_attachment_list[] =
    "SELECT number, min(name), min(media_type), min(size) FROM intake.attachment "
    "WHERE manager = $1 AND application = $2 GROUP BY number ORDER BY number";

bool attachment_list(
    struct work *work, const char *manager, const char *application, Intake__Attachment ***attachments, size_t *count)
{
    PGresult *rows =
        pg_query(work->pg, sql_attachment_list, &work->fault, PG_VALUES(pg_text(manager), pg_text(application)));
    if (!rows)
        return false;
    *count = (size_t)PQntuples(rows);
    Intake__Attachment *list = arena_take(work->arena, (*count + 1) * sizeof *list);
    *attachments = arena_take(work->arena, (*count + 1) * sizeof **attachments);
    for (int i = 0; list && *attachments && i < PQntuples(rows); i++) {
        (*attachments)[i] = &list[i];
        intake__attachment__init(&list[i]);
        list[i].number = (uint32_t)pg_get_integer(rows, i, 0);
        list[i].name = (char *)pg_get_text(rows, i, 1, work->arena);
        list[i].media_type = (char *)pg_get_text(rows, i, 2, work->arena);
        list[i].size = pg_get_integer(rows, i, 3);
    }
    PQclear(rows);
    return list && *attachments ? true : fault_set(&work->fault, FAULT_too_large, NULL);
}

static const char sql_attachment_piece[] =
    "SELECT content, media_type, size FROM intake.attachment "
    "WHERE manager = $1 AND application = $2 AND number = $3::int AND piece = $4::int";

bool attachment_piece_find(struct work *work, const char *manager, const char *application, uint32_t number,
    uint32_t piece, Intake__AttachmentViewReply *found)
{
    PGresult *row = pg_query(work->pg, sql_attachment_piece, &work->fault,
        PG_VALUES(pg_text(manager), pg_text(application), pg_integer(number), pg_integer(piece)));
    if (!row)
        return false;
    bool here = PQntuples(row) == 1 || fault_set(&work->fault, FAULT_not_found, "number");
    if (here) {
        struct bytes stored = pg_get_bytes(row, 0, 0);
        struct bytes content = cover_take(work->arena,
            kept_place(work->arena, manager, application, (int)number, (int)piece), stored.data, stored.len);
        found->content = (ProtobufCBinaryData){content.len, content.data};
        found->media_type = (char *)pg_get_text(row, 0, 1, work->arena);
        found->size = pg_get_integer(row, 0, 2);
        here = content.data || fault_set(&work->fault, FAULT_internal, "cover");
    }
    PQclear(row);
    return here;
}
