/* ddl_parse.c -- what only the text of CREATE TABLE and CREATE INDEX says: checks, names of constraints, deferrable
 * keys, AUTOINCREMENT, generated columns, collations. A text that isn't understood is an error, never skipped. */
#include <string.h>

#include "providers/sqlite/ddl_token.h"
#include "providers/sqlite/internal.h"

struct parser {
    struct sp_arena *a;
    const struct sq_tok *t;
    size_t i;
    struct sq_parsed *out;
    const char *constraint; /* name that stands before the next constraint */
    bool oom;
};

static bool at(const struct parser *p, const char *word)
{
    return sq_tok_is(&p->t[p->i], word);
}

static bool take(struct parser *p, const char *word)
{
    if (!at(p, word))
        return false;
    p->i++;
    return true;
}

static char *name(struct parser *p)
{
    if (p->t[p->i].kind == SQ_TOK_END)
        return NULL;
    char *s = sq_tok_name(p->a, &p->t[p->i++]);
    p->oom = p->oom || s == NULL;
    return s;
}

/* Text inside the parentheses that open here. */
static char *group(struct parser *p)
{
    size_t close = at(p, "(") ? sq_tok_close(p->t, p->i) : 0;
    if (close == 0)
        return NULL;
    char *s = sq_tok_between(p->a, &p->t[p->i], &p->t[close]);
    p->oom = p->oom || s == NULL;
    p->i = close + 1;
    return s;
}

/* (a, b COLLATE x DESC): the first word of each term. 0 = malformed. */
static size_t name_list(struct parser *p, const char *const **out)
{
    size_t close = at(p, "(") ? sq_tok_close(p->t, p->i) : 0, n = 0, cap = 0, depth = 0;
    const char **v = NULL;
    bool first = true;
    for (size_t i = p->i + 1; close != 0 && i < close; i++) {
        if (first) {
            v = sp_arena_grow(p->a, v, &cap, n + 1, sizeof *v);
            if (v == NULL || (v[n++] = sq_tok_name(p->a, &p->t[i])) == NULL) {
                p->oom = true;
                return 0;
            }
        }
        depth += sq_tok_is(&p->t[i], "(") ? 1u : 0u;
        depth -= sq_tok_is(&p->t[i], ")") ? 1u : 0u;
        first = depth == 0 && sq_tok_is(&p->t[i], ",");
    }
    p->i = close + 1;
    *out = v;
    return close == 0 ? 0 : n;
}

static const char *taken_name(struct parser *p)
{
    const char *n = p->constraint;
    p->constraint = NULL;
    return n;
}

static void skip_on_conflict(struct parser *p)
{
    if (at(p, "ON") && sq_tok_is(&p->t[p->i + 1], "CONFLICT"))
        p->i += 3;
}

