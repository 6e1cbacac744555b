/* What a certificate is worth. Two things are kept apart: how the qualification stands (its roll entry), and whether
 * this piece of paper or code is still the one in force; a lost copy is replaced without touching the qualification. */
#ifndef CERTIFICATES_CERTIFICATE_STATE_H
#define CERTIFICATES_CERTIFICATE_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Standing of the qualification, as records tells it (ROLL-3, ROLL-4). */
enum standing { STANDING_VALID, STANDING_SUSPENDED, STANDING_REVOKED, STANDING_STRUCK_OFF, STANDINGS };

const char *standing_text(enum standing standing); /* "valid", "suspended", "revoked", "struck_off"; static */
bool standing_parse(const char *text, enum standing *standing);
/* Is the change a row of the table? A standing may be told again; from struck_off nothing leads back. */
bool standing_may_change(enum standing from, enum standing to);
void standing_print(FILE *out); /* the table as a Mermaid diagram */

/* The answer to whoever shows a code, in the order in which it is decided. */
enum verdict {
    VERDICT_VALID,
    VERDICT_UNREADABLE, /* no certificate of ours by its form */
    VERDICT_SIGNATURE,  /* not signed by this manager, or altered */
    VERDICT_UNKNOWN,    /* rightly signed, but never issued as far as we know */
    VERDICT_STRUCK_OFF,
    VERDICT_REVOKED,
    VERDICT_SUSPENDED,
    VERDICT_REISSUED,
    VERDICT_EXPIRED,
    VERDICTS
};

const char *verdict_reason(enum verdict verdict);   /* certificates.proto: "" for valid; static */
const char *verdict_japanese(enum verdict verdict); /* what a person reads; static, UTF-8 */

/* Of a certificate that is signed and known. Times in seconds; expires_at 0: never. CERT-6. */
enum verdict verdict_decide(enum standing standing, bool reissued, int64_t expires_at, int64_t now);

#endif
