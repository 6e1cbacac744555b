/* vault.erasure: managers whose use has ended. */
#ifndef VAULT_ENDING_STORE_H
#define VAULT_ENDING_STORE_H

#include "chassis/work.h"

/* The certificate of a manager that has ended already, in the arena. Fault: not_found. */
MUST_USE bool ending_find(struct work *work, char **certificate);

/* Empty the manager's wrapped keys in the table, and write down what became unreadable by it. In a transaction of the
 * manager; the certificate, JSON, in the arena. */
MUST_USE bool ending_make(struct work *work, const char *reason, char **certificate);

#endif
