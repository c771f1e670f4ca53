/* table.c -- the README's table of providers, from what ran.
 *
 * usage: table README DATE SUMMARY...   writes it between the two marks: a row for each provider, of which the latest run in
 *                                       the list counts; several of one kind (on several servers) stand below each other
 *        table --check README           is it one that this program wrote, and does it fit the providers of the code?
 * Exit code 0, 1 with one line per mistake, 2 when something cannot be read. The begin mark carries a digest of the table:
 * who edits numbers by hand is found out. Counts change daily and are not compared with anything. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "base/io.h"
#include "base/str.h"
#include "provider.h"
#include "suite.h"

#define BEGIN "<!-- providers-table: begin "
#define END   "<!-- providers-table: end -->\n"

static unsigned mistakes;

static void mistake(const char *what, const char *which)
{
    mistakes++;
    (void)fprintf(stderr, "table: %s%s%s\n", what, which[0] != '\0' ? ": " : "", which);
}

static void digest_of(const char *p, size_t n, char out[17])
{
    (void)snprintf(out, 17, "%016llx", (unsigned long long)XXH3_64bits(p, n));
}

static const char *text(const json_t *o, const char *name)
{
    const char *s = json_string_value(json_object_get(o, name));
    return s != NULL ? s : "";
}

static void facets(struct sp_buf *b, const struct sp_provider *p)
{
    const char *comma = "";
    if (p->db != NULL)
        sp_buf_puts(b, "database"), comma = ", ";
    if (p->auth != NULL)
        sp_buf_printf(b, "%sauth", comma), comma = ", ";
    if (p->blob != NULL)
        sp_buf_printf(b, "%sstorage", comma);
}

static void outcomes(struct sp_buf *b, const json_t *root, const char *provider, const char *suite)
{
    unsigned long n[4] = { 0 };
    static const char *const words[] = { "passed", "failed", "skipped", "errored" };
    size_t i;
    const json_t *c;
    json_array_foreach(json_object_get(root, "cases"), i, c)
    {
        if (strcmp(text(c, "provider"), provider) != 0 || strcmp(text(c, "suite"), suite) != 0)
            continue;
        for (size_t k = 0; k < 4; k++)
            n[k] += strcmp(text(c, "outcome"), words[k]) == 0;
    }
    if (n[0] + n[1] + n[3] == 0)
        sp_buf_puts(b, " – |");
    else if (n[3] > 0)
        sp_buf_printf(b, " %lu / %lu / %lu, %lu errored |", n[0], n[1], n[2], n[3]);
    else
        sp_buf_printf(b, " %lu / %lu / %lu |", n[0], n[1], n[2]);
}

static void head(struct sp_buf *b)
{
    sp_buf_puts(b, "| provider | server | fidelity | facets |");
    for (size_t i = 0; sp_suites[i] != NULL; i++)
        sp_buf_printf(b, " %s |", sp_suites[i]->name);
    sp_buf_puts(b, "\n|---|---|---|---|");
    for (size_t i = 0; sp_suites[i] != NULL; i++)
        sp_buf_puts(b, "---:|");
    sp_buf_putc(b, '\n');
}

static void row(struct sp_buf *b, const struct sp_provider *p, const json_t *run, const json_t *o)
{
    sp_buf_printf(b, "| `%s` | %s | %s | ", p->kind, text(o, "server_version"), text(o, "fidelity"));
    facets(b, p);
    sp_buf_puts(b, " |");
    for (size_t k = 0; sp_suites[k] != NULL; k++)
        outcomes(b, run, text(o, "name"), sp_suites[k]->name);
    sp_buf_putc(b, '\n');
}

static bool is_run_of(const json_t *o, const char *kind)
{
    return strcmp(text(o, "kind"), kind) == 0 && text(o, "error")[0] == '\0';
}

static bool ran_later(const char *kind, const char *name, json_t *const *runs, size_t n)
{
    for (size_t r = 0; r < n; r++) {
        size_t i;
        const json_t *o;
        json_array_foreach(json_object_get(runs[r], "providers"), i, o)
        {
            if (is_run_of(o, kind) && strcmp(text(o, "name"), name) == 0)
                return true;
        }
    }
    return false;
}

static void rows(struct sp_buf *b, const struct sp_provider *p, json_t *const *runs, size_t n)
{
    bool any = false;
    for (size_t r = 0; r < n; r++) {
        size_t i;
        const json_t *o;
        json_array_foreach(json_object_get(runs[r], "providers"), i, o)
        {
            if (!is_run_of(o, p->kind) || ran_later(p->kind, text(o, "name"), runs + r + 1, n - r - 1))
                continue;
            row(b, p, runs[r], o);
            any = true;
        }
    }
    if (!any)
        mistake("no run of this kind", p->kind);
}

/* The place between the marks. */
static bool find(const char *readme, const char **begin, const char **from, const char **to)
{
    *begin = strstr(readme, BEGIN);
    *from = *begin != NULL ? strchr(*begin, '\n') : NULL;
    *to = *from != NULL ? strstr(*from, END) : NULL;
    if (*to == NULL)
        mistake("the README has no place for the table", BEGIN "... -->");
    else
        (*from)++;
    return *to != NULL;
}

