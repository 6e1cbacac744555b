/* 公的個人認証サービス: a stand-in of the authority that lists revoked 署名用電子証明書 (失効情報). The keys are the
 * test kit's (kit/authorities.h); it never holds anybody's certificate, only serial numbers.
 *
 *   GET  /jpki-root.crl        the current list in DER, signed anew at each request: thisUpdate now, nextUpdate after
 *                              --crl-seconds, crlNumber rising
 *   POST /revocations {serial (hexadecimal), reason}   200 {serial, revoked: true}; again: 200 with no second row
 *   GET  /revocations/{serial} 200 {serial, revoked: true}, or 404
 *
 * Options: --authorities DIR (SHIKAKU_AUTHORITIES or var/authorities; what is missing there is made), --crl-seconds N
 * (3600; less than 1 makes lists that are out of date at once). Ledger: kind revocation, the key is the serial. */
#include "doubles/double.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "kit/authorities.h"

#define SERIALS_MAX 100000
#define SERIAL_DIGITS 40 /* 20 bytes, RFC 5280 section 4.1.2.2 */

struct jpki {
    struct kit_authorities *authorities;
    long seconds;
    json_t *revoked; /* serial -> true */
};

static void list_show(struct double_exchange *x)
{
    struct jpki *jpki = x->state;
    const char **serials = calloc(json_object_size(jpki->revoked) + 1, sizeof *serials);
    const char *serial;
    json_t *row;
    size_t count = 0, size = 0;
    json_object_foreach(jpki->revoked, serial, row)
    {
        serials[count++] = serial;
    }
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    const struct kit_crl crl = {
        .serials = serials,
        .count = count,
        .this_update = now.tv_sec + (jpki->seconds < 1 ? jpki->seconds - 1 : 0),
        .next_update = now.tv_sec + jpki->seconds,
        .number = now.tv_sec * 1000 + now.tv_nsec / 1000000, /* rises over restarts too */
    };
    uint8_t *der = kit_crl_make(jpki->authorities->jpki, &crl, &size);
    if (der) {
        double_answer_bytes(x, 200, "application/pkix-crl", der, size);
    } else {
        double_refuse(x, 500, "no_list", "");
    }
    free(der);
    free(serials);
}

static void revocation_answer(struct double_exchange *x, const char *serial)
{
    double_answer(x, 200, json_pack("{ss sb}", "serial", serial, "revoked", 1));
}

static void certificate_revoke(struct double_exchange *x)
{
    struct jpki *jpki = x->state;
    const char *serial = double_text(x, "serial"), *reason = double_text(x, "reason");
    size_t length = serial ? strlen(serial) : 0;
    if (length == 0 || length > SERIAL_DIGITS || strspn(serial, "0123456789abcdef") != length) {
        double_refuse(x, 400, "bad_serial", "serial");
        return;
    }
    if (!json_object_get(jpki->revoked, serial)) {
        if (json_object_size(jpki->revoked) >= SERIALS_MAX) {
            double_refuse(x, 409, "too_many", "serial");
            return;
        }
        double_record(x->server, "revocation", serial, json_pack("{ss}", "reason", reason ? reason : "unspecified"));
    }
    revocation_answer(x, serial);
}

static void revocation_show(struct double_exchange *x)
{
    if (json_object_get(((struct jpki *)x->state)->revoked, x->part[0])) {
        revocation_answer(x, x->part[0]);
    } else {
        double_refuse(x, 404, "not_revoked", "serial");
    }
}

static void jpki_apply(void *state, const char *kind, const char *key, json_t *body)
{
    json_object_set_new(((struct jpki *)state)->revoked, key, json_true());
}

static bool jpki_start(struct double_server *server, void *state)
{
    struct jpki *jpki = state;
    const char *shared = getenv("SHIKAKU_AUTHORITIES");
    const char *folder = double_option(server, "authorities", shared ? shared : "var/authorities");
    jpki->seconds = strtol(double_option(server, "crl-seconds", "3600"), NULL, 10);
    jpki->revoked = json_object();
    if (!jpki->revoked || !kit_authorities_make(folder)) {
        return false;
    }
    jpki->authorities = kit_authorities_load(folder);
    return jpki->authorities != NULL;
}

static void jpki_stop(void *state)
{
    struct jpki *jpki = state;
    json_decref(jpki->revoked);
    kit_authorities_free(jpki->authorities);
}

static const struct double_route routes[] = {
    {"GET", "/jpki-root.crl", list_show},
    {"POST", "/revocations", certificate_revoke},
    {"GET", "/revocations/*", revocation_show},
};

int main(int argc, char **argv)
{
    struct jpki jpki = {0};
    const struct double_spec spec = {
        .name = "jpki",
        .routes = routes,
        .route_count = sizeof routes / sizeof *routes,
        .state = &jpki,
        .start = jpki_start,
        .apply = jpki_apply,
        .stop = jpki_stop,
    };
    return double_run(&spec, argc, argv);
}
