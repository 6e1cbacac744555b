#include "chassis/bus_way.h"

#include "chassis/journal.h"
#include "chassis/meters.h"
#include "chassis/settings.h"
#include "chassis/work.h"

#include <errno.h>
#include <limits.h>
#include <nng/supplemental/tls/tls.h>
#include <nng/transport/tls/tls.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>

#define SCHEME "tls+tcp://"
#define LINES_MAX 32     /* replicas of one name */
#define TURN_MS 5000     /* so often names are resolved and certificates looked at */
#define LOOK_MS 250      /* so often names without any address, and whether descriptors run short */
#define ENOUGH_ANSWERS 8 /* of each line, on average: one that gave none is dead */
#define PROOF_SECONDS 5
#define PARTIES 12
#define URL_BYTES 256

/* A dialer to one address of a party. */
struct line {
    char address[WAY_ADDRESS_BYTES];
    nng_dialer dialer;
    bool is_new;      /* was not there for a whole turn yet */
    unsigned answers; /* in this turn */
};

struct way {
    nng_socket socket;
    char name[64], host[256];
    nng_tls_config *config;
    struct line lines[LINES_MAX];
    size_t line_count;
    unsigned answers, silences; /* in this turn */
};

struct listening {
    bool open;
    nng_listener listener;
    nng_tls_config *config;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wanted = PTHREAD_COND_INITIALIZER;
static struct way ways[PARTIES];
static struct listening listening;
static bool walking;
static char own_name[64];
static struct timespec certificate_time;

static bool between_hosts(void)
{
    return strncmp(setting_text("SHIKAKU_BUS"), SCHEME, strlen(SCHEME)) == 0;
}

/* "legacy_sync" is legacy-sync in a name of a host. */
static void host_label(const char *name, char label[64])
{
    snprintf(label, 64, "%s", name);
    for (char *c = label; *c; c++)
        if (*c == '_')
            *c = '-';
}

static bool port_find(const char **port)
{
    const char *colon = strrchr(setting_text("SHIKAKU_BUS") + strlen(SCHEME), ':');
    char *end;
    long number = colon ? strtol(colon + 1, &end, 10) : 0;
    if (number < 1 || number > 65535 || *end)
        return false;
    *port = colon + 1;
    return true;
}

static bool host_find(const char *label, char host[256])
{
    const char *text = setting_text("SHIKAKU_BUS") + strlen(SCHEME), *colon = strrchr(text, ':');
    const char *star = strchr(text, '*');
    if (!colon || colon == text || !star || star > colon)
        return false;
    int len = snprintf(host, 256, "%.*s%s%.*s", (int)(star - text), text, label, (int)(colon - star - 1), star + 1);
    return len > 0 && len < 256;
}

bool bus_way_check(void)
{
    const char *port;
    char host[256];
    if (!between_hosts() || (port_find(&port) && host_find("x", host)))
        return true;
    journal(JOURNAL_ERROR, NULL, "setting_is_no_bus", WORD("setting", "SHIKAKU_BUS"));
    return false;
}

/* Certificates */

static bool file_path(char path[PATH_MAX], const char *folder, const char *file)
{
    return snprintf(path, PATH_MAX, "%s/%s/%s", setting_text("SHIKAKU_KEYS"), folder, file) < PATH_MAX;
}

static nng_tls_config *config_make(nng_tls_mode mode, const char *peer_label)
{
    nng_tls_config *config = NULL;
    char own[PATH_MAX], authority[PATH_MAX];
    int code = file_path(own, own_name, "bus.pem") && file_path(authority, "peers", "bus-ca.pem")
                   ? nng_tls_config_alloc(&config, mode)
                   : NNG_EINVAL;
    if (code == 0)
        code = nng_tls_config_ca_file(config, authority);
    if (code == 0)
        code = nng_tls_config_cert_key_file(config, own, NULL);
    if (code == 0)
        code = nng_tls_config_auth_mode(config, NNG_TLS_AUTH_MODE_REQUIRED);
    if (code == 0 && peer_label)
        code = nng_tls_config_server_name(config, peer_label);
    if (code == 0)
        return config;
    journal(JOURNAL_ERROR, NULL, "bus_certificate_not_usable", NUMBER("code", code));
    if (config)
        nng_tls_config_free(config);
    return NULL;
}

/* nng looks at a configuration without its lock: what was replaced is freed a renewal later. */
static void config_replace(nng_tls_config **config, nng_tls_config *fresh)
{
    static nng_tls_config *passed[2 * (sizeof ways / sizeof *ways)];
    static size_t next;
    if (passed[next])
        nng_tls_config_free(passed[next]);
    passed[next] = *config;
    next = (next + 1) % (sizeof passed / sizeof *passed);
    *config = fresh;
}

static bool way_config_renew(struct way *way)
{
    char label[64];
    host_label(way->name, label);
    nng_tls_config *fresh = config_make(NNG_TLS_MODE_CLIENT, label);
    if (!fresh)
        return false;
    config_replace(&way->config, fresh);
    for (size_t i = 0; i < way->line_count; i++)
        nng_dialer_set_ptr(way->lines[i].dialer, NNG_OPT_TLS_CONFIG, fresh);
    return true;
}

static bool certificate_changed(void)
{
    char path[PATH_MAX];
    struct stat found;
    if (!file_path(path, own_name, "bus.pem") || stat(path, &found) != 0)
        return false;
    bool changed = found.st_mtim.tv_sec != certificate_time.tv_sec || found.st_mtim.tv_nsec != certificate_time.tv_nsec;
    certificate_time = found.st_mtim;
    return changed;
}

static void certificates_renew(void)
{
    if (!certificate_changed())
        return;
    bool renewed = true;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        renewed = (!*ways[i].name || way_config_renew(&ways[i])) && renewed;
    nng_tls_config *fresh = listening.open ? config_make(NNG_TLS_MODE_SERVER, NULL) : NULL;
    if (fresh) {
        config_replace(&listening.config, fresh);
        nng_listener_set_ptr(listening.listener, NNG_OPT_TLS_CONFIG, fresh);
    }
    if (renewed)
        journal(JOURNAL_INFO, NULL, "bus_certificate_renewed");
}

/* Lines */

static bool folder_url(const char *name, char url[URL_BYTES])
{
    return snprintf(url, URL_BYTES, "ipc://%s/%s.bus", setting_text("SHIKAKU_BUS"), name) < URL_BYTES;
}

static bool hosts_url(const char *address, char url[URL_BYTES])
{
    const char *port;
    return port_find(&port) && snprintf(url, URL_BYTES, SCHEME "%s:%s", address, port) < URL_BYTES;
}

static bool line_secure(const struct way *way, const struct line *line)
{
    nng_dialer_set_bool(line->dialer, NNG_OPT_TCP_KEEPALIVE, true);
    return nng_dialer_set_ptr(line->dialer, NNG_OPT_TLS_CONFIG, way->config) == 0;
}

static bool line_open(struct way *way, const char address[WAY_ADDRESS_BYTES])
{
    struct line *line = &way->lines[way->line_count];
    char url[URL_BYTES];
    if (way->line_count == LINES_MAX)
        return false;
    *line = (struct line){.is_new = true};
    memcpy(line->address, address, sizeof line->address);
    if (!(between_hosts() ? hosts_url(line->address, url) : folder_url(way->name, url)) ||
        nng_dialer_create(&line->dialer, way->socket, url) != 0)
        return false;
    if ((between_hosts() && !line_secure(way, line)) || nng_dialer_start(line->dialer, NNG_FLAG_NONBLOCK) != 0) {
        nng_dialer_close(line->dialer);
        return false;
    }
    way->line_count++;
    return true;
}

static void line_close(struct way *way, size_t i)
{
    nng_dialer_close(way->lines[i].dialer);
    way->lines[i] = way->lines[--way->line_count];
}

static bool is_among(const char *address, char (*addresses)[WAY_ADDRESS_BYTES], size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(addresses[i], address) == 0)
            return true;
    return false;
}

