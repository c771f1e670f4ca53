/* kind.c -- what kind of server answered, by the text of its version(). Many products speak the protocol; only what is surely
 * PostgreSQL itself is called real. What is unknown is a compatible server: the weaker claim. */
#include <string.h>
#include <strings.h>

#include "providers/postgresql/internal.h"

/* Words of products, where the text begins like PostgreSQL's own or like nobody's. */
static const struct {
    const char *word, *name;
} products[] = {
    { "cockroach", "CockroachDB" },
    { "-yb-", "YugabyteDB" },
    { "yugabyte", "YugabyteDB" },
    { "redshift", "Amazon Redshift" },
    { "greenplum", "Greenplum" },
    { "cloudberry", "Cloudberry" },
    { "enterprisedb", "EDB Postgres Advanced Server" },
    { "opengauss", "openGauss" },
    { "gaussdb", "GaussDB" },
    { "materialize", "Materialize" },
    { "risingwave", "RisingWave" },
    { "questdb", "QuestDB" },
    { "cratedb", "CrateDB" },
    { "babelfish", "Babelfish" },
    { "polardb", "PolarDB" },
    { "alloydb", "AlloyDB" },
    { "aurora", "Amazon Aurora" },
    { "vertica", "Vertica" },
    { "netezza", "Netezza" },
    { "hsqldb", "HyperSQL" },
    { "pglite", "PGlite" },
    { "duckdb", "DuckDB" },
    { "spanner", "Spanner" },
};

static const char *find_word(const char *text, const char *word)
{
    size_t n = strlen(word);
    for (; *text != '\0'; text++)
        if (strncasecmp(text, word, n) == 0)
            return text;
    return NULL;
}

static const char *skip_digits(const char *p)
{
    return p + strspn(p, "0123456789");
}

/* "15.18", "17beta1", "18devel" */
static const char *skip_version(const char *p)
{
    const char *end = skip_digits(p);
    if (end == p)
        return NULL;
    while (*end == '.' && skip_digits(end + 1) != end + 1)
        end = skip_digits(end + 1);
    static const char *const stages[] = { "beta", "rc", "devel" };
    for (size_t i = 0; i < SP_LEN(stages); i++)
        if (sp_str_prefix(end, stages[i]))
            return skip_digits(end + strlen(stages[i]));
    return end;
}

/* " (Debian 15.18-0+deb12u1)": who packaged it. */
static const char *skip_packager(const char *p)
{
    static const char *const known[] = { " (Debian ", " (Ubuntu ", " (Homebrew)", " (Postgres.app)",
        " (Raspbian " };
    for (size_t i = 0; i < SP_LEN(known); i++) {
        const char *end = sp_str_prefix(p, known[i]) ? strchr(p, ')') : NULL;
        if (end != NULL)
            return end + 1;
    }
    return p;
}

/* PostgreSQL 15.18 (Debian ...) on x86_64-pc-linux-gnu, compiled by gcc (...) 12.2.0, 64-bit */
static bool is_own(const char *text)
{
    if (!sp_str_prefix(text, "PostgreSQL "))
        return false;
    const char *p = skip_version(text + strlen("PostgreSQL "));
    if (p == NULL)
        return false;
    p = skip_packager(p);
    return sp_str_prefix(p, " on ") && strstr(p, ", compiled by ") != NULL &&
           (sp_str_suffix(p, ", 64-bit") || sp_str_suffix(p, ", 32-bit"));
}

const char *po_product(const char *version)
{
    for (size_t i = 0; i < SP_LEN(products); i++)
        if (find_word(version, products[i].word) != NULL)
            return products[i].name;
    return is_own(version) ? NULL : "unknown product";
}
