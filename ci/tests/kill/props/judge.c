/* judge.c -- runs a comparison in this process, and holds what it says against two worlds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "map/lens.h"
#include "model/calendar.h"
#include "props.h"
#include "verify/internal.h"

struct keeper {
    struct sp_emitter em;
    json_t *events;
};

static int keep(struct sp_emitter *em, enum sp_event_kind k, const char *json, size_t n, struct sp_error *err)
{
    struct keeper *x = (struct keeper *)(void *)em;
    struct sp_buf b = SP_BUF_INIT;
    (void)err;
    sp_buf_printf(&b, "{\"ev\":\"%s\"%s", sp_event_name(k), n == 0 ? "" : ",");
    sp_buf_put(&b, json, n);
    sp_buf_putc(&b, '}');
    json_t *e = b.oom ? NULL : json_loadb(b.p, b.n, 0, NULL);
    if (e == NULL)
        die("an event is no JSON: %.300s", b.p == NULL ? "" : b.p);
    sp_buf_free(&b);
    return json_array_append_new(x->events, e);
}

struct sp_session *side_open(
    const struct side *s, enum sp_access access, struct sp_endpoint *e, struct sp_error *err)
{
    struct sp_session *out = NULL;
    *e = (struct sp_endpoint){ .name = s->kind,
        .url = s->url,
        .access = access,
        .option_names = s->option_names,
        .option_values = s->option_values,
        .noptions = s->noptions };
    return sp_open(&out, s->provider, e, err) == 0 ? out : NULL;
}

#define READERS 2 /* beside the first */

/* To begin a session costs a server more than most comparisons: they are used anew, for other schemas, some times. */
#define USES 12
static struct held {
    const struct side *side;
    struct sp_session *s;
    struct sp_endpoint e;
    unsigned uses;
} held[3][1 + READERS];

static struct sp_session *session(const struct side *side, size_t reader, struct sp_error *err)
{
    struct held *free_one = NULL;
    for (size_t i = 0; i < SP_LEN(held); i++) {
        struct held *h = &held[i][reader];
        if (h->side == side) {
            h->uses++;
            return h->s;
        }
        if (h->side == NULL)
            free_one = h;
    }
    if (free_one == NULL)
        die("more than three sides");
    free_one->s = side_open(side, SP_ACCESS_READ_ONLY, &free_one->e, err);
    free_one->side = free_one->s == NULL ? NULL : side;
    free_one->uses = 1;
    return free_one->s;
}

/* A file is replaced by another one between two comparisons: it is opened each time. */
static void put_back(bool all)
{
    for (size_t i = 0; i < SP_LEN(held); i++)
        for (size_t r = 0; r <= READERS; r++) {
            struct held *h = &held[i][r];
            if (h->side != NULL && (all || !h->side->lasting || h->uses >= USES)) {
                sp_close(h->s);
                h->side = NULL;
            }
        }
}

void judge_end(void)
{
    put_back(true);
}

/* Every third time with so little memory that a table takes several passes, every fourth with several readers. */
void judge(const struct side *a, const struct side *b, const struct sp_mapping *mapping, struct verdict *v)
{
    static unsigned times;
    const struct side *side[2] = { a, b };
    struct sp_session *s[2][1 + READERS] = { { NULL }, { NULL } };
    struct keeper k = { { keep }, json_array() };
    unsigned number = times++;
    struct sp_session *lens[2] = { NULL, NULL };
    size_t readers = number % 4 == 3 && mapping == NULL ? READERS : 0;
    *v = (struct verdict){
        .verdict = SP_VV_NOT_COMPARED, .reasons = SP_BUF_INIT, .events = k.events, .err = SP_ERROR_INIT
    };
    for (int i = 0; i < 2 && v->rc == 0; i++)
        for (size_t r = 0; r <= readers && v->rc == 0; r++) {
            s[i][r] = session(side[i], r, &v->err);
            v->rc = s[i][r] == NULL ? -1 : 0;
        }
    for (int i = 0; i < 2 && v->rc == 0 && mapping != NULL; i++)
        v->rc = sp_lens_open(s[i][0], s[1 - i][0], mapping, (enum sp_side)i, &lens[i], &v->err);
    const struct sp_verify_options opt = { .checks =
                                               mapping != NULL ? SP_VC_ROWS | SP_VC_RELATIONS : SP_VC_ALL,
        .mapping = mapping,
        .show_values = getenv("PROPS_EVENTS") != NULL,
        .max_differences = 1000,
        .readers = { &s[0][1], &s[1][1] },
        .nreaders = { readers, readers } };
    if (v->rc == 0)
        v->rc = sp_verify_bounded(lens[0] != NULL ? lens[0] : s[0][0], lens[1] != NULL ? lens[1] : s[1][0],
            &opt, number % 3 == 2 ? 64u << 10 : SP_VERIFY_MEMORY, &k.em, &v->verdict, &v->reasons, &v->err);
    sp_close(lens[0]);
    sp_close(lens[1]);
    put_back(v->rc != 0);
}

