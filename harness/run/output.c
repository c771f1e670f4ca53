/* output.c -- what workers print: read from the pipes, capped, attributed to cases, emitted as output events. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "run/supervise.h"

static void tell(struct sp_ledger *l, struct sp_worker *w, int k)
{
    struct sp_stream *st = &w->streams[k];
    if (st->text.n != 0 || st->dropped != 0) {
        struct sp_event ev;
        sp_event_begin(&ev, SP_EV_OUTPUT);
        sp_event_text(&ev, SP_FLD_provider, w->provider);
        sp_event_text(&ev, SP_FLD_suite, w->lane != NULL ? w->lane->suite->name : NULL);
        sp_event_text(&ev, SP_FLD_id, st->id[0] != '\0' ? st->id : NULL);
        sp_event_text(&ev, SP_FLD_stream, k == 0 ? "stdout" : "stderr");
        if (st->dropped != 0)
            (void)sp_buf_printf(&st->text, "\n... (%llu more bytes)", (unsigned long long)st->dropped);
        sp_event_textn(&ev, SP_FLD_text, st->text.p, st->text.n);
        sp_ledger_send(l, &ev);
    }
    sp_buf_clear(&st->text);
    st->dropped = 0;
}

static void keep(struct sp_stream *st, const char *p, size_t n)
{
    size_t room = st->text.n < SP_OUTPUT_MAX ? SP_OUTPUT_MAX - st->text.n : 0;
    size_t take = n < room ? n : room;
    (void)sp_buf_put(&st->text, p, take);
    st->dropped += n - take;
}

/* One byte inside a mark. What turns out to be no mark is text. */
static void mark_byte(struct sp_ledger *l, struct sp_worker *w, int k, char c)
{
    static const char mark = SP_MARK;
    struct sp_stream *st = &w->streams[k];
    if (c == SP_MARK) {
        st->mark[st->nmark] = '\0';
        if (w->lane != NULL && sp_lane_case(w->lane, st->mark) != NULL) {
            tell(l, w, k);
            (void)sp_strlcpy(st->id, st->mark, sizeof st->id);
            st->in_mark = false;
            return;
        }
    } else if (c != '\n' && st->nmark + 1 < sizeof st->mark) {
        st->mark[st->nmark++] = c;
        return;
    }
    keep(st, &mark, 1);
    keep(st, st->mark, st->nmark);
    st->nmark = 0;
    st->in_mark = c == SP_MARK; /* perhaps the first byte of a true one */
    if (c != SP_MARK)
        keep(st, &c, 1);
}

static void take(struct sp_ledger *l, struct sp_worker *w, int k, const char *p, size_t n)
{
    struct sp_stream *st = &w->streams[k];
    while (n > 0) {
        if (st->in_mark) {
            mark_byte(l, w, k, *p++);
            n--;
            continue;
        }
        const char *at = memchr(p, SP_MARK, n);
        size_t plain = at != NULL ? (size_t)(at - p) : n;
        keep(st, p, plain);
        p += plain;
        n -= plain;
        if (at != NULL) {
            st->in_mark = true;
            st->nmark = 0;
            p++;
            n--;
        }
    }
}

/* Bounded, so that a worker which prints without end cannot hold the parent; a pipe holds less than this. */
static void drain(struct sp_ledger *l, struct sp_worker *w, int k, int *fd)
{
    char chunk[16384];
    for (int i = 0; i < 16 && *fd >= 0; i++) {
        ssize_t n = read(*fd, chunk, sizeof chunk);
        if (n > 0) {
            take(l, w, k, chunk, (size_t)n);
        } else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
            (void)close(*fd);
            *fd = -1;
        } else if (errno == EAGAIN) {
            return;
        }
    }
}

void sp_output_drain(struct sp_ledger *l, struct sp_worker *w)
{
    drain(l, w, 0, &w->child.out);
    drain(l, w, 1, &w->child.err);
}

void sp_output_flush(struct sp_ledger *l, struct sp_worker *w, const char *id)
{
    for (int k = 0; k < 2; k++) {
        if (id == NULL || strcmp(w->streams[k].id, id) == 0)
            tell(l, w, k);
    }
}

void sp_output_free(struct sp_worker *w)
{
    sp_buf_free(&w->streams[0].text);
    sp_buf_free(&w->streams[1].text);
}
