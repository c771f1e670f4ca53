/* growth.c -- how fast a table grows: by the backend's own statistics, else by a column of moments at which rows were made,
 * else it is not known, which is said. */
#include <string.h>
#include <strings.h>

#include "assess/internal.h"
#include "model/calendar.h"

#define DAY    86400
#define WINDOW 30     /* days */
#define MANY   100000 /* rows a day */

static const char *by_statistics(struct sp_actx *c, struct sp_atable *x)
{
    char inserted[32], deleted[32];
    struct sp_error err = SP_ERROR_INIT;
    int rc = sp_db_volume(c->s, x->t->ns, x->t->name, &x->volume, &err);
    sp_error_clear(&err);
    if (rc != 0 || x->volume.inserted < 0 || x->volume.age_s <= 0)
        return NULL;
    sp_format_count(inserted, (uint64_t)x->volume.inserted);
    sp_format_count(deleted, (uint64_t)(x->volume.deleted > 0 ? x->volume.deleted : 0));
    double days = (double)x->volume.age_s / DAY;
    char age[32];
    sp_format_duration(age, (double)x->volume.age_s);
    if (days >= 1) /* less is no rate */
        c->grows = c->grows || (double)x->volume.inserted / days > MANY;
    return sp_arena_printf(&c->arena,
        "%s rows inserted and %s deleted in the %s since the server's statistics were reset", inserted,
        deleted, age);
}

/* created_at and its like; of several the first, and one that says "updated" never. */
static const struct sp_column *made_at(const struct sp_table *t)
{
    static const char *const words[] = { "creat", "insert", "added", "record", "logged", "occurred",
        "received", NULL };
    for (size_t w = 0; words[w] != NULL; w++)
        for (size_t i = 0; i < t->ncolumns; i++) {
            const struct sp_column *col = &t->columns[i];
            enum sp_tag tag = col->type.tag != SP_MISSING ? col->type.tag : col->declared.tag;
            if ((tag == SP_INSTANT || tag == SP_LOCAL || tag == SP_DATE) &&
                strcasestr(col->name, words[w]) != NULL)
                return col;
        }
    return NULL;
}

/* The moment `days` before v, in v's own form; false where that has no meaning. */
static bool earlier(struct sp_arena *a, struct sp_value *v, int days)
{
    struct sp_value w = sp_rule_moment(v);
    struct sp_buf b = SP_BUF_INIT;
    switch (w.tag) {
    case SP_DATE:
        w.u.days -= days;
        break;
    case SP_INSTANT:
    case SP_LOCAL:
        w.u.ts.sec -= (int64_t)days * DAY;
        break;
    default:
        return false;
    }
    if (v->tag != SP_TEXT) {
        *v = w;
        return true;
    }
    /* The day alone: whatever stands behind it in this text, it sorts behind the day. */
    int64_t day = w.tag == SP_DATE ? w.u.days : w.u.ts.sec / DAY;
    const char *text = sp_date_print(&b, day) == 0 && !b.oom ? sp_arena_str(a, b.p) : NULL;
    sp_buf_free(&b);
    if (text == NULL)
        return false;
    *v = sp_v_text(text);
    return true;
}

static const char *by_column(struct sp_actx *c, const struct sp_atable *x)
{
    const struct sp_column *col = made_at(x->t);
    struct sp_error err = SP_ERROR_INIT;
    struct sp_result r = SP_RESULT_INIT;
    int64_t recent = 0;
    char n[32];
    if (col == NULL || x->rows == 0 || x->t->ns != NULL)
        return NULL;
    const char *const select[] = { col->name };
    const struct sp_order order = { .column = col->name, .desc = true, .nulls = SP_NULLS_LAST };
    const struct sp_query q = {
        .table = x->t->name, .select = select, .nselect = 1, .order = &order, .norder = 1, .limit = 1
    };
    int rc = sp_db_read(c->s, &q, &r, &err);
    struct sp_value v = rc == 0 && r.nrows == 1 ? r.values[0] : sp_v_null();
    bool known = earlier(&c->arena, &v, WINDOW);
    const struct sp_filter later = { .op = SP_F_GT, .column = col->name, .values = &v, .nvalues = 1 };
    known = known && sp_db_count(c->s, x->t->name, &later, &recent, &err) == 0;
    sp_result_free(&r);
    sp_error_clear(&err);
    if (!known)
        return NULL;
    c->grows = c->grows || recent > (int64_t)WINDOW * MANY;
    sp_format_count(n, (uint64_t)recent);
    return sp_arena_printf(&c->arena, "%s rows (%.1f %%) have a %s within %d days of the latest one", n,
        100.0 * (double)recent / (double)x->rows, col->name, WINDOW);
}

void sp_a_growth(struct sp_actx *c, struct sp_atable *x)
{
    x->growth = by_statistics(c, x);
    if (x->growth == NULL)
        x->growth = by_column(c, x);
    if (x->growth == NULL)
        x->growth =
            "not known: the backend keeps no statistics of it, and no column says when a row was made";
}
