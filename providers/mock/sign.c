/* sign.c -- signed URLs: mock://BUCKET/KEY?method=M&expires=T&signature=S, names percent-encoded. The signature
 * covers everything before it, as it stands; nothing in the URL is believed before it fits. */
#include "blob.h"

#include <inttypes.h>
#include <string.h>

#include "base/str.h"

static int encode(struct sp_buf *out, const char *s)
{
    for (; *s != '\0'; s++) {
        bool plain = (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9') ||
                     *s == '-' || *s == '_' || *s == '.';
        if (plain)
            sp_buf_putc(out, *s);
        else
            sp_buf_printf(out, "%%%02x", (unsigned)(uint8_t)*s);
    }
    return out->oom ? -SP_E_NOMEM : 0;
}

int mock_sign(struct sp_session *ss, struct sp_arena *a, const char *bucket, const char *key,
    const char *method, int64_t seconds, const char **url, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    struct sp_buf b = SP_BUF_INIT;
    struct mock_bucket *there;
    char mac[65];
    int64_t now = mock_now();
    mock_enter(s);
    int rc = mock_bucket_find(s, bucket, &there, err);
    mock_leave(s);
    if (rc == 0 && seconds > INT64_MAX - now)
        rc = mock_fail(err, SP_E_INVALID, "a URL cannot live that long");
    if (rc != 0)
        return rc;
    sp_buf_puts(&b, "mock://");
    encode(&b, bucket);
    sp_buf_putc(&b, '/');
    encode(&b, key);
    sp_buf_printf(&b, "?method=%s&expires=%" PRId64, method, now + seconds);
    rc = b.oom ? sp_nomem(err) : mock_mac(s->store, b.p, b.n, mac, err);
    if (rc == 0) {
        *url = sp_arena_printf(a, "%s&signature=%s", b.p, mac);
        rc = *url == NULL ? sp_nomem(err) : 0;
    }
    sp_buf_free(&b);
    return rc;
}

static int refused(struct sp_error *err)
{
    return mock_fail(err, SP_E_AUTHENTICATION, "the signed URL is wrong, expired or for another method");
}

static int nibble(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static char *decode(struct sp_arena *a, const char *s, size_t n)
{
    char *out = sp_arena_alloc(a, n + 1);
    size_t k = 0;
    for (size_t i = 0; out != NULL && i < n; i++) {
        int hi = i + 2 < n && s[i] == '%' ? nibble(s[i + 1]) : -1;
        int lo = i + 2 < n && s[i] == '%' ? nibble(s[i + 2]) : -1;
        if (s[i] != '%')
            out[k++] = s[i];
        else if (hi < 0 || lo < 0)
            return NULL;
        else {
            out[k++] = (char)(hi * 16 + lo);
            i += 2;
        }
    }
    return out;
}

struct signed_url {
    const char *bucket, *key, *method;
    int64_t expires;
};

/* The signature, then the parts. */
static int read_url(const struct mock_session *s, struct sp_arena *a, const char *url, struct signed_url *out,
    struct sp_error *err)
{
    char mac[65];
    const char *sig = strstr(url, "&signature=");
    if (sig == NULL)
        return refused(err);
    int rc = mock_mac(s->store, url, (size_t)(sig - url), mac, err);
    if (rc != 0)
        return rc;
    if (!mock_same_secret(mac, sig + strlen("&signature=")) || !sp_str_prefix(url, "mock://"))
        return refused(err);
    const char *bucket = url + strlen("mock://");
    const char *slash = strchr(bucket, '/'), *query = strchr(bucket, '?');
    const char *expires = strstr(url, "&expires=");
    if (slash == NULL || query == NULL || expires == NULL || slash > query || query > expires)
        return refused(err);
    const char *method = query + strlen("?method=");
    char *until =
        sp_arena_strn(a, expires + strlen("&expires="), (size_t)(sig - expires) - strlen("&expires="));
    out->bucket = decode(a, bucket, (size_t)(slash - bucket));
    out->key = decode(a, slash + 1, (size_t)(query - slash - 1));
    out->method = sp_arena_strn(a, method, (size_t)(expires - method));
    if (until == NULL || out->bucket == NULL || out->key == NULL || out->method == NULL)
        return sp_nomem(err);
    return sp_parse_i64(until, &out->expires) ? 0 : refused(err);
}

int mock_fetch_signed(struct sp_session *ss, const char *url, const char *method, int64_t now_offset_s,
    sp_source_fn source, void *from, sp_sink_fn sink, void *to, struct sp_error *err)
{
    static const struct sp_put_opts plain = { .content_type = NULL };
    struct sp_arena a = SP_ARENA_INIT;
    struct signed_url u;
    int64_t now;
    int rc = read_url(mock(ss), &a, url, &u, err);
    if (rc == 0 && (__builtin_add_overflow(mock_now(), now_offset_s, &now) || now >= u.expires ||
                       strcmp(u.method, method) != 0))
        rc = refused(err);
    if (rc == 0)
        rc = strcmp(method, "PUT") == 0
                 ? mock_blob_put(ss, &a, u.bucket, u.key, source, from, &plain, NULL, err)
                 : mock_blob_get(ss, &a, u.bucket, u.key, 0, SP_TO_END, sink, to, NULL, err);
    sp_arena_free(&a);
    return rc;
}
