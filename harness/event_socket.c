/* event_socket.c -- a worker's end: each event is one frame, u32 little-endian length and a JSON object. */
#include "event.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct socket_emitter {
    struct sp_emitter base;
    int fd;
    bool broken; /* a frame may have been cut: nothing may follow it */
};

static int send_all(int fd, const char *p, size_t n, struct sp_error *err)
{
    while (n != 0) {
        ssize_t k = send(fd, p, n, MSG_NOSIGNAL);
        if (k < 0) {
            if (errno == EINTR) {
                continue;
            }
            return sp_fail(
                err, SP_E_IO, SP_ORIGIN_HARNESS, "cannot send an event to the parent: %s", strerror(errno));
        }
        p += k;
        n -= (size_t)k;
    }
    return 0;
}

static int socket_send(
    struct sp_emitter *em, enum sp_event_kind kind, const char *json, size_t n, struct sp_error *err)
{
    struct socket_emitter *s = (struct socket_emitter *)em;
    if (s->broken) {
        return sp_fail(err, SP_E_IO, SP_ORIGIN_HARNESS, "the connection to the parent is broken");
    }
    struct sp_buf b = SP_BUF_INIT;
    (void)sp_buf_put(&b, "\0\0\0\0", 4);
    (void)sp_buf_printf(&b, "{\"ev\":\"%s\"%s", sp_event_name(kind), n != 0 ? "," : "");
    (void)sp_buf_put(&b, json, n);
    (void)sp_buf_putc(&b, '}');
    int rc;
    if (b.oom) {
        rc = sp_nomem(err);
    } else if (b.n - 4 > SP_EVENT_FRAME_MAX) {
        rc =
            sp_fail(err, SP_E_TOO_LARGE, SP_ORIGIN_HARNESS, "a %s event of %zu bytes is over the limit of %u",
                sp_event_name(kind), b.n - 4, SP_EVENT_FRAME_MAX);
    } else {
        uint32_t len = (uint32_t)(b.n - 4);
        for (unsigned i = 0; i < 4; i++) {
            b.p[i] = (char)(unsigned char)(len >> (8 * i) & 0xff);
        }
        rc = send_all(s->fd, b.p, b.n, err);
        s->broken = rc != 0;
    }
    sp_buf_free(&b);
    return rc;
}

struct sp_emitter *sp_event_socket_emitter(int fd, struct sp_error *err)
{
    struct socket_emitter *s = calloc(1, sizeof *s);
    if (s == NULL) {
        (void)sp_nomem(err);
        return NULL;
    }
    s->base.send = socket_send;
    s->fd = fd;
    return &s->base;
}

void sp_event_socket_free(struct sp_emitter *em)
{
    free(em); /* the descriptor stays the caller's */
}
