/* side_sqlite.c -- worlds as SQLite files, through the plain library. */
#include <fcntl.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "props.h"
#include "providers/sqlite/sqlite.h"

struct lite {
    struct side side;
    char path[512];
};

static sqlite3 *open_db(const char *path)
{
    sqlite3 *db = NULL;
    if (sqlite3_open(path, &db) != SQLITE_OK)
        die("%s: %s", path, sqlite3_errmsg(db));
    return db;
}

static void run(sqlite3 *db, const char *sql)
{
    char *msg = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &msg) != SQLITE_OK)
        die("%s: %.2000s", msg, sql);
}

static void quote(struct sp_buf *b, const char *name)
{
    sp_buf_putc(b, '"');
    for (; *name != '\0'; name++) {
        if (*name == '"')
            sp_buf_putc(b, '"');
        sp_buf_putc(b, *name);
    }
    sp_buf_putc(b, '"');
}

/* What people write for the same. The first is taken where another kind of backend stands on the other side; for what
 * SQLite has no affinity for, it leaves the value as it is. */
static const char *const spellings[K_N][4] = {
    [K_BOOL] = { "BOOLEAN", "BOOL", "INTEGER", "TINYINT(1)" },
    [K_INT16] = { "SMALLINT", "INT2", "INTEGER", "smallint" },
    [K_INT32] = { "INT", "INTEGER", "MEDIUMINT", "int" },
    [K_INT64] = { "BIGINT", "INTEGER", "INT8", "UNSIGNED BIG INT" },
    [K_DECIMAL] = { "TEXT", "NUMERIC", "DECIMAL(15,4)", "MONEY" },
    [K_NUMERIC] = { "TEXT", "DECIMAL_TEXT", "", "NUMERIC" },
    [K_F32] = { "REAL", "FLOAT", "", "DOUBLE" },
    [K_F64] = { "REAL", "DOUBLE PRECISION", "FLOAT", "" },
    [K_TEXT] = { "TEXT", "CLOB", "text", "" },
    [K_VARCHAR] = { "VARCHAR", "NCHAR(55)", "character varying(70)", "STRING" },
    [K_BYTES] = { "BLOB", "", "BYTEA", "BINARY" },
    [K_UUID] = { "UUID", "CHAR(36)", "TEXT", "GUID" },
    [K_INSTANT] = { "TIMESTAMPTZ", "TEXT", "TIMESTAMP WITH TIME ZONE", "" },
    [K_LOCAL] = { "TIMESTAMP", "DATETIME", "TEXT", "" },
    [K_DATE] = { "DATE", "TEXT", "", "date" },
    [K_TIME] = { "TIME", "TEXT", "", "time" },
    [K_JSON] = { "JSON_TEXT", "JSON", "TEXT", "" },
    [K_INTS] = { "TEXT", "JSON", "", "" },
    [K_TEXTS] = { "TEXT", "JSON", "", "" },
    [K_ANY] = { "", "BLOB", "", "NONE" },
};
static const char *const strict_types[K_N] = { [K_BOOL] = "INTEGER",
    [K_INT16] = "INT",
    [K_INT32] = "INT",
    [K_INT64] = "INTEGER",
    [K_F32] = "REAL",
    [K_F64] = "REAL",
    [K_BYTES] = "BLOB",
    [K_ANY] = "ANY" };
static const char *const actions[] = { "NO ACTION", "RESTRICT", "CASCADE", "SET NULL" };

static void names(struct sp_buf *b, const struct table *t, const struct list *l)
{
    sp_buf_putc(b, '(');
    for (unsigned i = 0; i < l->n; i++) {
        sp_buf_puts(b, i == 0 ? "" : ", ");
        quote(b, t->cols[l->col[i]].name);
    }
    sp_buf_putc(b, ')');
}

static bool any(const struct world *w)
{
    return w->can.any; /* only two SQLite files hold values of any kind */
}

