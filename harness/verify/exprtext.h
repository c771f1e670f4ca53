/* exprtext.h -- SQL text as tokens: what the comparisons of expressions and of definitions share. Pure functions. */
#ifndef SP_VERIFY_EXPRTEXT_H
#define SP_VERIFY_EXPRTEXT_H

#include <stdbool.h>
#include <stddef.h>

/* A word, a quoted thing with its quotes, or a single character. */
struct sp_vtoken {
    const char *p;
    size_t n;
    bool exact; /* letters count as they are */
};
/* Steps over blanks and comments; false at the end. Quotes around plain lower-case names are taken off. */
bool sp_v_next_token(const char **at, struct sp_vtoken *t);

/* Blanks and letter case outside of literals, quotes around plain lower-case names, and parentheses around the whole don't count.
 * Two JSON objects are the same octets. */
bool sp_v_expr_equal(const char *a, const char *b);
bool sp_v_expr_is_literal(const char *s); /* a number, a quoted string, null, true or false */

#endif
