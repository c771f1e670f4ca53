/* keep.c -- what the row check says of a table goes to disk when the table is finished, and is said again by a resumed
 * comparison that sees the same data.
 *
 * Kept are the events themselves and what they added to the verdict, so that nothing is judged twice in two ways. A table
 * of which anything could not be compared is not kept: it is read again. */
#include <inttypes.h>
#include <stdlib.h>

#include "map/mapping.h"
#include "verify/internal.h"
#include "verify/state.h"

#define KEEP_MOST ((size_t)16 << 20) /* bytes of events of one table; more is read again instead */

struct keep {
    struct sp_emitter tee; /* first: what the context sends to meanwhile */
    struct sp_emitter *real;
    json_t *events;
    size_t bytes, reasons_at;
    unsigned reasons_left;
    uint64_t differences, lossy, rows, read; /* of the context, before the table */
    bool capped;
    bool lost; /* too much, no memory, or something was not compared */
};

static int tee_send(
    struct sp_emitter *em, enum sp_event_kind kind, const char *json, size_t n, struct sp_error *err)
{
    struct keep *k = (struct keep *)(void *)em;
    k->bytes += n;
    if (kind == SP_EV_NOT_COMPARED || k->bytes > KEEP_MOST)
        k->lost = true;
    if (!k->lost && json_array_append_new(k->events, json_pack("[s,s%]", sp_event_name(kind), json, n)) != 0)
        k->lost = true;
    return k->real->send(k->real, kind, json, n, err);
}

/* ---- before anything is read: is it the same question about the same data? --------------------------------------- */

static void put_hex(struct sp_buf *b, struct sp_d128 d)
{
    char hex[33];
    sp_d128_format(hex, d);
    sp_buf_puts(b, hex);
}

/* Two namespaces may have tables of one name. */
static void put_pair(const struct sp_vpair *p, struct sp_buf *out)
{
    for (int s = 0; s < 2; s++)
        sp_buf_printf(out, "%s%s|%s", s == 0 ? "" : " ",
            p->t[s] != NULL && p->t[s]->ns != NULL ? p->t[s]->ns : "", p->t[s] != NULL ? p->t[s]->name : "");
}

/* How every pair is compared, as one digest. */
static void put_plans(const struct sp_vctx *c, struct sp_buf *out)
{
    struct sp_buf b = SP_BUF_INIT;
    for (size_t i = 0; i < c->npairs; i++) {
        const struct sp_vpair *p = &c->pairs[i];
        put_pair(p, &b);
        sp_buf_printf(&b, " %zu ", p->nkey);
        put_hex(&b, p->fingerprint);
    }
    if (!b.oom)
        put_hex(out, sp_d128_of(b.p != NULL ? b.p : "", b.n));
    sp_buf_free(&b);
}

/* The state's name, and the place that it is a state of. */
static void put_state(struct sp_session *s, const char *id, struct sp_buf *out)
{
    struct sp_cap *caps = calloc(SP_CAP_N, sizeof *caps);
    struct sp_facts facts = { .fidelity = SP_FID_UNKNOWN };
    if (id[0] != '\0' && caps != NULL && sp_effective(s, caps, &facts, NULL) == 0)
        sp_buf_printf(out, "%s%s%s", facts.place, facts.place[0] != '\0' ? " " : "", id);
    free(caps);
}

static void say_moved(struct sp_vctx *c, size_t tables)
{
    sp_v_finding(c, "everything", NULL, "not resumed", tables,
        "run %s, begun %s, had finished %zu tables, but a side has changed since, or does not say that it "
        "has "
        "not: all are read again",
        sp_vstate_run(c->opt->state), sp_vstate_since(c->opt->state), tables);
}

static void say_resumed(struct sp_vctx *c)
{
    struct sp_vstate *s = c->opt->state;
    sp_v_finding(c, "everything", NULL, "resumed", sp_vstate_count(s),
        "%zu finished tables are taken from run %s, begun %s: neither side has changed since%s",
        sp_vstate_count(s), sp_vstate_run(s), sp_vstate_since(s),
        sp_vstate_damaged(s) ? "; what it wrote last is not whole and is read again" : "");
}

