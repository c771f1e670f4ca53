/* accounts.c -- the accounts of two identity services, matched by e-mail: ids are given anew by a backend that did not
 * make them. Only digests are kept, a range of them at a time; a last pass names what differs. Passwords cannot be read
 * anywhere, so that nothing here proves that anybody can still sign in, and that is said. */
#include <stdlib.h>

#include "model/json.h"
#include "run/run.h"
#include "verify/internal.h"

#define PAGE     500u
#define MAX_KEPT 10000u
#define COMPARED "e-mail, name, claims, profile, disabled, e-mail verified"
#define NOT_READ "passwords, ids, dates, roles, sessions and other ways of signing in"

struct entry {
    struct sp_d128 who, what;
};

struct people {
    struct sp_session *s;
    struct entry *v;
    size_t n, cap;
    uint64_t all;
    struct sp_digest state; /* of everything that was listed */
};

struct pass {
    struct sp_vctx *c;
    struct people side[2];
    uint64_t part, parts;  /* the digests of this pass: hi % parts == part */
    struct sp_d128 *named; /* to be listed: sorted at the end */
    size_t nnamed, named_cap;
    uint64_t missing, extra, changed;
};

/* ---- one account ------------------------------------------------------------------------------------------------------- */

static struct sp_d128 who_of(const struct sp_user *u)
{
    struct sp_buf b = SP_BUF_INIT;
    bool mail = u->email != NULL && u->email[0] != '\0';
    sp_buf_puts(&b, mail ? "mail:" : "id:");
    for (const char *p = mail ? u->email : u->id != NULL ? u->id : ""; *p != '\0'; p++)
        sp_buf_putc(&b, mail && *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p);
    struct sp_d128 d = sp_d128_of(b.p != NULL ? b.p : "", b.n);
    sp_buf_free(&b);
    return d;
}

static void put_object(struct sp_buf *out, const char *object)
{
    const char *text = object != NULL && object[0] != '\0' ? object : "{}";
    if (sp_json_canonical(out, text, strlen(text), NULL) != 0)
        sp_buf_puts(out, text);
}

enum { NAME, CLAIMS, PROFILE, DISABLED, VERIFIED, ATTRIBUTES };
static const char *const attribute_names[ATTRIBUTES] = { "name", "claims", "profile", "disabled",
    "e-mail verified" };

static void put_attribute(struct sp_buf *out, const struct sp_user *u, int which)
{
    switch (which) {
    case NAME:
        sp_buf_puts(out, u->name != NULL ? u->name : "");
        return;
    case CLAIMS:
    case PROFILE:
        put_object(out, which == CLAIMS ? u->claims : u->profile);
        return;
    default:
        sp_buf_puts(out, (which == DISABLED ? u->disabled : u->email_verified) ? "true" : "false");
        return;
    }
}

static struct sp_d128 what_of(const struct sp_user *u)
{
    struct sp_buf b = SP_BUF_INIT;
    for (int i = 0; i < ATTRIBUTES; i++) {
        put_attribute(&b, u, i);
        sp_buf_putc(&b, '\0');
    }
    struct sp_d128 d = sp_d128_of(b.p != NULL ? b.p : "", b.n);
    sp_buf_free(&b);
    return d;
}

/* ---- listing ------------------------------------------------------------------------------------------------------------ */

typedef int (*on_user)(void *payload, int side, const struct sp_user *u);

