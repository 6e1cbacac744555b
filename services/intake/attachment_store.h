/* The SQL of attachments (添付書類). They come before the application that names them, in pieces known by their SHA-256
 * alone and covered by the service's own key; the application takes them over under its manager's key. */
#ifndef INTAKE_ATTACHMENT_STORE_H
#define INTAKE_ATTACHMENT_STORE_H

#include "chassis/work.h"

#include "intake.pb-c.h"

/* Received pieces. Their table holds no manager's rows. */
MUST_USE bool piece_put(struct work *work, const uint8_t sha256[32], const void *content, size_t len);
/* The content of a piece, in the arena. attachment_missing when it is not here. */
MUST_USE bool piece_find(struct work *work, struct arena *arena, const uint8_t sha256[32], struct bytes *content);
/* Take away pieces that came more than `keep_seconds` ago, some at a time; how many went. */
int pieces_sweep(struct work *work, int64_t keep_seconds);

/* The rest inside a transaction for the application's manager. */

/* A piece of an application's attachment; see migrations/intake/deploy/attachments.sql. */
struct attachment_piece {
    const char *manager, *application;
    int number, piece;
    const char *name, *media_type;
    int64_t size; /* bytes of the whole attachment */
};
/* Take the received piece over. Holds no more than this one piece in memory. attachment_missing when it is not here. */
MUST_USE bool attachment_piece_keep(struct work *work, const struct attachment_piece *piece, const uint8_t sha256[32]);
/* All attachments of an application in the order of its manifest; label is left empty. In the arena. */
MUST_USE bool attachment_list(
    struct work *work, const char *manager, const char *application, Intake__Attachment ***attachments, size_t *count);
/* One piece with media type and size of the whole, in the arena. not_found. */
MUST_USE bool attachment_piece_find(struct work *work, const char *manager, const char *application, uint32_t number,
    uint32_t piece, Intake__AttachmentViewReply *found);

#endif
