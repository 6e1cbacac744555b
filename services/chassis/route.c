#include "chassis/route.h"

#include "audit.pb-c.h"
#include "certificates.pb-c.h"
#include "export.pb-c.h"
#include "intake.pb-c.h"
#include "intermediate.pb-c.h"
#include "legacy_sync.pb-c.h"
#include "proposal.pb-c.h"
#include "records.pb-c.h"
#include "residence.pb-c.h"
#include "staff.pb-c.h"
#include "vault.pb-c.h"

#include <string.h>

#define PORTAL PARTY_PORTAL
#define INTAKE PARTY_INTAKE
#define VAULT PARTY_VAULT
#define RESIDENCE PARTY_RESIDENCE
#define INTERMEDIATE PARTY_INTERMEDIATE
#define RECORDS PARTY_RECORDS
#define CERTIFICATES PARTY_CERTIFICATES
#define LEGACY_SYNC PARTY_LEGACY_SYNC
#define STAFF PARTY_STAFF
#define AUDIT PARTY_AUDIT
#define AGENCY PARTY_AGENCY
#define OPERATOR PARTY_OPERATOR
#define COMMAND ROUTE_COMMAND
#define QUERY ROUTE_QUERY
#define EVENT ROUTE_EVENT
#define STREAM ROUTE_STREAM
#define PULSE ROUTE_PULSE

static const struct route_row rows[ROUTES] = {
#define ROUTE(name, to, from, request, reply, kind, deadline_ms, right)                                                \
    {#name, to, from, &request##__descriptor, &reply##__descriptor, kind, deadline_ms, RIGHT_##right},
#include "routes.def"
#undef ROUTE
};

static const char *const right_names[RIGHTS] = {
#define RIGHT(name, japanese) #name,
#include "rights.def"
#undef RIGHT
};

static const struct {
    enum party party;
    const char *name;
} parties[] = {
    {PARTY_PORTAL, "portal"},
    {PARTY_INTAKE, "intake"},
    {PARTY_VAULT, "vault"},
    {PARTY_RESIDENCE, "residence"},
    {PARTY_INTERMEDIATE, "intermediate"},
    {PARTY_RECORDS, "records"},
    {PARTY_CERTIFICATES, "certificates"},
    {PARTY_LEGACY_SYNC, "legacy_sync"},
    {PARTY_STAFF, "staff"},
    {PARTY_AUDIT, "audit"},
    {PARTY_AGENCY, "agency"},
    {PARTY_OPERATOR, "operator"},
};

const struct route_row *route_row(enum route route)
{
    return &rows[route];
}

bool route_needs_key(enum route route)
{
    return rows[route].kind == ROUTE_COMMAND || rows[route].kind == ROUTE_EVENT;
}

bool route_find(const char *name, enum route *route)
{
    for (int i = 0; i < ROUTES; i++)
        if (strcmp(rows[i].name, name) == 0) {
            *route = (enum route)i;
            return true;
        }
    return false;
}

const char *party_name(enum party party)
{
    for (size_t i = 0; i < sizeof parties / sizeof *parties; i++)
        if (parties[i].party == party)
            return parties[i].name;
    return "?";
}

bool party_find(const char *name, enum party *party)
{
    for (size_t i = 0; i < sizeof parties / sizeof *parties; i++)
        if (strcmp(parties[i].name, name) == 0) {
            *party = parties[i].party;
            return true;
        }
    return false;
}

const char *right_name(enum right right)
{
    return right_names[right];
}