static bool line_is_there(const struct way *way, const char *address)
{
    for (size_t i = 0; i < way->line_count; i++)
        if (strcmp(way->lines[i].address, address) == 0)
            return true;
    return false;
}

static bool line_is_dead(const struct way *way, const struct line *line)
{
    return line->answers == 0 && !line->is_new &&
           (way->silences > 0 || way->answers >= ENOUGH_ANSWERS * way->line_count);
}

/* A name that resolves to nothing may be a resolver that is down: what stands is kept. */
static void way_renew(struct way *way, char (*addresses)[WAY_ADDRESS_BYTES], size_t count)
{
    for (size_t i = way->line_count; i > 0; i--) {
        struct line *line = &way->lines[i - 1];
        bool dead = line_is_dead(way, line);
        if (dead)
            meter_add(METER_bus_lines_replaced_total, way->name, 1);
        if (dead || (count && !is_among(line->address, addresses, count)))
            line_close(way, i - 1);
    }
    for (size_t i = 0; i < count; i++)
        if (!line_is_there(way, addresses[i]) && !line_open(way, addresses[i]))
            journal(JOURNAL_WARNING, NULL, "bus_peer_not_dialed", WORD("peer", way->name));
}

static void turn_end(struct way *way)
{
    way->answers = way->silences = 0;
    for (size_t i = 0; i < way->line_count; i++) {
        way->lines[i].answers = 0;
        way->lines[i].is_new = false;
    }
}