/* Every account of a side, once: the ids must ascend. */
static int each(struct people *p, int side, on_user f, void *payload, struct sp_error *err)
{
    struct sp_buf mark = SP_BUF_INIT, last = SP_BUF_INIT;
    const char *cursor = NULL;
    int rc = 0;
    bool more = true;
    p->all = 0;
    p->state = (struct sp_digest){ .count = 0 };
    while (rc == 0 && more) {
        struct sp_arena a = SP_ARENA_INIT;
        struct sp_user *v = NULL;
        size_t n = 0;
        const char *at = cursor;
        rc = sp_interrupted() != 0 ? sp_fail(err, SP_E_CANCELLED, SP_ORIGIN_HARNESS, "interrupted")
                                   : sp_auth_admin_list(p->s, &a, &at, PAGE, &v, &n, err);
        for (size_t i = 0; rc == 0 && i < n; i++) {
            if (v[i].id == NULL || (p->all != 0 && strcmp(last.p, v[i].id) >= 0))
                rc = sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_BACKEND,
                    "the list of accounts is not in the order of their ids");
            sp_buf_clear(&last);
            if (rc == 0 && (sp_buf_puts(&last, v[i].id) != 0 || last.p == NULL))
                rc = sp_nomem(err);
            struct entry e = { who_of(&v[i]), what_of(&v[i]) };
            sp_digest_add(&p->state, sp_d128_of(&e, sizeof e));
            p->all++;
            if (rc == 0 && f(payload, side, &v[i]) != 0)
                rc = sp_nomem(err);
        }
        sp_buf_clear(&mark);
        if (rc == 0 && at != NULL && (sp_buf_puts(&mark, at) != 0 || mark.p == NULL))
            rc = sp_nomem(err);
        if (rc == 0 && at != NULL && n == 0)
            rc = sp_fail(
                err, SP_E_CORRUPT, SP_ORIGIN_BACKEND, "an empty page in a list of accounts that goes on");
        cursor = mark.p;
        more = at != NULL;
        sp_arena_free(&a);
    }
    if (rc != 0)
        sp_error_prefix(err, "%s", sp_v_side_name((enum sp_side)side));
    sp_buf_free(&mark);
    sp_buf_free(&last);
    return rc;
}

static int only_count(void *payload, int side, const struct sp_user *u)
{
    (void)payload;
    (void)side;
    (void)u;
    return 0;
}

static int gather(void *payload, int side, const struct sp_user *u)
{
    struct pass *p = payload;
    struct people *s = &p->side[side];
    struct entry e = { who_of(u), what_of(u) };
    if (e.who.hi % p->parts != p->part)
        return 0;
    if (s->n == s->cap) {
        size_t cap = s->cap == 0 ? 1024 : s->cap * 2;
        struct entry *v = realloc(s->v, cap * sizeof *v);
        if (v == NULL)
            return -SP_E_NOMEM;
        s->v = v;
        s->cap = cap;
    }
    s->v[s->n++] = e;
    return 0;
}

/* ---- comparing ---------------------------------------------------------------------------------------------------------- */

static int by_both(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int r = sp_v_d128_cmp(x->who, y->who);
    return r != 0 ? r : sp_v_d128_cmp(x->what, y->what);
}

static void name(struct pass *p, struct sp_d128 who)
{
    if (p->nnamed < p->named_cap)
        p->named[p->nnamed++] = who;
    else
        p->c->capped = true;
}

/* One e-mail: what both sides have alike cancels out, the rest pairs up. */
static void judge(struct pass *p, const struct entry *a, size_t na, const struct entry *b, size_t nb)
{
    size_t i = 0, j = 0, left[2] = { 0, 0 };
    struct sp_d128 who = na != 0 ? a->who : b->who;
    while (i < na || j < nb) {
        int r = i == na ? 1 : j == nb ? -1 : sp_v_d128_cmp(a[i].what, b[j].what);
        left[0] += r < 0;
        left[1] += r > 0;
        i += r <= 0;
        j += r >= 0;
    }
    size_t pairs = left[0] < left[1] ? left[0] : left[1];
    p->changed += pairs;
    p->missing += left[0] - pairs;
    p->extra += left[1] - pairs;
    if (left[0] + left[1] != 0)
        name(p, who);
}

static size_t run_of(const struct entry *v, size_t n, size_t from)
{
    size_t to = from;
    while (to < n && sp_d128_eq(v[to].who, v[from].who))
        to++;
    return to - from;
}

