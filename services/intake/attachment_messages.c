#include "intake/attachment_messages.h"

#include "chassis/settings.h"
#include "intake/application_manifest.h"
#include "intake/application_review.h"
#include "intake/application_store.h"
#include "intake/attachment_store.h"

#include <openssl/sha.h>
#include <string.h>

#define LOOKS 20 /* in the time that a piece is kept */

const char *attachment_media_type(const char *named)
{
    static const char *const shown[] = {"application/pdf", "image/jpeg", "image/png"};
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
        if (strcmp(shown[i], named) == 0)
            return shown[i];
    return "application/octet-stream";
}

bool attachment_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Intake__AttachmentRequest *request = (const Intake__AttachmentRequest *)message;
    if (!request->piece.len)
        return fault_set(fault, FAULT_item_missing, "piece");
    return request->piece.len > PIECE_BYTES_MAX ? fault_set(fault, FAULT_too_large, "piece") : true;
}

enum outcome attachment_act(struct work *work)
{
    const Intake__AttachmentRequest *request = (const Intake__AttachmentRequest *)work->request;
    Intake__AttachmentReply reply = INTAKE__ATTACHMENT_REPLY__INIT;
    uint8_t digest[32];
    SHA256(request->piece.data, request->piece.len, digest);
    if (!work_begin(work, ""))
        return work_end(work);
    if (!piece_put(work, digest, request->piece.data, request->piece.len))
        return work_refuse(work);
    reply.sha256 = (ProtobufCBinaryData){32, digest};
    return work_commit(work, &reply.base);
}

enum outcome attachment_view_act(struct work *work)
{
    const Intake__AttachmentViewRequest *request = (const Intake__AttachmentViewRequest *)work->request;
    Intake__AttachmentViewReply reply = INTAKE__ATTACHMENT_VIEW_REPLY__INIT;
    struct application a;
    enum outcome outcome;
    if (!review_begin(work, request->manager, request->receipt, &a, &outcome))
        return outcome;
    if (!attachment_piece_find(work, a.manager, a.application, request->number, request->piece, &reply))
        return work_refuse(work);
    work_audit(work, &(struct touch){.subject = a.pseudonym, .reason = a.application, .name = a.person.name});
    return work_commit(work, &reply.base);
}

int pieces_turn(struct work *work, const struct lane *lane)
{
    static _Atomic int64_t swept_at_ms;
    int64_t keep_seconds = setting_number("SHIKAKU_PIECE_SECONDS");
    (void)lane;
    if (clock_ms() - swept_at_ms < keep_seconds * 1000 / LOOKS || !work_begin(work, ""))
        return 0;
    int swept = pieces_sweep(work, keep_seconds);
    if (work_commit(work, NULL) != OUTCOME_DONE || swept == 0)
        swept_at_ms = clock_ms();
    return swept;
}