static int write_table(const char *path, const char *date, char **files, int nfiles)
{
    enum { MOST = 16 };
    struct sp_buf readme = SP_BUF_INIT, table = SP_BUF_INIT, out = SP_BUF_INIT;
    json_t *runs[MOST];
    size_t n = 0;
    const char *begin, *from, *to;
    char digest[17];
    for (int i = 0; i < nfiles && n < MOST; i++) {
        runs[n] = json_load_file(files[i], JSON_REJECT_DUPLICATES, NULL);
        if (runs[n] == NULL)
            mistake("cannot be read", files[i]);
        else
            n++;
    }
    head(&table);
    for (size_t i = 0; sp_providers[i] != NULL; i++)
        rows(&table, sp_providers[i], runs, n);
    sp_buf_printf(&table,
        "\nMeasured on %s. Cases passed / failed / skipped; a dash: nothing of that suite ran there.\n",
        date);
    if (sp_read_file(path, 8u << 20, &readme, NULL) != 0)
        mistake("cannot be read", path);
    if (mistakes == 0 && find(readme.p, &begin, &from, &to)) {
        digest_of(table.p, table.n, digest);
        (void)sp_buf_put(&out, readme.p, (size_t)(begin - readme.p));
        sp_buf_printf(&out, BEGIN "%s, written by ci/providers-table -->\n", digest);
        (void)sp_buf_put(&out, table.p, table.n);
        (void)sp_buf_puts(&out, to);
        if (out.oom || sp_write_file_atomic(path, out.p, out.n, NULL) != 0)
            mistake("cannot be written", path);
    }
    while (n > 0)
        json_decref(runs[--n]);
    sp_buf_free(&readme);
    sp_buf_free(&table);
    sp_buf_free(&out);
    return mistakes > 0;
}

/* Field `want` (from 0) of the row "| `kind` | ..." without its blanks. */
static bool field(const char *table, const char *end, const char *kind, size_t want, char *out, size_t size)
{
    char mark[64];
    (void)snprintf(mark, sizeof mark, "\n| `%s` |", kind);
    const char *p = strstr(table, mark);
    if (p == NULL || p >= end)
        return false;
    p += 2;
    for (size_t i = 0; i < want && p != NULL; i++)
        p = strchr(p, '|') != NULL ? strchr(p, '|') + 1 : NULL;
    const char *bar = p != NULL ? strchr(p, '|') : NULL;
    if (bar == NULL || bar < p + 2 || (size_t)(bar - p) >= size)
        return false;
    (void)snprintf(out, size, "%.*s", (int)(bar - p - 2), p + 1);
    return true;
}

static bool is_fidelity(const char *word)
{
    for (int f = SP_FID_UNKNOWN; f <= SP_FID_MOCK; f++)
        if (strcmp(word, sp_fidelity_name((enum sp_fidelity)f)) == 0)
            return true;
    return false;
}

static void check_row(const struct sp_provider *p, const char *from, const char *to)
{
    struct sp_buf want = SP_BUF_INIT;
    char got[256];
    facets(&want, p);
    if (!field(from - 1, to, p->kind, 0, got, sizeof got))
        mistake("the table has no row for a provider of the code", p->kind);
    else if (!field(from - 1, to, p->kind, 3, got, sizeof got) || want.p == NULL || strcmp(got, want.p) != 0)
        mistake("other facets than in the code", p->kind);
    else if (!field(from - 1, to, p->kind, 2, got, sizeof got) || !is_fidelity(got))
        mistake("no fidelity that the code knows", p->kind);
    else if ((strcmp(got, "mock") == 0) != (strcmp(p->kind, "mock") == 0))
        mistake("only the mock is a mock", p->kind);
    sp_buf_free(&want);
}

static int check(const char *path)
{
    struct sp_buf readme = SP_BUF_INIT, top = SP_BUF_INIT;
    const char *begin, *from, *to;
    char digest[17];
    if (sp_read_file(path, 8u << 20, &readme, NULL) != 0) {
        (void)fprintf(stderr, "table: %s cannot be read\n", path);
        return 2;
    }
    if (find(readme.p, &begin, &from, &to)) {
        digest_of(from, (size_t)(to - from), digest);
        if (strncmp(begin + strlen(BEGIN), digest, 16) != 0)
            mistake("the table was changed by hand: run ci/providers-table", "");
        head(&top);
        if (top.p == NULL || strncmp(from, top.p, top.n) != 0)
            mistake("its columns are not the suites of the code: run ci/providers-table", "");
        for (size_t i = 0; sp_providers[i] != NULL; i++)
            check_row(sp_providers[i], from, to);
    }
    sp_buf_free(&readme);
    sp_buf_free(&top);
    if (mistakes == 0)
        printf("the table fits\n");
    return mistakes > 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--check") == 0)
        return check(argv[2]);
    if (argc < 4) {
        (void)fputs("usage: table README DATE SUMMARY...\n       table --check README\n", stderr);
        return 2;
    }
    return write_table(argv[1], argv[2], argv + 3, argc - 3);
}
