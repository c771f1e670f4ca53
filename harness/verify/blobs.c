/* blobs.c -- the buckets of both sides, matched by name. */
#include <stdlib.h>

#include "base/str.h"
#include "verify/blobs.h"

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted. 1; 0 when they could not be listed, which was said (a service that is there and refuses may keep some); -1: this
 * server keeps no objects, whatever its kind can do. */
static int list(struct sp_vctx *c, enum sp_side side, struct sp_names *out)
{
    struct sp_error err = SP_ERROR_INIT;
    int rc = sp_blob_bucket_list(c->plain[side], "", out, &err);
    if (rc == 0 && out->n > 1)
        qsort(out->v, out->n, sizeof *out->v, by_name);
    bool keeps = rc != -SP_E_UNSUPPORTED || err.origin == SP_ORIGIN_BACKEND;
    if (rc != 0 && keeps)
        sp_v_not_compared(
            c, sp_v_side_name(side), "objects", "its buckets could not be listed: %s", sp_error_text(&err));
    sp_error_clear(&err);
    return rc == 0 ? 1 : keeps ? 0 : -1;
}

static bool keeps_objects(const struct sp_vctx *c, enum sp_side side)
{
    const struct sp_provider *p = sp_session_provider(c->plain[side]);
    return p->blob != NULL && p->blob->bucket_list != NULL && p->blob->list != NULL && p->blob->get != NULL;
}

bool sp_v_compares_objects(const struct sp_vctx *c)
{
    return (c->opt->checks & SP_VC_BLOBS) != 0 && keeps_objects(c, SP_SIDE_SOURCE) &&
           keeps_objects(c, SP_SIDE_TARGET);
}

/* Only one side has it: all of its objects differ. */
static void one_sided(struct sp_vctx *c, enum sp_side side, const char *bucket)
{
    struct sp_error err = SP_ERROR_INIT;
    struct sp_vlisting l;
    const struct sp_object *o;
    struct sp_event ev;
    bool missing = side == SP_SIDE_SOURCE;
    int rc;
    sp_v_listing_open(&l, c->plain[side], bucket);
    do
        rc = sp_v_listing_next(&l, &o, &err);
    while (rc == 0 && o != NULL);
    if (rc == 0) {
        sp_event_begin(&ev, SP_EV_COUNTED);
        sp_event_text(&ev, SP_FLD_element, "bucket");
        sp_event_text(&ev, SP_FLD_name, bucket);
        sp_event_int(&ev, missing ? SP_FLD_source_rows : SP_FLD_target_rows, (int64_t)l.seen);
        sp_event_int(&ev, missing ? SP_FLD_missing : SP_FLD_extra, (int64_t)l.seen);
        sp_event_text(
            &ev, SP_FLD_message, missing ? "the target has no such bucket" : "the source has no such bucket");
        sp_v_send(c, &ev);
    } else {
        sp_v_not_compared(c, bucket, "bucket", "%s: %s", sp_v_side_name(side), sp_error_text(&err));
    }
    sp_v_differ(c, l.seen != 0 ? l.seen : 1, "bucket %s, with %llu objects, is only on the %s", bucket,
        (unsigned long long)l.seen, sp_v_side_name(side));
    sp_v_listing_free(&l);
    sp_error_clear(&err);
}

/* ---- --buckets: names, globs, or SOURCE=TARGET ------------------------------------------------------------------- */

static bool chosen(const struct sp_vctx *c, const char *bucket)
{
    for (size_t i = 0; i < c->opt->nbuckets; i++)
        if (strchr(c->opt->buckets[i], '=') == NULL && sp_glob(c->opt->buckets[i], bucket, false))
            return true;
    return c->opt->nbuckets == 0;
}

static bool fits_any(const char *glob, const struct sp_names *l)
{
    for (size_t i = 0; i < l->n; i++)
        if (sp_glob(glob, l->v[i], false))
            return true;
    return false;
}

static void renamed(struct sp_vctx *c, const char *word, const struct sp_names *a, const struct sp_names *b)
{
    const char *eq = strchr(word, '=');
    const char *source = sp_arena_strn(&c->arena, word, (size_t)(eq - word)), *target = eq + 1;
    if (source == NULL) {
        sp_v_nomem(c);
        return;
    }
    bool in[2] = { sp_str_among(a->v, a->n, source), sp_str_among(b->v, b->n, target) };
    if (in[0] && in[1])
        sp_v_bucket(c, source, target);
    else if (in[0] || in[1])
        one_sided(c, in[0] ? SP_SIDE_SOURCE : SP_SIDE_TARGET, in[0] ? source : target);
}

/* A name that fits nothing is mistyped, and its bucket would not be compared. */
static void by_option(struct sp_vctx *c, const struct sp_names *a, const struct sp_names *b)
{
    struct sp_error err = SP_ERROR_INIT;
    for (size_t i = 0; i < c->opt->nbuckets && c->rc == 0; i++) {
        const char *word = c->opt->buckets[i], *eq = strchr(word, '=');
        const char *source = eq != NULL ? sp_arena_strn(&c->arena, word, (size_t)(eq - word)) : NULL;
        bool fits = eq == NULL ? fits_any(word, a) || fits_any(word, b)
                               : source != NULL &&
                                     (sp_str_among(a->v, a->n, source) || sp_str_among(b->v, b->n, eq + 1));
        if (!fits) {
            sp_invalid(&err, "no bucket of either side matches --buckets %s", word);
            sp_v_abort(c, &err);
        } else if (eq != NULL) {
            renamed(c, word, a, b);
        }
    }
}

static void match(struct sp_vctx *c, const struct sp_names *a, const struct sp_names *b)
{
    size_t i = 0, j = 0;
    by_option(c, a, b);
    while ((i < a->n || j < b->n) && c->rc == 0) {
        int order = i == a->n ? 1 : j == b->n ? -1 : strcmp(a->v[i], b->v[j]);
        const char *name = order <= 0 ? a->v[i] : b->v[j];
        if (!chosen(c, name))
            c->buckets_left_out++;
        else if (order == 0)
            sp_v_bucket(c, name, name);
        else
            one_sided(c, order < 0 ? SP_SIDE_SOURCE : SP_SIDE_TARGET, name);
        i += order <= 0;
        j += order >= 0;
    }
}

/* The other side can keep none: as long as there are none, nothing is lost. */
static void nowhere_to_go(struct sp_vctx *c, enum sp_side side, const struct sp_names *names)
{
    if (names->n != 0)
        sp_v_not_compared(c, "objects", "buckets", "the %s has %zu buckets, and the %s keeps no objects",
            sp_v_side_name(side), names->n,
            sp_v_side_name(side == SP_SIDE_SOURCE ? SP_SIDE_TARGET : SP_SIDE_SOURCE));
}

size_t sp_v_blobs(struct sp_vctx *c)
{
    struct sp_names names[2] = { { SP_ARENA_INIT, NULL, 0, 0 }, { SP_ARENA_INIT, NULL, 0, 0 } };
    int keeps[2];
    for (int i = 0; i < 2; i++)
        keeps[i] = keeps_objects(c, (enum sp_side)i) ? list(c, (enum sp_side)i, &names[i]) : -1;
    if (keeps[0] > 0 && keeps[1] > 0 && c->rc == 0)
        match(c, &names[0], &names[1]);
    for (int i = 0; i < 2; i++)
        if (keeps[i] > 0 && keeps[1 - i] < 0)
            nowhere_to_go(c, (enum sp_side)i, &names[i]);
    size_t n = names[0].n + names[1].n;
    sp_names_free(&names[0]);
    sp_names_free(&names[1]);
    return n;
}
