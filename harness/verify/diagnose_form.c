/* diagnose_form.c -- one content in another form: null and defaults, booleans, ids, octets, JSON, escapes. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "model/canonical.h"
#include "model/json.h"
#include "verify/diagnose.h"

static bool text(const struct sp_value *v)
{
    return v->tag == SP_TEXT;
}

static bool is(const struct sp_buf *b, const struct sp_value *v)
{
    return !b->oom && b->n == v->u.str.n && (b->n == 0 || memcmp(b->p, v->u.str.p, b->n) == 0);
}

static bool word(const struct sp_value *v, const char *const *words)
{
    for (size_t i = 0; text(v) && words[i] != NULL; i++)
        if (strlen(words[i]) == v->u.str.n && strncasecmp(words[i], v->u.str.p, v->u.str.n) == 0)
            return true;
    return false;
}

/* ---- nothing, and what stands for it ------------------------------------------------------------------------------ */

static bool empty(const struct sp_value *v)
{
    return (text(v) || v->tag == SP_BYTES) && v->u.str.n == 0;
}

static bool null_empty(struct sp_diag_cell *c, int64_t *param)
{
    *param = sp_v_is_absent(&c->v[0]) ? 1 : 2;
    return (sp_v_is_absent(&c->v[0]) && empty(&c->v[1])) || (sp_v_is_absent(&c->v[1]) && empty(&c->v[0]));
}

static void say_empty(struct sp_buf *out, const int64_t *p, size_t n)
{
    (void)n;
    sp_buf_puts(out, p[0] == 1 ? ": null in the source, empty in the target"
                               : ": empty in the source, null in the target (as Oracle keeps it)");
}

static bool null_missing(struct sp_diag_cell *c, int64_t *param)
{
    *param = c->v[0].tag == SP_NULL ? 1 : 2;
    return sp_v_is_absent(&c->v[0]) && sp_v_is_absent(&c->v[1]) && c->v[0].tag != c->v[1].tag;
}

static void say_missing(struct sp_buf *out, const int64_t *p, size_t n)
{
    (void)n;
    sp_buf_puts(out, p[0] == 1 ? ": null in the source, no such field in the target"
                               : ": no such field in the source, null in the target");
}

static bool null_default(struct sp_diag_cell *c, int64_t *param)
{
    static const char *const words[] = { "0", "false", "f", "n", "no", "0000-00-00", "0000-00-00 00:00:00",
        "{}", "[]", "00000000-0000-0000-0000-000000000000", NULL };
    static const uint8_t zero[16] = { 0 };
    const struct sp_value *t = &c->v[1], *w = &c->when[1];
    *param = (int64_t)t->tag;
    if (!sp_v_is_absent(&c->v[0]))
        return false;
    return (c->number[1] && c->num[1].ndigits == 0) || (t->tag == SP_BOOL && !t->u.b) || word(t, words) ||
           (t->tag == SP_UUID && memcmp(t->u.uuid, zero, 16) == 0) ||
           (t->tag == SP_ARRAY && t->u.array.n == 0) || (t->tag == SP_JSON && t->u.str.n == 2) ||
           (w->tag == SP_DATE && w->u.days == 0) ||
           ((w->tag == SP_INSTANT || w->tag == SP_LOCAL) && w->u.ts.sec == 0 && w->u.ts.nsec == 0);
}

static bool null_word(struct sp_diag_cell *c, int64_t *param)
{
    static const char *const words[] = { "null", "none", "nil", "nan", "undefined", "\\N", "(null)", "<null>",
        "n/a", NULL };
    *param = 0;
    return (sp_v_is_absent(&c->v[0]) && word(&c->v[1], words)) ||
           (sp_v_is_absent(&c->v[1]) && word(&c->v[0], words));
}

static bool became_null(struct sp_diag_cell *c, int64_t *param)
{
    *param = 0;
    return !sp_v_is_absent(&c->v[0]) && sp_v_is_absent(&c->v[1]);
}

static bool was_null(struct sp_diag_cell *c, int64_t *param)
{
    *param = 0;
    return sp_v_is_absent(&c->v[0]) && !sp_v_is_absent(&c->v[1]);
}

/* ---- booleans, types ------------------------------------------------------------------------------------------------ */

