#include "portal/portal_tls.h"

#include "chassis/settings.h"

#include <event2/bufferevent_ssl.h>
#include <limits.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <sys/stat.h>

#define DOOR "door"

static SSL_CTX *context;
static struct timespec made_of; /* when the certificate in use was written */

static void own_path(char path[PATH_MAX], const char *file)
{
    snprintf(path, PATH_MAX, "%s/%s", setting_text("SHIKAKU_KEYS"), file);
}

static SSL_CTX *context_make(void)
{
    char own[PATH_MAX], authority[PATH_MAX];
    SSL_CTX *made = SSL_CTX_new(TLS_server_method());
    own_path(own, "portal/bus.pem");
    own_path(authority, "peers/bus-ca.pem");
    if (made && SSL_CTX_set_min_proto_version(made, TLS1_3_VERSION) == 1 &&
        SSL_CTX_use_certificate_chain_file(made, own) == 1 &&
        SSL_CTX_use_PrivateKey_file(made, own, SSL_FILETYPE_PEM) == 1 &&
        SSL_CTX_load_verify_file(made, authority) == 1 &&
        X509_VERIFY_PARAM_set1_host(SSL_CTX_get0_param(made), DOOR, 0) == 1) {
        SSL_CTX_set_verify(made, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
        SSL_CTX_set_session_cache_mode(made, SSL_SESS_CACHE_OFF);
        /* Without a context each session that the door takes up again is refused, since it showed a certificate. */
        SSL_CTX_set_session_id_context(made, (const unsigned char *)DOOR, sizeof DOOR - 1);
        return made;
    }
    SSL_CTX_free(made);
    return NULL;
}

/* A new one that cannot be read leaves the old one in use. */
static void context_renew(void)
{
    char path[PATH_MAX];
    struct stat found;
    own_path(path, "portal/bus.pem");
    if (stat(path, &found) != 0 || (found.st_mtim.tv_sec == made_of.tv_sec && found.st_mtim.tv_nsec == made_of.tv_nsec))
        return;
    SSL_CTX *fresh = context_make();
    if (!fresh)
        return;
    SSL_CTX_free(context);
    context = fresh;
    made_of = found.st_mtim;
}

bool tls_open(struct fault *fault)
{
    context_renew();
    return context ? true : fault_set(fault, FAULT_unavailable, "certificate");
}

void tls_close(void)
{
    SSL_CTX_free(context);
    context = NULL;
}

struct bufferevent *tls_connection_new(struct event_base *base, void *unused)
{
    (void)unused;
    context_renew();
    SSL *ssl = SSL_new(context);
    return ssl ? bufferevent_openssl_socket_new(base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE) : NULL;
}
