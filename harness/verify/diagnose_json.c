/* diagnose_json.c -- inside of JSON: where two documents first differ, and documents without the order of arrays. */
#include <stdlib.h>
#include <string.h>

#include "model/json.h"
#include "verify/diagnose.h"

#define DEPTH 128 /* of what is looked into; deeper documents are not */

bool sp_diag_json_of(const struct sp_value *v, const char **p, size_t *n)
{
    bool native = v->tag == SP_NATIVE;
    if (!native && v->tag != SP_JSON && v->tag != SP_TEXT)
        return false;
    *p = native ? v->u.native.p : v->u.str.p;
    *n = native ? v->u.native.n : v->u.str.n;
    if (*n < 2 || *n > (1u << 20) || (v->tag != SP_JSON && **p != '{' && **p != '['))
        return false;
    return sp_json_check(*p, *n, NULL) == 0;
}

/* The end of the value that begins at i; 0 = too deep or no value. */
static size_t value_end(const char *p, size_t n, size_t i)
{
    size_t depth = 0;
    while (i < n) {
        size_t end = sp_json_token_end(p, n, i);
        if (p[i] == '{' || p[i] == '[')
            depth++;
        else if (p[i] == '}' || p[i] == ']') {
            if (depth == 0)
                return 0;
            depth--;
        } else if (depth == 0 && (p[i] == ',' || p[i] == ':'))
            return 0;
        i = end;
        if (depth == 0)
            return i;
    }
    return 0;
}

/* A quoted text of canonical JSON as it is meant. */
static int unquote(struct sp_arena *a, const char *p, size_t n, struct sp_value *out)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    char *text = sp_arena_alloc(a, n + 1);
    size_t k = 0;
    if (text == NULL)
        return -SP_E_NOMEM;
    for (size_t i = 1; i + 1 < n; i++) {
        if (p[i] != '\\') {
            text[k++] = p[i];
            continue;
        }
        i++;
        const char *at = strchr(from, p[i]);
        if (p[i] == 'u' && i + 5 < n) {
            char digits[5] = { p[i + 1], p[i + 2], p[i + 3], p[i + 4], 0 };
            text[k++] = (char)strtol(digits, NULL, 16); /* canonical: controls only */
            i += 4;
        } else {
            text[k++] = at != NULL && p[i] != '\0' ? to[at - from] : p[i];
        }
    }
    *out = sp_v_textn(text, k);
    return 0;
}

static int leaf(struct sp_arena *a, const char *p, size_t n, struct sp_value *out)
{
    if (p[0] == '"')
        return unquote(a, p, n, out);
    if (p[0] == '{' || p[0] == '[')
        *out = sp_v_jsonn(p, n);
    else if (p[0] == 't' || p[0] == 'f')
        *out = sp_v_bool(p[0] == 't');
    else if (p[0] == 'n')
        *out = sp_v_null();
    else {
        out->tag = SP_DEC;
        return sp_dec_parse(a, p, n, &out->u.dec);
    }
    return 0;
}

int sp_diag_json_leaf(struct sp_arena *a, const char *const p[2], const size_t n[2], struct sp_value out[2])
{
    bool object[DEPTH] = { false }, name = false; /* name: the next token of the object is a member's name */
    size_t depth = 0, at = 0;
    while (at < n[0] && at < n[1]) {
        size_t end[2] = { sp_json_token_end(p[0], n[0], at), sp_json_token_end(p[1], n[1], at) };
        if (end[0] != end[1] || memcmp(p[0] + at, p[1] + at, end[0] - at) != 0)
            break;
        char ch = p[0][at];
        if (ch == '{' || ch == '[') {
            if (depth == DEPTH)
                return 1;
            object[depth++] = ch == '{';
            name = ch == '{';
        } else if (ch == '}' || ch == ']') {
            if (depth == 0)
                return 1;
            depth--;
        } else if (ch == ',') {
            name = depth > 0 && object[depth - 1];
        } else {
            name = false;
        }
        at = end[0];
    }
    if (name)
        return 1;
    for (int i = 0; i < 2; i++) {
        size_t end = value_end(p[i], n[i], at);
        if (end == 0)
            return 1;
        int rc = leaf(a, p[i] + at, end - at, &out[i]);
        if (rc != 0)
            return rc == -SP_E_NOMEM ? rc : 1;
    }
    return 0;
}

/* ---- without order ------------------------------------------------------------------------------------------------ */

struct part {
    const char *p;
    size_t n;
};

static int by_bytes(const void *a, const void *b)
{
    const struct part *x = a, *y = b;
    int c = memcmp(x->p, y->p, x->n < y->n ? x->n : y->n);
    return c != 0 ? c : (x->n > y->n) - (x->n < y->n);
}

static int unordered(struct sp_buf *out, const char *p, size_t n, int depth);

/* The elements between the brackets, each without the order of its own arrays, sorted. */
static int sorted(struct sp_buf *out, const char *p, size_t n, int depth)
{
    size_t count = 0, cap = 0;
    struct part *parts = NULL;
    struct sp_buf *texts = NULL;
    int rc = 0;
    for (size_t i = 1; i + 1 < n && rc == 0;) {
        size_t end = value_end(p, n, i);
        if (end == 0) {
            rc = -SP_E_INVALID;
            break;
        }
        if (count == cap) {
            cap = cap == 0 ? 16 : cap * 2;
            struct sp_buf *grown = realloc(texts, cap * sizeof *grown);
            if (grown == NULL) {
                rc = -SP_E_NOMEM;
                break;
            }
            texts = grown;
        }
        texts[count] = (struct sp_buf)SP_BUF_INIT;
        rc = unordered(&texts[count++], p + i, end - i, depth + 1);
        i = end + 1; /* behind the comma */
    }
    if (rc == 0 && count > 0 && (parts = calloc(count, sizeof *parts)) == NULL)
        rc = -SP_E_NOMEM;
    if (rc == 0) {
        for (size_t i = 0; i < count; i++)
            parts[i] = (struct part){ texts[i].p, texts[i].n };
        if (count > 0)
            qsort(parts, count, sizeof *parts, by_bytes);
        sp_buf_putc(out, '[');
        for (size_t i = 0; i < count; i++) {
            sp_buf_puts(out, i == 0 ? "" : ",");
            sp_buf_put(out, parts[i].p, parts[i].n);
        }
        sp_buf_putc(out, ']');
    }
    for (size_t i = 0; i < count; i++)
        sp_buf_free(&texts[i]);
    free(texts);
    free(parts);
    return rc;
}

static int unordered(struct sp_buf *out, const char *p, size_t n, int depth)
{
    if (depth >= DEPTH)
        return -SP_E_TOO_LARGE;
    if (p[0] == '[')
        return sorted(out, p, n, depth);
    for (size_t i = 0; i < n;) {
        size_t end = p[i] == '[' ? value_end(p, n, i) : sp_json_token_end(p, n, i);
        if (end == 0)
            return -SP_E_INVALID;
        if (p[i] == '[') {
            int rc = sorted(out, p + i, end - i, depth + 1);
            if (rc != 0)
                return rc;
        } else {
            sp_buf_put(out, p + i, end - i);
        }
        i = end;
    }
    return out->oom ? -SP_E_NOMEM : 0;
}

int sp_diag_json_unordered(struct sp_buf *out, const char *p, size_t n)
{
    struct sp_buf canonical = SP_BUF_INIT;
    int rc = sp_json_canonical(&canonical, p, n, NULL);
    if (rc == 0)
        rc = unordered(out, canonical.p, canonical.n, 0);
    sp_buf_free(&canonical);
    return rc;
}
