/* fault_proxy.h -- stands between a client and an HTTP server and spoils chosen exchanges: instead of the server's answer,
 * behind the server's back after it has answered, or in the middle of the answer. Each connection is served by a thread of its
 * own. Several proxies may run at once; arm() and the counters are for the thread that uses the client. */
#ifndef SP_TEST_FAULT_PROXY_H
#define SP_TEST_FAULT_PROXY_H

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum fault_when { FAULT_BEFORE, FAULT_AFTER, FAULT_MIDDLE }; /* of the server's own work and answer */
enum fault_frame { FRAME_LENGTH, FRAME_CHUNKED, FRAME_OPEN };
enum fault_end { END_KEEP, END_CLOSE, END_RESET, END_HANG };
struct fault {
    const char *name;
    enum fault_when when;
    const char *
        says; /* BEFORE, AFTER: the answer instead of the server's; %s = an HTTP date two seconds ahead; "" = none */
    enum fault_end end;
    enum fault_frame
        frame; /* MIDDLE: half of the body in this frame; of an answer without body half of the head */
};

struct proxy {
    int fd;
    uint16_t port, server;
    pthread_t listener;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t serving, busy; /* connections; exchanges that are not over */
    const struct fault *fault;
    unsigned first, seen, fired; /* the fault strikes the first-th request from now on, or all from there */
    bool always;
};

struct message {
    char *p;
    size_t n, head; /* in all; up to behind the blank line */
    bool chunked, bodiless;
    long length; /* -1 = not said */
};

static bool message_grow(struct message *m, int fd)
{
    char piece[16384];
    ssize_t got = recv(fd, piece, sizeof piece, 0);
    if (got <= 0)
        return false;
    char *p = realloc(m->p, m->n + (size_t)got + 1);
    if (p == NULL)
        abort();
    memcpy(p + m->n, piece, (size_t)got);
    m->p = p;
    m->n += (size_t)got;
    p[m->n] = '\0';
    return true;
}

static bool message_head(struct message *m, int fd)
{
    const char *end, *v;
    while (m->p == NULL || (end = strstr(m->p, "\r\n\r\n")) == NULL)
        if (!message_grow(m, fd))
            return false;
    m->head = (size_t)(end + 4 - m->p);
    m->chunked = (v = strcasestr(m->p, "\r\ntransfer-encoding: chunked")) != NULL && v < end;
    v = strcasestr(m->p, "\r\ncontent-length:");
    m->length = v != NULL && v < end ? strtol(v + 17, NULL, 10) : -1;
    return true;
}

/* The whole message; a chunked body has its chunks joined. */
static bool message_body(struct message *m, int fd)
{
    if (m->bodiless || (!m->chunked && m->length < 0))
        return true;
    if (!m->chunked) {
        while (m->n < m->head + (size_t)m->length)
            if (!message_grow(m, fd))
                return false;
        return true;
    }
    size_t to = m->head;
    for (size_t at = m->head;;) {
        char *line;
        while ((line = strstr(m->p + at, "\r\n")) == NULL)
            if (!message_grow(m, fd))
                return false;
        size_t size = strtoul(m->p + at, NULL, 16), from = (size_t)(line + 2 - m->p);
        while (m->n < from + size + 2)
            if (!message_grow(m, fd))
                return false;
        memmove(m->p + to, m->p + from, size);
        to += size;
        at = from + size + 2;
        if (size == 0)
            break;
    }
    m->n = to;
    return true;
}

static bool send_all(int fd, const char *p, size_t n)
{
    for (ssize_t sent; n > 0; p += sent, n -= (size_t)sent)
        if ((sent = send(fd, p, n, MSG_NOSIGNAL)) <= 0)
            return false;
    return true;
}

static bool send_text(int fd, const char *text)
{
    return send_all(fd, text, strlen(text));
}

