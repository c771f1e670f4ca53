/* field.c -- canonical rows cut into fields, and fields as text for people. */
#include "model/json.h"
#include "verify/internal.h"

int64_t sp_v_field(const uint8_t *p, size_t n, struct sp_vfield *out)
{
    *out = (struct sp_vfield){ .whole = p };
    if (n < 1 || p[0] > SP_ST_UNCOERCED)
        return -SP_E_CORRUPT;
    out->state = (enum sp_state)p[0];
    out->nwhole = 1;
    if (out->state == SP_ST_PRESENT || out->state == SP_ST_UNCOERCED) {
        if (n < 5)
            return -SP_E_CORRUPT;
        size_t len = (size_t)p[1] | (size_t)p[2] << 8 | (size_t)p[3] << 16 | (size_t)p[4] << 24;
        if (len > n - 5)
            return -SP_E_CORRUPT;
        out->bytes = p + 5;
        out->nbytes = len;
        out->nwhole = 5 + len;
    }
    return (int64_t)out->nwhole;
}

int sp_v_print_key(
    struct sp_buf *out, const struct sp_colplan *cols, size_t nkey, const uint8_t *row, size_t n)
{
    struct sp_arena a = SP_ARENA_INIT;
    int rc = 0;
    for (size_t i = 0; i < nkey; i++) {
        struct sp_value v;
        enum sp_state state;
        int64_t used = sp_canon_read(&a, &cols[i].type, row, n, &v, &state);
        if (used <= 0 || (uint64_t)used > n) {
            rc = -SP_E_CORRUPT;
            break;
        }
        sp_buf_printf(out, "%s%s=", i == 0 ? "" : ", ", cols[i].name);
        sp_value_print_key(out, &v);
        row += used;
        n -= (size_t)used;
    }
    sp_arena_free(&a);
    return rc != 0 ? rc : out->oom ? -SP_E_NOMEM : 0;
}

static void print_hidden(struct sp_buf *out, const struct sp_value *v, const struct sp_vfield *f)
{
    char digest[33];
    sp_d128_format(digest, sp_d128_of(f->bytes, f->nbytes));
    digest[16] = '\0';
    sp_buf_puts(out, sp_tag_name(v->tag));
    if (v->tag == SP_NATIVE)
        sp_buf_printf(out, " %s, %zu bytes", v->u.native.type, v->u.native.n);
    if (v->tag == SP_TEXT || v->tag == SP_BYTES || v->tag == SP_JSON)
        sp_buf_printf(out, ", %zu bytes", v->u.str.n);
    sp_buf_printf(out, ", digest %s", digest);
}

int sp_v_print_field(struct sp_buf *out, const struct sp_type *type, const struct sp_vfield *f, bool show)
{
    struct sp_arena a = SP_ARENA_INIT;
    struct sp_value v;
    enum sp_state state;
    int rc = 0;
    int64_t used = sp_canon_read(&a, type, f->whole, f->nwhole, &v, &state);
    if (used <= 0)
        rc = -SP_E_CORRUPT;
    else if (sp_v_is_absent(&v))
        sp_buf_puts(out, sp_tag_name(v.tag));
    else if (show)
        sp_value_print(out, &v, 0);
    else
        print_hidden(out, &v, f);
    sp_arena_free(&a);
    return rc != 0 ? rc : out->oom ? -SP_E_NOMEM : 0;
}
