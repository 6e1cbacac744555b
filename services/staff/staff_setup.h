/* Settings, and for which managers staff keeps a register. */
#ifndef STAFF_SETUP_H
#define STAFF_SETUP_H

#include "chassis/keyring.h"
#include "chassis/rights.h"
#include "chassis/settings.h"

/* Operators of the platform belong to no manager of a programme: no service has a row of personal data of this one, so
 * that whatever an operator asks for finds nothing (EXCH-13). */
#define STAFF_PLATFORM RIGHTS_PLATFORM
#define STAFF_SETTINGS 12

extern const struct setting staff_settings[STAFF_SETTINGS];

size_t staff_keys_wanted(const struct key_want **wants);
/* The managers of the programmes, and STAFF_PLATFORM. Known after staff_keys_wanted. */
size_t staff_managers(const char *const **list);

#endif