static void column(struct sp_buf *b, const struct world *w, const struct table *t, const struct column *c)
{
    static const char *const collations[] = { "NOCASE", "RTRIM", "BINARY" };
    bool strict = t->strict && any(w);
    quote(b, c->name);
    if (c->identity)
        sp_buf_puts(b, c->spelling % 2 == 0 ? " INTEGER PRIMARY KEY" : " INTEGER PRIMARY KEY AUTOINCREMENT");
    else if (strict)
        sp_buf_printf(b, " %s", strict_types[c->kind] == NULL ? "TEXT" : strict_types[c->kind]);
    else if (c->kind == K_VARCHAR && !any(w))
        sp_buf_printf(b, " VARCHAR(%d)", c->p);
    else
        sp_buf_printf(b, " %s", spellings[c->kind][any(w) ? c->spelling % 4 : 0]);
    if (c->not_null && !c->identity)
        sp_buf_puts(b, " NOT NULL");
    if (c->dflt != NULL)
        sp_buf_printf(b, " DEFAULT %s", c->dflt);
    if (any(w) && c->kind == K_TEXT && c->spelling % 7 < 3)
        sp_buf_printf(b, " COLLATE %s", collations[c->spelling % 7]);
}

static void table_sql(struct sp_buf *b, const struct world *w, const struct table *t)
{
    bool identity = t->pk.n == 1 && t->cols[t->pk.col[0]].identity;
    sp_buf_puts(b, "CREATE TABLE ");
    quote(b, t->name);
    sp_buf_puts(b, " (");
    for (unsigned i = 0; i < t->ncols; i++) {
        sp_buf_puts(b, i == 0 ? "" : ", ");
        column(b, w, t, &t->cols[i]);
    }
    if (t->pk.n != 0 && !identity) {
        sp_buf_puts(b, ", PRIMARY KEY ");
        names(b, t, &t->pk);
    }
    for (unsigned i = 0; i < t->nuniques; i++) {
        sp_buf_puts(b, ", UNIQUE ");
        names(b, t, &t->uniques[i]);
    }
    for (unsigned i = 0; i < t->nchecks; i++) {
        sp_buf_puts(b, ", CHECK (");
        quote(b, t->cols[t->checks[i].col[0]].name);
        sp_buf_puts(b, " <> 4242)");
    }
    for (unsigned i = 0; i < t->nfks; i++) {
        const struct table *p = &w->tables[t->fks[i].parent];
        sp_buf_puts(b, ", FOREIGN KEY ");
        names(b, t, &t->fks[i].from);
        sp_buf_puts(b, " REFERENCES ");
        quote(b, p->name);
        names(b, p, &t->fks[i].to);
        sp_buf_printf(b, " ON DELETE %s", actions[t->fks[i].on_delete]);
    }
    sp_buf_putc(b, ')');
    if (any(w) && t->without_rowid)
        sp_buf_puts(b, " WITHOUT ROWID");
    if (any(w) && t->strict)
        sp_buf_puts(b, t->without_rowid ? ", STRICT" : " STRICT");
    sp_buf_puts(b, ";\n");
    for (unsigned i = 0; i < t->nindexes; i++) {
        char name[160];
        snprintf(name, sizeof name, "%s_%u", t->name, i);
        sp_buf_puts(b, "CREATE INDEX ");
        quote(b, name);
        sp_buf_puts(b, " ON ");
        quote(b, t->name);
        names(b, t, &t->indexes[i]);
        sp_buf_puts(b, ";\n");
    }
}

static void bind(sqlite3_stmt *st, int i, const struct cell *c)
{
    int rc = c->tag == C_INT     ? sqlite3_bind_int64(st, i, c->i)
             : c->tag == C_F64   ? sqlite3_bind_double(st, i, c->f)
             : c->tag == C_TEXT  ? sqlite3_bind_text64(st, i, c->p, c->n, SQLITE_STATIC, SQLITE_UTF8)
             : c->tag == C_BYTES ? sqlite3_bind_blob64(st, i, c->n == 0 ? "" : c->p, c->n, SQLITE_STATIC)
                                 : sqlite3_bind_null(st, i);
    if (rc != SQLITE_OK)
        die("bind: %d", rc);
}