#define GROW(p, field)                                                                                       \
    ((p)->out->field = sp_arena_grow(                                                                        \
         (p)->a, (p)->out->field, &(p)->out->field##_cap, (p)->out->n##field + 1, sizeof *(p)->out->field))

static bool add_unique(struct parser *p, const char *const *columns, size_t n)
{
    if (n == 0 || GROW(p, uniques) == NULL)
        return false;
    p->out->uniques[p->out->nuniques++] =
        (struct sp_unique){ .name = taken_name(p), .columns = columns, .ncolumns = n };
    skip_on_conflict(p);
    return true;
}

static bool add_check(struct parser *p)
{
    const char *expr = group(p);
    if (expr == NULL || GROW(p, checks) == NULL)
        return false;
    p->out->checks[p->out->nchecks++] = (struct sp_check){ .name = taken_name(p), .expr = expr };
    skip_on_conflict(p);
    return true;
}

static bool action(struct parser *p, enum sp_fk_action *out)
{
    if (take(p, "CASCADE"))
        *out = SP_FK_CASCADE;
    else if (take(p, "RESTRICT"))
        *out = SP_FK_RESTRICT;
    else if (take(p, "NO") && take(p, "ACTION"))
        *out = SP_FK_NO_ACTION;
    else if (take(p, "SET")) {
        bool null = take(p, "NULL");
        if (!null && !take(p, "DEFAULT"))
            return false;
        *out = null ? SP_FK_SET_NULL : SP_FK_SET_DEFAULT;
    } else
        return false;
    return true;
}

static bool references(struct parser *p, const char *const *columns, size_t n)
{
    struct sp_fk fk = { .name = taken_name(p), .columns = columns, .ncolumns = n };
    fk.ref_table = name(p);
    if (n == 0 || fk.ref_table == NULL)
        return false;
    if (at(p, "(") && name_list(p, &fk.ref_columns) != n)
        return false;
    for (;;) {
        if (take(p, "ON")) {
            bool del = take(p, "DELETE");
            if (!del && !take(p, "UPDATE"))
                return false;
            if (!action(p, del ? &fk.on_delete : &fk.on_update))
                return false;
        } else if (take(p, "MATCH")) {
            (void)name(p);
        } else if (at(p, "DEFERRABLE") || (at(p, "NOT") && sq_tok_is(&p->t[p->i + 1], "DEFERRABLE"))) {
            fk.deferrable = !take(p, "NOT");
            p->i++;
            if (take(p, "INITIALLY")) {
                fk.initially_deferred = fk.deferrable && at(p, "DEFERRED");
                p->i++;
            }
        } else {
            break;
        }
    }
    if (GROW(p, fks) == NULL)
        return false;
    p->out->fks[p->out->nfks++] = fk;
    return true;
}

static bool primary_key(struct parser *p, struct sq_parsed_column *c)
{
    (void)taken_name(p);
    if (!take(p, "KEY"))
        return false;
    if (c != NULL) {
        c->pk_desc = at(p, "DESC");
        if (at(p, "ASC") || at(p, "DESC"))
            p->i++;
        skip_on_conflict(p);
        c->autoincrement = take(p, "AUTOINCREMENT");
        return true;
    }
    const char *const *columns = NULL;
    size_t open = p->i, n = name_list(p, &columns);
    for (size_t i = open; n > 0 && i < p->i; i++) /* PRIMARY KEY(id AUTOINCREMENT) */
        for (size_t k = 0; sq_tok_is(&p->t[i], "AUTOINCREMENT") && k < p->out->ncolumns; k++)
            if (sqlite3_stricmp(p->out->columns[k].name, columns[0]) == 0)
                p->out->columns[k].autoincrement = true;
    skip_on_conflict(p);
    return n > 0;
}

static bool skip_default(struct parser *p)
{
    if (at(p, "("))
        return group(p) != NULL;
    if (at(p, "+") || at(p, "-"))
        p->i++;
    bool number = p->t[p->i].kind == SQ_TOK_OTHER;
    p->i++;
    /* 1e-5 comes in three pieces */
    if (number && (at(p, "+") || at(p, "-")) && (p->t[p->i - 1].p[p->t[p->i - 1].n - 1] | 32) == 'e')
        p->i += 2;
    return true;
}

/* One constraint of a column (c) or of the table (NULL). */
static bool constraint(struct parser *p, struct sq_parsed_column *c)
{
    const char *const *columns = NULL;
    if (take(p, "CONSTRAINT"))
        return (p->constraint = name(p)) != NULL;
    if (take(p, "PRIMARY"))
        return primary_key(p, c);
    if (take(p, "CHECK"))
        return add_check(p);
    if (take(p, "UNIQUE")) {
        size_t n = c != NULL ? 1 : name_list(p, &columns);
        const char **one = c != NULL ? sp_arena_dup(p->a, &c->name, sizeof c->name) : NULL;
        return add_unique(p, c != NULL ? one : columns, c != NULL && one == NULL ? 0 : n);
    }
    if (c == NULL) {
        if (!take(p, "FOREIGN") || !take(p, "KEY"))
            return false;
        size_t n = name_list(p, &columns);
        return take(p, "REFERENCES") && references(p, columns, n);
    }
    if (take(p, "REFERENCES")) {
        const char **one = sp_arena_dup(p->a, &c->name, sizeof c->name);
        return one != NULL && references(p, one, 1);
    }
    if (take(p, "NOT") || take(p, "NULL")) { /* NOT NULL comes as two words */
        (void)taken_name(p);
        skip_on_conflict(p);
        return true;
    }
    if (take(p, "DEFAULT")) {
        (void)taken_name(p);
        return skip_default(p);
    }
    if (take(p, "COLLATE")) {
        (void)taken_name(p);
        return (c->collation = name(p)) != NULL;
    }
    if (take(p, "GENERATED"))
        return take(p, "ALWAYS");
    if (take(p, "AS")) {
        c->generated = group(p);
        if (at(p, "STORED") || at(p, "VIRTUAL"))
            p->i++;
        return c->generated != NULL;
    }
    return false;
}

static bool constraint_word(const struct parser *p)
{
    static const char *const words[] = { "CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN", NULL };
    for (size_t i = 0; words[i] != NULL; i++)
        if (at(p, words[i]))
            return true;
    return false;
}

static bool type_ends(const struct parser *p)
{
    static const char *const words[] = { "NOT", "NULL", "DEFAULT", "COLLATE", "REFERENCES", "GENERATED", "AS",
        ",", ")", NULL };
    for (size_t i = 0; words[i] != NULL; i++)
        if (at(p, words[i]))
            return true;
    return constraint_word(p) || p->t[p->i].kind == SQ_TOK_END;
}

static bool items(struct parser *p)
{
    bool in_constraints = false;
    do {
        struct sq_parsed_column *c = NULL;
        in_constraints = in_constraints || constraint_word(p);
        if (!in_constraints) {
            if (GROW(p, columns) == NULL)
                return false;
            c = &p->out->columns[p->out->ncolumns++];
            memset(c, 0, sizeof *c);
            c->name = name(p);
            while (!type_ends(p)) /* the type is taken from the pragma */
                if (!at(p, "(") ? p->i++, false : group(p) == NULL)
                    return false;
        }
        while (!at(p, ",") && !at(p, ")"))
            if (!constraint(p, c) || p->oom)
                return false;
        p->constraint = NULL;
    } while (take(p, ","));
    return take(p, ")");
}

static void options(struct parser *p)
{
    for (; p->t[p->i].kind != SQ_TOK_END && !at(p, ";"); p->i++) {
        p->out->strict = p->out->strict || at(p, "STRICT");
        p->out->without_rowid = p->out->without_rowid || at(p, "WITHOUT");
    }
}

int sq_parse_table(struct sp_arena *a, const char *sql, struct sq_parsed *out, struct sp_error *err)
{
    struct parser p = { .a = a, .out = out };
    struct sq_tok *tokens;
    memset(out, 0, sizeof *out);
    int ret = sq_tokens(a, sql, &tokens, err);
    if (ret != 0)
        return ret;
    p.t = tokens;
    bool ok = take(&p, "CREATE");
    if (!take(&p, "TEMP"))
        (void)take(&p, "TEMPORARY");
    ok = ok && take(&p, "TABLE");
    if (take(&p, "IF"))
        ok = ok && take(&p, "NOT") && take(&p, "EXISTS");
    out->name = name(&p);
    if (take(&p, "."))
        out->name = name(&p);
    ok = ok && out->name != NULL && take(&p, "(") && items(&p);
    if (p.oom)
        return sp_nomem(err);
    if (!ok)
        return sp_fail(err, SP_E_INTERNAL, SP_ORIGIN_HARNESS,
            "cannot interpret the definition of table %s near \"%.20s\"", out->name == NULL ? "?" : out->name,
            p.t[p.i].p);
    options(&p);
    out->ours = strstr(sql, SQ_MARK) != NULL;
    out->ours_strict = out->ours && strstr(sql, SQ_MARK_STRICT) != NULL;
    return 0;
}

int sq_parse_index(struct sp_arena *a, const char *sql, struct sq_parsed_index *out, struct sp_error *err)
{
    struct sq_tok *t;
    size_t i = 0;
    memset(out, 0, sizeof *out);
    int ret = sq_tokens(a, sql, &t, err);
    if (ret != 0)
        return ret;
    while (t[i].kind != SQ_TOK_END && !sq_tok_is(&t[i], "ON"))
        i++;
    while (t[i].kind != SQ_TOK_END && !sq_tok_is(&t[i], "("))
        i++;
    size_t close = t[i].kind == SQ_TOK_END ? 0 : sq_tok_close(t, i), start = i, depth = 0;
    if (close == 0)
        return sp_fail(
            err, SP_E_INTERNAL, SP_ORIGIN_HARNESS, "cannot interpret the index definition %.60s", sql);
    for (i++; i <= close; i++) {
        if (depth == 0 && (i == close || sq_tok_is(&t[i], ","))) {
            size_t end = i;
            if (sq_tok_is(&t[end - 1], "ASC") || sq_tok_is(&t[end - 1], "DESC"))
                end--;
            out->columns = sp_arena_grow(a, out->columns, &out->cap, out->ncolumns + 1, sizeof *out->columns);
            if (out->columns == NULL ||
                (out->columns[out->ncolumns++] = sq_tok_between(a, &t[start], &t[end])) == NULL)
                return sp_nomem(err);
            start = i;
        }
        depth += sq_tok_is(&t[i], "(") ? 1u : 0u;
        depth -= i < close && sq_tok_is(&t[i], ")") ? 1u : 0u;
    }
    if (sq_tok_is(&t[close + 1], "WHERE")) {
        size_t end = close + 1;
        while (t[end].kind != SQ_TOK_END)
            end++;
        out->where = sq_tok_between(a, &t[close + 1], &t[end]);
        if (out->where == NULL)
            return sp_nomem(err);
    }
    return 0;
}
