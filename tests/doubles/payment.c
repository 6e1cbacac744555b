/* オンライン決済: a stand-in of an online payment service.
 *
 *   POST /charges {idempotency_key, amount (yen, integer > 0), receipt}  -> 200 {charge, pay_url, state}
 *        the same key and content: the same charge; the same key and other content: 409
 *   POST /pay/{charge}              the payer pays: 200; again: 200 with no second payment; refunded: 409
 *   GET  /charges/{charge}          {charge, amount, receipt, state: open | paid | refunded}
 *   POST /charges/{charge}/refund   200; again: 200 with no second refund; not paid: 409
 *
 * --pays at-once: a charge is paid as soon as it is made (for measuring). Ledger: kinds charge, payment, refund; the
 * key is the charge. */
#include "doubles/double.h"

#include <stdio.h>
#include <string.h>

struct payment {
    json_t *charges; /* charge -> {amount, receipt, idempotency_key, state} */
    json_t *by_key;  /* idempotency key -> charge */
    bool pays_at_once;
};

static json_t *charge_find(struct double_exchange *x)
{
    json_t *charge = json_object_get(((struct payment *)x->state)->charges, x->part[0]);
    if (!charge) {
        double_refuse(x, 404, "no_such_charge", "charge");
    }
    return charge;
}

static bool state_is(json_t *charge, const char *state)
{
    return strcmp(json_string_value(json_object_get(charge, "state")), state) == 0;
}

static void charge_answer(struct double_exchange *x, const char *id)
{
    json_t *charge = json_object_get(((struct payment *)x->state)->charges, id);
    const char *host = double_header(x, "Host"); /* whoever could ask can also pay there */
    char url[320];
    snprintf(url, sizeof url, "%s://%.200s/pay/%s", double_option(x->server, "scheme", "http"),
        host ? host : "127.0.0.1", id);
    double_answer(x, 200,
        json_pack("{ss ss sO sO sO}", "charge", id, "pay_url", url, "amount", json_object_get(charge, "amount"),
            "receipt", json_object_get(charge, "receipt"), "state", json_object_get(charge, "state")));
}

static void charge_make(struct double_exchange *x)
{
    struct payment *payment = x->state;
    const char *key = double_text(x, "idempotency_key"), *receipt = double_text(x, "receipt");
    json_t *amount = json_object_get(x->json, "amount");
    if (!key || !receipt || json_integer_value(amount) <= 0) {
        double_refuse(x, 400, "bad_charge", !key ? "idempotency_key" : !receipt ? "receipt" : "amount");
        return;
    }
    const char *known = json_string_value(json_object_get(payment->by_key, key));
    if (known) {
        json_t *charge = json_object_get(payment->charges, known);
        if (json_equal(json_object_get(charge, "amount"), amount) &&
            strcmp(json_string_value(json_object_get(charge, "receipt")), receipt) == 0) {
            charge_answer(x, known);
        } else {
            double_refuse(x, 409, "key_reused", "idempotency_key");
        }
        return;
    }
    char id[DOUBLE_ID_SIZE];
    double_id_make(id);
    double_record(
        x->server, "charge", id, json_pack("{ss sO ss}", "idempotency_key", key, "amount", amount, "receipt", receipt));
    if (payment->pays_at_once) {
        double_record(x->server, "payment", id, json_pack("{sO}", "amount", amount));
    }
    charge_answer(x, id);
}

static void charge_show(struct double_exchange *x)
{
    if (charge_find(x)) {
        charge_answer(x, x->part[0]);
    }
}

/* Move a charge from one state to the next, once; the state it is to end in already is the same success. */
static void charge_move(struct double_exchange *x, const char *from, const char *to, const char *kind)
{
    json_t *charge = charge_find(x);
    if (!charge) {
        return;
    }
    if (state_is(charge, from)) {
        double_record(x->server, kind, x->part[0], json_pack("{sO}", "amount", json_object_get(charge, "amount")));
    } else if (!state_is(charge, to)) {
        double_refuse(x, 409, "wrong_state", "charge");
        return;
    }
    charge_answer(x, x->part[0]);
}

static void charge_pay(struct double_exchange *x)
{
    charge_move(x, "open", "paid", "payment");
}

static void charge_refund(struct double_exchange *x)
{
    charge_move(x, "paid", "refunded", "refund");
}

static void payment_apply(void *state, const char *kind, const char *key, json_t *body)
{
    struct payment *payment = state;
    if (strcmp(kind, "charge") == 0) {
        json_t *charge = json_copy(body);
        json_object_set_new(charge, "state", json_string("open"));
        json_object_set_new(payment->charges, key, charge);
        json_object_set_new(
            payment->by_key, json_string_value(json_object_get(body, "idempotency_key")), json_string(key));
        return;
    }
    const char *becomes = strcmp(kind, "payment") == 0 ? "paid" : "refunded";
    json_object_set_new(json_object_get(payment->charges, key), "state", json_string(becomes));
}

static bool payment_start(struct double_server *server, void *state)
{
    struct payment *payment = state;
    payment->charges = json_object();
    payment->by_key = json_object();
    payment->pays_at_once = strcmp(double_option(server, "pays", "when-asked"), "at-once") == 0;
    return payment->charges && payment->by_key;
}

static void payment_stop(void *state)
{
    struct payment *payment = state;
    json_decref(payment->charges);
    json_decref(payment->by_key);
}

static const struct double_route routes[] = {
    {"POST", "/charges", charge_make},
    {"GET", "/charges/*", charge_show},
    {"POST", "/charges/*/refund", charge_refund},
    {"POST", "/pay/*", charge_pay},
};

int main(int argc, char **argv)
{
    struct payment payment = {0};
    const struct double_spec spec = {
        .name = "payment",
        .routes = routes,
        .route_count = sizeof routes / sizeof *routes,
        .state = &payment,
        .start = payment_start,
        .apply = payment_apply,
        .stop = payment_stop,
    };
    return double_run(&spec, argc, argv);
}
