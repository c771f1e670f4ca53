/* pg.h -- the kill matrix of `switchproof verify` with a PostgreSQL target: what its parts share.
 *
 * Databases are made and damaged with psql, a client that shares nothing with our own provider; the judge is the program
 * itself, started like a user starts it. Single-threaded. */
#ifndef KILL_PG_H
#define KILL_PG_H

#include "../corruptions/corruptions.h"

/* Which copies a corruption is planted into: of the SQLite file, of the database that was made from it and more. */
enum pg_pair { FROM_SQLITE = 1, FROM_PG = 2, BOTH = 3 };

struct pg_case {
    const char *kind;
    int pairs;
    const char *sql;
    const char *want[MAX_WANTS];
    int rows, schema, orphans; /* as in struct corruption */
};
extern const struct pg_case pg_rows[], pg_kinds[], pg_schema[], pg_copies[]; /* end with a NULL kind */

/* The databases that the parts work with; `copy` is made anew for each case. */
#define DB_BASE "sp_kill_base" /* migrated from the SQLite file */
#define DB_RICH "sp_kill_rich" /* DB_BASE and what only PostgreSQL has */
#define DB_COPY "sp_kill_copy"

bool pg_connect(const char *url);                   /* reads where the server is, for psql and our program */
bool pg_sql(const char *database, const char *sql); /* false and a message */
bool pg_shell(const char *command);                 /* with PGHOST ... set */
void pg_url(char *out, size_t size, const char *database);
bool pg_clone(const char *from, const char *to);
bool pg_make_source(const char *path); /* the SQLite file */
extern const char pg_rich_sql[];

#endif
