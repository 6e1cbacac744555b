#include "vault/vault_columns.h"

#include "chassis/second_person.h"
#include "vault/number_cover.h"
#include "vault/portal_store.h"

#define TIE_NUMBER                                                                                                     \
    {                                                                                                                  \
        "tie", "number", TABLE_TIE, "t.pseudonym"                                                                      \
    }
#define GATEWAY_NUMBER                                                                                                 \
    {                                                                                                                  \
        "gateway_tie", "number", TABLE_GATEWAY, "t.gateway_id"                                                         \
    }
#define PORTAL_PAIR                                                                                                    \
    {                                                                                                                  \
        "portal_tie", "pair", TABLE_PORTAL, "t.tie_id"                                                                 \
    }

static const struct covered_column covered[] = {
    TIE_NUMBER,
    GATEWAY_NUMBER,
    PORTAL_PAIR,
    PROPOSAL_COLUMNS,
    {"correction", "number", TABLE_CORRECTION, "t.correction_id"},
};

static const struct index_column indexed[] = {
    {"tie", "token", "next_token", "index_key", DOMAIN_TIE, TIE_NUMBER},
    {"gateway_tie", "token", "next_token", "index_key", DOMAIN_GATEWAY, GATEWAY_NUMBER, "t.closed_on IS NOT NULL"},
    {"portal_tie", "token", "next_token", "index_key", DOMAIN_PORTAL, PORTAL_PAIR, NULL, portal_tie_value},
};

const struct key_columns vault_columns = {
    covered, sizeof covered / sizeof *covered, indexed, sizeof indexed / sizeof *indexed};
