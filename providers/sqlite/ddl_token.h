/* ddl_token.h -- the words of an SQL text. Tokens point into the text; the array lives in the caller's arena. */
#ifndef SP_SQLITE_DDL_TOKEN_H
#define SP_SQLITE_DDL_TOKEN_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"

enum sq_tok_kind { SQ_TOK_END, SQ_TOK_WORD, SQ_TOK_QUOTED, SQ_TOK_OTHER, SQ_TOK_PUNCT };
struct sq_tok {
    enum sq_tok_kind kind;
    const char *p;
    size_t n;
};

/* The array ends with SQ_TOK_END; comments are skipped. */
int sq_tokens(struct sp_arena *a, const char *sql, struct sq_tok **out, struct sp_error *err);
bool sq_tok_is(
    const struct sq_tok *t, const char *word); /* unquoted word, case-insensitive, or punctuation */
char *sq_tok_name(struct sp_arena *a, const struct sq_tok *t); /* without its quotes */
/* `open` stands at "(": index of the matching ")", or 0. */
size_t sq_tok_close(const struct sq_tok *t, size_t open);
/* The text between two tokens, trimmed. */
char *sq_tok_between(struct sp_arena *a, const struct sq_tok *open, const struct sq_tok *close);

#endif
