/* secret.c -- what must not be shown: registered secrets and passwords inside URLs. */
#include "base/error.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/str.h"

#define MIN_SECRET 4

struct secret {
    struct secret *next;
    size_t n;
    char text[];
};

static struct secret *secrets; /* filled before threads start, only read afterwards */

static int add_form(const char *p, size_t n)
{
    if (n < MIN_SECRET) {
        return 0;
    }
    for (const struct secret *s = secrets; s != NULL; s = s->next) {
        if (s->n == n && memcmp(s->text, p, n) == 0) {
            return 0;
        }
    }
    struct secret *s = malloc(sizeof *s + n);
    if (s == NULL) {
        return -SP_E_NOMEM;
    }
    s->n = n;
    memcpy(s->text, p, n);
    s->next = secrets;
    secrets = s;
    return 0;
}

static bool unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("-._~", c) != NULL);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static void percent_encode(struct sp_buf *out, const char *s, const char *digits)
{
    for (; *s != '\0'; s++) {
        if (unreserved(*s)) {
            (void)sp_buf_putc(out, *s);
        } else {
            unsigned char c = (unsigned char)*s;
            (void)sp_buf_putc(out, '%');
            (void)sp_buf_putc(out, digits[c >> 4]);
            (void)sp_buf_putc(out, digits[c & 15]);
        }
    }
}

static void percent_decode(struct sp_buf *out, const char *s)
{
    while (*s != '\0') {
        int hi = s[0] == '%' ? hex_digit(s[1]) : -1;
        int lo = hi >= 0 ? hex_digit(s[2]) : -1;
        if (lo >= 0) {
            (void)sp_buf_putc(out, (char)(unsigned char)(hi * 16 + lo));
            s += 3;
        } else {
            (void)sp_buf_putc(out, *s++);
        }
    }
}

static int add_and_wipe(struct sp_buf *b)
{
    int rc = b->oom ? -SP_E_NOMEM : add_form(b->p, b->n);
    if (b->p != NULL) {
        explicit_bzero(b->p, b->cap);
    }
    sp_buf_clear(b);
    return rc;
}

int sp_secret_add(const char *secret)
{
    size_t n = secret != NULL ? strlen(secret) : 0;
    if (n < MIN_SECRET) {
        return -SP_E_INVALID; /* hiding one to three bytes would make every text unreadable */
    }
    /* Libraries quote a URL in either form, so the encoded and the decoded secret are as secret as itself; and what was
     * decoded may come back encoded with other digits. */
    static const char *const digits[] = { "0123456789ABCDEF", "0123456789abcdef" };
    struct sp_buf b = SP_BUF_INIT, plain = SP_BUF_INIT;
    int rc = sp_buf_reserve(&b, 3 * n + 1); /* once, so that no copy is left behind by growth */
    if (rc == 0) {
        rc = sp_buf_reserve(&plain, n + 1);
    }
    if (rc == 0) {
        rc = add_form(secret, n);
    }
    percent_decode(&plain, secret);
    for (size_t i = 0; i < SP_LEN(digits) && rc == 0; i++) {
        percent_encode(&b, secret, digits[i]);
        rc = add_and_wipe(&b);
        if (rc == 0) {
            percent_encode(&b, plain.p, digits[i]);
            rc = add_and_wipe(&b);
        }
    }
    if (rc == 0) {
        rc = add_and_wipe(&plain);
    }
    sp_buf_free(&b);
    sp_buf_free(&plain);
    return rc;
}

void sp_secret_forget_all(void)
{
    while (secrets != NULL) {
        struct secret *s = secrets;
        secrets = s->next;
        explicit_bzero(s->text, s->n);
        free(s);
    }
}

/* Every byte of every occurrence is marked, overlapping ones too, so that no tail of a second secret survives. */
static void mark_secrets(const char *text, size_t n, char *mark)
{
    for (const struct secret *s = secrets; s != NULL; s = s->next) {
        const char *at = text;
        while ((at = memmem(at, n - (size_t)(at - text), s->text, s->n)) != NULL) {
            memset(mark + (at - text), 1, s->n);
            at++;
        }
    }
}

/* A single quote is legal inside a URL's password, so it does not end the URL. */
static bool ends_url(char c)
{
    return (unsigned char)c <= 0x20 || c == '"' || c == '<' || c == '>' || c == '`' || c == 0x7f;
}

