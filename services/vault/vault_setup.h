/* What the vault loads once at start: programmes' managers (for keys), card roots, the table of recipients. */
#ifndef VAULT_SETUP_H
#define VAULT_SETUP_H

#include "chassis/boot.h"

#define VAULT_SCHEMA_VERSION 6 /* changes in migrations/vault/sqitch.plan */
#define VAULT_SETTINGS 4
extern const struct setting vault_settings[VAULT_SETTINGS];

size_t vault_keys_wanted(const struct key_want **wants);
/* The managers of all programmes, once each; static. After vault_keys_wanted. */
size_t vault_managers(const char *const **list);
bool vault_prepare(struct fault *fault);

#endif