/* The head without what says how long the body is, and a new word for that. */
static void send_head(int fd, const struct message *m, const char *frame)
{
    for (const char *p = m->p, *end = m->p + m->head - 2; p < end;) {
        const char *next = strstr(p, "\r\n") + 2;
        if (strncasecmp(p, "content-length:", 15) != 0 && strncasecmp(p, "transfer-encoding:", 18) != 0 &&
            strncasecmp(p, "connection:", 11) != 0)
            (void)send_all(fd, p, (size_t)(next - p));
        p = next;
    }
    (void)send_text(fd, frame);
    (void)send_text(fd, "\r\n");
}

static void send_half(int fd, const struct message *m, enum fault_frame frame)
{
    char text[64];
    size_t body = m->n - m->head, half = body / 2;
    if (m->bodiless || body == 0) {
        (void)send_all(fd, m->p, m->head / 2);
        return;
    }
    (void)snprintf(text, sizeof text, "Content-Length: %zu\r\n", body);
    send_head(fd, m,
        frame == FRAME_LENGTH    ? text
        : frame == FRAME_CHUNKED ? "Transfer-Encoding: chunked\r\n"
                                 : "Connection: close\r\n");
    (void)snprintf(text, sizeof text, "%zx\r\n", half);
    if (frame == FRAME_CHUNKED && half > 0)
        (void)send_text(fd, text);
    (void)send_all(fd, m->p + m->head, half);
    if (frame == FRAME_CHUNKED && half > 0)
        (void)send_text(fd, "\r\n");
}

static void send_whole(int fd, const struct message *m)
{
    char text[64];
    (void)snprintf(text, sizeof text, "Content-Length: %zu\r\n", m->n - m->head);
    if (m->bodiless)
        (void)send_all(fd, m->p, m->head);
    else {
        send_head(fd, m, text);
        (void)send_all(fd, m->p + m->head, m->n - m->head);
    }
}

static void send_said(int fd, const char *says, bool head_only)
{
    char text[1024], date[64];
    time_t at = time(NULL) + 2;
    struct tm tm;
    (void)strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&at, &tm));
    const char *hole = strstr(says, "%s");
    if (hole != NULL)
        (void)snprintf(text, sizeof text, "%.*s%s%s", (int)(hole - says), says, date, hole + 2);
    else
        (void)snprintf(text, sizeof text, "%s", says);
    char *end = strstr(text, "\r\n\r\n");
    if (head_only && end != NULL)
        end[4] = '\0';
    (void)send_text(fd, text);
}

static const struct fault *proxy_request(struct proxy *x)
{
    pthread_mutex_lock(&x->lock);
    const struct fault *f = x->fault;
    x->seen++;
    x->busy++;
    if (f != NULL && (x->seen < x->first || (x->seen > x->first && !x->always)))
        f = NULL;
    x->fired += f != NULL;
    pthread_mutex_unlock(&x->lock);
    return f;
}

static void proxy_over(struct proxy *x)
{
    pthread_mutex_lock(&x->lock);
    x->busy--;
    pthread_cond_broadcast(&x->changed);
    pthread_mutex_unlock(&x->lock);
}

/* Its answer, on a connection of its own: one that broke has nothing to do with the next request. */
static bool ask_server(struct proxy *x, const struct message *q, struct message *a)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(x->server) };
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    bool ok = connect(fd, (const struct sockaddr *)&at, sizeof at) == 0;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ok = ok && send_all(fd, q->p, q->n) && message_head(a, fd);
    a->bodiless = ok && (strncmp(q->p, "HEAD ", 5) == 0 || strstr(a->p, " 204 ") == a->p + 8);
    ok = ok && message_body(a, fd);
    close(fd);
    return ok;
}

/* One exchange. false = the connection ends. One that the proxy ends is closed before the exchange is over: a client that
 * finds it open afterwards would send the next request into it. */