static void silent_cut(bool at_leisure)
{
    const char *port;
    size_t cut = listening.open && port_find(&port) ? way_silent_cut(atoi(port), at_leisure) : 0;
    if (cut)
        journal(JOURNAL_WARNING, NULL, "bus_silent_connections_cut", NUMBER("count", (int64_t)cut));
}

/* In the folder there is one of each name. */
static size_t folder_resolve(char (*addresses)[WAY_ADDRESS_BYTES])
{
    memset(addresses[0], 0, sizeof addresses[0]);
    return 1;
}

/* Resolving waits; nothing else may wait for it. */
static void way_walk(struct way *way, bool turn)
{
    char addresses[LINES_MAX][WAY_ADDRESS_BYTES];
    pthread_mutex_lock(&lock);
    bool looked_for = *way->name && (turn || way->line_count == 0);
    pthread_mutex_unlock(&lock);
    if (!looked_for)
        return;
    size_t count = between_hosts() ? way_resolve(way->host, addresses, LINES_MAX) : folder_resolve(addresses);
    pthread_mutex_lock(&lock);
    way_renew(way, addresses, count);
    if (turn)
        turn_end(way);
    pthread_mutex_unlock(&lock);
}

static void *ways_run(void *nothing)
{
    int64_t next_ms = clock_ms();
    for (;;) {
        bool turn = clock_ms() >= next_ms;
        if (turn)
            next_ms = clock_ms() + TURN_MS;
        for (size_t i = 0; i < PARTIES; i++)
            way_walk(&ways[i], turn);
        int64_t until = between_hosts() ? clock_ms() + LOOK_MS : next_ms;
        struct timespec at = {until / 1000, until % 1000 * 1000000};
        pthread_mutex_lock(&lock);
        if (turn && between_hosts())
            certificates_renew();
        silent_cut(turn);
        pthread_cond_timedwait(&wanted, &lock, &at);
        pthread_mutex_unlock(&lock);
    }
    return nothing;
}

