/* json_util.c -- see json_util.h. */
#include "reports/json_util.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

void rdj_set(json_t *object, const char *name, json_t *value)
{
    json_object_set_new(object, name, value != NULL ? value : json_null());
}

void rdj_text(json_t *object, const char *name, const char *text)
{
    rdj_set(object, name, json_string(text));
}

void rdj_copy(json_t *object, const struct sp_event_in *ev, enum sp_event_field f)
{
    json_t *value = json_object_get(ev->json, sp_event_field_name(f));
    if (value != NULL)
        json_object_set(object, sp_event_field_name(f), value);
}

static int append(const char *p, size_t n, void *payload)
{
    return sp_buf_put(payload, p, n);
}

json_t *rdj_rows(const struct rd *r, enum sp_event_kind kind, enum sp_event_field where, const char *text,
    const enum sp_event_field *fields, size_t n)
{
    json_t *list = json_array();
    const struct rd_rows *rows = &r->of[kind];
    for (size_t i = 0; i < rows->n; i++) {
        if (text != NULL && strcmp(rd_text(&rows->v[i].ev, where), text) != 0)
            continue;
        json_t *o = json_object();
        for (size_t k = 0; k < n; k++)
            rdj_copy(o, &rows->v[i].ev, fields[k]);
        json_array_append_new(list, o);
    }
    return list;
}

int rdj_write(json_t *root, struct sp_buf *out, struct sp_error *err)
{
    int rc = root == NULL ? -1
                          : json_dump_callback(root, append, out,
                                JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(9));
    json_decref(root);
    sp_buf_putc(out, '\n');
    return rc != 0 || out->oom ? sp_nomem(err) : 0;
}
