/* blob_bucket.c -- one bucket on both sides: two ordered listings are merged, and what both have is read to its end. A
 * checksum that a backend keeps beside its content says what was stored once, not what is there, so it decides nothing. */
#include <stdio.h>
#include <stdlib.h>

#include "run/run.h"
#include "verify/blobs.h"

struct merge {
    struct sp_vctx *c;
    const char *bucket; /* the source's name */
    const char *name[2];
    struct sp_vlisting list[2];
    const struct sp_object *o[2];
    uint64_t missing, extra, changed, unread, bytes, listed, unread_listed;
    bool meta, type; /* compared */
};

static bool may_list(struct merge *m)
{
    if (m->listed < m->c->opt->max_differences) {
        m->listed++;
        return true;
    }
    m->c->capped = true;
    return false;
}

static void difference(struct merge *m, const char *what, const char *key, const char *column,
    const char *expected, const char *actual)
{
    struct sp_event ev;
    struct sp_buf name = SP_BUF_INIT;
    sp_buf_printf(&name, "bucket %s", m->bucket);
    sp_event_begin(&ev, SP_EV_DIFFERENCE);
    sp_event_text(&ev, SP_FLD_name, name.p);
    sp_event_text(&ev, SP_FLD_difference, what);
    sp_event_text(&ev, SP_FLD_key, key);
    sp_event_text(&ev, SP_FLD_column, column);
    sp_event_text(
        &ev, SP_FLD_side, sp_v_side_name(strcmp(what, "missing") == 0 ? SP_SIDE_SOURCE : SP_SIDE_TARGET));
    sp_event_text(&ev, SP_FLD_expected, expected);
    sp_event_text(&ev, SP_FLD_actual, actual);
    sp_v_send(m->c, &ev);
    sp_buf_free(&name);
}

static void one_sided(struct merge *m, bool missing, const struct sp_object *o)
{
    char size[64];
    *(missing ? &m->missing : &m->extra) += 1;
    if (!may_list(m))
        return;
    (void)snprintf(size, sizeof size, "an object of %llu bytes", (unsigned long long)o->size);
    difference(m, missing ? "missing" : "extra", o->key, NULL, missing ? size : "no such object",
        missing ? "no such object" : size);
}

/* ---- what both have --------------------------------------------------------------------------------------------------- */

/* NULL: there is none of that name. */
static const char *value_of(const struct sp_object *o, const char *name)
{
    for (size_t i = 0; i < o->nmeta; i++)
        if (strcmp(o->meta[i].name, name) == 0)
            return o->meta[i].value;
    return NULL;
}

static void put_value(struct sp_buf *out, const char *value, bool show)
{
    char digest[33];
    if (value == NULL || show) {
        sp_buf_puts(out, value != NULL ? value : "none");
        return;
    }
    sp_d128_format(digest, sp_d128_of(value, strlen(value)));
    digest[16] = '\0';
    sp_buf_printf(out, "text, %zu bytes, digest %s", strlen(value), digest);
}

/* By the values themselves: how they are shown may be alike, as none and the text "none" are. */
static bool metadata_of(struct merge *m, const char *key, const char *name, const struct sp_object *a,
    const struct sp_object *b, bool list)
{
    const char *u = value_of(a, name), *v = value_of(b, name);
    bool same = u == NULL || v == NULL ? u == v : strcmp(u, v) == 0;
    if (same || !list)
        return same;
    struct sp_buf x = SP_BUF_INIT, y = SP_BUF_INIT, column = SP_BUF_INIT;
    put_value(&x, u, m->c->opt->show_values);
    put_value(&y, v, m->c->opt->show_values);
    sp_buf_printf(&column, "metadata %s", name);
    difference(m, "changed", key, column.p, x.p, y.p);
    sp_buf_free(&x);
    sp_buf_free(&y);
    sp_buf_free(&column);
    return false;
}

static bool same_metadata(
    struct merge *m, const char *key, const struct sp_object *a, const struct sp_object *b, bool list)
{
    bool same = true;
    for (size_t i = 0; i < a->nmeta; i++)
        same = metadata_of(m, key, a->meta[i].name, a, b, list) && same;
    for (size_t i = 0; i < b->nmeta; i++)
        if (value_of(a, b->meta[i].name) == NULL)
            same = metadata_of(m, key, b->meta[i].name, a, b, list) && same;
    return same;
}

static bool same_type(
    struct merge *m, const char *key, const struct sp_object *a, const struct sp_object *b, bool list)
{
    const char *x = a->content_type != NULL ? a->content_type : "",
               *y = b->content_type != NULL ? b->content_type : "";
    bool same = strcmp(x, y) == 0;
    if (!same && list)
        difference(m, "changed", key, "content type", x, y);
    return same;
}

