/* Speaking to the information provision network (情報提供ネットワークシステム). Every call is bounded in time; none
 * stands in a transaction. Modelled on what is public: codes by 取得番号, a permit first, an inquiry tied by 処理通番
 * to its answer. */
#ifndef INTERMEDIATE_NETWORK_H
#define INTERMEDIATE_NETWORK_H

#include "chassis/keyring.h"
#include "chassis/work.h"

enum network_answer {
    NETWORK_GIVEN,
    NETWORK_NOT_YET, /* 202: ask again later */
    NETWORK_NOBODY,  /* the network knows no such person */
    NETWORK_REFUSED, /* not permitted */
    NETWORK_FAILED,  /* work->fault says why: unavailable, timed_out, malformed */
};

struct network_inquiry {
    const char *inquirer; /* the body: the manager's code */
    const char *provider, *affair, *item;
    const char *code;      /* 機関別符号 */
    const char *permit;    /* 提供許可証 */
    const char *reference; /* ours: the same reference is the same inquiry */
};

struct network_provision {
    const char *result;   /* "found", "undetermined", "none" */
    const char *domicile; /* 本籍, "" but for "found" */
    int64_t provided_at_ms;
};

/* Read the settings of the network; called once, before threads. */
void network_open(void);

/* Texts that are given lie in the arena. */
enum network_answer network_code_get(
    struct work *work, const char *body, const char *acquisition_number, const char **code);
enum network_answer network_permit_get(struct work *work, const struct network_inquiry *inquiry, const char **permit);
/* The provider seals its answer to the public half of `key`: the network cannot read it (EXCH-8). */
enum network_answer network_inquire(
    struct work *work, const struct network_inquiry *inquiry, const struct key *key, const char **processing_number);
enum network_answer network_provision_get(
    struct work *work, const char *processing_number, const char *manager, struct network_provision *provision);

#endif
