/* db_answer.c -- an answer whose columns are not known before it comes: JSON becomes rows of a result. Numbers are exact, a list
 * or an object inside a row is JSON. All rows have the same members, in the same order. */
#include <string.h>

#include "model/decimal.h"
#include "model/json.h"
#include "providers/supabase/internal.h"

#define COLUMNS 256
#define DEPTH   64

struct answer {
    struct sp_result *out;
    enum sd_shape shape;
    const char *name; /* of a column that has none of its own */
    size_t base;      /* depth of a row: 1 in a list, else 0 */
    bool object;      /* rows are objects; as the first one */
    struct sp_arena arena;
    const char *columns[COLUMNS];
    struct sp_value row[COLUMNS];
    size_t ncolumns, next; /* of all rows; of this one */
    bool comma;            /* inside a value: before the next entry */
    struct sp_buf text;    /* of a value that is a list or an object */
    size_t opened;         /* depth at which that began + 1; 0 = none */
    bool list[DEPTH];      /* by depth, and how many entries it has */
    uint64_t entries[DEPTH], *longest;
    int rc;
    struct sp_error *err;
};

static int corrupt(struct answer *a, const char *what)
{
    return a->rc = sp_fail(a->err, SP_E_CORRUPT, SP_ORIGIN_BACKEND, "the answer %s", what);
}

static int refuse(struct answer *a, const char *what)
{
    return a->rc = sp_fail(a->err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND, "the answer's rows %s", what);
}

static int nomem(struct answer *a)
{
    return a->rc = sp_nomem(a->err);
}

/* The columns are known with the first row's end. */
static int end_row(struct answer *a)
{
    if (a->out->nrows == 0 && a->out->ncolumns == 0) {
        a->ncolumns = a->next;
        if (a->ncolumns == 0)
            return refuse(a, "have no columns");
        if (sp_result_columns(a->out, a->columns, a->ncolumns) != 0)
            return nomem(a);
    }
    if (a->next != a->ncolumns)
        return refuse(a, "have not all the same members");
    a->rc = sp_result_add(a->out, a->row, a->err);
    if (a->rc != 0)
        return a->rc;
    a->next = 0;
    sp_arena_reset(&a->arena); /* names and values are in the result by now */
    return 0;
}

static int put(struct answer *a, const struct sp_value *v)
{
    if (a->next == COLUMNS)
        return refuse(a, "have too many columns");
    if (!a->object) {
        if (a->out->ncolumns == 0)
            a->columns[0] = a->name;
        a->next = 0;
    }
    if (sp_value_copy(&a->arena, &a->row[a->next++], v) != 0)
        return nomem(a);
    return a->object ? 0 : end_row(a);
}

static int put_name(struct answer *a, const char *p, size_t n)
{
    if (memchr(p, '\0', n) != NULL || a->next >= COLUMNS)
        return refuse(a, "have names that no column has");
    if (a->out->ncolumns != 0)
        return a->next < a->ncolumns && strlen(a->out->columns[a->next]) == n &&
                       memcmp(a->out->columns[a->next], p, n) == 0
                   ? 0
                   : refuse(a, "have not all the same members");
    a->columns[a->next] = sp_arena_printf(&a->arena, "%.*s", (int)n, p);
    return a->columns[a->next] == NULL ? nomem(a) : 0;
}

static int put_scalar(struct answer *a, enum sp_json_token t, const char *p, size_t n)
{
    char text[32];
    struct sp_value v = sp_v_null();
    if (t == SP_JT_TRUE || t == SP_JT_FALSE) {
        v = sp_v_bool(t == SP_JT_TRUE);
    } else if (t == SP_JT_STRING) {
        v = sp_v_textn(p, n);
    } else if (t == SP_JT_NUMBER) {
        bool whole = n < sizeof text && memchr(p, '.', n) == NULL && memchr(p, 'e', n) == NULL &&
                     memchr(p, 'E', n) == NULL;
        if (whole) {
            memcpy(text, p, n);
            text[n] = '\0';
        }
        v.tag = SP_INT;
        if (!whole || !sp_parse_i64(text, &v.u.i)) {
            v.tag = SP_DEC;
            if (sp_dec_parse(&a->arena, p, n, &v.u.dec) != 0)
                return corrupt(a, "holds a number that cannot be read");
        }
    }
    return put(a, &v);
}

