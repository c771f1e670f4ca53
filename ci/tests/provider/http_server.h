/* http_server.h -- a server for tests that answers as it is told: each request takes the next answer of a script, or what a
 * function of the test makes of it. Connections are served by threads of their own; with a TLS context they speak TLS. */
#ifndef SP_TEST_HTTP_SERVER_H
#define SP_TEST_HTTP_SERVER_H

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum then { KEEP, CLOSE, RESET, HANG };
struct answer {
    const char *bytes; /* sent as they are; "" = nothing */
    enum then then;
    int delay_ms; /* before the bytes */
};

static struct {
    int fd;
    uint16_t port;
    struct answer script[32]; /* a copy: threads look at it after the test that gave it has ended */
    size_t n;
    atomic_size_t next;                  /* requests so far */
    char requests[32][4096];             /* head and body of each */
    char *(*reply)(const char *request); /* instead of the script, one at a time; the answer is freed */
    SSL_CTX *tls;
    pthread_t listener;
    size_t serving; /* threads that still work for a connection */
    pthread_mutex_t lock;
    pthread_cond_t served;
} srv = { .fd = -1, .lock = PTHREAD_MUTEX_INITIALIZER, .served = PTHREAD_COND_INITIALIZER };

struct peer {
    int fd;
    SSL *tls;
};

static ssize_t peer_read(struct peer *p, char *b, size_t n)
{
    return p->tls != NULL ? SSL_read(p->tls, b, (int)n) : recv(p->fd, b, n, 0);
}

static void peer_write(struct peer *p, const char *b)
{
    if (p->tls != NULL)
        (void)SSL_write(p->tls, b, (int)strlen(b));
    else
        (void)!send(p->fd, b, strlen(b), MSG_NOSIGNAL);
}

static bool read_request(struct peer *p, char *out, size_t cap)
{
    size_t n = 0;
    out[0] = '\0';
    for (;;) {
        char *end = strstr(out, "\r\n\r\n"), *length = strcasestr(out, "\r\ncontent-length:");
        bool chunked = strcasestr(out, "\r\ntransfer-encoding: chunked") != NULL;
        if (end != NULL && !chunked &&
            n >= (size_t)(end + 4 - out) +
                     (length != NULL && length < end ? strtoul(length + 17, NULL, 10) : 0))
            return true;
        if (end != NULL && chunked && strstr(end, "\r\n0\r\n\r\n") != NULL)
            return true;
        ssize_t got = n + 1 < cap ? peer_read(p, out + n, cap - 1 - n) : 0;
        if (got <= 0)
            return false;
        n += (size_t)got;
        out[n] = '\0';
    }
}

static void *serve(void *arg)
{
    struct peer p = { (int)(intptr_t)arg, NULL };
    static _Thread_local char text[4096];
    if (srv.tls != NULL) {
        p.tls = SSL_new(srv.tls);
        SSL_set_fd(p.tls, p.fd);
        if (SSL_accept(p.tls) != 1)
            goto out;
    }
    while (read_request(&p, text, sizeof text)) {
        pthread_mutex_lock(&srv.lock);
        if (srv.reply != NULL) {
            char *made = srv.reply(text);
            pthread_mutex_unlock(&srv.lock);
            if (made == NULL)
                break;
            peer_write(&p, made);
            free(made);
            continue;
        }
        size_t i = srv.next++;
        bool more = i < srv.n;
        struct answer a = more ? srv.script[i] : (struct answer){ .bytes = "", .then = CLOSE };
        if (i < 32)
            memcpy(srv.requests[i], text, sizeof text);
        pthread_mutex_unlock(&srv.lock);
        if (!more)
            break;
        if (a.delay_ms > 0)
            (void)usleep((useconds_t)a.delay_ms * 1000);
        peer_write(&p, a.bytes);
        if (a.then == HANG)
            (void)poll(&(struct pollfd){ .fd = p.fd, .events = POLLRDHUP }, 1, 30000);
        if (a.then == RESET)
            setsockopt(p.fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger));
        if (a.then != KEEP)
            break;
    }
out:
    SSL_free(p.tls);
    close(p.fd);
    pthread_mutex_lock(&srv.lock);
    srv.serving--;
    pthread_cond_signal(&srv.served);
    pthread_mutex_unlock(&srv.lock);
    return NULL;
}

static void *accept_all(void *arg)
{
    for (int fd; (fd = accept((int)(intptr_t)arg, NULL, NULL)) >= 0;) {
        pthread_t t;
        pthread_mutex_lock(&srv.lock);
        srv.serving++;
        pthread_mutex_unlock(&srv.lock);
        if (pthread_create(&t, NULL, serve, (void *)(intptr_t)fd) != 0 || pthread_detach(t) != 0)
            abort();
    }
    return NULL;
}

static void server_start(void)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof a;
    srv.fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(srv.fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(srv.fd, 16) != 0 ||
        getsockname(srv.fd, (struct sockaddr *)&a, &n) != 0)
        abort();
    srv.port = ntohs(a.sin_port);
    if (pthread_create(&srv.listener, NULL, accept_all, (void *)(intptr_t)srv.fd) != 0)
        abort();
}

/* Ends the listener and waits for every thread: one that still spoke TLS while the process ended would crash in a library
 * that has been cleaned up. The clients must have closed their connections. */
static void server_stop(void)
{
    (void)shutdown(srv.fd, SHUT_RDWR);
    pthread_join(srv.listener, NULL);
    close(srv.fd);
    pthread_mutex_lock(&srv.lock);
    while (srv.serving > 0)
        pthread_cond_wait(&srv.served, &srv.lock);
    pthread_mutex_unlock(&srv.lock);
    SSL_CTX_free(srv.tls);
}

__attribute__((unused)) static void server_script(const struct answer *script, size_t n)
{
    if (n > sizeof srv.script / sizeof *srv.script)
        abort();
    pthread_mutex_lock(&srv.lock);
    memcpy(srv.script, script, n * sizeof *script);
    srv.n = n;
    srv.next = 0;
    memset(srv.requests, 0, sizeof srv.requests);
    pthread_mutex_unlock(&srv.lock);
}

#endif
