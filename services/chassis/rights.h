/* The rights table (権限対応表, AUTH-5): role x right x programme x purpose, as data in SHIKAKU_RIGHTS
 * (deploy/rights/roles.json, deploy/rights/README.md). staff writes a person's rights into the token by it; every
 * service holds each request of a person against its own copy, so that a right counts only if both say so. A file that
 * was changed is in force within a second; one that cannot be read, breaks a rule, or does not raise `version` is
 * refused, journaled, and the one before stays. Nothing is permitted before rights_open. */
#ifndef CHASSIS_RIGHTS_H
#define CHASSIS_RIGHTS_H

#include "chassis/actor.h"
#include "chassis/fault.h"
#include "chassis/route.h"

#include <jansson.h>

#define RIGHTS_NAME_MAX 32         /* of a role, a purpose, a kind of terminal; with its NUL */
#define RIGHTS_PLATFORM "platform" /* the manager to which operators of the platform belong, and nobody else */
#define RIGHTS_LABEL_MAX 192       /* of a role or a purpose in Japanese, with its NUL */
#define RIGHTS_PROGRAMMES_MAX 256  /* ",chorishi,hoikushi,", with its NUL */

/* Read the table, before threads. May be called again with another file. Faults: unavailable when it cannot be read;
 * malformed with the name of what breaks a rule. */
MUST_USE bool rights_open(const char *file, struct fault *fault);
/* The same from a value: for tests that change one right. Borrowed. */
MUST_USE bool rights_take(const json_t *table, struct fault *fault);

/* Which table is in force. */
struct rights_edition {
    uint32_t version;
    uint32_t review_days; /* a review is due that many days after the one before */
    char sha256[65];      /* of the file, lower-case hex; "" where it was no file */
};
void rights_edition(struct rights_edition *edition);

/* May this person use `right` for `purpose` ("": the right's usual one) on `programme` (NULL: on some programme)?
 * Looks at the token (right, manager's programmes) and at the table (role, right, programme, purpose). Faults:
 * not_permitted with field manager (a role of the platform elsewhere, or another one there), purpose, programme or
 * none; unavailable when the token was made by a newer table than can be had here. A right that is lent counts while
 * its loan runs, and on the programmes on which the role has any. */
MUST_USE bool rights_permit(
    const struct actor *actor, enum right right, const char *purpose, const char *programme, struct fault *fault);

/* Does every grant that gives it on the programme say `two_persons`; where none is named (NULL), any of them? Only for
 * what rights_permit allows. */
bool rights_need_two(const struct actor *actor, enum right right, const char *purpose, const char *programme);

/* The loan by which the person may use the right for the purpose now; NULL: by none, or the right needs none. */
const struct loan *rights_loan(const struct actor *actor, enum right right, const char *purpose);
/* Can the right be lent to who has this role? Only rights that no role has; personal ones only where the role may hold
 * such, only for a purpose of the right, and only on a programme (""; all) of the role's. Faults: item_invalid with
 * field right, purpose or programme; not_permitted with field right. */
MUST_USE bool rights_lend_check(
    const char *role, const char *right, const char *purpose, const char *programme, struct fault *fault);

/* The purpose that "" stands for. */
const char *rights_usual_purpose(enum right right);
bool rights_purpose_exists(const char *purpose);

/* The programmes on which the person may use the right for the purpose, by token and table: ",chorishi," or "" for all
 * of the manager's. Only for what rights_permit allows on some programme. */
void rights_programmes(
    const struct actor *actor, enum right right, const char *purpose, char programmes[RIGHTS_PROGRAMMES_MAX]);

bool rights_role_exists(const char *role);
/* May an account of this manager have the role? Roles of the platform are for RIGHTS_PLATFORM alone, which has no other
 * (EXCH-13). */
bool rights_role_fits(const char *role, const char *manager);
/* In Japanese, by the table in force; "" where there is none of that name. They last as long as the process. */
const char *rights_role_label(const char *role);
const char *rights_purpose_label(const char *purpose);
bool rights_kind_exists(const char *kind);
/* Rights of a role at a kind of terminal: what both give, and `session`. A set, a bit per enum right. */
unsigned rights_of(const char *role, const char *kind);
/* Those that can be used there, lent ones too. */
unsigned rights_at(const char *kind);

#endif