/* --- a value that is a list or an object: its text again ------------------------------------------------------------------ */

static void put_inner(struct answer *a, enum sp_json_token t, const char *p, size_t n)
{
    bool end = t == SP_JT_OBJECT_END || t == SP_JT_ARRAY_END;
    if (a->comma && !end)
        sp_buf_putc(&a->text, ',');
    a->comma = t != SP_JT_OBJECT && t != SP_JT_ARRAY && t != SP_JT_NAME;
    switch (t) {
    case SP_JT_OBJECT:
        sp_buf_putc(&a->text, '{');
        break;
    case SP_JT_OBJECT_END:
        sp_buf_putc(&a->text, '}');
        break;
    case SP_JT_ARRAY:
        sp_buf_putc(&a->text, '[');
        break;
    case SP_JT_ARRAY_END:
        sp_buf_putc(&a->text, ']');
        break;
    case SP_JT_NAME:
    case SP_JT_STRING:
        (void)sp_json_quote(&a->text, p, n);
        if (t == SP_JT_NAME)
            sp_buf_putc(&a->text, ':');
        break;
    case SP_JT_NUMBER:
        sp_buf_put(&a->text, p, n);
        break;
    default:
        sp_buf_puts(&a->text, t == SP_JT_TRUE ? "true" : t == SP_JT_FALSE ? "false" : "null");
    }
}

static int inner(struct answer *a, enum sp_json_token t, size_t depth, const char *p, size_t n)
{
    bool begin = t == SP_JT_OBJECT || t == SP_JT_ARRAY, end = t == SP_JT_OBJECT_END || t == SP_JT_ARRAY_END;
    if (a->opened == 0) {
        sp_buf_clear(&a->text);
        a->comma = false;
        a->opened = depth + 1;
    } else if (!end && depth > 0 && depth <= DEPTH && a->list[depth - 1]) {
        uint64_t entries = ++a->entries[depth - 1];
        if (entries > *a->longest)
            *a->longest = entries;
    }
    if (begin && depth < DEPTH) { /* what lies deeper are no rows of a table */
        a->list[depth] = t == SP_JT_ARRAY;
        a->entries[depth] = 0;
    }
    put_inner(a, t, p, n);
    if (!end || depth + 1 != a->opened)
        return 0;
    a->opened = 0;
    if (a->text.oom)
        return nomem(a);
    struct sp_value v = sp_v_jsonn(a->text.p, a->text.n);
    return put(a, &v);
}

static int token(void *payload, enum sp_json_token t, size_t depth, const char *p, size_t n)
{
    struct answer *a = payload;
    bool composite = t == SP_JT_OBJECT || t == SP_JT_ARRAY;
    if (a->opened != 0)
        return inner(a, t, depth, p, n);
    if (depth < a->base)
        return t == SP_JT_ARRAY || t == SP_JT_ARRAY_END ? 0 : corrupt(a, "is no list of rows");
    if (depth == a->base && a->shape != SD_SHAPE_VALUE && (t == SP_JT_OBJECT || t == SP_JT_OBJECT_END)) {
        if (t == SP_JT_OBJECT_END)
            return end_row(a);
        if (a->out->ncolumns != 0 && !a->object)
            return refuse(a, "have not all the same members");
        a->object = true;
        a->next = 0;
        return 0;
    }
    if (depth == a->base && a->object)
        return refuse(a, "have not all the same members");
    if (t == SP_JT_NAME)
        return put_name(a, p, n);
    return composite ? inner(a, t, depth, p, n) : put_scalar(a, t, p, n);
}

int sd_answer(const char *p, size_t n, enum sd_shape shape, const char *name, struct sp_result *out,
    uint64_t *longest, struct sp_error *err)
{
    struct answer a = { .out = out,
        .shape = shape,
        .name = name,
        .base = shape == SD_SHAPE_ROWS ? 1 : 0,
        .longest = longest,
        .err = err };
    *longest = 0;
    int ret = sp_json_read(p, n, token, &a, NULL);
    if (ret != 0)
        ret = a.rc != 0 ? a.rc
                        : sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_BACKEND,
                              "the answer is not what PostgREST gives: it is not valid JSON");
    sp_arena_free(&a.arena);
    sp_buf_free(&a.text);
    return ret;
}