static int truth(const struct sp_diag_cell *c, int side) /* -1 = no truth value */
{
    static const char *const yes[] = { "true", "t", "yes", "y", "1", "on", NULL };
    static const char *const no[] = { "false", "f", "no", "n", "0", "off", NULL };
    const struct sp_value *v = &c->v[side];
    if (v->tag == SP_BOOL)
        return v->u.b ? 1 : 0;
    if (v->tag == SP_INT || v->tag == SP_F64)
        return c->number[side] && c->num[side].ndigits == 0 ? 0
               : c->number[side] && c->num[side].ndigits == 1 && c->num[side].digits[0] == '1' &&
                       c->num[side].exp == 0 && !c->num[side].neg
                   ? 1
                   : -1;
    if (v->tag == SP_BYTES && v->u.str.n == 1 && (unsigned char)v->u.str.p[0] < 2)
        return v->u.str.p[0];
    return word(v, yes) ? 1 : word(v, no) ? 0 : -1;
}

static bool boolean_form(struct sp_diag_cell *c, int64_t *param)
{
    int s = truth(c, 0), t = truth(c, 1);
    *param = (int64_t)c->v[0].tag * 32 + (int64_t)c->v[1].tag;
    return s >= 0 && s == t && !(c->number[0] && c->number[1]);
}

static void say_tags(struct sp_buf *out, const int64_t *p, size_t n)
{
    (void)n;
    sp_buf_printf(out, ": %s in the source, %s in the target", sp_tag_name((enum sp_tag)(p[0] / 32)),
        sp_tag_name((enum sp_tag)(p[0] % 32)));
}

static bool becomes(struct sp_diag_cell *c, int from)
{
    struct sp_type type = { .tag = c->v[1 - from].tag };
    struct sp_value out;
    return sp_coerce(c->a, &type, &c->v[from], &out) == 0 && sp_value_equal(&out, &c->v[1 - from]);
}

static bool type_changed(struct sp_diag_cell *c, int64_t *param)
{
    const struct sp_value *s = &c->v[0], *t = &c->v[1];
    *param = (int64_t)s->tag * 32 + (int64_t)t->tag;
    if (s->tag == t->tag || sp_v_is_absent(s) || sp_v_is_absent(t) || s->tag == SP_NATIVE ||
        t->tag == SP_NATIVE)
        return false;
    if ((text(s) && t->tag == SP_BYTES) || (s->tag == SP_BYTES && text(t)))
        return s->u.str.n == t->u.str.n && memcmp(s->u.str.p, t->u.str.p, s->u.str.n) == 0;
    return becomes(c, 0) || becomes(c, 1);
}

/* ---- ids and octets -------------------------------------------------------------------------------------------------- */

static int nibble(char ch)
{
    return ch >= '0' && ch <= '9'   ? ch - '0'
           : ch >= 'a' && ch <= 'f' ? ch - 'a' + 10
           : ch >= 'A' && ch <= 'F' ? ch - 'A' + 10
                                    : -1;
}

/* A UUID in any of its spellings. */
static bool uuid_of(const struct sp_value *v, uint8_t out[16])
{
    size_t k = 0;
    if (v->tag == SP_UUID || (v->tag == SP_BYTES && v->u.str.n == 16)) {
        memcpy(out, v->tag == SP_UUID ? (const void *)v->u.uuid : v->u.str.p, 16);
        return true;
    }
    if (!text(v) || v->u.str.n < 32 || v->u.str.n > 45)
        return false;
    const char *p = v->u.str.p, *end = p + v->u.str.n;
    if (end - p > 9 && strncasecmp(p, "urn:uuid:", 9) == 0)
        p += 9;
    for (; p < end; p++) {
        int x = nibble(*p);
        if (x < 0 && (*p == '-' || *p == '{' || *p == '}'))
            continue;
        if (x < 0 || k == 32)
            return false;
        out[k / 2] = (uint8_t)(k % 2 == 0 ? x << 4 : out[k / 2] | x);
        k++;
    }
    return k == 32;
}

static bool uuid_form(struct sp_diag_cell *c, int64_t *param)
{
    static const uint8_t guid[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };
    static const uint8_t java[16] = { 7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8 };
    uint8_t s[16], t[16];
    bool as_guid = true, as_java = true;
    if (!uuid_of(&c->v[0], s) || !uuid_of(&c->v[1], t))
        return false;
    if (memcmp(s, t, 16) == 0) {
        *param = text(&c->v[0]) && text(&c->v[1]) && c->v[0].u.str.n == c->v[1].u.str.n ? 1 : 2;
        return true;
    }
    for (size_t i = 0; i < 16; i++) {
        as_guid = as_guid && s[i] == t[guid[i]];
        as_java = as_java && s[i] == t[java[i]];
    }
    *param = 3;
    return as_guid || as_java;
}

