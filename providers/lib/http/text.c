/* text.c -- text that goes out (percent-encoding) and foreign text that is shown (without what must not be seen). */
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "providers/lib/http/internal.h"

static bool unreserved(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

int sp_http_encode(struct sp_buf *out, const void *p, size_t n)
{
    static const char hex[] = "0123456789ABCDEF";
    const unsigned char *s = p;
    for (size_t i = 0; i < n; i++) {
        if (unreserved(s[i])) {
            sp_buf_putc(out, (char)s[i]);
        } else {
            char e[3] = { '%', hex[s[i] >> 4], hex[s[i] & 15] };
            sp_buf_put(out, e, 3);
        }
    }
    return out->oom ? -SP_E_NOMEM : 0;
}

/* --- what must not be seen -------------------------------------------------------------------------------------- */

static bool token_char(char c)
{
    return unreserved((unsigned char)c) || c == '+' || c == '/' || c == '=';
}

static size_t token_end(const char *s, size_t i, size_t n)
{
    while (i < n && token_char(s[i]))
        i++;
    return i;
}

static bool word_at(const char *s, size_t i, size_t n, const char *word)
{
    size_t w = strlen(word);
    return n - i >= w && strncasecmp(s + i, word, w) == 0;
}

/* A token begins at i: its end; else i. */
static size_t token_at(const char *s, size_t i, size_t n)
{
    if (i > 0 && unreserved((unsigned char)s[i - 1]))
        return i;
    if (word_at(s, i, n, "eyJ") || word_at(s, i, n, "sb_secret_") || word_at(s, i, n, "sb_publishable_"))
        return token_end(s, i, n);
    return i;
}

/* A name that says secret begins at i, with its value behind it: where the value begins; else i. */
static size_t secret_value(const char *s, size_t i, size_t n)
{
    static const char *const names[] = { "access_token", "refresh_token", "provider_token", "id_token",
        "apikey", "api_key", "password", "secret", "token_hash", "token", "bearer", "authorization", "cookie",
        "basic", "x-amz-signature", "signature" };
    if (i > 0 && (unreserved((unsigned char)s[i - 1])))
        return i;
    for (size_t k = 0; k < SP_LEN(names); k++) {
        size_t at = i + strlen(names[k]), from;
        if (!word_at(s, i, n, names[k]) || at >= n)
            continue;
        from = at;
        while (from < n &&
               (s[from] == '"' || s[from] == ' ' || s[from] == ':' || s[from] == '=' || s[from] == '\\'))
            from++;
        bool scheme = k == 10 || k == 13; /* "Bearer x", "Basic x"; the others want a sign between */
        if (from > at && (scheme || strpbrk(s + at, ":=") != NULL) && from < n)
            for (size_t j = at; j < from; j++)
                if (scheme || s[j] == ':' || s[j] == '=')
                    return from;
    }
    return i;
}

int sp_http_scrub(struct sp_buf *out, const void *p, size_t n, size_t max)
{
    const char *s = p;
    size_t start = out->n;
    bool tag = false, blank = true;
    for (size_t i = 0; i < n;) {
        if (out->n - start >= max) {
            sp_buf_puts(out, " ...");
            break;
        }
        size_t end = token_at(s, i, n), from = secret_value(s, i, n);
        if (end > i || from > i) {
            if (from > i) {
                sp_buf_put(out, s + i, from - i);
                end = token_end(s, from, n);
                if (word_at(s, from, n, "bearer ") || word_at(s, from, n, "basic "))
                    end = token_end(s, token_end(s, from, n) + 1, n);
            }
            sp_buf_puts(out, "***");
            i = end;
            blank = false;
            continue;
        }
        char c = s[i++];
        if (c == '<')
            tag = true;
        bool space = (unsigned char)c <= ' ' || c == 0x7f || tag;
        if (c == '>' && tag)
            tag = false;
        if (!space)
            sp_buf_putc(out, c);
        else if (!blank)
            sp_buf_putc(out, ' ');
        blank = space;
    }
    while (out->p != NULL && out->n > start && out->p[out->n - 1] == ' ')
        out->p[--out->n] = '\0';
    return out->oom ? -SP_E_NOMEM : 0;
}

/* --- trace: what was asked and how it ended; of a query only the names, and the values that are its shape --------- */

static bool shape(const char *name, size_t n)
{
    static const char *const names[] = { "select", "order", "limit", "offset", "columns", "on_conflict" };
    for (size_t i = 0; i < SP_LEN(names); i++)
        if (strlen(names[i]) == n && memcmp(names[i], name, n) == 0)
            return true;
    return false;
}

static void put_target(struct sp_buf *b, const char *target)
{
    size_t path = strcspn(target, "?");
    sp_buf_put(b, target, path);
    for (const char *p = target + path; *p != '\0';) {
        size_t n = 1 + strcspn(p + 1, "&"), name = strcspn(p, "=");
        if (name > n)
            name = n;
        sp_buf_put(b, p, name);
        if (name < n && shape(p + 1, name - 1))
            sp_buf_put(b, p + name, n - name);
        else if (name < n)
            sp_buf_puts(b, "=***");
        p += n;
    }
}

void http_trace(const struct sp_http_call *c)
{
    if (sp_log_get_level() < 3)
        return;
    struct sp_buf b = SP_BUF_INIT;
    put_target(&b, c->q->target);
    double ms = (double)(http_now_ns() - c->started_ns) / 1e6;
    if (!b.oom && c->result == CURLE_OK && c->stop == STOP_NONE)
        sp_log_debug("%s: %s %s -> %d, %llu bytes, %.1f ms%s%s", c->http->where, c->q->method, b.p,
            c->r->status, (unsigned long long)c->r->received, ms, c->r->request_id[0] != '\0' ? ", id " : "",
            c->r->request_id);
    else if (!b.oom)
        sp_log_debug("%s: %s %s -> no answer after %.1f ms", c->http->where, c->q->method, b.p, ms);
    sp_buf_free(&b);
}
