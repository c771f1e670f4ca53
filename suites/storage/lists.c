/* lists.c -- listing: byte order, prefixes, delimiters, pages. */
#include "suites/storage/storage.h"

#include <stdio.h>

static bool put_all(struct st *t, const char *const *keys, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!st_puts(t, keys[i], keys[i]))
            return false;
    return true;
}

void stc_list_order(struct sp_ctx *ctx, const void *data)
{
    /* Stored out of order; bytes decide: capitals before small letters, '-' before '.', UTF-8 behind ASCII. */
    const char *put[] = { "b", "a", "\xc3\xa9", "a-b", "a.b", "a/b", "ab", "B", "10", "9", "_", "~",
        "\xf0\x9f\x98\x80", "\xef\xbf\xbd" };
    const char *want[] = { "10", "9", "B", "_", "a", "a-b", "a.b", "a/b", "ab", "b", "~", "\xc3\xa9",
        "\xef\xbf\xbd", "\xf0\x9f\x98\x80" };
    const char *plain[] = { "b", "a", "a-b", "a.b", "a/b", "ab", "B", "10", "9", "_" };
    const char *ascii[] = { "10", "9", "B", "_", "a", "a-b", "a.b", "a/b", "ab", "b" };
    struct st t;
    (void)data;
    if (st_open(&t, ctx)) {
        bool any = sp_ctx_cap(ctx, SP_CAP_KEYS_ANY)->level == SP_CAP_YES;
        if (any ? put_all(&t, put, SP_LEN(put)) : put_all(&t, plain, SP_LEN(plain)))
            st_lists(&t, "", NULL, 100, any ? want : ascii, any ? SP_LEN(want) : SP_LEN(ascii));
    }
    st_done(&t);
}

void stc_list_prefix(struct sp_ctx *ctx, const void *data)
{
    const char *keys[] = { "log", "log/", "log/1", "log/2", "logs/1", "lo", "x/log/1", "Log/1", "l%g/1",
        "l_g/1" };
    const char *under[] = { "log/", "log/1", "log/2" };
    const char *start[] = { "log", "log/", "log/1", "log/2", "logs/1" };
    const char *percent[] = { "l%g/1" }, *line[] = { "l_g/1" };
    struct st t;
    (void)data;
    /* % and _ are no wildcards. Not every backend takes a key that ends in a slash, or holds a percent sign. */
    if (st_open(&t, ctx)) {
        size_t n = SP_LEN(keys);
        bool dirs = sp_ctx_cap(ctx, SP_CAP_KEYS_ANY)->level == SP_CAP_YES;
        for (size_t i = 0; i < n; i++)
            if ((dirs || (i != 1 && i != 8)) && !st_puts(&t, keys[i], "x")) {
                st_done(&t);
                return;
            }
        (void)(st_lists(&t, "log/", NULL, 100, dirs ? under : under + 1, dirs ? 3 : 2) &&
               (!dirs || st_lists(&t, "log", NULL, 100, start, SP_LEN(start))) &&
               st_lists(&t, "l%", NULL, 100, percent, dirs ? 1 : 0) &&
               st_lists(&t, "l_", NULL, 100, line, 1) && st_lists(&t, "nothing", NULL, 100, NULL, 0));
    }
    st_done(&t);
}

void stc_list_delimiter(struct sp_ctx *ctx, const void *data)
{
    const char *keys[] = { "a", "b/1", "b/2", "b/c/3", "d/4", "e" };
    const char *top[] = { "a", ">b/", ">d/", "e" }, *in_b[] = { "b/1", "b/2", ">b/c/" },
               *in_bc[] = { "b/c/3" };
    struct st t;
    (void)data;
    if (st_open(&t, ctx) && put_all(&t, keys, SP_LEN(keys)))
        (void)(st_lists(&t, "", "/", 100, top, SP_LEN(top)) &&
               st_lists(&t, "b/", "/", 100, in_b, SP_LEN(in_b)) &&
               st_lists(&t, "b/c/", "/", 100, in_bc, SP_LEN(in_bc)));
    st_done(&t);
}

void stc_list_delimiter_pages(struct sp_ctx *ctx, const void *data)
{
    /* A common prefix counts as one entry, and stands on one page only. */
    const char *keys[] = { "a/1", "a/2", "a/3", "b", "c/1", "c/2", "d" };
    const char *want[] = { ">a/", "b", ">c/", "d" };
    struct st t;
    (void)data;
    if (st_open(&t, ctx) && put_all(&t, keys, SP_LEN(keys)))
        (void)(st_lists(&t, "", "/", 1, want, SP_LEN(want)) && st_lists(&t, "", "/", 2, want, SP_LEN(want)) &&
               st_lists(&t, "", "/", 3, want, SP_LEN(want)));
    st_done(&t);
}

void stc_list_pages(struct sp_ctx *ctx, const void *data)
{
    const char *want[23];
    char names[23][8];
    struct st t;
    (void)data;
    if (st_open(&t, ctx)) {
        for (size_t i = 0; i < SP_LEN(want); i++) {
            snprintf(names[i], sizeof names[i], "k%02zu", i);
            want[i] = names[i];
        }
        /* One below, at and above a page that fits exactly; pages of one. */
        const size_t limits[] = { 1, 7, 22, 23, 24 };
        bool ok = put_all(&t, want, SP_LEN(want));
        for (size_t i = 0; ok && i < SP_LEN(limits); i++)
            ok = st_lists(&t, "k", NULL, limits[i], want, SP_LEN(want));
    }
    st_done(&t);
}

void stc_list_deleted(struct sp_ctx *ctx, const void *data)
{
    const char *keys[] = { "a", "b", "c" }, *left[] = { "a", "c" };
    struct st t;
    (void)data;
    if (st_open(&t, ctx) && put_all(&t, keys, 3) && st_lists(&t, "", NULL, 10, keys, 3) &&
        st_ok(&t, "delete", sp_blob_delete(t.s, t.bucket, "b", &t.err)))
        st_lists(&t, "", NULL, 10, left, 2);
    st_done(&t);
}

void stc_list_empty(struct sp_ctx *ctx, const void *data)
{
    struct st t;
    (void)data;
    if (st_open(&t, ctx))
        (void)(st_lists(&t, "", NULL, 10, NULL, 0) && st_lists(&t, "x", "/", 1, NULL, 0));
    st_done(&t);
}

void stc_list_many(struct sp_ctx *ctx, const void *data)
{
    enum { N = 1100 }; /* more than the thousand that many backends cap a page at */
    struct st t;
    (void)data;
    if (st_open(&t, ctx)) {
        const char **want = sp_arena_array(t.a, N, sizeof *want);
        bool ok = want != NULL;
        for (size_t i = 0; ok && i < N; i++) {
            want[i] = sp_arena_printf(t.a, "many/%05zu", i);
            ok = want[i] != NULL && st_puts(&t, want[i], "");
        }
        if (ok)
            (void)(st_lists(&t, "many/", NULL, 1000, want, N) && st_lists(&t, "", NULL, 2000, want, N));
    }
    st_done(&t);
}