void verdict_clear(struct verdict *v)
{
    json_decref(v->events);
    sp_buf_free(&v->reasons);
    sp_error_clear(&v->err);
}

static const char *str(const json_t *e, const char *field)
{
    const char *s = json_string_value(json_object_get(e, field));
    return s == NULL ? "" : s;
}

static long long num(const json_t *e, const char *field)
{
    return json_integer_value(json_object_get(e, field));
}

static bool is(const json_t *e, const char *kind)
{
    return strcmp(str(e, "ev"), kind) == 0;
}

#define WRONG(...) (void)(out[0] == '\0' && snprintf(out, size, __VA_ARGS__))

static void reasons(const struct verdict *v, char *out, size_t size)
{
    WRONG("%s; %s: %.900s", sp_verify_verdict_name(v->verdict), v->rc == 0 ? "" : sp_error_text(&v->err),
        v->reasons.p == NULL ? "" : v->reasons.p);
}

void expect_equal(const struct verdict *v, bool loses, char *out, size_t size)
{
    if (v->rc != 0 || v->verdict != (loses ? SP_VV_EQUAL_WITH_LOSS : SP_VV_EQUAL))
        reasons(v, out, size);
}

/* ---- what two worlds differ in ---- */

static const struct list *key_of(const struct table *t, struct list *own)
{
    if (t->pk.n != 0)
        return &t->pk;
    for (unsigned i = 0; i < t->nuniques; i++) {
        bool nulls = false;
        for (unsigned k = 0; k < t->uniques[i].n; k++)
            nulls = nulls || !t->cols[t->uniques[i].col[k]].not_null;
        if (!nulls)
            return &t->uniques[i];
    }
    own->n = 0;
    return own;
}

static struct sp_value key_value(
    struct sp_arena *a, const struct column *c, const struct cell *x, enum keys keys)
{
    struct sp_value v = sp_v_null();
    struct sp_ts ts;
    bool zoned;
    switch (x->tag) {
    case C_INT:
        v = sp_v_int(x->i);
        break;
    case C_F64:
        v = sp_v_f64(x->f);
        break;
    case C_BYTES:
        v = sp_v_bytes(x->p, x->n);
        break;
    case C_TEXT:
        v = sp_v_textn(x->p, x->n);
        break;
    default:
        return v;
    }
    if (keys != KEYS_TYPED || x->tag != C_TEXT)
        return v;
    switch (c->kind) {
    case K_UUID:
        v.tag = SP_UUID;
        if (sp_uuid_parse(x->p, x->n, v.u.uuid) != 0)
            die("uuid");
        break;
    case K_DECIMAL:
    case K_NUMERIC:
        v = sp_v_dec_text(a, sp_arena_strn(a, x->p, x->n));
        break;
    case K_DATE:
        v.tag = SP_DATE;
        if (sp_date_parse(x->p, x->n, &v.u.days) != 0)
            die("date");
        break;
    case K_INSTANT:
        if (sp_ts_parse(x->p, x->n, &ts, &zoned) != 0)
            die("instant");
        v = sp_v_instant(ts.sec, ts.nsec);
        break;
    default:
        break;
    }
    return v;
}

/* As it stands in an event. */
static void key_text(
    struct sp_buf *out, const struct table *t, const struct list *key, const struct cell *r, enum keys keys)
{
    struct sp_arena a = SP_ARENA_INIT;
    struct sp_buf own = SP_BUF_INIT, *b = &own;
    for (unsigned i = 0; i < key->n; i++) {
        const struct column *c = &t->cols[key->col[i]];
        struct sp_value v = key_value(&a, c, &r[key->col[i]], keys);
        sp_buf_printf(b, "%s%s=", i == 0 ? "" : ", ", c->name);
        sp_value_print_key(b, &v);
    }
    char *clean = need(sp_utf8_clean(own.p, own.n, true));
    sp_buf_puts(out, clean);
    free(clean);
    sp_buf_free(&own);
    sp_arena_free(&a);
}

static bool same_cells(const struct list *l, unsigned all, const struct cell *a, const struct cell *b)
{
    for (unsigned i = 0; i < (l != NULL ? l->n : all); i++) {
        unsigned c = l != NULL ? l->col[i] : i;
        if (!cell_same(&a[c], &b[c]))
            return false;
    }
    return true;
}

