/* json_diff.c -- where two JSON values first differ.
 *
 * Both are brought into canonical form; then equal values have equal bytes, and the walk reads the same tokens from
 * both until two differ. */
#include "model/json.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct step {
    bool object;
    size_t index;        /* array: of the current element */
    size_t key, key_end; /* object: the quoted name, in the text of a */
};

struct walk {
    const char *a, *b;
    size_t an, bn, at; /* both texts are equal before `at` */
    struct step steps[SP_JSON_DEPTH];
    size_t depth;
};

size_t sp_json_token_end(const char *p, size_t n, size_t i)
{
    if (i >= n)
        return i;
    if (p[i] == '"') {
        for (i++; i < n && p[i] != '"'; i++)
            i += p[i] == '\\' ? 1 : 0;
        return i < n ? i + 1 : n;
    }
    if (strchr("{}[],:", p[i]) != NULL)
        return i + 1;
    while (i < n && strchr("{}[],:\"", p[i]) == NULL)
        i++;
    return i;
}

/* A name of canonical JSON as one step of a JSON pointer; \u00xx escapes of controls stay as they are. */
static void put_key(struct sp_buf *out, const char *p, size_t from, size_t to)
{
    sp_buf_putc(out, '/');
    for (size_t i = from + 1; i + 1 < to; i++) {
        if (p[i] == '\\' && (p[i + 1] == '"' || p[i + 1] == '\\'))
            i++;
        if (p[i] == '~')
            sp_buf_puts(out, "~0");
        else if (p[i] == '/')
            sp_buf_puts(out, "~1");
        else
            sp_buf_putc(out, p[i]);
    }
}

static void put_path(struct sp_buf *out, const struct walk *w, size_t depth)
{
    for (size_t i = 0; i < depth; i++) {
        const struct step *s = &w->steps[i];
        if (s->object)
            put_key(out, w->a, s->key, s->key_end);
        else
            sp_buf_printf(out, "/%zu", s->index);
    }
}

/* The walk stands at a name, or at the comma or bracket in place of one; where one object ends, the other's next
 * member is the difference, else the lesser of both names. */
static void put_member(struct sp_buf *out, const struct walk *w)
{
    size_t ka = w->at + (w->a[w->at] == ',' ? 1 : 0), kb = w->at + (w->b[w->at] == ',' ? 1 : 0);
    bool use_a = w->a[ka] == '"';
    if (use_a && w->b[kb] == '"') {
        size_t na = sp_json_token_end(w->a, w->an, ka) - ka - 1,
               nb = sp_json_token_end(w->b, w->bn, kb) - kb - 1;
        int c = memcmp(w->a + ka, w->b + kb, na < nb ? na : nb);
        use_a = c < 0 || (c == 0 && na < nb);
    }
    if (use_a)
        put_key(out, w->a, ka, sp_json_token_end(w->a, w->an, ka));
    else
        put_key(out, w->b, kb, sp_json_token_end(w->b, w->bn, kb));
}

static void report(struct sp_buf *out, const struct walk *w, bool at_name)
{
    if (w->depth == 0)
        return;
    const struct step *top = &w->steps[w->depth - 1];
    bool ends = w->a[w->at] == ',' || w->b[w->at] == ',';
    if (top->object && (at_name || ends)) {
        put_path(out, w, w->depth - 1);
        put_member(out, w);
        return;
    }
    put_path(out, w, w->depth - 1);
    if (top->object)
        put_key(out, w->a, top->key, top->key_end);
    else
        sp_buf_printf(out, "/%zu", top->index + (ends ? 1 : 0));
}

/* 0 if a difference was found and reported, 1 if there is none. */
static int walk(struct sp_buf *out, struct walk *w)
{
    bool at_name = false;
    while (w->at < w->an && w->at < w->bn) {
        size_t ea = sp_json_token_end(w->a, w->an, w->at), eb = sp_json_token_end(w->b, w->bn, w->at);
        if (ea != eb || memcmp(w->a + w->at, w->b + w->at, ea - w->at) != 0) {
            report(out, w, at_name);
            return 0;
        }
        char c = w->a[w->at];
        struct step *top = w->depth != 0 ? &w->steps[w->depth - 1] : NULL;
        if (at_name && c == '"') {
            top->key = w->at;
            top->key_end = ea;
        }
        at_name = false;
        if (c == '{' || c == '[') {
            w->steps[w->depth++] = (struct step){ .object = c == '{' };
            at_name = c == '{';
        } else if (c == '}' || c == ']') {
            w->depth--;
        } else if (c == ',') {
            top->index++;
            at_name = top->object;
        }
        w->at = ea;
    }
    return 1;
}

int sp_json_first_difference(struct sp_buf *out, const char *a, size_t an, const char *b, size_t bn)
{
    struct sp_buf ca = SP_BUF_INIT, cb = SP_BUF_INIT;
    struct walk *w = NULL;
    int rc = sp_json_canonical(&ca, a, an, NULL);
    if (rc == 0)
        rc = sp_json_canonical(&cb, b, bn, NULL);
    if (rc != 0)
        goto out;
    w = calloc(1, sizeof *w);
    if (w == NULL) {
        rc = -SP_E_NOMEM;
        goto out;
    }
    w->a = ca.p;
    w->an = ca.n;
    w->b = cb.p;
    w->bn = cb.n;
    rc = walk(out, w);
    if (out->oom)
        rc = -SP_E_NOMEM;
out:
    free(w);
    sp_buf_free(&ca);
    sp_buf_free(&cb);
    return rc;
}