static void say_uuid(struct sp_buf *out, const int64_t *p, size_t n)
{
    (void)n;
    sp_buf_puts(out, p[0] == 1 ? ": in letters of another case"
                     : p[0] == 2
                         ? ": with or without hyphens, braces, or as 16 octets"
                         : ": its octets are in another order (GUIDs of Windows, old drivers of MongoDB)");
}

static void base64(struct sp_buf *out, const unsigned char *p, size_t n, bool url)
{
    static const char abc[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        uint32_t w =
            (uint32_t)p[i] << 16 | (i + 1 < n ? (uint32_t)p[i + 1] << 8 : 0) | (i + 2 < n ? p[i + 2] : 0);
        for (size_t k = 0; k < 4; k++) {
            char ch = abc[w >> (18 - 6 * k) & 63];
            if (i + k > n)
                ch = '=';
            sp_buf_putc(out, url && ch == '+' ? '-' : url && ch == '/' ? '_' : ch);
        }
    }
}

/* 1 base64, 2 hexadecimal; 0 = something else. */
static int64_t spells_octets(const struct sp_value *octets, const struct sp_value *words)
{
    const char *p = words->u.str.p;
    size_t n = words->u.str.n;
    struct sp_buf b = SP_BUF_INIT;
    int64_t how = 0;
    if (octets->u.str.n == 0 || octets->u.str.n > (1u << 20))
        return 0;
    if (n > 2 && (p[0] == '\\' || p[0] == '0') && (p[1] == 'x' || p[1] == 'X')) {
        p += 2;
        n -= 2;
    }
    sp_buf_hex(&b, octets->u.str.p, octets->u.str.n);
    if (!b.oom && b.n == n && strncasecmp(b.p, p, n) == 0)
        how = 2;
    for (int url = 0; url < 2 && how == 0; url++) {
        sp_buf_clear(&b);
        base64(&b, (const unsigned char *)octets->u.str.p, octets->u.str.n, url != 0);
        while (url != 0 && b.n > n && b.p[b.n - 1] == '=')
            b.n--;
        how = is(&b, words) ? 1 : 0;
    }
    sp_buf_free(&b);
    return how;
}

static bool octets_as_text(struct sp_diag_cell *c, int64_t *param)
{
    for (int i = 0; i < 2; i++) {
        const struct sp_value *octets = &c->v[i], *words = &c->v[1 - i];
        bool fits = (octets->tag == SP_BYTES || text(octets)) && (words->tag == SP_BYTES || text(words)) &&
                    (octets->tag == SP_BYTES || words->tag == SP_BYTES);
        if (!fits || (*param = spells_octets(octets, words)) == 0)
            continue;
        *param += i == 0 ? 0 : 2;
        return true;
    }
    return false;
}

static void say_octets(struct sp_buf *out, const int64_t *p, size_t n)
{
    (void)n;
    sp_buf_printf(out, " as %s in the %s", p[0] % 2 != 0 ? "base64" : "hexadecimal text",
        p[0] <= 2 ? "target" : "source");
}

/* ---- JSON ------------------------------------------------------------------------------------------------------------ */

static bool same_json(const char *a, size_t an, const char *b, size_t bn)
{
    struct sp_buf x = SP_BUF_INIT, y = SP_BUF_INIT;
    bool yes = sp_json_canonical(&x, a, an, NULL) == 0 && sp_json_canonical(&y, b, bn, NULL) == 0 &&
               x.n == y.n && memcmp(x.p, y.p, x.n) == 0;
    sp_buf_free(&x);
    sp_buf_free(&y);
    return yes;
}

static bool json_respelled(struct sp_diag_cell *c, int64_t *param)
{
    const char *p[2];
    size_t n[2];
    *param = 0;
    return sp_diag_json_of(&c->v[0], &p[0], &n[0]) && sp_diag_json_of(&c->v[1], &p[1], &n[1]) &&
           same_json(p[0], n[0], p[1], n[1]);
}

/* A document as a text inside of JSON: "{\"a\":1}". */
static bool json_quoted(struct sp_diag_cell *c, int64_t *param)
{
    for (int i = 0; i < 2; i++) {
        const char *p, *pair[2] = { "0", NULL };
        size_t n, len[2] = { 1, 0 };
        struct sp_value inner[2];
        struct sp_buf whole = SP_BUF_INIT;
        const struct sp_value *other = &c->v[1 - i];
        if ((other->tag != SP_JSON && !text(other)) || other->u.str.n < 4 || other->u.str.p[0] != '"' ||
            !sp_diag_json_of(&c->v[i], &p, &n))
            continue;
        *param = 1 + i;
        bool found = false;
        if (sp_json_canonical(&whole, other->u.str.p, other->u.str.n, NULL) == 0) {
            pair[1] = whole.p;
            len[1] = whole.n;
            found = sp_diag_json_leaf(c->a, pair, len, inner) == 0 && text(&inner[1]) &&
                    same_json(p, n, inner[1].u.str.p, inner[1].u.str.n);
        }
        sp_buf_free(&whole);
        if (found)
            return true;
    }
    return false;
}