/* What an affinity makes equal, and a constraint then refuses, is left out: what counts is read back. */
static void insert(sqlite3 *db, const struct world *w, const struct table *t)
{
    struct sp_buf b = SP_BUF_INIT;
    sqlite3_stmt *st = NULL;
    sp_buf_puts(&b, any(w) ? "INSERT OR IGNORE INTO " : "INSERT INTO ");
    quote(&b, t->name);
    sp_buf_puts(&b, " VALUES (?");
    for (unsigned i = 1; i < t->ncols; i++)
        sp_buf_puts(&b, ", ?");
    sp_buf_putc(&b, ')');
    if (sqlite3_prepare_v2(db, b.p, -1, &st, NULL) != SQLITE_OK)
        die("%s: %.500s", sqlite3_errmsg(db), b.p);
    for (size_t k = 0; k < t->nrows; k++) {
        for (unsigned i = 0; i < t->ncols; i++)
            bind(st, (int)i + 1, &t->rows[k][i]);
        if (sqlite3_step(st) != SQLITE_DONE)
            die("row %zu of %s: %s", k, t->name, sqlite3_errmsg(db));
        sqlite3_reset(st);
    }
    sqlite3_finalize(st);
    sp_buf_free(&b);
}

static void forget(const char *path)
{
    static const char *const more[] = { "", "-wal", "-shm", "-journal" };
    char name[600];
    for (size_t i = 0; i < SP_LEN(more); i++) {
        snprintf(name, sizeof name, "%s%s", path, more[i]);
        (void)unlink(name);
    }
}

static void empty(void *self)
{
    forget(((struct lite *)self)->path);
}

static void create(void *self, const struct world *w)
{
    struct lite *l = self;
    struct sp_buf b = SP_BUF_INIT;
    empty(self);
    sqlite3 *db = open_db(l->path);
    run(db, "PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY; PRAGMA foreign_keys = OFF; BEGIN");
    for (unsigned i = 0; i < w->ntables; i++)
        table_sql(&b, w, &w->tables[i]);
    run(db, b.p);
    for (unsigned i = 0; i < w->ntables; i++)
        insert(db, w, &w->tables[i]);
    run(db, "COMMIT");
    if (sqlite3_close(db) != SQLITE_OK)
        die("close");
    sp_buf_free(&b);
}

static void rewrite(void *self, const struct world *w, unsigned table)
{
    struct lite *l = self;
    struct sp_buf b = SP_BUF_INIT;
    sqlite3 *db = open_db(l->path);
    sp_buf_puts(&b, "PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY; PRAGMA foreign_keys = OFF; "
                    "BEGIN; DELETE FROM ");
    quote(&b, w->tables[table].name);
    run(db, b.p);
    insert(db, w, &w->tables[table]);
    run(db, "COMMIT");
    if (sqlite3_close(db) != SQLITE_OK)
        die("close");
    sp_buf_free(&b);
}

/* ---- reading back ---- */

static struct cell taken(struct world *w, sqlite3_stmt *st, int i)
{
    struct cell c = { .tag = C_NULL };
    switch (sqlite3_column_type(st, i)) {
    case SQLITE_INTEGER:
        c = (struct cell){ .tag = C_INT, .i = sqlite3_column_int64(st, i) };
        break;
    case SQLITE_FLOAT:
        c = (struct cell){ .tag = C_F64, .f = sqlite3_column_double(st, i) };
        break;
    case SQLITE_TEXT: {
        const void *p = sqlite3_column_text(st, i);
        c = cell_text(w, p, (size_t)sqlite3_column_bytes(st, i));
        break;
    }
    case SQLITE_BLOB: {
        const void *p = sqlite3_column_blob(st, i);
        c = cell_text(w, p == NULL ? "" : p, (size_t)sqlite3_column_bytes(st, i));
        c.tag = C_BYTES;
        break;
    }
    default:
        break;
    }
    return c;
}

static void read_back(void *self, struct world *w)
{
    struct lite *l = self;
    sqlite3 *db = open_db(l->path);
    for (unsigned k = 0; k < w->ntables; k++) {
        struct table *t = &w->tables[k];
        struct sp_buf b = SP_BUF_INIT;
        sqlite3_stmt *st = NULL;
        sp_buf_puts(&b, "SELECT * FROM ");
        quote(&b, t->name);
        if (sqlite3_prepare_v2(db, b.p, -1, &st, NULL) != SQLITE_OK)
            die("%s: %.500s", sqlite3_errmsg(db), b.p);
        t->nrows = 0;
        t->rows = NULL;
        t->cap = 0;
        while (sqlite3_step(st) == SQLITE_ROW) {
            struct cell *r = row_add(w, t);
            for (unsigned i = 0; i < t->ncols; i++)
                r[i] = taken(w, st, (int)i);
        }
        sqlite3_finalize(st);
        sp_buf_free(&b);
    }
    sqlite3_close(db);
}