/* With `lock` held. */
static bool walk_start(const char *self)
{
    pthread_t thread;
    sigset_t all, before;
    if (walking)
        return true;
    snprintf(own_name, sizeof own_name, "%s", self);
    (void)certificate_changed();
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    walking = pthread_create(&thread, NULL, ways_run, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (walking)
        pthread_detach(thread);
    return walking;
}

static bool way_open(struct way *way, nng_socket socket, const char *name, const char *self)
{
    char label[64];
    host_label(name, label);
    if (!walk_start(self) || (between_hosts() && !host_find(label, way->host)))
        return false;
    snprintf(way->name, sizeof way->name, "%s", name);
    way->socket = socket;
    if (!between_hosts() || way_config_renew(way)) {
        pthread_cond_signal(&wanted);
        return true;
    }
    *way->name = 0;
    return false;
}

bool bus_way_dial(nng_socket socket, enum party to, const char *self)
{
    pthread_mutex_lock(&lock);
    bool opened = way_open(&ways[__builtin_ctz(to)], socket, party_name(to), self);
    pthread_mutex_unlock(&lock);
    return opened;
}

void bus_way_told(enum party to, const nng_msg *reply, bool late)
{
    struct way *way = &ways[__builtin_ctz(to)];
    int dialer = reply ? nng_dialer_id(nng_pipe_dialer(nng_msg_get_pipe(reply))) : -1;
    pthread_mutex_lock(&lock);
    way->answers += reply != NULL;
    way->silences += !reply || late;
    for (size_t i = 0; i < way->line_count; i++)
        if (nng_dialer_id(way->lines[i].dialer) == dialer)
            way->lines[i].answers++;
    pthread_mutex_unlock(&lock);
}

/* Listening */

/* True when a client that shows no certificate is turned away. TLS 1.2: the handshake itself then fails. */
static bool strangers_are_refused(const char *address, const char *port)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    struct timeval wait = {.tv_sec = PROOF_SECONDS};
    char place[128];
    int fd = -1;
    bool refused = false;
    snprintf(place, sizeof place, "%s:%s", strcmp(address, "0.0.0.0") == 0 ? "127.0.0.1" : address, port);
    BIO *stranger = context ? BIO_new_ssl_connect(context) : NULL;
    if (stranger) {
        BIO_set_conn_hostname(stranger, place);
        SSL *ssl = NULL;
        BIO_get_ssl(stranger, &ssl);
        bool connected = BIO_do_connect(BIO_next(stranger)) == 1 && BIO_get_fd(stranger, &fd) >= 0;
        if (connected && ssl) {
            setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
            refused = BIO_do_handshake(stranger) != 1;
        }
    }
    BIO_free_all(stranger);
    SSL_CTX_free(context);
    if (!refused)
        journal(JOURNAL_ERROR, NULL, "bus_lets_strangers_in");
    return refused;
}

static bool hosts_listen(nng_socket socket, const char *self)
{
    const char *address = setting_text("SHIKAKU_BUS_ADDRESS"), *port;
    char url[URL_BYTES];
    if (!port_find(&port) || !hosts_url(address, url))
        return false;
    pthread_mutex_lock(&lock);
    listening.open = walk_start(self) && (listening.config = config_make(NNG_TLS_MODE_SERVER, NULL)) &&
                     nng_listener_create(&listening.listener, socket, url) == 0;
    pthread_mutex_unlock(&lock);
    if (!listening.open)
        return false;
    nng_listener_set_bool(listening.listener, NNG_OPT_TCP_KEEPALIVE, true);
    if (nng_listener_set_ptr(listening.listener, NNG_OPT_TLS_CONFIG, listening.config) != 0)
        return false;
    int result = nng_listener_start(listening.listener, 0);
    if (result != 0)
        journal(JOURNAL_ERROR, NULL, "bus_address_not_usable", NUMBER("code", result));
    return result == 0 && strangers_are_refused(address, port);
}

bool bus_way_listen(nng_socket socket, const char *self)
{
    char url[URL_BYTES];
    if (between_hosts())
        return hosts_listen(socket, self);
    if (!folder_url(self, url))
        return false;
    /* A socket file left by a killed process would be in the way. */
    remove(url + strlen("ipc://"));
    int result = nng_listen(socket, url, NULL, 0);
    if (result != 0)
        journal(JOURNAL_ERROR, NULL, "bus_address_not_usable", NUMBER("code", result));
    return result == 0;
}
