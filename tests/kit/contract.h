/* proto/portal.openapi.yaml as far as tests need it. The file is written in one style (paths at two spaces, methods at
 * four, what belongs to them deeper), and this reads that style, not YAML. */
#ifndef KIT_CONTRACT_H
#define KIT_CONTRACT_H

#include <stdbool.h>
#include <stddef.h>

#define CONTRACT_OPERATIONS_MAX 128
#define CONTRACT_STATUSES_MAX 4

struct contract_operation {
    char method[8], path[96];
    char security[96]; /* as written */
    bool has_body;
    long body_max;                       /* maxLength of a binary body; 0: not stated */
    int statuses[CONTRACT_STATUSES_MAX]; /* of success; 0 ends */
};

struct contract {
    struct contract_operation operations[CONTRACT_OPERATIONS_MAX];
    size_t count;
};

/* From the root of the checkout. False if it cannot be read or is written in another style. */
bool contract_read(struct contract *contract);
bool contract_states(const struct contract *contract, const char *method, const char *path, int status);

#endif