static bool exchange(struct proxy *x, int *at)
{
    int fd = *at;
    struct message q = { .p = NULL }, a = { .p = NULL };
    bool more = message_head(&q, fd) && message_body(&q, fd);
    if (!more) {
        free(q.p);
        return false;
    }
    const struct fault *f = proxy_request(x);
    if ((f == NULL || f->when != FAULT_BEFORE) && !ask_server(x, &q, &a))
        more = false;
    else if (f == NULL)
        send_whole(fd, &a);
    else if (f->when == FAULT_MIDDLE)
        send_half(fd, &a, f->frame);
    else
        send_said(fd, f->says, strncmp(q.p, "HEAD ", 5) == 0);
    free(q.p);
    free(a.p);
    bool hangs = f != NULL && f->end == END_HANG;
    more = more && (f == NULL || f->end == END_KEEP);
    if (f != NULL && f->end == END_RESET)
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger));
    if (!more && !hangs) {
        close(fd);
        *at = -1;
    }
    proxy_over(x);
    if (hangs)
        (void)poll(&(struct pollfd){ .fd = fd, .events = POLLRDHUP }, 1, 20000);
    return more;
}

struct proxy_peer {
    struct proxy *x;
    int fd;
};

static void *proxy_serve(void *arg)
{
    struct proxy_peer peer = *(struct proxy_peer *)arg;
    int on = 1;
    free(arg);
    (void)setsockopt(peer.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    while (exchange(peer.x, &peer.fd)) {
    }
    if (peer.fd >= 0)
        close(peer.fd);
    pthread_mutex_lock(&peer.x->lock);
    peer.x->serving--;
    pthread_cond_broadcast(&peer.x->changed);
    pthread_mutex_unlock(&peer.x->lock);
    return NULL;
}

static void *proxy_accept(void *arg)
{
    struct proxy *x = arg;
    for (int fd; (fd = accept(x->fd, NULL, NULL)) >= 0;) {
        struct proxy_peer *peer = malloc(sizeof *peer);
        pthread_t t;
        if (peer == NULL)
            abort();
        *peer = (struct proxy_peer){ x, fd };
        pthread_mutex_lock(&x->lock);
        x->serving++;
        pthread_mutex_unlock(&x->lock);
        if (pthread_create(&t, NULL, proxy_serve, peer) != 0 || pthread_detach(t) != 0)
            abort();
    }
    return NULL;
}

static void proxy_start(struct proxy *x, uint16_t server)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof a;
    *x = (struct proxy){ .fd = socket(AF_INET, SOCK_STREAM, 0), .server = server };
    if (pthread_mutex_init(&x->lock, NULL) != 0 || pthread_cond_init(&x->changed, NULL) != 0 ||
        bind(x->fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(x->fd, 16) != 0 ||
        getsockname(x->fd, (struct sockaddr *)&a, &n) != 0)
        abort();
    x->port = ntohs(a.sin_port);
    if (pthread_create(&x->listener, NULL, proxy_accept, x) != 0)
        abort();
}

/* NULL = nothing is spoiled from now on. */
static void proxy_arm(struct proxy *x, const struct fault *f, unsigned first, bool always)
{
    pthread_mutex_lock(&x->lock);
    x->fault = f;
    x->first = first;
    x->always = always;
    x->seen = x->fired = 0;
    pthread_mutex_unlock(&x->lock);
}

/* Waits until the server has nothing more to do for anybody; how often the fault struck. */
static unsigned proxy_settle(struct proxy *x)
{
    pthread_mutex_lock(&x->lock);
    while (x->busy > 0)
        pthread_cond_wait(&x->changed, &x->lock);
    unsigned fired = x->fired;
    x->fault = NULL;
    pthread_mutex_unlock(&x->lock);
    return fired;
}

/* The clients must have closed their connections. */
static void proxy_stop(struct proxy *x)
{
    (void)shutdown(x->fd, SHUT_RDWR);
    pthread_join(x->listener, NULL);
    close(x->fd);
    pthread_mutex_lock(&x->lock);
    while (x->serving > 0)
        pthread_cond_wait(&x->changed, &x->lock);
    pthread_mutex_unlock(&x->lock);
    pthread_cond_destroy(&x->changed);
    pthread_mutex_destroy(&x->lock);
}

#endif
