#include "doubles/double_call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>
#include <event2/event.h>

struct calls {
    struct event_base *base;
    CURLM *multi;
    struct event *timer;
};

static void *call_alloc(void *p)
{
    if (!p) {
        fputs("double: memory\n", stderr);
        exit(1);
    }
    return p;
}

struct call {
    CURL *easy;
    struct curl_slist *headers;
    char *body;
    FILE *answer; /* grows in memory */
    char *text;
    size_t size;
    void (*done)(void *arg, int status, const char *answer, size_t size);
    void *arg;
};

static void call_finish(struct calls *calls, struct call *call, CURLcode result)
{
    long status = 0;
    curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    fclose(call->answer);
    call->done(call->arg, result == CURLE_OK ? (int)status : 0, call->text, call->size);
    curl_multi_remove_handle(calls->multi, call->easy);
    curl_easy_cleanup(call->easy);
    curl_slist_free_all(call->headers);
    free(call->body);
    free(call->text);
    free(call);
}

static void calls_sweep(struct calls *calls)
{
    int left = 0;
    for (CURLMsg *m; (m = curl_multi_info_read(calls->multi, &left));) {
        if (m->msg == CURLMSG_DONE) {
            struct call *call = NULL;
            CURLcode result = m->data.result;
            curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&call);
            call_finish(calls, call, result);
        }
    }
}

static void call_ready(evutil_socket_t fd, short what, void *arg)
{
    struct calls *calls = arg;
    int flags = ((what & EV_READ) ? CURL_CSELECT_IN : 0) | ((what & EV_WRITE) ? CURL_CSELECT_OUT : 0), running;
    curl_multi_socket_action(calls->multi, (what & EV_TIMEOUT) ? CURL_SOCKET_TIMEOUT : fd, flags, &running);
    calls_sweep(calls);
}

static int call_socket_changed(CURL *easy, curl_socket_t fd, int what, void *arg, void *watch)
{
    struct calls *calls = arg;
    if (watch) {
        event_free(watch);
        watch = NULL;
    }
    if (what != CURL_POLL_REMOVE) {
        short wanted =
            (short)(EV_PERSIST | ((what & CURL_POLL_IN) ? EV_READ : 0) | ((what & CURL_POLL_OUT) ? EV_WRITE : 0));
        watch = call_alloc(event_new(calls->base, fd, wanted, call_ready, calls));
        event_add(watch, NULL);
    }
    curl_multi_assign(calls->multi, fd, watch);
    return 0;
}

static int call_timer_changed(CURLM *multi, long ms, void *arg)
{
    struct calls *calls = arg;
    struct timeval wait = {ms / 1000, (ms % 1000) * 1000};
    return ms < 0 ? evtimer_del(calls->timer) : evtimer_add(calls->timer, &wait);
}

struct calls *calls_new(struct event_base *base)
{
    struct calls *calls = call_alloc(calloc(1, sizeof *calls));
    curl_global_init(CURL_GLOBAL_DEFAULT);
    calls->base = base;
    calls->multi = call_alloc(curl_multi_init());
    calls->timer = call_alloc(evtimer_new(base, call_ready, calls));
    curl_multi_setopt(calls->multi, CURLMOPT_SOCKETFUNCTION, call_socket_changed);
    curl_multi_setopt(calls->multi, CURLMOPT_SOCKETDATA, calls);
    curl_multi_setopt(calls->multi, CURLMOPT_TIMERFUNCTION, call_timer_changed);
    curl_multi_setopt(calls->multi, CURLMOPT_TIMERDATA, calls);
    return calls;
}

void calls_free(struct calls *calls)
{
    event_free(calls->timer);
    curl_multi_cleanup(calls->multi);
    free(calls);
}

void calls_start(struct calls *calls, const struct double_call *call)
{
    struct call *c = call_alloc(calloc(1, sizeof *c));
    char type[128];
    c->done = call->done;
    c->arg = call->arg;
    c->easy = call_alloc(curl_easy_init());
    c->answer = call_alloc(open_memstream(&c->text, &c->size));
    c->body = call_alloc(malloc(call->body_size + 1));
    memcpy(c->body, call->body_size ? call->body : "", call->body_size);
    snprintf(type, sizeof type, "Content-Type: %s", call->media_type ? call->media_type : "application/json");
    c->headers = curl_slist_append(NULL, "Expect:");
    if (strcmp(call->method, "GET") != 0) { /* with an empty body too: a POST without a length waits for its end */
        c->headers = curl_slist_append(c->headers, type);
        curl_easy_setopt(c->easy, CURLOPT_POSTFIELDS, c->body);
        curl_easy_setopt(c->easy, CURLOPT_POSTFIELDSIZE, (long)call->body_size);
    }
    for (const char *const *h = call->headers; h && *h; h++) {
        c->headers = curl_slist_append(c->headers, *h);
    }
    curl_easy_setopt(c->easy, CURLOPT_CUSTOMREQUEST, call->method);
    curl_easy_setopt(c->easy, CURLOPT_URL, call->url);
    curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, c->headers);
    curl_easy_setopt(c->easy, CURLOPT_WRITEDATA, c->answer);
    curl_easy_setopt(c->easy, CURLOPT_PRIVATE, (char *)c);
    curl_easy_setopt(c->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c->easy, CURLOPT_TIMEOUT_MS, (long)(call->timeout_ms ? call->timeout_ms : 10000));
    curl_easy_setopt(c->easy, CURLOPT_CAINFO, call->ca_file);
    curl_easy_setopt(c->easy, CURLOPT_SSLCERT, call->certificate_file);
    curl_easy_setopt(c->easy, CURLOPT_SSLKEY, call->key_file);
    curl_multi_add_handle(calls->multi, c->easy);
}