static bool twice(const struct table *t, const struct list *key, size_t row)
{
    for (size_t k = 0; k < t->nrows; k++)
        if (k != row && same_cells(key, 0, t->rows[k], t->rows[row]))
            return true;
    return false;
}

struct counts {
    long long missing, extra, changed;
};

/* Rows that both have go; what is left of one key pairs up as changed. `cells` gets "key\x1fcolumn" of each. */
static struct counts differences(const struct table *a, const struct table *b, enum keys keys, json_t *cells)
{
    struct counts n = { 0, 0, 0 };
    struct list own = { .n = 0 };
    const struct list *key = key_of(a, &own);
    bool *da = need(calloc(a->nrows + 1, 1)), *db = need(calloc(b->nrows + 1, 1));
    for (size_t i = 0; i < a->nrows; i++)
        for (size_t j = 0; j < b->nrows && !da[i]; j++)
            if (!db[j] && same_cells(NULL, a->ncols, a->rows[i], b->rows[j]))
                da[i] = db[j] = true;
    for (size_t i = 0; i < a->nrows; i++)
        for (size_t j = 0; key->n != 0 && j < b->nrows && !da[i]; j++) {
            if (db[j] || !same_cells(key, 0, a->rows[i], b->rows[j]))
                continue;
            da[i] = db[j] = true;
            n.changed++;
            struct sp_buf any = SP_BUF_INIT; /* rows that share a key (null) pair up in any order */
            key_text(&any, a, key, a->rows[i], keys);
            if (keys != KEYS_UNNAMED && (twice(a, key, i) || twice(b, key, j))) {
                sp_buf_puts(&any, "\x1f*");
                json_object_set_new(cells, any.p, json_integer(1));
                sp_buf_free(&any);
                continue;
            }
            sp_buf_free(&any);
            for (unsigned c = 0; c < a->ncols; c++) {
                struct sp_buf text = SP_BUF_INIT;
                if (cell_same(&a->rows[i][c], &b->rows[j][c]))
                    continue;
                if (keys != KEYS_UNNAMED)
                    key_text(&text, a, key, a->rows[i], keys);
                sp_buf_printf(&text, "\x1f%s", a->cols[c].name);
                json_object_set_new(cells, text.p, json_integer(0));
                sp_buf_free(&text);
            }
        }
    for (size_t i = 0; i < a->nrows; i++)
        n.missing += da[i] ? 0 : 1;
    for (size_t j = 0; j < b->nrows; j++)
        n.extra += db[j] ? 0 : 1;
    free(da);
    free(db);
    return n;
}

static bool is_orphan(const struct world *w, const struct fk *f, const struct cell *r)
{
    const struct table *p = &w->tables[f->parent];
    for (unsigned i = 0; i < f->from.n; i++)
        if (r[f->from.col[i]].tag == C_NULL)
            return false;
    for (size_t k = 0; k < p->nrows; k++) {
        bool all = true;
        for (unsigned i = 0; all && i < f->from.n; i++)
            all = cell_same(&r[f->from.col[i]], &p->rows[k][f->to.col[i]]);
        if (all)
            return false;
    }
    return true;
}

static long long orphans(const struct world *w, const struct table *t, const struct fk *f)
{
    long long n = 0;
    for (size_t k = 0; k < t->nrows; k++)
        n += is_orphan(w, f, t->rows[k]);
    return n;
}

static const json_t *event_of(const struct verdict *v, const char *kind, const char *field, const char *value)
{
    size_t i;
    json_t *e;
    json_array_foreach(v->events, i, e)
    {
        if (is(e, kind) && strcmp(str(e, field), value) == 0)
            return e;
    }
    return NULL;
}

static void compare_cells(
    const struct verdict *v, const char *table, enum keys keys, json_t *cells, char *out, size_t size)
{
    size_t i;
    json_t *e;
    const char *name;
    json_array_foreach(v->events, i, e)
    {
        struct sp_buf b = SP_BUF_INIT;
        if (!is(e, "difference") || strcmp(str(e, "name"), table) != 0 ||
            strcmp(str(e, "difference"), "changed") != 0)
            continue;
        /* Of a document, the way to the place inside is said, too. */
        size_t n = keys == KEYS_STORED ? strlen(str(e, "column")) : strcspn(str(e, "column"), "/");
        sp_buf_printf(&b, "%s\x1f%.*s", keys == KEYS_UNNAMED ? "" : str(e, "key"), (int)n, str(e, "column"));
        struct sp_buf any = SP_BUF_INIT;
        sp_buf_printf(&any, "%s\x1f*", str(e, "key"));
        bool ambiguous = json_object_get(cells, any.p) != NULL;
        sp_buf_free(&any);
        if (!ambiguous && json_object_get(cells, b.p) == NULL)
            WRONG("table %s: said to differ, and does not: %s", table, b.p);
        else if (!ambiguous)
            json_object_set_new(cells, b.p, json_integer(1));
        sp_buf_free(&b);
    }
    json_object_foreach(cells, name, e)
    {
        if (json_integer_value(e) == 0)
            WRONG("table %s: not named: %.300s", table, name);
    }
}

