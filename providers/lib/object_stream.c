/* object_stream.c -- content in pieces, and pages of a listing; see object.h. */
#include <string.h>

#include "base/str.h"
#include "providers/lib/object.h"

int sp_object_fill(sp_source_fn source, void *payload, void *p, size_t size, size_t *n, struct sp_error *err)
{
    for (*n = 0; *n < size;) {
        int64_t got = source(payload, (char *)p + *n, size - *n);
        if (got == 0)
            break;
        if (got < 0)
            return sp_fail(err, SP_E_CANCELLED, SP_ORIGIN_HARNESS, "the writer stopped; nothing was stored");
        if ((uint64_t)got > size - *n)
            return sp_fail(
                err, SP_E_INTERNAL, SP_ORIGIN_HARNESS, "the writer gave more bytes than asked for");
        *n += (size_t)got;
    }
    return 0;
}

/* ---- reading ---- */

int sp_object_reader_begin(struct sp_object_reader *r, const struct sp_object *o, uint64_t offset,
    uint64_t length, sp_sink_fn sink, void *payload, struct sp_error *err)
{
    *r = (struct sp_object_reader){ .key = o->key, .etag = o->etag, .sink = sink, .payload = payload };
    if (offset >= o->size && !(offset == 0 && o->size == 0))
        return sp_fail(err, SP_E_RANGE, SP_ORIGIN_BACKEND, "\"%s\" has %llu bytes, none at %llu", o->key,
            (unsigned long long)o->size, (unsigned long long)offset);
    uint64_t left = o->size - offset;
    r->at = offset;
    r->to = offset + (length < left ? length : left);
    return offset == 0 && r->to == o->size ? sp_object_sum_begin(&r->sum, err) : 0;
}

int sp_object_reader_add(
    struct sp_object_reader *r, uint64_t start, const void *p, size_t n, struct sp_error *err)
{
    if (r->at >= r->to)
        return 0;
    if (start > r->at || n <= r->at - start)
        return sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_BACKEND, "the content of \"%s\" has a gap at byte %llu",
            r->key, (unsigned long long)r->at);
    size_t skip = (size_t)(r->at - start), use = n - skip;
    if (use > r->to - r->at)
        use = (size_t)(r->to - r->at);
    const char *from = (const char *)p + skip;
    if (r->sum.md != NULL)
        sp_object_sum_add(&r->sum, from, use);
    if (r->sink != NULL && r->sink(r->payload, from, use) != 0)
        return sp_fail(err, SP_E_CANCELLED, SP_ORIGIN_HARNESS, "the reader of the object stopped");
    r->at += use;
    return 0;
}

static int reader_complete(const struct sp_object_reader *r, struct sp_error *err)
{
    return r->at == r->to ? 0
                          : sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_BACKEND,
                                "the content of \"%s\" ends at byte %llu of %llu", r->key,
                                (unsigned long long)r->at, (unsigned long long)r->to);
}

int sp_object_reader_sum(struct sp_object_reader *r, char etag[65], struct sp_error *err)
{
    int ret = reader_complete(r, err);
    if (ret == 0)
        sp_object_sum_end(&r->sum, etag);
    return ret;
}

int sp_object_reader_end(struct sp_object_reader *r, struct sp_error *err)
{
    char etag[65];
    int ret = reader_complete(r, err);
    if (ret != 0 || r->sum.md == NULL)
        return ret;
    sp_object_sum_end(&r->sum, etag);
    if (strcmp(etag, r->etag) != 0)
        return sp_fail(
            err, SP_E_CORRUPT, SP_ORIGIN_BACKEND, "the content of \"%s\" is damaged (SHA-256)", r->key);
    return 0;
}

void sp_object_reader_free(struct sp_object_reader *r)
{
    sp_object_sum_free(&r->sum);
}

/* ---- pages ---- */

size_t sp_object_group(const char *key, size_t nprefix, const char *delimiter)
{
    const char *at = delimiter == NULL || delimiter[0] == '\0' ? NULL : strstr(key + nprefix, delimiter);
    return at == NULL ? 0 : (size_t)(at - key) + strlen(delimiter);
}

