/* sql_word.c -- the first word of a statement. */
#include "providers/lib/sql_word.h"

#include <string.h>
#include <strings.h>

#include "base/str.h"

/* Behind the comment that begins here, or NULL: backends do not agree where a comment inside of a comment ends. */
static const char *skip_comment(const char *p)
{
    if (p[0] == '-')
        return p + strcspn(p, "\n");
    const char *end = strstr(p + 2, "*/"), *inner = strstr(p + 2, "/*");
    return end == NULL || (inner != NULL && inner < end) ? NULL : end + 2;
}

int sp_sql_is_query(const char *sql, struct sp_error *err)
{
    static const char *const words[] = { "select", "with", "values", "table" };
    const char *p = sql;
    while (p != NULL) {
        p += strspn(p, " \t\r\n\f(");
        if ((p[0] == '-' && p[1] == '-') || (p[0] == '/' && p[1] == '*'))
            p = skip_comment(p);
        else
            break;
    }
    size_t n = p == NULL ? 0 : strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789$");
    for (size_t i = 0; i < SP_LEN(words); i++)
        if (n == strlen(words[i]) && strncasecmp(p, words[i], n) == 0)
            return 0;
    return sp_invalid(err, "only a query is run here: a text that begins with SELECT, WITH, VALUES or TABLE");
}