static bool is_port(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9') {
            return false;
        }
    }
    return n <= 5;
}

/* scheme://user:PASS@host. A password may hold raw '@', '/', '?' and '#' in a URL that is about to be refused, so
 * it is hidden up to the last '@' of the word; too much hidden is harmless, too little is not. Returns where to
 * look on. */
static const char *mark_userinfo(const char *text, const char *p, const char *end, const char *at, char *mark)
{
    size_t authority = 0;
    while (p + authority < end && strchr("/?#", p[authority]) == NULL) {
        authority++;
    }
    const char *colon = memchr(p, ':', authority);
    if (colon == NULL || at == NULL || at < colon) {
        return p;
    }
    size_t rest = (size_t)(p + authority - colon - 1);
    bool has_user = memchr(p, '@', authority) != NULL;
    if (!has_user && (*p == '[' || is_port(colon + 1, rest))) {
        return p; /* host:port, and the '@' belongs to the path or query */
    }
    memset(mark + (colon + 1 - text), 1, (size_t)(at - colon - 1));
    return at;
}

/* ...?password=PASS&... , which libpq and others accept. */
static void mark_query(const char *text, const char *p, const char *end, char *mark)
{
    static const char *const keys[] = { "password", "passwd", "pwd", "sslpassword", "apikey", "access_token",
        "token", "secret" };
    for (; p < end; p++) {
        if (*p != '?' && *p != '&') {
            continue;
        }
        for (size_t k = 0; k < SP_LEN(keys); k++) {
            size_t n = strlen(keys[k]);
            if ((size_t)(end - p) <= n + 1 || strncasecmp(p + 1, keys[k], n) != 0 || p[1 + n] != '=') {
                continue;
            }
            const char *value = p + n + 2;
            const char *stop = value;
            while (stop < end && *stop != '&') {
                stop++;
            }
            memset(mark + (value - text), 1, (size_t)(stop - value));
            p = stop - 1;
            break;
        }
    }
}

static void mark_urls(const char *text, size_t n, char *mark, bool whole)
{
    const char *limit = text + n;
    const char *p = text;
    const char *end = text; /* of the word that p is in, and its last '@': found once for each word */
    const char *at = NULL;
    while ((p = memchr(p, ':', (size_t)(limit - p))) != NULL) {
        if (p[1] != '/' || p[2] != '/') {
            p++;
            continue;
        }
        p += 3;
        if (p > end) {
            end = whole ? limit : p;
            while (end < limit && !ends_url(*end)) {
                end++;
            }
            at = memrchr(p, '@', (size_t)(end - p));
            mark_query(text, p, end, mark);
        }
        p = mark_userinfo(text, p, end, at, mark);
    }
}

void sp_secret_in_urls(const char *text, size_t n, char *mark)
{
    mark_urls(text, n, mark, false);
}

void sp_secret_in_url(const char *url, size_t n, char *mark)
{
    mark_urls(url, n, mark, true);
}

/* The text with *** for what is marked; `mark` is freed. */
static char *without(const char *text, size_t n, char *mark)
{
    struct sp_buf out = SP_BUF_INIT;
    (void)sp_buf_reserve(&out, n);
    for (size_t i = 0; i < n;) {
        size_t j = i;
        while (j < n && mark[j] == mark[i]) {
            j++;
        }
        if (mark[i]) {
            (void)sp_buf_puts(&out, "***");
        } else {
            (void)sp_buf_put(&out, text + i, j - i);
        }
        i = j;
    }
    free(mark);
    return sp_buf_steal(&out);
}

char *sp_redact(const char *text)
{
    size_t n = text != NULL ? strlen(text) : 0;
    char *mark = calloc(n + 1, 1);
    if (mark == NULL) {
        return NULL;
    }
    if (n > 0) {
        mark_secrets(text, n, mark);
        sp_secret_in_urls(text, n, mark);
    }
    return without(text, n, mark);
}

char *sp_redact_url(const char *url)
{
    size_t n = strlen(url);
    char *mark = calloc(n + 1, 1);
    if (mark == NULL) {
        return NULL;
    }
    sp_secret_in_url(url, n, mark);
    return without(url, n, mark);
}
