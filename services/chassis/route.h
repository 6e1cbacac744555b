/* The routes of proto/routes.def as a table. */
#ifndef CHASSIS_ROUTE_H
#define CHASSIS_ROUTE_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdint.h>

enum party {
    PARTY_PORTAL = 1 << 0,
    PARTY_INTAKE = 1 << 1,
    PARTY_VAULT = 1 << 2,
    PARTY_RESIDENCE = 1 << 3,
    PARTY_INTERMEDIATE = 1 << 4,
    PARTY_RECORDS = 1 << 5,
    PARTY_CERTIFICATES = 1 << 6,
    PARTY_LEGACY_SYNC = 1 << 7,
    PARTY_STAFF = 1 << 8,
    PARTY_AUDIT = 1 << 9,
    PARTY_AGENCY = 1 << 10,   /* an enrolled client of an agency */
    PARTY_OPERATOR = 1 << 11, /* shikakuctl */
};

enum route_kind { ROUTE_COMMAND, ROUTE_QUERY, ROUTE_EVENT, ROUTE_STREAM, ROUTE_PULSE };

enum route {
#define ROUTE(name, to, from, request, reply, kind, deadline_ms, right) ROUTE_##name,
#include "routes.def"
#undef ROUTE
    ROUTES
};

enum right {
#define RIGHT(name, japanese) RIGHT_##name,
#include "rights.def"
#undef RIGHT
    RIGHTS
};

struct route_row {
    const char *name;
    enum party to;
    unsigned from; /* a set of enum party */
    const ProtobufCMessageDescriptor *request, *reply;
    enum route_kind kind;
    int deadline_ms;
    enum right right;
};

const struct route_row *route_row(enum route route);
/* Commands and events carry an idempotency key; the inbox remembers it. */
bool route_needs_key(enum route route);
bool route_find(const char *name, enum route *route);

const char *party_name(enum party party); /* "vault"; static */
bool party_find(const char *name, enum party *party);
const char *right_name(enum right right);

#endif
