/* misfits.c -- values that are not of the type that their column declares: listed with the key of their row, so that
 * they can be mended at the source. Never more than a handful for each column; the count stands beside them. */
#include <stdlib.h>

#include "migrate/internal.h"

void sp_m_put_key(struct sp_buf *out, const struct sp_table *t, const struct sp_colplan *plan, size_t n,
    const struct sp_value *row)
{
    size_t before = out->n;
    for (size_t k = 0; k < t->npk; k++)
        for (size_t i = 0; i < n; i++)
            if (strcmp(plan[i].source, t->pk[k]) == 0) {
                sp_buf_printf(out, "%s%s=", out->n == before ? "" : ", ", t->pk[k]);
                sp_value_print_key(out, &row[i]);
            }
    if (out->n == before)
        sp_buf_puts(out, "(no key)");
}

void sp_m_put_value(struct sp_buf *out, const struct sp_value *v, bool show)
{
    struct sp_buf bytes = SP_BUF_INIT;
    static const struct sp_type dynamic = { .tag = SP_MISSING };
    char digest[33];
    if (show) {
        sp_value_print(out, v, 400);
        return;
    }
    if (sp_canon_field(&bytes, &dynamic, v, NULL) == 0) {
        sp_d128_format(digest, sp_d128_of(bytes.p, bytes.n));
        sp_buf_printf(out, "%s, digest %.16s", sp_tag_name(v->tag), digest);
    } else {
        sp_buf_puts(out, sp_tag_name(v->tag));
    }
    sp_buf_free(&bytes);
}

int sp_m_misfit_keep(struct sp_misfits *list, struct sp_mctx *m, const struct sp_table *t,
    const struct sp_colplan *plan, size_t n, const struct sp_value *row, const struct sp_value *v)
{
    struct sp_buf key = SP_BUF_INIT, value = SP_BUF_INIT;
    if (list->n == SP_MISFITS)
        return 0;
    sp_m_put_key(&key, t, plan, n, row);
    sp_m_put_value(&value, v, m->opt->show_values);
    const char *k = key.oom ? NULL : sp_arena_str(&m->arena, key.p);
    const char *s = value.oom || value.p == NULL ? NULL : sp_arena_str(&m->arena, value.p);
    sp_buf_free(&key);
    sp_buf_free(&value);
    if (k == NULL || s == NULL)
        return -SP_E_NOMEM;
    list->key[list->n] = k;
    list->value[list->n++] = s;
    return 0;
}

int sp_m_misfit_say(struct sp_mctx *m, const struct sp_misfits *list, const char *table, const char *column,
    const char *type, uint64_t all, struct sp_error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < list->n; i++) {
        struct sp_event ev;
        struct sp_buf text = SP_BUF_INIT;
        sp_buf_printf(
            &text, "column %s, %s: %s is no %s, as declared", column, list->key[i], list->value[i], type);
        if (i + 1 == list->n && all > list->n)
            sp_buf_printf(&text, " (and %llu more)", (unsigned long long)(all - list->n));
        sp_event_begin(&ev, SP_EV_FINDING);
        sp_event_text(&ev, SP_FLD_name, table);
        sp_event_text(&ev, SP_FLD_column, column);
        sp_event_text(&ev, SP_FLD_topic, "does not fit the declared type");
        sp_event_int(&ev, SP_FLD_count, 1);
        sp_event_text(&ev, SP_FLD_key, list->key[i]);
        sp_event_text(&ev, SP_FLD_actual, list->value[i]);
        sp_event_text(&ev, SP_FLD_message, text.p);
        sp_buf_free(&text);
        rc = sp_event_send(m->em, &ev, err);
    }
    return rc;
}
