/* mutants_behaviour.c -- other ways of a backend, most of them no bugs: they show that rows of observed behaviour follow what
 * the backend does (ci/tests/kill/semantics.sh). They are no part of the kill matrix. */
#include "run/mutation.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

/* ---- lenient: what is refused for its value is stored as null ----------------------------------------------------- */

static int exec_behaves_leniently(
    struct sp_session *s, const struct sp_op *op, struct sp_result *r, struct sp_error *err)
{
    struct sp_value v[8];
    int rc = SP_INNER_DB->exec(s, op, r, err);
    if (op->kind != SP_OP_CREATE || op->nrows != 1 || op->nfields > SP_LEN(v) ||
        (rc != -SP_E_INVALID && rc != -SP_E_RANGE && rc != -SP_E_TOO_LARGE))
        return rc;
    struct sp_op again = *op;
    for (size_t i = 0; i < op->nfields; i++)
        v[i] = strcmp(op->fields[i], "id") == 0 ? op->values[i] : sp_v_null();
    again.values = v;
    sp_error_clear(err);
    return SP_INNER_DB->exec(s, &again, r, err);
}
SP_PLANT(db, behaves_leniently, exec, exec_behaves_leniently)

/* ---- strict: what is rare is refused, names and texts that look alike are the same ---------------------------------- */

static bool is_rare(const struct sp_value *v)
{
    return v->tag == SP_JSON || v->tag == SP_ARRAY || v->tag == SP_F32 ||
           (v->tag == SP_DEC && v->u.dec.exp > 100) ||
           (v->tag == SP_TEXT && v->u.str.n == 3 && memcmp(v->u.str.p, "\xef\xbf\xbf", 3) == 0);
}

/* The table that was made last with a unique constraint; a second row in it counts as a duplicate. */
static char narrow[64];

static int exec_behaves_strictly(
    struct sp_session *s, const struct sp_op *op, struct sp_result *r, struct sp_error *err)
{
    if (op->kind == SP_OP_CREATE && op->nrows == 1) {
        for (size_t i = 0; i < op->nfields; i++)
            if (is_rare(&op->values[i]))
                return sp_fail(err, SP_E_INVALID, SP_ORIGIN_BACKEND, "a rare value");
        struct sp_op count = { .kind = SP_OP_COUNT,
            .query = { .table = op->query.table, .limit = SP_NO_LIMIT } };
        bool second = narrow[0] != '\0' && strcmp(narrow, op->query.table) == 0;
        if (second && SP_INNER_DB->exec(s, &count, r, err) == 0 && r->affected > 0)
            return sp_fail(err, SP_E_UNIQUE, SP_ORIGIN_BACKEND, "it looks like another row");
    }
    int rc = SP_INNER_DB->exec(s, op, r, err);
    if (rc == -SP_E_UNIQUE)
        sp_error_native(err, "TWICE");
    if (rc == -SP_E_CONFLICT)
        err->code = SP_E_TIMEOUT;
    return rc == -SP_E_CONFLICT ? -SP_E_TIMEOUT : rc;
}

static int create_behaves_strictly(
    struct sp_session *s, const struct sp_table *t, bool extras, struct sp_error *err)
{
    if (t->ncolumns > 1000)
        return sp_fail(err, SP_E_TOO_LARGE, SP_ORIGIN_BACKEND, "too many columns");
    if (t->ncolumns == 3 && strcmp(t->columns[1].name, "Mixed") == 0)
        return sp_fail(err, SP_E_INVALID, SP_ORIGIN_BACKEND, "two columns of one name");
    (void)snprintf(narrow, sizeof narrow, "%s", t->nuniques > 0 ? t->name : "");
    return SP_INNER_DB->table_create(s, t, extras, err);
}

static bool plant_behaves_strictly(void)
{
    if (sp_mutation.db.exec == NULL)
        return false;
    sp_mutation.db.exec = exec_behaves_strictly;
    sp_mutation.db.table_create = create_behaves_strictly;
    return true;
}

/* ---- oddly: rows come backwards, others see late, zero and NaN are never found, half of an update stays ------------- */

static const struct sp_session *writer;

static void backwards(struct sp_result *r)
{
    for (size_t i = 0; i < r->nrows / 2; i++)
        for (size_t c = 0; c < r->ncolumns; c++) {
            struct sp_value *a = &r->values[i * r->ncolumns + c],
                            *b = &r->values[(r->nrows - 1 - i) * r->ncolumns + c], t = *a;
            *a = *b;
            *b = t;
        }
}

static int64_t found_oddly(const struct sp_session *s, const struct sp_op *op, int64_t n)
{
    const struct sp_filter *w = op->query.where;
    if (w != NULL && w->nvalues == 1 && w->values[0].tag == SP_F64) {
        double v = w->values[0].u.f64;
        if (w->op == SP_F_EQ && (v == 0 || isnan(v)))
            return 0;
        if (w->op == SP_F_GT && v >= 1e300)
            return n - 1;
    }
    return writer != NULL && writer != s ? n == 0 : n;
}