static void merge(struct pass *p)
{
    struct people *a = &p->side[0], *b = &p->side[1];
    size_t i = 0, j = 0;
    for (int k = 0; k < 2; k++)
        if (p->side[k].n > 1)
            qsort(p->side[k].v, p->side[k].n, sizeof *p->side[k].v, by_both);
    while (i < a->n || j < b->n) {
        int r = i == a->n ? 1 : j == b->n ? -1 : sp_v_d128_cmp(a->v[i].who, b->v[j].who);
        size_t na = r <= 0 ? run_of(a->v, a->n, i) : 0, nb = r >= 0 ? run_of(b->v, b->n, j) : 0;
        judge(p, na != 0 ? &a->v[i] : NULL, na, nb != 0 ? &b->v[j] : NULL, nb);
        i += na;
        j += nb;
    }
    a->n = b->n = 0;
}

/* Counts first; then as many passes as bring the digests into memory; each must see what the first one saw. */
static int compare(struct pass *p, struct sp_error *err)
{
    struct sp_digest first[2];
    int rc = 0;
    for (int i = 0; i < 2 && rc == 0; i++) {
        rc = each(&p->side[i], i, only_count, NULL, err);
        first[i] = p->side[i].state;
    }
    uint64_t most = p->side[0].all > p->side[1].all ? p->side[0].all : p->side[1].all;
    size_t fit =
        p->c->memory / 4 / sizeof(struct entry); /* half of a side's: an array that grows needs both */
    p->parts = most / (fit != 0 ? fit : 1) + 1;
    for (p->part = 0; p->part < p->parts && rc == 0; p->part++) {
        for (int i = 0; i < 2 && rc == 0; i++) {
            rc = each(&p->side[i], i, gather, p, err);
            if (rc == 0 && !sp_digest_equal(&first[i], &p->side[i].state))
                rc = sp_fail(err, SP_E_CONFLICT, SP_ORIGIN_BACKEND,
                    "%s: accounts changed while they were read", sp_v_side_name((enum sp_side)i));
        }
        if (rc == 0)
            merge(p);
    }
    return rc;
}

/* ---- naming what differs --------------------------------------------------------------------------------------------------- */

struct kept {
    struct pass *p;
    struct sp_vindex index;
    struct sp_arena a;
    struct sp_user *user[2]; /* by place in the index; id NULL = not there */
};

static int keep(void *payload, int side, const struct sp_user *u)
{
    struct kept *k = payload;
    size_t i = sp_v_index_find(&k->index, who_of(u));
    if (i == k->p->nnamed || k->user[side][i].id != NULL)
        return 0;
    struct sp_user *to = &k->user[side][i];
    *to = *u;
    to->id = sp_arena_str(&k->a, u->id);
    to->email = sp_arena_str(&k->a, u->email);
    to->name = sp_arena_str(&k->a, u->name);
    to->claims = sp_arena_str(&k->a, u->claims);
    to->profile = u->profile == NULL ? NULL : sp_arena_str(&k->a, u->profile);
    return to->id == NULL ? -SP_E_NOMEM : 0;
}

static void send(struct sp_vctx *c, const struct sp_user *of, const char *difference, const char *column,
    const char *expected, const char *actual)
{
    struct sp_event ev;
    struct sp_buf key = SP_BUF_INIT;
    if (c->opt->show_values && of->email != NULL && of->email[0] != '\0')
        sp_buf_printf(&key, "email=%s", of->email);
    else
        sp_buf_printf(&key, "id=%s", of->id);
    sp_event_begin(&ev, SP_EV_DIFFERENCE);
    sp_event_text(&ev, SP_FLD_name, "accounts");
    sp_event_text(&ev, SP_FLD_difference, difference);
    sp_event_text(&ev, SP_FLD_key, key.p);
    sp_event_text(&ev, SP_FLD_column, column);
    sp_event_text(
        &ev, SP_FLD_side, sp_v_side_name(strcmp(difference, "extra") == 0 ? SP_SIDE_TARGET : SP_SIDE_SOURCE));
    sp_event_text(&ev, SP_FLD_expected, expected);
    sp_event_text(&ev, SP_FLD_actual, actual);
    sp_v_send(c, &ev);
    sp_buf_free(&key);
}