static void compare_table(const struct verdict *v, const struct world *a, const struct world *b, unsigned i,
    enum keys keys, bool *differs, char *out, size_t size)
{
    const struct table *s = &a->tables[i], *t = &b->tables[i];
    json_t *cells = json_object();
    struct counts want = differences(s, t, keys, cells);
    const json_t *e = event_of(v, "table", "name", s->name);
    bool equal = want.missing + want.extra + want.changed == 0;
    if (e == NULL)
        WRONG("table %s was not compared", s->name);
    else if (json_is_true(json_object_get(e, "digest_equal")) != equal)
        WRONG("table %s: digest_equal is not %s", s->name, equal ? "true" : "false");
    else if (num(e, "missing") != want.missing || num(e, "extra") != want.extra ||
             num(e, "changed") != want.changed)
        WRONG("table %s: %lld missing, %lld extra, %lld changed instead of %lld, %lld, %lld", s->name,
            num(e, "missing"), num(e, "extra"), num(e, "changed"), want.missing, want.extra, want.changed);
    else
        compare_cells(v, s->name, keys, cells, out, size);
    json_decref(cells);
    *differs = *differs || !equal;
}

static void compare_relations(
    const struct verdict *v, const struct world *a, const struct world *b, char *out, size_t size)
{
    for (unsigned i = 0; i < a->ntables; i++)
        for (unsigned k = 0; k < a->tables[i].nfks; k++) {
            const struct fk *f = &a->tables[i].fks[k];
            struct sp_buf columns = SP_BUF_INIT;
            const json_t *e = NULL, *x;
            size_t at;
            long long was = orphans(a, &a->tables[i], f), is_now = orphans(b, &b->tables[i], f);
            for (unsigned c = 0; c < f->from.n; c++)
                sp_buf_printf(&columns, "%s%s", c == 0 ? "" : ", ", a->tables[i].cols[f->from.col[c]].name);
            json_array_foreach(v->events, at, x)
            {
                if (is(x, "relation") && strcmp(str(x, "child"), a->tables[i].name) == 0 &&
                    strcmp(str(x, "columns"), columns.p) == 0)
                    e = x;
            }
            if (e == NULL)
                WRONG("relation %s (%s) was not checked", a->tables[i].name, columns.p);
            else if (num(e, "source_orphans") != was || num(e, "target_orphans") != is_now)
                WRONG("relation %s (%s): %lld and %lld orphans instead of %lld and %lld", a->tables[i].name,
                    columns.p, num(e, "source_orphans"), num(e, "target_orphans"), was, is_now);
            else if (is_now > was && num(e, "introduced") < is_now - was)
                WRONG(
                    "relation %s (%s): %lld introduced", a->tables[i].name, columns.p, num(e, "introduced"));
            sp_buf_free(&columns);
        }
}

void expect_rows(const struct verdict *v, const struct world *a, const struct world *b, enum keys keys,
    char *out, size_t size)
{
    bool differs = false;
    size_t i;
    json_t *e;
    for (unsigned k = 0; k < a->ntables; k++)
        compare_table(v, a, b, k, keys, &differs, out, size);
    compare_relations(v, a, b, out, size);
    json_array_foreach(v->events, i, e)
    {
        if (is(e, "schema_diff") || is(e, "not_compared"))
            WRONG("%s: %s", str(e, "ev"), json_dumps(e, JSON_COMPACT));
    }
    if (v->rc != 0 || v->verdict != (differs ? SP_VV_DIFFERENT : SP_VV_EQUAL))
        reasons(v, out, size);
}

void expect_schema(const struct verdict *v, const char *table, const char *element, char *out, size_t size)
{
    size_t i;
    json_t *e;
    bool met = false;
    json_array_foreach(v->events, i, e)
    {
        met = met || (is(e, "schema_diff") && strcmp(str(e, "element"), element) == 0 &&
                         strcmp(str(e, "table"), table) == 0);
    }
    if (v->rc != 0 || v->verdict != SP_VV_DIFFERENT)
        reasons(v, out, size);
    else if (!met)
        WRONG("no schema difference '%s' of table %s", element, table);
}
