/* An application (申請) as an applicant's software sends it: document, attachments, manifest, signature, sealed number.
 * Right, or wrong in exactly one of the ways that must be refused. */
#ifndef KIT_APPLICATION_H
#define KIT_APPLICATION_H

#include "chassis/programme.h"
#include "kit/applicant.h"
#include "kit/sealed_number.h"

#define KIT_PIECE_MAX (192u * 1024)
#define KIT_PIECES_MAX 64

/* What is wrong. The rows of application.c say how each must be answered. */
enum kit_flaw {
    KIT_RIGHT,
    /* the number */
    KIT_WRONG_CHECK_DIGIT,
    KIT_NUMBER_WITH_LETTER,
    KIT_NUMBER_NOT_ON_CARD, /* right check digit, but not what the card's hash covers */
    KIT_FORGED_CARD,        /* hashes right, signature not the card issuer's */
    KIT_OTHER_PERSONS_CARD, /* correctly signed, another's */
    KIT_OTHER_APPLICATIONS_NUMBER,
    KIT_OTHER_MANAGERS_NUMBER,
    KIT_OTHER_SIGNERS_NUMBER,
    KIT_SEALED_TO_STRANGER,
    KIT_NO_NUMBER,
    /* the signature */
    KIT_FORGED_SIGNATURE, /* by another key */
    KIT_ALTERED_MANIFEST,
    KIT_ALTERED_DOCUMENT,
    KIT_ALTERED_ATTACHMENT, /* a piece that was changed, while the manifest's digest of the whole is the old one */
    KIT_MISSING_ATTACHMENT,
    /* the certificate; for these kit_flaw_applicant() makes the applicant */
    KIT_REVOKED_CERTIFICATE, /* right in itself: the caller has it revoked */
    KIT_EXPIRED_CERTIFICATE,
    KIT_OTHER_AUTHORITY,
    KIT_CA_CERTIFICATE,
    /* the document */
    KIT_OTHER_APPLICANT, /* another person's four items, signed with one's own certificate */
    KIT_UNKNOWN_PROGRAMME,
    KIT_UNKNOWN_PROCEDURE,
    KIT_UNKNOWN_ITEM,
    KIT_MISSING_ITEM,
    KIT_OVERLONG_ITEM,
    KIT_TOO_LARGE,
    KIT_FLAWS,
};

struct kit_flaw_row {
    const char *name; /* "wrong check digit" */
    const char *japanese;
    enum fault_code expected; /* FAULT_NONE for KIT_RIGHT */
};
const struct kit_flaw_row *kit_flaw_row(enum kit_flaw flaw); /* static */

/* What everybody's applications have in common; all borrowed. */
struct kit_world {
    const struct kit_authorities *authorities;
    const struct kit_sealer *sealer;
};

/* An applicant whose certificate suits the flaw. As kit_applicant_init. */
MUST_USE bool kit_flaw_applicant(struct kit_applicant *applicant, const struct kit_authorities *authorities,
    enum kit_flaw flaw, uint64_t seed, uint32_t index);

struct kit_file {
    const char *name; /* KEY or KEY.extension of the procedure's attachment */
    const char *media_type;
    const void *bytes;
    size_t size;
};

struct kit_request {
    const struct kit_applicant *applicant;
    const struct kit_applicant *other; /* whose card or items a flaw borrows; NULL where none is borrowed */
    const struct programme *programme;
    const char *procedure;        /* NULL: "registration" */
    const char *application;      /* its id; NULL: a random one */
    const struct kit_file *files; /* NULL: a small PDF for each required attachment */
    size_t file_count;
    enum kit_flaw flaw;
};

struct kit_piece {
    char sha256[65];
    const void *bytes; /* borrowed from the request's files or the kit */
    size_t size;
};

struct kit_application {
    char id[37];
    char *document, *manifest; /* UTF-8 JSON, NUL-terminated */
    uint8_t *signature;
    size_t signature_size;
    char *sealed_number;                     /* "" for KIT_NO_NUMBER */
    struct kit_piece pieces[KIT_PIECES_MAX]; /* to be uploaded first */
    size_t piece_count;
    char *submission; /* {"document":base64,"signature":base64,"sealed_number":compact JWE}: the request's body */
};

/* Compose an application. Two RSA operations at most, no file touched. False if memory is out, the procedure unknown,
 * or the files too large. */
MUST_USE bool kit_application_make(
    struct kit_application *application, const struct kit_world *world, const struct kit_request *request);

/* Wrap the same manifest anew: another signing time, another sealing, the same signer. */
MUST_USE bool kit_application_rewrap(
    struct kit_application *application, const struct kit_world *world, const struct kit_request *request);

void kit_application_fini(struct kit_application *application); /* safe on a zeroed one */

/* A random UUID in lower case. */
void kit_uuid_make(char out[37]);

#endif
