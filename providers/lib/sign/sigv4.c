/* sigv4.c -- see sigv4.h. */
#include "providers/lib/sign/sigv4.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/str.h"
#include "model/calendar.h"

#define PAIRS 96

static bool unreserved(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

static void put_encoded(struct sp_buf *out, const char *s, bool slash)
{
    for (; *s != '\0'; s++) {
        if (unreserved((unsigned char)*s) || (slash && *s == '/'))
            sp_buf_putc(out, *s);
        else
            sp_buf_printf(out, "%%%02X", (unsigned)(unsigned char)*s);
    }
}

static void put_path(struct sp_buf *out, const struct sp_sigv4_request *q, bool twice)
{
    if (!twice) {
        put_encoded(out, q->path, true);
        return;
    }
    struct sp_buf once = SP_BUF_INIT;
    put_encoded(&once, q->path, true);
    if (once.oom)
        out->oom = true;
    else if (once.p != NULL)
        put_encoded(out, once.p, true);
    sp_buf_free(&once);
}

/* --- pairs in order ------------------------------------------------------------------------------------------------- */

struct pairs {
    struct sp_arena arena;
    struct sp_sigv4_pair v[PAIRS];
    size_t n;
    bool oom;
};

static void add(struct pairs *p, const char *name, const char *value)
{
    if (p->n == PAIRS || name == NULL || value == NULL)
        p->oom = true;
    else
        p->v[p->n++] = (struct sp_sigv4_pair){ name, value };
}

static int by_name_value(const void *a, const void *b)
{
    const struct sp_sigv4_pair *x = a, *y = b;
    int c = strcmp(x->name, y->name);
    return c != 0 ? c : strcmp(x->value, y->value);
}

static char *encoded(struct sp_arena *a, const char *s)
{
    struct sp_buf b = SP_BUF_INIT;
    put_encoded(&b, s, false);
    char *copy = b.oom ? NULL : sp_arena_str(a, b.p != NULL ? b.p : "");
    sp_buf_free(&b);
    return copy;
}

static void put_query(struct sp_buf *out, const struct sp_sigv4_pair *list, size_t n)
{
    struct pairs p = { .n = 0 };
    for (size_t i = 0; i < n; i++)
        add(&p, encoded(&p.arena, list[i].name),
            encoded(&p.arena, list[i].value != NULL ? list[i].value : ""));
    qsort(p.v, p.n, sizeof *p.v, by_name_value);
    for (size_t i = 0; i < p.n; i++)
        sp_buf_printf(out, "%s%s=%s", i > 0 ? "&" : "", p.v[i].name, p.v[i].value);
    out->oom = out->oom || p.oom;
    sp_arena_free(&p.arena);
}

/* Lower case. */
static char *lowered(struct sp_arena *a, const char *s)
{
    char *l = sp_arena_str(a, s);
    for (char *c = l; c != NULL && *c != '\0'; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c + 32);
    return l;
}

/* Blanks at the ends go, several in the middle become one. */
static char *squeezed(struct sp_arena *a, const char *s)
{
    char *to = sp_arena_str(a, s), *w = to;
    if (to == NULL)
        return NULL;
    for (const char *c = s; *c != '\0'; c++) {
        bool blank = *c == ' ' || *c == '\t';
        if (!blank)
            *w++ = *c;
        else if (w != to && w[-1] != ' ')
            *w++ = ' ';
    }
    if (w != to && w[-1] == ' ')
        w--;
    *w = '\0';
    return to;
}

/* By name alone: values of one name keep their order, and are joined. */
static void sort_stable(struct sp_sigv4_pair *v, size_t n)
{
    for (size_t i = 1; i < n; i++)
        for (size_t k = i; k > 0 && strcmp(v[k - 1].name, v[k].name) > 0; k--) {
            struct sp_sigv4_pair t = v[k];
            v[k] = v[k - 1];
            v[k - 1] = t;
        }
}

static void collect_headers(
    struct pairs *p, const struct sp_sigv4_request *q, const struct sp_sigv4_keys *k, bool presigned)
{
    add(p, "host", q->host);
    if (!presigned) {
        add(p, "x-amz-date", q->time);
        if (k->token != NULL)
            add(p, "x-amz-security-token", k->token);
    }
    for (size_t i = 0; i < q->nheaders; i++)
        add(p, lowered(&p->arena, q->headers[i].name), squeezed(&p->arena, q->headers[i].value));
    sort_stable(p->v, p->n);
}

static int canonical(struct sp_buf *out, const struct sp_sigv4_request *q, const struct sp_sigv4_keys *k,
    struct sp_buf *names, const struct sp_sigv4_pair *query, size_t nquery, bool presigned)
{
    struct pairs p = { .n = 0 };
    collect_headers(&p, q, k, presigned);
    sp_buf_printf(out, "%s\n", q->method);
    put_path(out, q, strcmp(k->service, "s3") != 0);
    sp_buf_putc(out, '\n');
    put_query(out, query, nquery);
    sp_buf_putc(out, '\n');
    for (size_t i = 0; i < p.n; i++) {
        bool same = i > 0 && strcmp(p.v[i - 1].name, p.v[i].name) == 0;
        bool more = i + 1 < p.n && strcmp(p.v[i + 1].name, p.v[i].name) == 0;
        if (same) {
            sp_buf_printf(out, ",%s", p.v[i].value);
        } else {
            sp_buf_printf(out, "%s:%s", p.v[i].name, p.v[i].value);
            sp_buf_printf(names, "%s%s", names->n > 0 ? ";" : "", p.v[i].name);
        }
        if (!more)
            sp_buf_putc(out, '\n');
    }
    sp_buf_printf(out, "\n%s\n%s", names->p != NULL ? names->p : "", q->payload_sha256);
    bool oom = p.oom || out->oom || names->oom;
    sp_arena_free(&p.arena);
    return oom ? -SP_E_NOMEM : 0;
}

int sp_sigv4_canonical(struct sp_buf *out, const struct sp_sigv4_request *q, const struct sp_sigv4_keys *k,
    struct sp_buf *signed_names)
{
    return canonical(out, q, k, signed_names, q->query, q->nquery, false);
}

int sp_sigv4_target(struct sp_buf *out, const struct sp_sigv4_request *q, const struct sp_sigv4_keys *k)
{
    (void)k;
    put_encoded(out, q->path, true);
    if (q->nquery > 0) {
        sp_buf_putc(out, '?');
        put_query(out, q->query, q->nquery);
    }
    return out->oom ? -SP_E_NOMEM : 0;
}

/* --- signature ------------------------------------------------------------------------------------------------------ */

static bool mac(uint8_t out[32], const void *key, size_t n, const char *text)
{
    unsigned got = 0;
    return n <= INT32_MAX &&
           HMAC(EVP_sha256(), key, (int)n, (const uint8_t *)text, strlen(text), out, &got) != NULL &&
           got == 32;
}

/* Appends the hexadecimal signature of a canonical request. */
static int put_signature(struct sp_buf *out, const struct sp_buf *request, const struct sp_sigv4_request *q,
    const struct sp_sigv4_keys *k)
{
    struct sp_buf first = SP_BUF_INIT, text = SP_BUF_INIT;
    uint8_t hash[32], key[32];
    unsigned n = 0;
    char day[9];
    (void)sp_strlcpy(day, q->time, sizeof day);
    bool ok = EVP_Digest(request->p, request->n, hash, &n, EVP_sha256(), NULL) == 1 && n == 32;
    sp_buf_printf(
        &text, "AWS4-HMAC-SHA256\n%s\n%s/%s/%s/aws4_request\n", q->time, day, k->region, k->service);
    sp_buf_hex(&text, hash, sizeof hash);
    sp_buf_printf(&first, "AWS4%s", k->secret);
    ok = ok && !text.oom && !first.oom && mac(key, first.p, first.n, day) && mac(key, key, 32, k->region) &&
         mac(key, key, 32, k->service) && mac(key, key, 32, "aws4_request") && mac(hash, key, 32, text.p);
    if (ok)
        sp_buf_hex(out, hash, sizeof hash);
    OPENSSL_cleanse(key, sizeof key);
    if (first.p != NULL)
        OPENSSL_cleanse(first.p, first.n);
    sp_buf_free(&first);
    sp_buf_free(&text);
    return ok && !out->oom ? 0 : -SP_E_NOMEM;
}

static bool time_ok(const char *t)
{
    return strlen(t) == 16 && strspn(t, "0123456789") == 8 && t[8] == 'T' &&
           strspn(t + 9, "0123456789") == 6 && t[15] == 'Z';
}

int sp_sigv4_authorization(
    struct sp_buf *out, const struct sp_sigv4_request *q, const struct sp_sigv4_keys *k, struct sp_error *err)
{
    struct sp_buf request = SP_BUF_INIT, names = SP_BUF_INIT;
    if (!time_ok(q->time))
        return sp_invalid(err, "a request is signed with a time of the form 20130524T000000Z");
    int ret = sp_sigv4_canonical(&request, q, k, &names);
    if (ret == 0) {
        sp_buf_printf(out,
            "AWS4-HMAC-SHA256 Credential=%s/%.8s/%s/%s/aws4_request, SignedHeaders=%s, Signature=", k->id,
            q->time, k->region, k->service, names.p);
        ret = put_signature(out, &request, q, k);
    }
    sp_buf_free(&request);
    sp_buf_free(&names);
    return ret != 0 ? sp_nomem(err) : 0;
}

int sp_sigv4_presign(struct sp_buf *out, const struct sp_sigv4_request *q, const struct sp_sigv4_keys *k,
    int64_t seconds, struct sp_error *err)
{
    struct sp_buf request = SP_BUF_INIT, names = SP_BUF_INIT;
    struct pairs p = { .n = 0 };
    char valid[24];
    if (!time_ok(q->time) || seconds < 1 || seconds > 604800)
        return sp_invalid(
            err, "a signed URL is valid for 1 second to 7 days from a time of the form 20130524T000000Z");
    if (q->nheaders > 0)
        return sp_invalid(err, "a signed URL signs no header but the host");
    (void)snprintf(valid, sizeof valid, "%lld", (long long)seconds);
    for (size_t i = 0; i < q->nquery; i++)
        add(&p, q->query[i].name, q->query[i].value);
    add(&p, "X-Amz-Algorithm", "AWS4-HMAC-SHA256");
    add(&p, "X-Amz-Credential",
        sp_arena_printf(&p.arena, "%s/%.8s/%s/%s/aws4_request", k->id, q->time, k->region, k->service));
    add(&p, "X-Amz-Date", q->time);
    add(&p, "X-Amz-Expires", valid);
    if (k->token != NULL)
        add(&p, "X-Amz-Security-Token", k->token);
    add(&p, "X-Amz-SignedHeaders", "host");
    struct sp_sigv4_request unsigned_body = *q;
    unsigned_body.payload_sha256 = SP_SIGV4_UNSIGNED;
    int ret = p.oom ? -SP_E_NOMEM : canonical(&request, &unsigned_body, k, &names, p.v, p.n, true);
    if (ret == 0) {
        put_encoded(out, q->path, true);
        sp_buf_putc(out, '?');
        put_query(out, p.v, p.n);
        sp_buf_puts(out, "&X-Amz-Signature=");
        ret = put_signature(out, &request, q, k);
    }
    sp_buf_free(&request);
    sp_buf_free(&names);
    sp_arena_free(&p.arena);
    return ret != 0 ? sp_nomem(err) : 0;
}

void sp_sigv4_time(char out[17], int64_t seconds)
{
    struct sp_civil c;
    char text[80];
    sp_civil_from_ts((struct sp_ts){ seconds, 0 }, &c);
    (void)snprintf(text, sizeof text, "%04lld%02d%02dT%02d%02d%02dZ", (long long)c.year, c.month, c.day,
        c.hour, c.minute, c.second);
    (void)sp_strlcpy(out, text, 17);
}