static void say_quoted(struct sp_buf *out, const int64_t *p, size_t n)
{
    (void)n;
    sp_buf_puts(out, p[0] == 1 ? "in the target" : "in the source");
}

static bool array_order(struct sp_diag_cell *c, int64_t *param)
{
    struct sp_buf b[2] = { SP_BUF_INIT, SP_BUF_INIT };
    bool yes = true;
    *param = 0;
    for (int i = 0; i < 2 && yes; i++) {
        const char *p;
        size_t n;
        struct sp_value json;
        struct sp_type type = { .tag = SP_JSON };
        if (c->v[i].tag == SP_ARRAY) {
            yes = sp_coerce(c->a, &type, &c->v[i], &json) == 0;
            p = json.u.str.p;
            n = yes ? json.u.str.n : 0;
        } else {
            yes = sp_diag_json_of(&c->v[i], &p, &n);
        }
        yes = yes && sp_diag_json_unordered(&b[i], p, n) == 0;
    }
    yes = yes && !b[0].oom && !b[1].oom && b[0].n == b[1].n && memcmp(b[0].p, b[1].p, b[0].n) == 0;
    sp_buf_free(&b[0]);
    sp_buf_free(&b[1]);
    return yes;
}

const struct sp_diag_class sp_diag_forms[] = {
    { "null_empty", SP_DIAG_SAME, 0.05, null_empty, "null and empty text are confused", say_empty,
        "say in the load which text means null (NULL '' in COPY, nullValue), or map the column with rule "
        "empty_to_null "
        "where it is meant" },
    { "null_missing", SP_DIAG_SAME, 0.01, null_missing, "null against a missing field", say_missing,
        "if readers don't care, map the column with rule null_to_missing or missing_to_null" },
    { "null_default", SP_DIAG_SAME, 0.1, null_default,
        "a zero, false or empty default stands in place of null", NULL,
        "the load left the column out or the target's default filled it: write null explicitly, and look at "
        "NOT NULL "
        "DEFAULT in the target" },
    { "null_word", SP_DIAG_FREE, 0.02, null_word, "the word for null was taken for a text", NULL,
        "say in the load which word means null, and load the column again" },
    { "became_null", SP_DIAG_FREE, 0.15, became_null, "values became null", NULL,
        "the column was not filled, or the load refused its values silently: look at its place in the export "
        "and at "
        "warnings of the load" },
    { "was_null", SP_DIAG_FREE, 0.25, was_null, "the target has values where the source has null", NULL,
        "look for a default, a trigger or a later update in the target" },
    { "boolean_form", SP_DIAG_SAME, 0.01, boolean_form, "truth values in another form", say_tags,
        "make both columns booleans, or convert in the load" },
    { "type_changed", SP_DIAG_SAME, 0.01, type_changed, "the same content in another type", say_tags,
        "load the column with its own type (SQLite keeps whatever type is inserted; JSON and CSV have few)" },
    { "uuid_form", SP_DIAG_SAME, 0.005, uuid_form, "the same UUID, written differently", say_uuid,
        "use the type uuid on both sides, or one spelling; where octets are swapped, set the driver's "
        "representation to "
        "the standard one" },
    { "octets_as_text", SP_DIAG_SAME, 0.005, octets_as_text, "octets were kept", say_octets,
        "decode them in the load, so that the column holds octets again" },
    { "json_respelled", SP_DIAG_FREE, 0.01, json_respelled,
        "the same JSON, written differently (blanks, order of names, form of numbers)", NULL,
        "use a JSON type on both sides, so that only the value counts" },
    { "json_quoted", SP_DIAG_SAME, 0.005, json_quoted, "a JSON document was encoded once more, as a text: ",
        say_quoted, "hand the document over as JSON, not as a string (one call of stringify too many)" },
    { "array_order", SP_DIAG_FREE, 0.02, array_order, "the elements of an array are in another order", NULL,
        "keep the order in the export (array_agg(... ORDER BY ...)), or say in the mapping that it is no "
        "data" },
    { .name = NULL },
};
