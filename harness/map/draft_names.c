/* draft_names.c -- names that people write differently and mean alike. */
#include <string.h>

#include "map/draft_internal.h"

/* customerId, customer_id, "Customer Id", address/city: letters and digits, in lower case. */
const char *map_plain(struct sp_arena *a, const char *name)
{
    char *out = sp_arena_strn(a, name, strlen(name));
    size_t n = 0;
    for (const char *p = name; out != NULL && *p != '\0'; p++) {
        bool upper = *p >= 'A' && *p <= 'Z';
        bool keep =
            upper || (*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') || (unsigned char)*p >= 0x80;
        if (keep)
            out[n++] = upper ? (char)(*p + ('a' - 'A')) : *p;
    }
    if (out != NULL)
        out[n] = '\0';
    return out;
}

const char *map_singular(struct sp_arena *a, const char *name)
{
    static const char *const es[] = { "ses", "xes", "zes", "ches", "shes" };
    const char *plain = map_plain(a, name);
    size_t n = plain != NULL ? strlen(plain) : 0;
    if (n > 4 && sp_str_suffix(plain, "ies"))
        return sp_arena_printf(a, "%.*sy", (int)(n - 3), plain);
    for (size_t i = 0; i < SP_LEN(es); i++)
        if (n > 4 && sp_str_suffix(plain, es[i]))
            return sp_arena_strn(a, plain, n - 2);
    return n > 3 && plain[n - 1] == 's' && plain[n - 2] != 's' ? sp_arena_strn(a, plain, n - 1) : plain;
}

static bool among(const char *plain, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(plain, names[i]) == 0)
            return true;
    return false;
}

bool map_is_old_id(const char *plain)
{
    static const char *const names[] = { "oldid", "legacyid", "sourceid", "srcid", "originalid", "previousid",
        "formerid", "externalid", "importedid", "sqlid", "pgid", "uuid", "guid" };
    return among(plain, names, SP_LEN(names));
}

bool map_is_position(const char *plain)
{
    static const char *const names[] = { "pos", "position", "ordinal", "idx", "index", "seq", "sequence",
        "lineno", "linenumber", "line", "rank", "sortorder", "itemno", "nr", "no" };
    return among(plain, names, SP_LEN(names));
}
