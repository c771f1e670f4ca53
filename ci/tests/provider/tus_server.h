/* tus_server.h -- a server for tests that takes one upload by TUS 1.0 as Supabase Storage does, and shows one object: what the last
 * upload that was completed became. Whatever the real service does is not shown by it. Single requests are spoilt on demand. Each
 * connection has a thread of its own; the state is looked at by the test while nothing is asked. */
#ifndef SP_TEST_TUS_SERVER_H
#define SP_TEST_TUS_SERVER_H

#include <arpa/inet.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "providers/lib/sign/jwt.h"

enum spoil {
    FINE,
    CUT,        /* half of what is sent is taken, then the connection is reset */
    CUT_BEFORE, /* reset before anything was taken */
    SWALLOW,    /* done, but the answer is lost */
    TAKE_HALF,  /* half of it is taken, and that is what is said */
    TAKE_NONE,  /* nothing is taken, and success is said */
    PAGE,       /* a page instead of the service, which sees nothing */
    GATEWAY,    /* done, but a gateway answers 502 */
    STRANGER,   /* somebody else was faster: 409 */
    LOCKED,     /* 423 */
    GONE,       /* 410: expired */
    LARGE,      /* 413 */
    FAILS,      /* 500 */
};

static struct {
    int fd;
    uint16_t port;
    pthread_t listener;
    pthread_mutex_t lock;
    pthread_cond_t served;
    size_t serving;
    bool is, ended; /* an upload; its length was told */
    unsigned char *p;
    size_t n;
    unsigned version, object_version;
    unsigned char *object;
    size_t nobject;
    char meta[1024], object_meta[1024];
    const char *on; /* the method that is spoilt, for so many times */
    enum spoil spoil;
    unsigned times, patches;
    bool no_deferral;
} tus = { .fd = -1, .lock = PTHREAD_MUTEX_INITIALIZER, .served = PTHREAD_COND_INITIALIZER };

struct ask {
    char head[16384], method[16], target[2048];
    size_t n, head_n; /* bytes read, of which the head */
    size_t length;    /* of the body */
};

static const char *ask_header(const struct ask *a, const char *name)
{
    static _Thread_local char value[4096];
    size_t n = strlen(name);
    for (const char *p = strstr(a->head, "\r\n"); p != NULL && p[2] != '\r'; p = strstr(p + 2, "\r\n"))
        if (strncasecmp(p + 2, name, n) == 0 && p[2 + n] == ':') {
            (void)snprintf(value, sizeof value, "%.*s", (int)strcspn(p + 3 + n, "\r"), p + 3 + n);
            return value + strspn(value, " ");
        }
    return NULL;
}

static bool ask_read(struct ask *a, int fd)
{
    char *end;
    *a = (struct ask){ .n = 0 };
    while ((end = strstr(a->head, "\r\n\r\n")) == NULL) {
        ssize_t got =
            a->n + 1 < sizeof a->head ? recv(fd, a->head + a->n, 1, 0) : 0; /* no byte of the body */
        if (got <= 0)
            return false;
        a->n += (size_t)got;
    }
    a->head_n = a->n;
    const char *length = ask_header(a, "Content-Length");
    a->length = length == NULL ? 0 : strtoul(length, NULL, 10);
    return sscanf(a->head, "%15s %2047s", a->method, a->target) == 2;
}

/* So many bytes of the body, behind what is there. */
static bool take(int fd, size_t n)
{
    unsigned char *p = realloc(tus.p, tus.n + n + 1);
    if (p == NULL)
        abort();
    tus.p = p;
    while (n > 0) {
        ssize_t got = recv(fd, tus.p + tus.n, n, 0);
        if (got <= 0)
            return false;
        tus.n += (size_t)got;
        n -= (size_t)got;
    }
    return true;
}

static bool skip_body(int fd, size_t n)
{
    char piece[16384];
    while (n > 0) {
        ssize_t got = recv(fd, piece, n < sizeof piece ? n : sizeof piece, 0);
        if (got <= 0)
            return false;
        n -= (size_t)got;
    }
    return true;
}

