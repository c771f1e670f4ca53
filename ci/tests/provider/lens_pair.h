/* lens_pair.h -- two SQLite files seen through a mapping that a test puts together by hand. */
#ifndef LENS_PAIR_H
#define LENS_PAIR_H

#include "ci/tests/provider/sqlite_pair.h"
#include "map/lens.h"

/* A column that stands at `s` on the source and at `t` on the target. */
#define COL(n, s, t)                                                                                         \
    {                                                                                                        \
        .name = (n), .place = {(s), (t) }                                                                    \
    }
#define COLUMNS(...)                                                                                         \
    .columns = (const struct sp_map_column[]){ __VA_ARGS__ },                                                \
    .ncolumns = sizeof((const struct sp_map_column[]){ __VA_ARGS__ }) / sizeof(struct sp_map_column),        \
    .columns_by_name = true
#define MAPPING(v)                                                                                           \
    {                                                                                                        \
        .relations = (v), .nrelations = SP_LEN(v)                                                            \
    }

static inline enum sp_verify_verdict lens_compare(struct pair *p, const struct sp_mapping *m)
{
    struct opened a, b;
    struct sp_session *la = NULL, *lb = NULL;
    struct lines l = { { keep_line }, &p->events };
    sp_buf_clear(&p->reasons);
    sp_buf_clear(&p->events);
    sp_error_clear(&p->err);
    open_file(&a, p->a, SP_ACCESS_READ_ONLY);
    open_file(&b, p->b, SP_ACCESS_READ_ONLY);
    p->rc = sp_lens_open(a.s, b.s, m, SP_SIDE_SOURCE, &la, &p->err);
    if (p->rc == 0)
        p->rc = sp_lens_open(b.s, a.s, m, SP_SIDE_TARGET, &lb, &p->err);
    p->verdict = SP_VV_NOT_COMPARED;
    if (p->rc == 0)
        p->rc = sp_verify(la, lb, &p->opt, &l.em, &p->verdict, &p->reasons, &p->err);
    sp_close(la);
    sp_close(lb);
    sp_close(a.s);
    sp_close(b.s);
    return p->verdict;
}

static inline void assert_lens(struct pair *p, const struct sp_mapping *m, enum sp_verify_verdict want)
{
    enum sp_verify_verdict got = lens_compare(p, m);
    if (p->rc != 0 || got != want)
        fail_msg("%s, not %s: %s\n%s", sp_verify_verdict_name(got), sp_verify_verdict_name(want),
            sp_error_text(&p->err), p->reasons.p != NULL ? p->reasons.p : "");
}

/* An event with all of these words in one line. */
static inline bool has_event(const struct pair *p, const char *a, const char *b, const char *c)
{
    const char *at = p->events.p;
    while (at != NULL && *at != '\0') {
        size_t n = strcspn(at, "\n");
        if (memmem(at, n, a, strlen(a)) != NULL && memmem(at, n, b, strlen(b)) != NULL &&
            memmem(at, n, c, strlen(c)) != NULL)
            return true;
        at += n + (at[n] == '\n' ? 1 : 0);
    }
    return false;
}
static inline void assert_event(const struct pair *p, const char *a, const char *b, const char *c)
{
    if (!has_event(p, a, b, c))
        fail_msg("no event with %s, %s and %s:\n%s", a, b, c, p->events.p != NULL ? p->events.p : "");
}

#endif