static int exec_behaves_oddly(
    struct sp_session *s, const struct sp_op *op, struct sp_result *r, struct sp_error *err)
{
    static const struct sp_value one = { .tag = SP_INT, .u = { .i = 1 } };
    static const struct sp_filter first = { .op = SP_F_EQ, .column = "id", .values = &one, .nvalues = 1 };
    int rc = SP_INNER_DB->exec(s, op, r, err);
    (void)pthread_mutex_lock(&sp_mutation.lock);
    if (rc == 0 && op->kind == SP_OP_READ &&
        (op->query.norder == 0 || (op->query.norder == 1 && op->query.order[0].desc)))
        backwards(r);
    if (rc == 0 && op->kind == SP_OP_COUNT)
        r->affected = found_oddly(s, op, r->affected);
    else if (rc == 0 && (op->kind == SP_OP_UPDATE || op->kind == SP_OP_DELETE))
        writer = s;
    if (rc == -SP_E_UNIQUE && op->kind == SP_OP_UPDATE && op->query.where == NULL) {
        struct sp_op half = *op;
        struct sp_result ignored = SP_RESULT_INIT;
        half.query.where = &first;
        (void)SP_INNER_DB->exec(s, &half, &ignored, NULL);
        sp_result_free(&ignored);
    }
    (void)pthread_mutex_unlock(&sp_mutation.lock);
    return rc;
}
SP_PLANT(db, behaves_oddly, exec, exec_behaves_oddly)

/* ---- poorly: no transactions, users of another form, files whose type is guessed -------------------------------------- */

static int effective_behaves_poorly(
    struct sp_session *s, struct sp_cap out[SP_CAP_N], struct sp_facts *facts, struct sp_error *err)
{
    int rc = sp_mutation.inner->effective(s, out, facts, err);
    if (rc == 0)
        out[SP_CAP_TXN] = (struct sp_cap){ .level = SP_CAP_NO, .why = "planted" };
    return rc;
}

static int up_behaves_poorly(struct sp_session *s, struct sp_arena *a, const char *email,
    const char *password, const char *name, struct sp_user *u, struct sp_tokens *k, struct sp_error *err)
{
    if (strlen(password) >= 72)
        return sp_fail(err, SP_E_INVALID, SP_ORIGIN_BACKEND, "the password is too long");
    int rc = SP_INNER_AUTH->sign_up(s, a, email, password, name, u, k, err);
    if (rc != -SP_E_EXISTS)
        return rc;
    sp_error_clear(err);
    return SP_INNER_AUTH->sign_in(s, a, email, password, u, k, err);
}

static int in_behaves_poorly(struct sp_session *s, struct sp_arena *a, const char *email,
    const char *password, struct sp_user *u, struct sp_tokens *k, struct sp_error *err)
{
    int rc = SP_INNER_AUTH->sign_in(s, a, email, password, u, k, err);
    if (rc == 0) {
        u->id = sp_arena_printf(a, "u-%s", u->id);
        u->email_verified = true;
        k->expires_in_s = 0;
    }
    if (rc != -SP_E_AUTHENTICATION || strncmp(email, "nobody", 6) != 0)
        return rc;
    err->code = SP_E_NOT_FOUND;
    return -SP_E_NOT_FOUND;
}

static int head_behaves_poorly(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key,
    struct sp_object *o, struct sp_error *err)
{
    int rc = SP_INNER_BLOB->head(s, a, bucket, key, o, err);
    if (rc == 0 && strstr(key, ".html") != NULL)
        o->content_type = "text/html";
    return rc;
}

static bool plant_behaves_poorly(void)
{
    if (sp_mutation.inner->db == NULL || sp_mutation.inner->auth == NULL || sp_mutation.inner->blob == NULL)
        return false;
    sp_mutation.outer.effective = effective_behaves_poorly;
    sp_mutation.auth.sign_up = up_behaves_poorly;
    sp_mutation.auth.sign_in = in_behaves_poorly;
    sp_mutation.blob.head = head_behaves_poorly;
    return true;
}

#define ROW(name, text)                                                                                      \
    {                                                                                                        \
        { #name, "behaviour", text }, plant_##name                                                           \
    }
const struct sp_mutant_row sp_mutants_behaviour[] = {
    ROW(behaves_leniently, "a value that is refused is stored as null"),
    ROW(behaves_strictly, "rare values are refused, and what looks alike is the same"),
    ROW(behaves_oddly, "rows come backwards, zero and NaN are not found, writes are seen late"),
    ROW(behaves_poorly, "no transactions, other user ids, guessed content types"),
    { { NULL, NULL, NULL }, NULL },
};