static void say(int fd, int status, const char *headers, const void *body, size_t n, bool head)
{
    char text[4096];
    int k = snprintf(text, sizeof text,
        "HTTP/1.1 %d X\r\nTus-Resumable: 1.0.0\r\n%sContent-Length: %zu\r\n\r\n", status, headers, n);
    (void)!send(fd, text, (size_t)k, MSG_NOSIGNAL);
    if (!head && n != 0)
        (void)!send(fd, body, n, MSG_NOSIGNAL);
}

static void say_text(int fd, int status, const char *body)
{
    say(fd, status, "Content-Type: text/plain\r\n", body, strlen(body), false);
}

static void reset(int fd)
{
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger));
}

static void become_object(void)
{
    free(tus.object);
    tus.object = tus.p;
    tus.nobject = tus.n;
    tus.object_version = tus.version;
    memcpy(tus.object_meta, tus.meta, sizeof tus.meta);
    tus.p = NULL;
}

/* The upload's place in a URL. */
static void segment(char out[128])
{
    struct sp_buf b = SP_BUF_INIT;
    char text[64];
    int n = snprintf(text, sizeof text, "b/dir/k.bin/version-%u", tus.version);
    if (sp_base64url(&b, text, (size_t)n) != 0 || b.n >= 128)
        abort();
    memcpy(out, b.p, b.n);
    out[b.n] = '\0';
    sp_buf_free(&b);
}

/* true: keep the connection. */
static bool on_patch(int fd, const struct ask *a, enum spoil s)
{
    const char *offset = ask_header(a, "Upload-Offset");
    size_t at = offset == NULL ? SIZE_MAX : strtoul(offset, NULL, 10), n = a->length;
    bool length = ask_header(a, "Upload-Length") != NULL, known = tus.ended;
    char said[64];
    tus.patches++;
    if (s == STRANGER && tus.n == at)
        (void)(tus.p = realloc(tus.p, tus.n + 2), tus.p[tus.n++] = 'x');
    if (s == CUT_BEFORE || s == CUT) {
        (void)(s == CUT && at == tus.n && take(fd, n / 2));
        reset(fd);
        return false;
    }
    if (s == LOCKED || s == LARGE || s == FAILS || s == PAGE || at != tus.n || (length && known)) {
        (void)skip_body(fd, n);
        if (s == PAGE)
            say_text(fd, 200, "<html>maintenance</html>");
        else
            say_text(fd,
                s == LOCKED   ? 423
                : s == LARGE  ? 413
                : s == FAILS  ? 500
                : at != tus.n ? 409
                              : 400,
                "Upload-Offset conflict");
        return true;
    }
    size_t want = s == TAKE_HALF ? n / 2 : s == TAKE_NONE ? 0 : n;
    if (!take(fd, want) || !skip_body(fd, n - want))
        return false;
    if (length)
        tus.ended = true;
    (void)snprintf(said, sizeof said, "Upload-Offset: %zu\r\n", tus.n);
    if (length)
        become_object();
    if (s == SWALLOW)
        reset(fd);
    else if (s == GATEWAY)
        say_text(fd, 502, "<html>Bad gateway</html>");
    else
        say(fd, 204, said, "", 0, true);
    return s != SWALLOW;
}

static bool on_upload(int fd, const struct ask *a, enum spoil s)
{
    char place[128], headers[2048];
    segment(place);
    bool post = strcmp(a->method, "POST") == 0;
    if (strcmp(a->method, "OPTIONS") == 0) {
        say(fd, 204,
            tus.no_deferral ? "Tus-Extension: creation,termination\r\n"
                            : "Tus-Extension: creation,creation-defer-length,termination\r\n",
            "", 0, true);
        return true;
    }
    if (!post && (!tus.is || strcmp(strrchr(a->target, '/') + 1, place) != 0 || s == GONE)) {
        (void)skip_body(fd, a->length);
        say(fd, s == GONE ? 410 : 404, "", "gone", 4, strcmp(a->method, "HEAD") == 0);
        return true;
    }
    if (post) {
        const char *meta = ask_header(a, "Upload-Metadata");
        (void)snprintf(tus.meta, sizeof tus.meta, "%s", meta == NULL ? "" : meta);
        free(tus.p);
        tus.p = NULL;
        tus.n = 0;
        tus.is = true;
        tus.ended = false;
        tus.version++;
        segment(place);
        (void)snprintf(
            headers, sizeof headers, "Location: https://elsewhere/storage/v1/upload/resumable/%s\r\n", place);
        say(fd, s == PAGE ? 200 : 201, s == PAGE ? "" : headers, "", 0, false);
        return true;
    }
    if (strcmp(a->method, "PATCH") == 0)
        return on_patch(fd, a, s);
    if (strcmp(a->method, "DELETE") == 0) {
        if (s == CUT_BEFORE) {
            reset(fd);
            return false;
        }
        tus.is = false;
        if (s == SWALLOW)
            reset(fd);
        else
            say(fd, 204, "", "", 0, true);
        return s != SWALLOW;
    }
    (void)snprintf(headers, sizeof headers, "Upload-Offset: %zu\r\nUpload-Metadata: %s\r\n%s", tus.n,
        tus.meta, tus.ended ? "Upload-Length: 1\r\n" : "Upload-Defer-Length: 1\r\n");
    say(fd, 200, headers, "", 0, true);
    return true;
}