int sp_object_page_check(size_t limit, const char *cursor, struct sp_error *err)
{
    if (limit == 0)
        return sp_invalid(err, "a page of 0 entries would never end the listing");
    if (cursor != NULL && cursor[0] != 'k' && cursor[0] != 'p')
        return sp_invalid(err, "the cursor was not given out by a listing");
    return 0;
}

int sp_object_page_from(struct sp_buf *out, const char *prefix, const char *cursor, struct sp_error *err)
{
    sp_buf_clear(out);
    sp_buf_puts(out, cursor == NULL ? prefix : cursor + 1);
    if (cursor != NULL)
        sp_buf_putc(out, cursor[0] == 'p' ? (char)0xff : '\0');
    return out->oom ? sp_nomem(err) : 0;
}

int sp_object_page_to(struct sp_buf *out, const char *prefix, struct sp_error *err)
{
    sp_buf_clear(out);
    sp_buf_puts(out, prefix);
    sp_buf_putc(out, (char)0xff);
    return out->oom ? sp_nomem(err) : 0;
}

int sp_object_text_from(struct sp_buf *out, const char *prefix)
{
    size_t n = strlen(prefix), good = sp_utf8_bad_at(prefix, n), have = n - good;
    const uint8_t *tail = (const uint8_t *)prefix + good;
    uint8_t lead = have > 0 ? tail[0] : 0;
    size_t whole = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    sp_buf_clear(out);
    sp_buf_puts(out, prefix);
    for (size_t i = have; have > 0 && i < whole; i++)
        sp_buf_putc(out, (char)(i > 1 ? 0x80 : lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80));
    if (out->oom)
        return -SP_E_NOMEM;
    return sp_utf8_valid(out->p == NULL ? "" : out->p, out->n) ? 0 : -SP_E_NOT_FOUND;
}

static uint32_t last_code_point(const uint8_t *p, size_t *n)
{
    size_t at = *n - 1;
    while (at > 0 && (p[at] & 0xc0) == 0x80)
        at--;
    size_t len = *n - at;
    uint32_t c = len == 1 ? p[at] : p[at] & (0xffu >> (len + 1));
    for (size_t i = 1; i < len; i++)
        c = c << 6 | (p[at + i] & 0x3fu);
    *n = at;
    return c;
}

static void put_code_point(struct sp_buf *out, uint32_t c)
{
    size_t more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const uint8_t leads[] = { 0, 0xc0, 0xe0, 0xf0 };
    sp_buf_putc(out, (char)(leads[more] | c >> (6 * more)));
    for (size_t i = more; i-- > 0;)
        sp_buf_putc(out, (char)(0x80 | ((c >> (6 * i)) & 0x3f)));
}

/* The last character that has a next one gets it; what stood behind it goes. */
int sp_object_text_after(struct sp_buf *out, const char *text)
{
    size_t n = strlen(text);
    while (n > 0) {
        uint32_t c = last_code_point((const uint8_t *)text, &n);
        if (c >= 0x10ffff)
            continue;
        sp_buf_clear(out);
        sp_buf_put(out, text, n);
        put_code_point(out, c == 0xd7ff ? 0xe000 : c + 1);
        return out->oom ? -SP_E_NOMEM : 0;
    }
    return -SP_E_NOT_FOUND;
}

int sp_object_page_next(struct sp_arena *a, const struct sp_object *v, size_t n, bool more,
    const char **cursor, struct sp_error *err)
{
    const char *next = NULL;
    if (more && cursor == NULL)
        return sp_invalid(err, "more than %zu entries, and no cursor to go on", n);
    if (more && n > 0) {
        next = sp_arena_printf(a, "%c%s", v[n - 1].is_prefix ? 'p' : 'k', v[n - 1].key);
        if (next == NULL)
            return sp_nomem(err);
    }
    if (cursor != NULL)
        *cursor = next;
    return 0;
}
