/* The two JSON texts of an application: the document (申請書: the procedure's items) and the manifest that the
 * applicant signed, which names the document and every attachment by SHA-256. Parsing is strict: unknown, missing and
 * repeated members are refused, and both must speak of the same application. */
#ifndef INTAKE_APPLICATION_MANIFEST_H
#define INTAKE_APPLICATION_MANIFEST_H

#include "chassis/arena.h"
#include "chassis/fault.h"

#include <jansson.h>

#define DOCUMENT_BYTES_MAX (64 * 1024)
#define ATTACHMENTS_MAX 16
#define PIECES_MAX 24 /* of all attachments of one application: 24 x 192 KiB */
#define PIECE_BYTES_MAX (192 * 1024)

struct attachment {
    const char *name, *media_type;
    int64_t size;
    uint8_t sha256[32];
    int first_piece, piece_count;
};

struct document {
    json_t *root; /* owned */
    const char *application, *programme, *procedure, *manager;
    const json_t *items;
};

struct manifest {
    json_t *root; /* owned; texts below are borrowed from it */
    const char *application, *programme, *procedure, *manager;
    uint8_t document_sha256[32];
    struct attachment attachments[ATTACHMENTS_MAX];
    int attachment_count;
    uint8_t pieces[PIECES_MAX][32];
    int piece_count;
};

/* Faults: malformed with the member's name, item_unknown, item_missing. Free with the _fini function in any case. */
MUST_USE bool document_parse(struct document *document, const void *text, size_t len, struct fault *fault);
void document_fini(struct document *document);
MUST_USE bool manifest_parse(struct manifest *manifest, const void *text, size_t len, struct fault *fault);
void manifest_fini(struct manifest *manifest);

/* Does the manifest name these very bytes, and do both speak of the same application? document_altered. */
MUST_USE bool manifest_covers(const struct manifest *manifest, const struct document *document, const void *text,
    size_t len, struct fault *fault);

#endif