static void hide(struct sp_buf *b, bool show)
{
    char digest[33];
    if (show)
        return;
    sp_d128_format(digest, sp_d128_of(b->p != NULL ? b->p : "", b->n));
    digest[16] = '\0';
    size_t n = b->n;
    sp_buf_clear(b);
    sp_buf_printf(b, "text, %zu bytes, digest %s", n, digest);
}

static void attributes(struct sp_vctx *c, const struct sp_user *a, const struct sp_user *b)
{
    for (int i = 0; i < ATTRIBUTES; i++) {
        struct sp_buf x = SP_BUF_INIT, y = SP_BUF_INIT;
        put_attribute(&x, a, i);
        put_attribute(&y, b, i);
        bool same = x.n == y.n && (x.n == 0 || memcmp(x.p, y.p, x.n) == 0);
        hide(&x, i >= DISABLED || c->opt->show_values);
        hide(&y, i >= DISABLED || c->opt->show_values);
        if (!same)
            send(c, a, "changed", attribute_names[i], x.p != NULL ? x.p : "", y.p != NULL ? y.p : "");
        sp_buf_free(&x);
        sp_buf_free(&y);
    }
}

static void list(struct kept *k)
{
    struct sp_vctx *c = k->p->c;
    for (size_t i = 0; i < k->p->nnamed && c->rc == 0; i++) {
        const struct sp_user *a = &k->user[0][i], *b = &k->user[1][i];
        if (a->id != NULL && b->id != NULL)
            attributes(c, a, b);
        else if (a->id != NULL)
            send(c, a, "missing", NULL, "an account", "no such account");
        else if (b->id != NULL)
            send(c, b, "extra", NULL, "no such account", "an account");
    }
}

static int name_them(struct pass *p, struct sp_error *err)
{
    struct kept k = { .p = p, .a = SP_ARENA_INIT };
    int rc = 0;
    if (p->nnamed == 0)
        return 0;
    sp_v_sort_digests(p->named, p->nnamed);
    for (int i = 0; i < 2; i++)
        k.user[i] = calloc(p->nnamed + 1, sizeof *k.user[i]);
    if (k.user[0] == NULL || k.user[1] == NULL || sp_v_index_make(&k.index, p->named, p->nnamed) != 0)
        rc = sp_nomem(err);
    for (int i = 0; i < 2 && rc == 0; i++)
        rc = each(&p->side[i], i, keep, &k, err);
    if (rc == 0)
        list(&k);
    sp_v_index_free(&k.index);
    sp_arena_free(&k.a);
    free(k.user[0]);
    free(k.user[1]);
    return rc;
}

/* ---- the check ----------------------------------------------------------------------------------------------------------- */

/* A kind of backend that can keep accounts may stand there without that service: it is asked. A service that is there, and
 * does not let us list what it keeps, is the backend's own refusal: it may keep some. */
static bool keeps_accounts(const struct sp_vctx *c, enum sp_side side)
{
    const struct sp_provider *p = sp_session_provider(c->plain[side]);
    struct sp_arena a = SP_ARENA_INIT;
    const char *cursor = NULL;
    struct sp_user *v = NULL;
    size_t n = 0;
    if (p->auth == NULL || p->auth->admin_list == NULL)
        return false;
    struct sp_error err = SP_ERROR_INIT;
    int rc = sp_auth_admin_list(c->plain[side], &a, &cursor, 1, &v, &n, &err);
    bool keeps = rc != -SP_E_UNSUPPORTED || err.origin == SP_ORIGIN_BACKEND;
    sp_error_clear(&err);
    sp_arena_free(&a);
    return keeps;
}

