/* lens_node.c -- JSON text, plain or tagged, as a tree. The text is checked before; here it is only taken apart. */
#include "map/lens_node.h"

#include <string.h>

#include "base/str.h"
#include "model/decimal.h"
#include "model/json.h"

struct reader {
    struct sp_arena *a;
    const char *p, *end;
    bool tagged;
    int rc;
};

static void blanks(struct reader *r)
{
    while (r->p < r->end && (*r->p == ' ' || *r->p == '\t' || *r->p == '\n' || *r->p == '\r'))
        r->p++;
}

static int hex4(const char *p)
{
    int u = 0;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        int d = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c - 'A' + 10;
        u = u * 16 + d;
    }
    return u;
}

static size_t put_utf8(char *out, unsigned u)
{
    if (u < 0x80) {
        out[0] = (char)u;
        return 1;
    }
    if (u < 0x800) {
        out[0] = (char)(0xc0 | u >> 6);
        out[1] = (char)(0x80 | (u & 0x3f));
        return 2;
    }
    if (u < 0x10000) {
        out[0] = (char)(0xe0 | u >> 12);
        out[1] = (char)(0x80 | (u >> 6 & 0x3f));
        out[2] = (char)(0x80 | (u & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | u >> 18);
    out[1] = (char)(0x80 | (u >> 12 & 0x3f));
    out[2] = (char)(0x80 | (u >> 6 & 0x3f));
    out[3] = (char)(0x80 | (u & 0x3f));
    return 4;
}

/* One escape at p, behind the backslash; returns the bytes used. */
static size_t unescape(const char *p, char *out, size_t *n)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    const char *at = strchr(from, p[0]);
    if (p[0] != 'u') {
        out[(*n)++] = at != NULL && p[0] != '\0' ? to[at - from] : p[0];
        return 1;
    }
    unsigned u = (unsigned)hex4(p + 1);
    size_t used = 5;
    if (u >= 0xd800 && u < 0xdc00 && p[5] == '\\' && p[6] == 'u') {
        u = 0x10000 + ((u - 0xd800) << 10) + ((unsigned)hex4(p + 7) - 0xdc00);
        used = 11;
    }
    *n += put_utf8(out + *n, u);
    return used;
}

/* The string at p, which is its first quote: its content, with a NUL behind it. */
static char *string(struct reader *r, size_t *n)
{
    const char *s = ++r->p;
    while (r->p < r->end && *r->p != '"')
        r->p += *r->p == '\\' ? 2 : 1;
    size_t len = (size_t)(r->p - s), k = 0;
    char *out = sp_arena_strn(r->a, s, len);
    r->p++;
    for (size_t i = 0; out != NULL && i < len;) {
        if (s[i] != '\\')
            out[k++] = s[i++];
        else
            i += 1 + unescape(s + i + 1, out, &k);
    }
    if (out == NULL)
        r->rc = -SP_E_NOMEM;
    else
        out[k] = '\0';
    *n = k;
    return out;
}

static void number(struct reader *r, struct lens_node *n)
{
    const char *s = r->p;
    bool whole = true;
    struct sp_dec d;
    while (r->p < r->end && (*r->p == '-' || *r->p == '+' || *r->p == '.' || *r->p == 'e' || *r->p == 'E' ||
                                (*r->p >= '0' && *r->p <= '9'))) {
        whole = whole && *r->p != '.' && *r->p != 'e' && *r->p != 'E';
        r->p++;
    }
    size_t len = (size_t)(r->p - s);
    char digits[24];
    if (whole && len < sizeof digits) {
        memcpy(digits, s, len);
        digits[len] = '\0';
        n->v.tag = SP_INT;
        if (sp_parse_i64(digits, &n->v.u.i) && !(n->v.u.i == 0 && s[0] == '-'))
            return;
    }
    int rc = sp_dec_parse(r->a, s, len, &d);
    if (rc == -SP_E_NOMEM)
        r->rc = rc;
    n->v = rc != 0                         ? sp_v_native("number", s, len) /* beyond what decimals hold */
           : d.ndigits == 0 && s[0] == '-' ? sp_v_f64(-0.0)
                                           : sp_v_dec(d);
}

static void skip_container(struct reader *r)
{
    int depth = 0;
    do {
        char c = *r->p;
        if (c == '"') {
            for (r->p++; r->p < r->end && *r->p != '"'; r->p++)
                r->p += *r->p == '\\' ? 1 : 0;
        }
        depth += c == '{' || c == '[' ? 1 : c == '}' || c == ']' ? -1 : 0;
        r->p++;
    } while (depth > 0 && r->p < r->end);
}

/* {"$numberInt":"5"}: a tag's only member is text, and its name has one $. */
static bool tag(struct reader *r, struct lens_node *n)
{
    struct reader in = { r->a, n->text + 1, n->text + n->n - 1, true, 0 };
    size_t ntag, nvalue;
    blanks(&in);
    if (in.p + 2 >= in.end || in.p[0] != '"' || in.p[1] != '$' || in.p[2] == '$')
        return false;
    const char *name = string(&in, &ntag);
    blanks(&in);
    in.p++;
    blanks(&in);
    if (name == NULL || in.p >= in.end || *in.p != '"')
        return false;
    const char *value = string(&in, &nvalue);
    blanks(&in);
    if (value == NULL || in.p < in.end) {
        r->rc = in.rc;
        return false;
    }
    int rc = lens_tagged_value(r->a, name, value, nvalue, &n->v, &n->state);
    if (rc != 0)
        r->rc = rc;
    n->kind = LENS_SCALAR;
    return true;
}

static void element_value(struct reader *r, struct lens_node *n)
{
    size_t len;
    n->state = SP_ST_PRESENT;
    n->tagged = r->tagged;
    switch (*r->p) {
    case '{':
    case '[':
        n->kind = *r->p == '{' ? LENS_OBJECT : LENS_ARRAY;
        skip_container(r);
        n->n = (size_t)(r->p - n->text);
        if (n->kind == LENS_OBJECT && r->tagged)
            (void)tag(r, n);
        return;
    case '"': {
        const char *s = string(r, &len);
        n->v = sp_v_textn(s, len);
        return;
    }
    case 't':
        n->v = sp_v_bool(true);
        r->p += 4;
        return;
    case 'f':
        n->v = sp_v_bool(false);
        r->p += 5;
        return;
    case 'n':
        n->v = sp_v_null();
        n->state = SP_ST_NULL;
        r->p += 4;
        return;
    default:
        number(r, n);
        return;
    }
}

static void element(struct reader *r, struct lens_node *n)
{
    n->text = r->p;
    element_value(r, n);
    n->n = (size_t)(r->p - n->text);
}

static void member_name(struct reader *r, struct lens_node *n)
{
    n->raw_name = r->p;
    n->name = string(r, &n->name_n);
    n->raw_name_n = (size_t)(r->p - n->raw_name);
    if (r->tagged && n->name != NULL && n->name_n > 1 && n->name[0] == '$' && n->name[1] == '$') {
        n->name++;
        n->name_n--;
    }
    blanks(r);
    r->p++; /* the colon */
    blanks(r);
}

/* The children of a container: one level. */
static int children(struct sp_arena *a, struct lens_node *n)
{
    struct reader r = { a, n->text + 1, n->text + n->n - 1, n->tagged, 0 };
    struct lens_node **at = &n->first;
    for (blanks(&r); r.rc == 0 && r.p < r.end; blanks(&r)) {
        if (*r.p == ',') {
            r.p++;
            continue;
        }
        struct lens_node *c = sp_arena_alloc(a, sizeof *c);
        if (c == NULL)
            return -SP_E_NOMEM;
        if (n->kind == LENS_OBJECT)
            member_name(&r, c);
        if (r.rc == 0)
            element(&r, c);
        *at = c;
        at = &c->next;
        n->count++;
    }
    return r.rc;
}

struct lens_node lens_node_of(const char *name, const struct sp_value *v, enum sp_state state)
{
    return (struct lens_node){ .kind = LENS_SCALAR,
        .name = name,
        .name_n = name != NULL ? strlen(name) : 0,
        .v = *v,
        .state = state,
        .whole = true };
}

/* Elements of a value that is an array already. */
static int elements(struct sp_arena *a, struct lens_node *n)
{
    struct lens_node *c = sp_arena_array(a, n->v.u.array.n + 1, sizeof *c);
    if (c == NULL)
        return -SP_E_NOMEM;
    for (size_t i = 0; i < n->v.u.array.n; i++) {
        const struct sp_value *e = &n->v.u.array.v[i];
        c[i] = lens_node_of(NULL, e, e->tag == SP_NULL ? SP_ST_NULL : SP_ST_PRESENT);
        c[i].next = i + 1 < n->v.u.array.n ? &c[i + 1] : NULL;
    }
    n->kind = LENS_ARRAY;
    n->first = n->v.u.array.n != 0 ? c : NULL;
    n->count = n->v.u.array.n;
    return 0;
}

static bool is_container_text(const char *p, size_t n)
{
    size_t i = 0;
    while (i < n && (p[i] == ' ' || p[i] == '\t' || p[i] == '\n' || p[i] == '\r'))
        i++;
    return i < n && (p[i] == '{' || p[i] == '[');
}

int lens_node_open(struct sp_arena *a, struct lens_node *n, bool spelled)
{
    const struct sp_value *v = &n->v;
    const char *p = NULL;
    size_t len = 0;
    if (n->parsed)
        return 0;
    n->parsed = true;
    if (n->kind == LENS_SCALAR && v->tag == SP_ARRAY)
        return elements(a, n);
    if (n->kind == LENS_SCALAR && v->tag == SP_NATIVE &&
        (strcmp(v->u.native.type, "object") == 0 || strcmp(v->u.native.type, "array") == 0)) {
        p = v->u.native.p;
        len = v->u.native.n;
        n->tagged = true;
    } else if (n->kind == LENS_SCALAR && (v->tag == SP_JSON || (spelled && v->tag == SP_TEXT))) {
        p = v->u.str.p;
        len = v->u.str.n;
    } else if (n->kind == LENS_SCALAR) {
        return 0;
    } else {
        return children(a, n);
    }
    if (!is_container_text(p, len) || sp_json_check(p, len, NULL) != 0)
        return 0; /* a scalar after all */
    while (*p != '{' && *p != '[') {
        p++;
        len--;
    }
    while (p[len - 1] != '}' && p[len - 1] != ']')
        len--;
    n->kind = *p == '{' ? LENS_OBJECT : LENS_ARRAY;
    n->text = p;
    n->n = len;
    return children(a, n);
}

struct lens_node *lens_node_child(const struct lens_node *n, const char *name)
{
    int64_t at;
    struct lens_node *c = n->first;
    if (n->kind == LENS_OBJECT) {
        size_t len = strlen(name);
        while (c != NULL && !(c->name_n == len && memcmp(c->name, name, len) == 0))
            c = c->next;
        return c;
    }
    if (n->kind != LENS_ARRAY || !sp_parse_i64(name, &at) || at < 0)
        return NULL;
    while (c != NULL && at-- > 0)
        c = c->next;
    return c;
}