static bool same_content(struct merge *m, const char *key, const struct sp_vcontent x[2], bool list)
{
    char text[2][96], digest[33];
    bool same = x[0].size == x[1].size && sp_d128_eq(x[0].digest, x[1].digest);
    if (same || !list)
        return same;
    for (int i = 0; i < 2; i++) {
        sp_d128_format(digest, x[i].digest);
        (void)snprintf(
            text[i], sizeof text[i], "%llu bytes, digest %.16s", (unsigned long long)x[i].size, digest);
    }
    difference(m, "changed", key, "content", text[0], text[1]);
    return same;
}

static void judge(struct merge *m, const char *key, const struct sp_vcontent x[2])
{
    const struct sp_object *a = &x[0].o, *b = &x[1].o;
    bool same = same_content(m, key, x, false) && (!m->type || same_type(m, key, a, b, false)) &&
                (!m->meta || same_metadata(m, key, a, b, false));
    m->bytes += x[0].size + x[1].size;
    if (same)
        return;
    m->changed++;
    if (!may_list(m))
        return;
    (void)same_content(m, key, x, true);
    if (m->type)
        (void)same_type(m, key, a, b, true);
    if (m->meta)
        (void)same_metadata(m, key, a, b, true);
}

/* Another version than the listing's was written meanwhile. */
static int as_listed(const struct sp_object *listed, const struct sp_vcontent *x, struct sp_error *err)
{
    if (listed->etag == NULL || x->o.etag == NULL || strcmp(listed->etag, x->o.etag) == 0)
        return 0;
    return sp_fail(err, SP_E_CONFLICT, SP_ORIGIN_BACKEND, "it was replaced while the bucket was read");
}

static void both(struct merge *m, const char *key)
{
    struct sp_vcontent x[2] = { { .arena = SP_ARENA_INIT }, { .arena = SP_ARENA_INIT } };
    struct sp_error err = SP_ERROR_INIT;
    int rc = 0, side = 0;
    for (; side < 2 && rc == 0; side++)
        rc = sp_v_content_read(&x[side], m->c->plain[side], m->name[side], key, &err);
    for (side = rc == 0 ? 0 : side; side < 2 && rc == 0; side++)
        rc = as_listed(m->o[side], &x[side], &err);
    if (rc == 0)
        judge(m, key, x);
    else if (m->unread++ < 20)
        sp_v_not_compared(m->c, m->bucket, "object", "%s: \"%s\" %s: %s",
            sp_v_side_name((enum sp_side)(side - 1)), key,
            rc == -SP_E_NOT_FOUND ? "vanished while the bucket was read" : "could not be read",
            sp_error_text(&err));
    sp_v_content_free(&x[0]);
    sp_v_content_free(&x[1]);
    sp_error_clear(&err);
}

/* ---- the merge --------------------------------------------------------------------------------------------------------- */

static int advance(struct merge *m, int side, struct sp_error *err)
{
    int rc = sp_v_listing_next(&m->list[side], &m->o[side], err);
    return rc == 0 ? 0 : sp_error_prefix(err, "%s", sp_v_side_name((enum sp_side)side));
}

static int step(struct merge *m, struct sp_error *err)
{
    const struct sp_object *a = m->o[0], *b = m->o[1];
    int order = a == NULL ? 1 : b == NULL ? -1 : strcmp(a->key, b->key);
    if (order < 0)
        one_sided(m, true, a);
    else if (order > 0)
        one_sided(m, false, b);
    else
        both(m, a->key);
    int rc = order <= 0 ? advance(m, 0, err) : 0;
    return rc == 0 && order >= 0 ? advance(m, 1, err) : rc;
}

static int merge(struct merge *m, struct sp_error *err)
{
    int rc = advance(m, 0, err);
    if (rc == 0)
        rc = advance(m, 1, err);
    while (rc == 0 && (m->o[0] != NULL || m->o[1] != NULL) && m->c->rc == 0) {
        if (sp_interrupted() != 0)
            return sp_fail(err, SP_E_CANCELLED, SP_ORIGIN_HARNESS, "interrupted");
        rc = step(m, err);
    }
    return rc;
}

/* Both are listed once ahead: that their keys ascend, and in which state they are. */
static int survey(struct merge *m, struct sp_digest state[2], struct sp_error *err)
{
    int rc = 0;
    for (int i = 0; i < 2 && rc == 0; i++) {
        struct sp_vlisting l;
        const struct sp_object *o;
        sp_v_listing_open(&l, m->c->plain[i], m->name[i]);
        do
            rc = sp_v_listing_next(&l, &o, err);
        while (rc == 0 && o != NULL);
        state[i] = l.state;
        if (rc != 0)
            sp_error_prefix(err, "%s", sp_v_side_name((enum sp_side)i));
        sp_v_listing_free(&l);
    }
    return rc;
}

