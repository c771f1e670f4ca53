/* functions.c -- what SQLite has no exact operator for: functions and collations that only our own statements name.
 * None of them stands in a schema that we write, so that every client can read the file. */
#include <math.h>
#include <string.h>

#include "model/decimal.h"
#include "providers/sqlite/internal.h"

/* ---- like: % _ and backslash, case-sensitive, by code points ---- */

static size_t step(const char *s, size_t n)
{
    size_t k = 1;
    if (((unsigned char)s[0] & 0xc0) == 0xc0)
        while (k < n && k < 4 && ((unsigned char)s[k] & 0xc0) == 0x80)
            k++;
    return k;
}

/* One way back is enough: the last % may take one more character. */
static bool like(const char *p, size_t np, const char *s, size_t ns)
{
    size_t ip = 0, is = 0, back_p = SIZE_MAX, back_s = 0;
    while (is < ns) {
        size_t want = is + step(s + is, ns - is);
        if (ip < np && p[ip] == '%') {
            back_p = ++ip;
            back_s = is;
            continue;
        }
        if (ip < np && p[ip] == '_') {
            ip++;
            is = want;
            continue;
        }
        size_t lit = ip < np && p[ip] == '\\' && ip + 1 < np ? ip + 1 : ip;
        if (lit < np && p[lit] == s[is]) {
            ip = lit + 1;
            is++;
            continue;
        }
        if (back_p == SIZE_MAX)
            return false;
        back_s += step(s + back_s, ns - back_s);
        ip = back_p;
        is = back_s;
    }
    while (ip < np && p[ip] == '%')
        ip++;
    return ip == np;
}

static void fn_like(sqlite3_context *ctx, int argc, sqlite3_value **v)
{
    (void)argc;
    if (sqlite3_value_type(v[0]) == SQLITE_NULL || sqlite3_value_type(v[1]) == SQLITE_NULL)
        return;
    const char *s = (const char *)sqlite3_value_text(v[0]);
    size_t ns = (size_t)sqlite3_value_bytes(v[0]);
    const char *p = (const char *)sqlite3_value_text(v[1]);
    size_t np = (size_t)sqlite3_value_bytes(v[1]);
    if (s == NULL || p == NULL) {
        sqlite3_result_error_nomem(ctx);
        return;
    }
    sqlite3_result_int(ctx, like(p, np, s, ns) ? 1 : 0);
}

/* ---- decimals by number ---- */

/* 0, 1 = no number, 2 = infinite (sign in *inf). */
static int to_dec(struct sp_arena *a, sqlite3_value *v, char digits[20], struct sp_dec *out, int *inf)
{
    switch (sqlite3_value_type(v)) {
    case SQLITE_INTEGER:
        return sp_dec_from_i64(digits, sqlite3_value_int64(v), out) ? 0 : 1;
    case SQLITE_FLOAT: {
        double f = sqlite3_value_double(v);
        if (isinf(f)) {
            *inf = f > 0 ? 1 : -1;
            return 2;
        }
        return sp_dec_from_f64_exact(a, f, out) == 0 ? 0 : 1;
    }
    case SQLITE_TEXT: {
        const char *p = (const char *)sqlite3_value_text(v);
        return p != NULL && sp_dec_parse(a, p, (size_t)sqlite3_value_bytes(v), out) == 0 ? 0 : 1;
    }
    default:
        return 1;
    }
}

/* -1, 0, 1, or null when one side is no number. */
static void fn_dec_cmp(sqlite3_context *ctx, int argc, sqlite3_value **v)
{
    struct sp_arena a = SP_ARENA_INIT;
    char digits[2][20];
    struct sp_dec d[2];
    int inf[2] = { 0, 0 };
    (void)argc;
    int r0 = to_dec(&a, v[0], digits[0], &d[0], &inf[0]), r1 = to_dec(&a, v[1], digits[1], &d[1], &inf[1]);
    if (r0 == 2 || r1 == 2) {
        if (r0 != 1 && r1 != 1)
            sqlite3_result_int(ctx, (inf[0] > inf[1]) - (inf[0] < inf[1]));
    } else if (r0 == 0 && r1 == 0) {
        sqlite3_result_int(ctx, sp_dec_cmp(&d[0], &d[1]));
    }
    sp_arena_free(&a);
}

static int by_bytes(const void *p, int np, const void *q, int nq)
{
    int n = np < nq ? np : nq, c = n > 0 ? memcmp(p, q, (size_t)n) : 0;
    return c != 0 ? c : (np > nq) - (np < nq);
}

static int coll_utf8(void *unused, int np, const void *p, int nq, const void *q)
{
    (void)unused;
    return by_bytes(p, np, q, nq);
}

/* Numbers by number and before all texts that are none, so that the order is total. */
static int coll_decimal(void *unused, int np, const void *p, int nq, const void *q)
{
    struct sp_arena a = SP_ARENA_INIT;
    struct sp_dec x, y;
    (void)unused;
    bool bad_x = sp_dec_parse(&a, p, (size_t)np, &x) != 0, bad_y = sp_dec_parse(&a, q, (size_t)nq, &y) != 0;
    int c = bad_x && bad_y ? by_bytes(p, np, q, nq) : bad_x ? 1 : bad_y ? -1 : sp_dec_cmp(&x, &y);
    sp_arena_free(&a);
    return c;
}

/* ---- membership in an array: sp_has(array text, element tag, one-element array text) ---- */

static void fn_has(sqlite3_context *ctx, int argc, sqlite3_value **v)
{
    struct sp_arena a = SP_ARENA_INIT;
    struct sp_value set, one;
    (void)argc;
    if (sqlite3_value_type(v[0]) == SQLITE_NULL || sqlite3_value_type(v[2]) == SQLITE_NULL)
        return;
    const char *p = (const char *)sqlite3_value_text(v[0]);
    size_t n = (size_t)sqlite3_value_bytes(v[0]);
    const char *q = (const char *)sqlite3_value_text(v[2]);
    size_t m = (size_t)sqlite3_value_bytes(v[2]);
    int tag = sqlite3_value_int(v[1]);
    bool found = false;
    if (p != NULL && q != NULL && tag > 0 && tag < SP_TAG_N &&
        sq_array_parse(&a, (enum sp_tag)tag, p, n, &set) == 0 &&
        sq_array_parse(&a, (enum sp_tag)tag, q, m, &one) == 0 && one.tag == SP_ARRAY && one.u.array.n == 1)
        for (size_t i = 0; i < set.u.array.n && !found; i++)
            found = sp_value_equal(&set.u.array.v[i], &one.u.array.v[0]);
    sqlite3_result_int(ctx, found ? 1 : 0);
    sp_arena_free(&a);
}

int sq_functions(struct sp_session *s, struct sp_error *err)
{
    int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;
    int rc = sqlite3_create_function_v2(s->db, "sp_like", 2, flags, NULL, fn_like, NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_create_function_v2(s->db, "sp_dec_cmp", 2, flags, NULL, fn_dec_cmp, NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_create_function_v2(s->db, "sp_has", 3, flags, NULL, fn_has, NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_create_function_v2(s->db, "sp_push", -1, SQLITE_UTF8 | SQLITE_DIRECTONLY, s, NULL,
            sq_push_function, sq_push_final, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_create_collation_v2(s->db, "sp_decimal", SQLITE_UTF8, NULL, coll_decimal, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_create_collation_v2(s->db, "sp_utf8", SQLITE_UTF8, NULL, coll_utf8, NULL);
    return rc == SQLITE_OK ? 0 : sq_error(s, rc, "cannot register functions", err);
}