void sp_v_keep_open(struct sp_vctx *c, const char *const ids[2], const struct sp_d128 schema[2])
{
    struct sp_buf text[7] = { SP_BUF_INIT };
    struct sp_error err = SP_ERROR_INIT;
    bool oom = false, same = false;
    if (c->opt->state == NULL || c->rc != 0)
        return;
    size_t left = sp_vstate_count(c->opt->state);
    for (int i = 0; i < 2; i++) {
        const struct sp_endpoint *e = sp_session_endpoint(c->session[i]);
        char *url = sp_redact(e->url);
        sp_buf_printf(&text[i], "%s %s", sp_session_provider(c->session[i])->kind, url != NULL ? url : "?");
        free(url);
        put_hex(&text[2 + i], schema[i]);
        put_state(c->session[i], ids[i], &text[5 + i]);
    }
    put_plans(c, &text[4]);
    if (c->opt->mapping != NULL)
        put_hex(&text[4], c->opt->mapping->digest);
    for (size_t i = 0; i < SP_LEN(text); i++)
        oom = oom || text[i].oom || (i < 5 && text[i].p == NULL);
    const struct sp_vfact facts[] = { { "the source", text[0].p, true }, { "the target", text[1].p, true },
        { "the source's schema", text[2].p, false }, { "the target's schema", text[3].p, false },
        { "the plan of the comparison", text[4].p, false } };
    const char *const states[2] = { text[5].p != NULL ? text[5].p : "", text[6].p != NULL ? text[6].p : "" };
    int rc = oom ? sp_nomem(&err) : sp_vstate_begin(c->opt->state, facts, SP_LEN(facts), states, &same, &err);
    if (rc != 0)
        sp_v_abort(c, &err);
    else if (same)
        say_resumed(c);
    else if (sp_vstate_resumed(c->opt->state))
        say_moved(c, left);
    c->resumed = rc == 0 && same;
    for (size_t i = 0; i < SP_LEN(text); i++)
        sp_buf_free(&text[i]);
    sp_error_clear(&err);
}

/* ---- keeping ------------------------------------------------------------------------------------------------------ */

static json_t *record(const struct sp_vctx *c, const struct keep *k, const struct sp_vpair *p)
{
    struct sp_buf name = SP_BUF_INIT;
    const char *reasons =
        c->reasons != NULL && c->reasons->n > k->reasons_at ? c->reasons->p + k->reasons_at : "";
    put_pair(p, &name);
    json_t *o =
        name.oom
            ? NULL
            : json_pack("{ss,sO,ss,si,sI,sI,sI,sI,sb,sb,sb,s[I,I]}", "name", name.p, "events", k->events,
                  "reasons", reasons, "reason_lines", (int)(k->reasons_left - c->reasons_left), "differences",
                  (json_int_t)(c->differences - k->differences), "lossy", (json_int_t)(c->lossy - k->lossy),
                  "rows", (json_int_t)(c->rows - k->rows), "bytes", (json_int_t)(c->bytes - k->read),
                  "capped", (int)c->capped, "scanned", (int)p->scanned, "equal", (int)p->digest_equal,
                  "sides", (json_int_t)p->rows[0], (json_int_t)p->rows[1]);
    sp_buf_free(&name);
    return o;
}

/* A file that cannot be written ends the comparison no more than a table that is not kept: it is said once. */
static void add(struct sp_vctx *c, json_t *o)
{
    struct sp_error err = SP_ERROR_INIT;
    if (o != NULL && sp_vstate_add(c->opt->state, o, &err) != 0 && !c->not_kept) {
        c->not_kept = true;
        sp_v_finding(c, "everything", NULL, "not kept", 0,
            "what is finished is not kept on disk any more, so --resume will read it again: %s",
            sp_error_text(&err));
    }
    sp_error_clear(&err);
}

