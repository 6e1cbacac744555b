/* What intake loads once at start and only reads after: programmes, the JPKI roots, the lists of revoked certificates.
 */
#ifndef INTAKE_SETUP_H
#define INTAKE_SETUP_H

#include "chassis/boot.h"
#include "chassis/outside.h"
#include "chassis/programme.h"
#include "intake/application_signature.h"

#define INTAKE_SETTINGS 10
extern const struct setting intake_settings[INTAKE_SETTINGS];

extern struct outside_peer intake_payment, intake_mynaportal;

size_t intake_keys(const struct key_want **wants); /* data and index keys of every programme's manager */
bool intake_prepare(struct fault *fault);

const struct programmes *intake_programmes(void);
const struct trust_roots *intake_roots(void);
struct revocation *intake_revocation(void);
/* Ends the thread that fetches lists of revoked certificates: it must not run while the libraries it uses are torn
 * down. */
void intake_end(void);

#endif
