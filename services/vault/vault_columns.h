/* What of the vault's tables lies under keys, for replacing them (chassis/rotation.h). */
#ifndef VAULT_COLUMNS_H
#define VAULT_COLUMNS_H

#include "chassis/rotation.h"

extern const struct key_columns vault_columns;

#endif