/* What was listed while objects were read must be what was there before. */
static int stayed(const struct merge *m, const struct sp_digest state[2], struct sp_error *err)
{
    for (int i = 0; i < 2; i++)
        if (!sp_digest_equal(&state[i], &m->list[i].state))
            return sp_fail(err, SP_E_CONFLICT, SP_ORIGIN_BACKEND,
                "%s: objects changed while the bucket was read", sp_v_side_name((enum sp_side)i));
    return 0;
}

/* What nobody looked at must not be taken for equal. */
static void send(const struct merge *m)
{
    static const char *const compared[2][2] = { { "keys and content", "keys, content and content types" },
        { "keys, content and metadata", "keys, content, content types and metadata" } };
    struct sp_event ev;
    char message[160];
    (void)snprintf(message, sizeof message,
        "compared: %s; not: who may read it, limits of the bucket, how long copies may be kept, dates",
        compared[m->meta][m->type]);
    sp_event_begin(&ev, SP_EV_COUNTED);
    sp_event_text(&ev, SP_FLD_element, "bucket");
    sp_event_text(&ev, SP_FLD_name, m->bucket);
    sp_event_int(&ev, SP_FLD_source_rows, (int64_t)m->list[0].seen);
    sp_event_int(&ev, SP_FLD_target_rows, (int64_t)m->list[1].seen);
    sp_event_int(&ev, SP_FLD_missing, (int64_t)m->missing);
    sp_event_int(&ev, SP_FLD_extra, (int64_t)m->extra);
    sp_event_int(&ev, SP_FLD_changed, (int64_t)m->changed);
    sp_event_int(&ev, SP_FLD_bytes, (int64_t)m->bytes);
    sp_event_text(&ev, SP_FLD_message, message);
    sp_v_send(m->c, &ev);
}

/* What these servers do, not what their kind can: two that give back no metadata would seem to have the same. */
static void find_kept(struct merge *m)
{
    struct sp_cap *caps = calloc(SP_CAP_N, sizeof *caps);
    struct sp_facts facts = { .fidelity = SP_FID_UNKNOWN };
    m->meta = m->type = true;
    for (int i = 0; i < 2; i++) {
        bool known = caps != NULL && sp_effective(m->c->plain[i], caps, &facts, NULL) == 0;
        m->meta = m->meta && known && caps[SP_CAP_METADATA].level != SP_CAP_NO;
        m->type = m->type && known && caps[SP_CAP_CONTENT_TYPE].level != SP_CAP_NO;
    }
    free(caps);
}

void sp_v_bucket(struct sp_vctx *c, const char *source, const char *target)
{
    const char *bucket = source;
    struct sp_error err = SP_ERROR_INIT;
    struct merge m = { .c = c, .bucket = bucket, .name = { source, target } };
    find_kept(&m);
    for (int i = 0; i < 2; i++)
        sp_v_listing_open(&m.list[i], c->plain[i], m.name[i]);
    struct sp_digest state[2];
    int rc = survey(&m, state, &err);
    if (rc == 0)
        rc = merge(&m, &err);
    if (rc == 0)
        rc = stayed(&m, state, &err);
    if (rc == 0)
        send(&m);
    uint64_t n = m.missing + m.extra + m.changed;
    c->rows += m.list[0].seen + m.list[1].seen;
    c->bytes += m.bytes;
    if (n != 0 && rc == 0) /* of a bucket that moves, a difference may be one in passing */
        sp_v_differ(c, n, "bucket %s: %llu missing, %llu extra, %llu changed objects", bucket,
            (unsigned long long)m.missing, (unsigned long long)m.extra, (unsigned long long)m.changed);
    if (rc == -SP_E_CANCELLED)
        sp_v_abort(c, &err);
    else if (rc != 0 && c->rc == 0)
        sp_v_not_compared(c, bucket, "bucket", "%s", sp_error_text(&err));
    if (m.unread > 20)
        sp_v_not_compared(
            c, bucket, "object", "%llu more could not be read", (unsigned long long)(m.unread - 20));
    if (!m.meta || !m.type)
        sp_v_not_inspected(c, "bucket", bucket, bucket, "one of the sides keeps no %s of objects",
            m.meta   ? "content type"
            : m.type ? "metadata"
                     : "content type and metadata");
    sp_v_listing_free(&m.list[0]);
    sp_v_listing_free(&m.list[1]);
    sp_error_clear(&err);
}
