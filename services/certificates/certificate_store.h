/* The tables of migrations/certificates. All calls stand inside a transaction begun for the manager; what concerns a
 * person comes and goes covered. */
#ifndef CERTIFICATES_CERTIFICATE_STORE_H
#define CERTIFICATES_CERTIFICATE_STORE_H

#include "certificates/certificate_cose.h"
#include "certificates/certificate_state.h"
#include "chassis/rotation.h"
#include "chassis/work.h"

/* A certificate as it lies there; texts and bytes in the work's arena. */
struct certificate_row {
    const char *manager, *certificate, *programme, *application, *entry, *pseudonym, *body;
    uint32_t version;
    int64_t issued_at; /* Unix time, seconds */
    uint8_t kid[CERTIFICATE_KID_BYTES];
    struct bytes code, holder; /* covered */
    bool reissued;
    enum standing standing; /* of the entry */
};

/* Remember the public half of a key that is about to be used. */
void issuing_key_put(struct work *work, const char *manager, const uint8_t kid[CERTIFICATE_KID_BYTES],
    const uint8_t point[CERTIFICATE_POINT_BYTES]);
/* found false: this manager has no such key. */
MUST_USE bool issuing_key_read(struct work *work, const char *manager, const uint8_t kid[CERTIFICATE_KID_BYTES],
    uint8_t point[CERTIFICATE_POINT_BYTES], bool *found);

/* Put a new certificate, and let those of earlier versions of the entry be reissued ones. `stands` false: this version
 * of the entry has one already, which is left as it is. */
MUST_USE bool certificate_put(struct work *work, const struct certificate_row *row, bool *stands);
/* Both: found false and no fault if there is none. */
MUST_USE bool certificate_read(
    struct work *work, const char *manager, const char *certificate, struct certificate_row *row, bool *found);
MUST_USE bool certificate_read_of_entry(struct work *work, const char *manager, const char *entry, uint32_t version,
    struct certificate_row *row, bool *found);

/* Lock how the entry stands until the transaction ends. */
MUST_USE bool standing_lock(struct work *work, const char *manager, const char *entry, enum standing *standing);
void standing_put(struct work *work, const char *manager, const char *entry, enum standing standing);
/* The certificates in force of an entry. */
MUST_USE bool certificate_count(struct work *work, const char *manager, const char *entry, uint32_t *count);
void certificate_reissue(struct work *work, const char *manager, const char *entry);

struct status_change {
    const char *manager, *entry, *change, *status, *caller;
    struct bytes reason; /* covered */
};
void status_change_put(struct work *work, const struct status_change *change);

/* What of the schema lies under keys, for replacing them. */
extern const struct key_columns certificate_columns;

#endif