static bool on_request(int fd, const struct ask *a)
{
    static const char uploads[] = "/upload/resumable", info[] = "/object/info/b/dir/k.bin";
    char text[512];
    enum spoil s = FINE;
    if (tus.times > 0 && strcmp(tus.on, a->method) == 0) {
        s = tus.spoil;
        tus.times--;
    }
    if (strncmp(a->target, uploads, strlen(uploads)) == 0)
        return on_upload(fd, a, s);
    (void)skip_body(fd, a->length);
    if (strcmp(a->target, "/version") == 0)
        say_text(fd, 200, "1.74.0");
    else if (strncmp(a->target, "/bucket?", 8) == 0)
        say(fd, 200, "Content-Type: application/json\r\n", "[]", 2, false);
    else if (strcmp(a->target, info) == 0 && tus.object != NULL) {
        int n = snprintf(text, sizeof text,
            "{\"version\":\"version-%u\",\"size\":%zu,\"content_type\":\"text/"
            "plain\",\"etag\":\"\\\"e\\\"\",\"metadata\":{},"
            "\"last_modified\":\"2026-08-21T15:51:13.123Z\"}",
            tus.object_version, tus.nobject);
        say(fd, 200, "Content-Type: application/json\r\n", text, (size_t)n, false);
    } else
        say(fd, 400, "Content-Type: application/json\r\n",
            "{\"statusCode\":\"404\",\"error\":\"not_found\",\"message\":\"Object not found\"}", 69, false);
    return true;
}

static void *tus_serve(void *arg)
{
    int fd = (int)(intptr_t)arg;
    struct ask *a = malloc(sizeof *a);
    if (a == NULL)
        abort();
    for (bool keep = true; keep && ask_read(a, fd);) {
        pthread_mutex_lock(&tus.lock);
        keep = on_request(fd, a);
        pthread_mutex_unlock(&tus.lock);
    }
    free(a);
    close(fd);
    pthread_mutex_lock(&tus.lock);
    tus.serving--;
    pthread_cond_signal(&tus.served);
    pthread_mutex_unlock(&tus.lock);
    return NULL;
}

static void *tus_accept(void *arg)
{
    for (int fd; (fd = accept((int)(intptr_t)arg, NULL, NULL)) >= 0;) {
        pthread_t t;
        pthread_mutex_lock(&tus.lock);
        tus.serving++;
        pthread_mutex_unlock(&tus.lock);
        if (pthread_create(&t, NULL, tus_serve, (void *)(intptr_t)fd) != 0 || pthread_detach(t) != 0)
            abort();
    }
    return NULL;
}

static void tus_start(void)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof a;
    tus.fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(tus.fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(tus.fd, 16) != 0 ||
        getsockname(tus.fd, (struct sockaddr *)&a, &n) != 0)
        abort();
    tus.port = ntohs(a.sin_port);
    if (pthread_create(&tus.listener, NULL, tus_accept, (void *)(intptr_t)tus.fd) != 0)
        abort();
}

/* The clients must have closed their connections. */
static void tus_stop(void)
{
    (void)shutdown(tus.fd, SHUT_RDWR);
    pthread_join(tus.listener, NULL);
    close(tus.fd);
    pthread_mutex_lock(&tus.lock);
    while (tus.serving > 0)
        pthread_cond_wait(&tus.served, &tus.lock);
    pthread_mutex_unlock(&tus.lock);
    free(tus.p);
    free(tus.object);
}

#endif
