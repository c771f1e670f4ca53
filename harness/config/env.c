/* env.c -- variables in values, and the passwords that come with them. */
#include "config/read.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

struct expansion {
    struct sp_buf text, from;
    struct sp_expanded *out;
    bool use_env;
};

static void add(struct expansion *x, const char *p, size_t n, char from)
{
    (void)sp_buf_put(&x->text, p, n);
    for (size_t i = 0; i < n; i++) {
        (void)sp_buf_putc(&x->from, from);
    }
}

static bool name_char(char c, bool first)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || (!first && c >= '0' && c <= '9');
}

/* `p` is behind "${". Returns behind the closing brace, NULL when the syntax is wrong. */
static const char *variable(struct expansion *x, struct sp_arena *a, const char *p)
{
    size_t n = 0;
    while (name_char(p[n], n == 0)) {
        n++;
    }
    const char *fallback = p[n] == ':' && p[n + 1] == '-' ? p + n + 2 : NULL;
    const char *end = strchr(p, '}');
    if (n == 0 || end == NULL || (fallback == NULL && p[n] != '}')) {
        x->out->problem =
            end == NULL ? "\"${\" without \"}\": write ${NAME} or ${NAME:-default}, or $${ for a literal ${"
                        : "not a variable: write ${NAME} or ${NAME:-default}, or $${ for a literal ${";
        return NULL;
    }
    char *name = sp_arena_strn(a, p, n);
    if (name == NULL) {
        x->text.oom = true;
        return NULL;
    }
    /* CI systems hand an absent secret over as an empty variable, so empty means unset. */
    const char *value = x->use_env ? getenv(name) : NULL;
    x->out->substituted = true;
    if (value != NULL && *value != '\0') {
        x->out->from_env = true;
        add(x, value, strlen(value), 1);
    } else if (fallback != NULL) {
        add(x, fallback, (size_t)(end - fallback), 0);
    } else if (x->use_env) {
        x->out->unset = x->out->unset != NULL ? x->out->unset : name;
    } else {
        add(x, "x", 1, 1); /* stands for whatever the variable will hold */
    }
    return end + 1;
}

int sp_expand(
    struct sp_arena *a, const char *text, bool use_env, struct sp_expanded *out, struct sp_error *err)
{
    *out = (struct sp_expanded){ .text = NULL };
    struct expansion x = { .text = SP_BUF_INIT, .from = SP_BUF_INIT, .out = out, .use_env = use_env };
    for (const char *p = text; p != NULL && *p != '\0';) {
        if (strncmp(p, "$${", 3) == 0) {
            add(&x, "${", 2, 0);
            p += 3;
        } else if (strncmp(p, "${", 2) == 0) {
            p = variable(&x, a, p + 2);
        } else {
            add(&x, p++, 1, 0);
        }
    }
    out->text = sp_arena_strn(a, x.text.n > 0 ? x.text.p : "", x.text.n);
    out->from = sp_arena_dup(a, x.from.n > 0 ? x.from.p : "", x.from.n);
    bool oom = x.text.oom || x.from.oom || out->text == NULL || out->from == NULL;
    if (x.text.p != NULL) {
        explicit_bzero(x.text.p, x.text.cap);
    }
    sp_buf_free(&x.text);
    sp_buf_free(&x.from);
    return oom ? sp_nomem(err) : 0;
}

bool sp_url_literal_password(const struct sp_expanded *url)
{
    size_t n = strlen(url->text);
    char *mark = calloc(n + 1, 1);
    if (mark == NULL) {
        return true; /* refusing is the safe side */
    }
    sp_secret_in_url(url->text, n, mark);
    bool literal = false;
    for (size_t i = 0; i < n; i++) {
        literal = literal || (mark[i] && !url->from[i]);
    }
    free(mark);
    return literal;
}

static bool digits(const char *p, size_t n)
{
    size_t i = 0;
    while (i < n && p[i] >= '0' && p[i] <= '9') {
        i++;
    }
    return i == n;
}

bool sp_url_raw_password(const char *url)
{
    const char *p = strstr(url, "://");
    if (p == NULL || p[3] == '[') {
        return false;
    }
    p += 3;
    size_t authority = strcspn(p, "/?#"), place = strcspn(p, "?#");
    const char *colon = memchr(p, ':', authority), *at = memchr(p, '@', authority);
    if (colon == NULL) {
        return false;
    }
    if (at != NULL) { /* a second one, in what would be the host or the path, belongs to the password */
        return colon < at && memrchr(p, '@', place) != at;
    }
    /* Without one the colon is that of a port, and an '@' stands in the path or the query; or the password was cut. */
    const char *last = memrchr(p, ':', authority);
    return strchr(p, '@') != NULL && !digits(last + 1, authority - (size_t)(last + 1 - p));
}

int sp_url_register(const char *url, struct sp_error *err)
{
    size_t n = strlen(url);
    char *mark = calloc(n + 1, 1);
    int rc = 0;
    if (mark == NULL) {
        return sp_nomem(err);
    }
    sp_secret_in_url(url, n, mark);
    for (size_t i = 0; i < n && rc == 0; i++) {
        size_t from = i;
        while (i < n && mark[i]) {
            i++;
        }
        if (i > from) {
            char *secret = strndup(url + from, i - from);
            /* Too short to be hidden everywhere is no error here: inside URLs it is hidden at any length. */
            rc = secret == NULL || sp_secret_add(secret) == -SP_E_NOMEM ? sp_nomem(err) : 0;
            if (secret != NULL) {
                explicit_bzero(secret, strlen(secret));
                free(secret);
            }
        }
    }
    free(mark);
    return rc;
}