static void check_and_keep(struct sp_vctx *c, struct sp_vpair *p)
{
    struct keep k = { .tee = { tee_send },
        .real = c->em,
        .events = json_array(),
        .reasons_at = c->reasons != NULL ? c->reasons->n : 0,
        .reasons_left = c->reasons_left,
        .differences = c->differences,
        .lossy = c->lossy,
        .rows = c->rows,
        .read = c->bytes,
        .capped = c->capped };
    uint64_t failed = c->failed_scans, waiting = c->waiting;
    k.lost = k.events == NULL || c->em == NULL || c->not_kept;
    c->em = c->em != NULL ? &k.tee : NULL;
    c->capped = false;
    sp_v_rows(c, p);
    c->em = k.real;
    if (c->rc == 0 && !k.lost && failed == c->failed_scans && waiting == c->waiting)
        add(c, record(c, &k, p));
    c->capped = c->capped || k.capped;
    json_decref(k.events);
}

/* ---- saying it again ---------------------------------------------------------------------------------------------- */

static int kind_of(const char *name)
{
    for (int k = 0; name != NULL && k < SP_EV_N; k++)
        if (strcmp(sp_event_name((enum sp_event_kind)k), name) == 0)
            return k;
    return -1;
}

static void send_again(struct sp_vctx *c, const json_t *event)
{
    struct sp_error err = SP_ERROR_INIT;
    struct sp_buf b = SP_BUF_INIT;
    int kind = kind_of(json_string_value(json_array_get(event, 0)));
    const json_t *fields = json_array_get(event, 1);
    if (kind < 0 || !json_is_string(fields)) {
        sp_fail(
            &err, SP_E_CORRUPT, SP_ORIGIN_HARNESS, "what was kept cannot be read; compare without --resume");
        sp_v_abort(c, &err);
        return;
    }
    sp_buf_put(&b, json_string_value(fields), json_string_length(fields));
    if (kind == SP_EV_TABLE)
        sp_buf_printf(&b, ",\"resumed\":\"%s\"", sp_vstate_run(c->opt->state));
    if (b.oom)
        sp_v_nomem(c);
    else if (c->em != NULL && c->em->send(c->em, (enum sp_event_kind)kind, b.p, b.n, &err) != 0)
        sp_v_abort(c, &err);
    sp_buf_free(&b);
    sp_error_clear(&err);
}

static uint64_t count_of(const json_t *o, const char *name)
{
    json_int_t n = json_integer_value(json_object_get(o, name));
    return n > 0 ? (uint64_t)n : 0;
}

static void say_again(struct sp_vctx *c, struct sp_vpair *p, const json_t *o)
{
    const json_t *events = json_object_get(o, "events"), *sides = json_object_get(o, "sides");
    uint64_t lines = count_of(o, "reason_lines");
    for (size_t i = 0; i < json_array_size(events) && c->rc == 0; i++)
        send_again(c, json_array_get(events, i));
    if (c->reasons != NULL && lines != 0 && lines < c->reasons_left)
        sp_buf_puts(c->reasons, json_string_value(json_object_get(o, "reasons")));
    else if (c->reasons != NULL && lines != 0 && c->reasons_left != 0)
        sp_buf_puts(c->reasons, "... and more, see the report\n");
    c->reasons_left = lines < c->reasons_left ? c->reasons_left - (unsigned)lines : 0;
    c->differences += count_of(o, "differences");
    c->lossy += count_of(o, "lossy");
    c->rows += count_of(o, "rows");
    c->bytes += count_of(o, "bytes");
    c->capped = c->capped || json_is_true(json_object_get(o, "capped"));
    p->scanned = json_is_true(json_object_get(o, "scanned"));
    p->digest_equal = json_is_true(json_object_get(o, "equal"));
    for (size_t i = 0; i < 2; i++)
        p->rows[i] = (uint64_t)json_integer_value(json_array_get(sides, i));
}

void sp_v_rows_kept(struct sp_vctx *c, struct sp_vpair *p)
{
    const json_t *o = NULL;
    if (c->opt->state == NULL) {
        sp_v_rows(c, p);
        return;
    }
    if (c->resumed) {
        struct sp_buf name = SP_BUF_INIT;
        put_pair(p, &name);
        if (name.oom)
            sp_v_nomem(c);
        else
            o = sp_vstate_find(c->opt->state, name.p);
        sp_buf_free(&name);
    }
    if (o != NULL)
        say_again(c, p, o);
    else if (c->rc == 0)
        check_and_keep(c, p);
}
