/* sql_word.h -- what kind of statement a text begins. Stateless, any thread. */
#ifndef SP_PROVIDERS_LIB_SQL_WORD_H
#define SP_PROVIDERS_LIB_SQL_WORD_H

#include "base/error.h"

/* 0 when the first word, behind blanks, comments and parentheses, begins a query (SELECT, WITH, VALUES, TABLE); INVALID
 * otherwise. A query may still call what writes: the session must forbid that. */
int sp_sql_is_query(const char *sql, struct sp_error *err);

#endif