struct side *side_sqlite(const char *path)
{
    struct lite *l = need(calloc(1, sizeof *l));
    l->side = (struct side){ .provider = &sp_provider_sqlite,
        .kind = "sqlite",
        .create = create,
        .rewrite = rewrite,
        .empty = empty,
        .read_back = read_back,
        .self = l };
    snprintf(l->path, sizeof l->path, "%s", path);
    snprintf(l->side.url, sizeof l->side.url, "sqlite:%s", path);
    return &l->side;
}

/* ---- copies ---- */

static void backup(const char *from, const char *to)
{
    sqlite3 *a = open_db(from), *b = open_db(to);
    sqlite3_backup *k = sqlite3_backup_init(b, "main", a, "main");
    if (k == NULL || sqlite3_backup_step(k, -1) != SQLITE_DONE || sqlite3_backup_finish(k) != SQLITE_OK)
        die("backup: %s", sqlite3_errmsg(b));
    sqlite3_close(a);
    sqlite3_close(b);
}

static void vacuum(const char *from, const char *to)
{
    char *sql = sqlite3_mprintf("VACUUM INTO %Q", to);
    sqlite3 *a = open_db(from);
    run(a, sql);
    sqlite3_close(a);
    sqlite3_free(sql);
}

/* Every definition, then every row, the last first; counters at the end. */
static void anew(const char *from, const char *to, const char *pragmas)
{
    sqlite3 *db = open_db(to);
    char *attach = sqlite3_mprintf("ATTACH %Q AS a", from);
    sqlite3_stmt *st = NULL;
    struct sp_buf make = SP_BUF_INIT, fill = SP_BUF_INIT;
    run(db, pragmas);
    run(db, "PRAGMA synchronous = OFF; CREATE TABLE before(a); DROP TABLE before"); /* settles the encoding */
    run(db, "PRAGMA foreign_keys = OFF");
    run(db, attach);
    sqlite3_prepare_v2(db,
        "SELECT type, name, sql FROM a.sqlite_schema WHERE sql IS NOT NULL ORDER BY type DESC", -1, &st,
        NULL);
    while (sqlite3_step(st) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(st, 1);
        if (sp_str_prefix(name, "sqlite_"))
            continue;
        sp_buf_printf(&make, "%s;\n", (const char *)sqlite3_column_text(st, 2));
        if (strcmp((const char *)sqlite3_column_text(st, 0), "table") != 0)
            continue;
        sp_buf_puts(&fill, "INSERT INTO main.");
        quote(&fill, name);
        sp_buf_puts(&fill, " SELECT * FROM a.");
        quote(&fill, name);
        sp_buf_puts(&fill, " ORDER BY 1 DESC;\n");
    }
    sqlite3_finalize(st);
    run(db, make.p);
    run(db, fill.p);
    if (strstr(make.p, "AUTOINCREMENT") != NULL)
        run(db, "DELETE FROM main.sqlite_sequence; INSERT INTO main.sqlite_sequence SELECT * FROM "
                "a.sqlite_sequence");
    sqlite3_close(db);
    sqlite3_free(attach);
    sp_buf_free(&make);
    sp_buf_free(&fill);
}

/* The shell's dump, read by the shell; it gives up on texts of many megabytes. */
static const char *dump(const char *from, const char *to)
{
    char *line = sqlite3_mprintf("sqlite3 %s .dump | sqlite3 -bail %s 2>/dev/null", from, to);
    bool done = system(line) == 0;
    sqlite3_free(line);
    if (done)
        return "dumped and read in";
    forget(to);
    backup(from, to);
    return "not dumped: sqlite3_backup";
}

const char *sqlite_copy(const char *from, const char *to, unsigned route)
{
    forget(to);
    switch (route) {
    case 0:
        backup(from, to);
        return "sqlite3_backup";
    case 1:
        vacuum(from, to);
        return "VACUUM INTO";
    case 2:
        anew(from, to, "PRAGMA page_size = 512; PRAGMA auto_vacuum = 1");
        return "row by row";
    case 3:
        anew(from, to, "PRAGMA page_size = 65536");
        return "row by row, large pages";
    default:
        return dump(from, to);
    }
}