static void report(struct pass *p)
{
    struct sp_vctx *c = p->c;
    struct sp_event ev;
    sp_event_begin(&ev, SP_EV_COUNTED);
    sp_event_text(&ev, SP_FLD_element, "accounts");
    sp_event_text(&ev, SP_FLD_name, "accounts");
    sp_event_int(&ev, SP_FLD_source_rows, (int64_t)p->side[0].all);
    sp_event_int(&ev, SP_FLD_target_rows, (int64_t)p->side[1].all);
    sp_event_int(&ev, SP_FLD_missing, (int64_t)p->missing);
    sp_event_int(&ev, SP_FLD_extra, (int64_t)p->extra);
    sp_event_int(&ev, SP_FLD_changed, (int64_t)p->changed);
    sp_event_text(&ev, SP_FLD_message, "compared: " COMPARED "; not: " NOT_READ);
    sp_v_send(c, &ev);
    if (p->missing + p->extra + p->changed != 0)
        sp_v_differ(c, p->missing + p->extra + p->changed, "accounts: %llu missing, %llu extra, %llu changed",
            (unsigned long long)p->missing, (unsigned long long)p->extra, (unsigned long long)p->changed);
    if (p->side[0].all != 0)
        sp_v_not_inspected(c, "accounts", NULL, "passwords",
            "password hashes cannot be read: that anybody can still sign in is not proven (to acknowledge: "
            "--accept "
            "accounts:passwords)");
}

static void compare_both(struct sp_vctx *c, struct pass *p)
{
    struct sp_error err = SP_ERROR_INIT;
    p->named_cap = c->opt->max_differences < MAX_KEPT ? (size_t)c->opt->max_differences : MAX_KEPT;
    p->named = malloc((p->named_cap + 1) * sizeof *p->named);
    int rc = p->named == NULL ? sp_nomem(&err) : compare(p, &err);
    if (rc == 0)
        report(p);
    if (rc == 0)
        rc = name_them(p, &err);
    if (rc == -SP_E_CANCELLED)
        sp_v_abort(c, &err);
    else if (rc != 0 && c->rc == 0)
        sp_v_not_compared(c, "accounts", "accounts", "%s", sp_error_text(&err));
    free(p->named);
    free(p->side[0].v);
    free(p->side[1].v);
    sp_error_clear(&err);
}

/* The other side keeps none: as long as there are none, nothing is lost. */
static uint64_t nowhere_to_go(struct sp_vctx *c, enum sp_side side)
{
    struct sp_error err = SP_ERROR_INIT;
    struct people p = { .s = c->plain[side] };
    int rc = each(&p, (int)side, only_count, NULL, &err);
    if (rc != 0 && c->rc == 0)
        sp_v_not_compared(c, "accounts", "accounts", "%s", sp_error_text(&err));
    else if (p.all != 0)
        sp_v_not_compared(c, "accounts", "accounts",
            "the %s has %llu accounts, and the other side keeps none", sp_v_side_name(side),
            (unsigned long long)p.all);
    sp_error_clear(&err);
    return p.all;
}

uint64_t sp_v_accounts(struct sp_vctx *c)
{
    bool keeps[2] = { keeps_accounts(c, SP_SIDE_SOURCE), keeps_accounts(c, SP_SIDE_TARGET) };
    if (!keeps[0] && !keeps[1])
        return 0;
    if (!keeps[0] || !keeps[1])
        return nowhere_to_go(c, keeps[0] ? SP_SIDE_SOURCE : SP_SIDE_TARGET);
    struct pass p = { .c = c, .side = { { .s = c->plain[0] }, { .s = c->plain[1] } } };
    compare_both(c, &p);
    return p.side[0].all + p.side[1].all;
}
