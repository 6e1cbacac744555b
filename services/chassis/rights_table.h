/* The rights table in memory; the chassis's own (rights.h is for the others). */
#ifndef CHASSIS_RIGHTS_TABLE_H
#define CHASSIS_RIGHTS_TABLE_H

#include "chassis/rights.h"

#define TABLE_PURPOSES_MAX 16
#define TABLE_ROLES_MAX 32
#define TABLE_GRANTS_MAX 8
#define TABLE_KINDS_MAX 8

_Static_assert(RIGHTS <= 32, "a set of rights is 32 bits");

/* What a right is, whoever holds it. */
struct right_rule {
    bool described;
    bool personal;     /* shows or changes personal data */
    bool temporary;    /* no role has it; it is lent to a person for a time (AUTH-8) */
    unsigned purposes; /* a set, by place in struct rights_table.purposes */
    size_t usual;      /* the place of the purpose that "" stands for */
};

struct grant {
    unsigned rights, purposes;
    bool two_persons;                       /* what changes something is carried out when a second person agrees */
    char programmes[RIGHTS_PROGRAMMES_MAX]; /* "": all */
};

struct role {
    char name[RIGHTS_NAME_MAX], label[RIGHTS_LABEL_MAX];
    bool personal_data; /* may hold personal rights */
    bool platform;      /* of RIGHTS_PLATFORM's accounts, and of no others */
    struct grant grants[TABLE_GRANTS_MAX];
    size_t grant_count;
};

struct terminal_kind {
    char name[RIGHTS_NAME_MAX];
    unsigned rights;
};

struct rights_table {
    const struct rights_table *before; /* kept: a thread may still read it */
    struct rights_edition edition;
    char purposes[TABLE_PURPOSES_MAX][RIGHTS_NAME_MAX];
    char purpose_labels[TABLE_PURPOSES_MAX][RIGHTS_LABEL_MAX];
    size_t purpose_count;
    struct right_rule rules[RIGHTS];
    struct role roles[TABLE_ROLES_MAX];
    size_t role_count;
    struct terminal_kind kinds[TABLE_KINDS_MAX];
    size_t kind_count;
};

/* A new table from its JSON; NULL with malformed and the name of what breaks a rule. free() it. */
struct rights_table *rights_table_read(const json_t *json, struct fault *fault);

/* The place of a purpose; purpose_count where there is none. */
size_t rights_table_purpose(const struct rights_table *table, const char *name);

#endif
