/* signed.c -- URLs that give time-limited access to one object.
 *
 *   filesystem+signed:?bucket=B&expires=UNIX&key=K&method=GET&signature=HEX
 *
 * The signature is HMAC-SHA-256 over the four fields, each behind its length, under DIR/.switchproof-key. A URL in any
 * other form, order or escaping was not written here and counts as tampered with. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"
#include "internal.h"
#include "providers/lib/object.h"

#define KEY_FILE    ".switchproof-key"
#define KEY_SIZE    32
#define LONGEST_S   (INT64_C(10) * 366 * 86400)
#define URL_START   "filesystem+signed:?bucket="
#define FIELD_BYTES (SP_FS_KEY_BYTES + 1)

struct grant {
    char bucket[FIELD_BYTES], key[FIELD_BYTES], method[FIELD_BYTES], expires[FIELD_BYTES];
};

static int refuse(struct sp_error *err, const char *why)
{
    return sp_fail(err, SP_E_AUTHENTICATION, SP_ORIGIN_BACKEND, "the signed URL is refused: %s", why);
}

/* NOT_FOUND when there is none yet. */
static int key_read(struct sp_session *s, uint8_t key[KEY_SIZE], struct sp_error *err)
{
    struct stat st;
    int rc = 0;
    int fd = openat(s->root, KEY_FILE, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return sp_fs_errno(err, errno, "cannot open the signing key %s/%s", s->path, KEY_FILE);
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size != KEY_SIZE)
        rc = sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_BACKEND,
            "the signing key %s/%s is damaged; delete it to get a new one", s->path, KEY_FILE);
    else if ((st.st_mode & 077) != 0)
        rc = sp_fail(err, SP_E_PERMISSION, SP_ORIGIN_BACKEND,
            "the signing key %s/%s can be read by others; run chmod 600 on it, or delete it", s->path,
            KEY_FILE);
    else if (sp_fs_read_at(fd, key, KEY_SIZE, 0, err) != KEY_SIZE)
        rc = sp_fail(err, SP_E_IO, SP_ORIGIN_BACKEND, "the signing key could not be read whole");
    close(fd);
    return rc;
}

/* Whole under a name of its own first: no reader ever sees half a key, and the first of two makers wins. */
static int key_make(struct sp_session *s, struct sp_error *err)
{
    uint8_t key[KEY_SIZE];
    char hex[33], tmp[64];
    int rc = sp_object_random_hex(hex, err);
    if (rc != 0)
        return rc;
    if (getrandom(key, sizeof key, 0) != (ssize_t)sizeof key)
        return sp_fs_errno(err, errno, "cannot get random bytes");
    snprintf(tmp, sizeof tmp, "%s-%s", KEY_FILE, hex);
    int fd = openat(s->root, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return sp_fs_errno(err, errno, "cannot create the signing key in %s", s->path);
    rc = sp_fs_write_at(fd, key, sizeof key, 0, err);
    OPENSSL_cleanse(key, sizeof key);
    if (rc == 0 && s->durable && fsync(fd) != 0)
        rc = sp_fs_errno(err, errno, "cannot make the signing key durable");
    close(fd);
    if (rc == 0 && linkat(s->root, tmp, s->root, KEY_FILE, 0) != 0 && errno != EEXIST)
        rc = sp_fs_errno(err, errno, "cannot create the signing key in %s", s->path);
    (void)unlinkat(s->root, tmp, 0);
    return rc != 0 ? rc : sp_fs_sync_dir(s, s->root, KEY_FILE, err);
}

bool sp_fs_sign_possible(struct sp_session *s)
{
    return s->writable || faccessat(s->root, KEY_FILE, R_OK, AT_EACCESS) == 0;
}

static int signature(const uint8_t key[KEY_SIZE], const struct grant *g, char hex[65], struct sp_error *err)
{
    struct sp_buf b = SP_BUF_INIT;
    uint8_t mac[32];
    const char *fields[] = { "switchproof-signed-url-1", g->bucket, g->expires, g->key, g->method };
    for (size_t i = 0; i < SP_LEN(fields); i++) {
        sp_buf_u32be(&b, (uint32_t)strlen(fields[i]));
        sp_buf_puts(&b, fields[i]);
    }
    unsigned n = 0;
    bool ok = !b.oom && HMAC(EVP_sha256(), key, KEY_SIZE, (const unsigned char *)b.p, b.n, mac, &n) != NULL &&
              n == 32;
    sp_buf_free(&b);
    if (!ok)
        return sp_nomem(err);
    sp_fs_hex(mac, hex);
    return 0;
}

static void escape(struct sp_buf *out, const char *s)
{
    for (; *s != '\0'; s++) {
        uint8_t c = (uint8_t)*s;
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            strchr("-._~", c) != NULL)
            sp_buf_putc(out, *s);
        else
            sp_buf_printf(out, "%%%02X", c);
    }
}

static void render(struct sp_buf *out, const struct grant *g, const char *sig)
{
    sp_buf_puts(out, URL_START);
    escape(out, g->bucket);
    sp_buf_printf(out, "&expires=%s&key=", g->expires);
    escape(out, g->key);
    sp_buf_puts(out, "&method=");
    escape(out, g->method);
    sp_buf_printf(out, "&signature=%s", sig);
}

int sp_fs_sign(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key,
    const char *method, int64_t seconds, const char **url, struct sp_error *err)
{
    struct grant g = { 0 };
    struct sp_buf b = SP_BUF_INIT;
    uint8_t secret[KEY_SIZE];
    char hex[65];
    int rc = sp_fs_check_key(key, err);
    if (rc != 0)
        return rc;
    if (!sp_streq(method, "GET") && !sp_streq(method, "PUT"))
        return sp_invalid(err, "a signed URL is for GET or PUT");
    if (seconds <= 0 || seconds > LONGEST_S)
        return sp_fail(err, SP_E_INVALID, SP_ORIGIN_BACKEND,
            "a signed URL lives at least one second and at most ten years");
    int bfd = sp_fs_bucket_open(s, bucket, err);
    if (bfd < 0)
        return bfd;
    close(bfd);
    rc = key_read(s, secret, err);
    if (rc == -SP_E_NOT_FOUND && s->writable) {
        sp_error_clear(err);
        rc = key_make(s, err);
        if (rc == 0)
            rc = key_read(s, secret, err);
    } else if (rc == -SP_E_NOT_FOUND) {
        rc = sp_fail(err, SP_E_PERMISSION, SP_ORIGIN_BACKEND,
            "%s has no signing key yet, and a read-only session makes none", s->path);
    }
    if (rc != 0)
        return rc;
    sp_strlcpy(g.bucket, bucket, sizeof g.bucket);
    sp_strlcpy(g.key, key, sizeof g.key);
    sp_strlcpy(g.method, method, sizeof g.method);
    snprintf(g.expires, sizeof g.expires, "%lld", (long long)time(NULL) + (long long)seconds);
    rc = signature(secret, &g, hex, err);
    OPENSSL_cleanse(secret, sizeof secret);
    if (rc == 0) {
        render(&b, &g, hex);
        *url = b.oom ? NULL : sp_arena_str(a, b.p);
        if (*url == NULL)
            rc = sp_nomem(err);
    }
    sp_buf_free(&b);
    return rc;
}

static int hexval(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* One field up to the text that must follow it; the end of that, or NULL. */
static const char *field(const char *p, const char *next, char out[FIELD_BYTES])
{
    size_t n = 0;
    for (; *p != '&' && *p != '\0'; p++) {
        char c = *p;
        if (c == '%') {
            int hi = hexval(p[1]), lo = hi < 0 ? -1 : hexval(p[2]);
            if (lo < 0 || hi * 16 + lo == 0)
                return NULL;
            c = (char)(hi * 16 + lo);
            p += 2;
        }
        if (n + 1 >= FIELD_BYTES)
            return NULL;
        out[n++] = c;
    }
    out[n] = '\0';
    return sp_str_prefix(p, next) ? p + strlen(next) : NULL;
}

/* The grant that a URL states, if its signature is ours. */
static int verify(struct sp_session *s, const char *url, struct grant *g, struct sp_error *err)
{
    uint8_t secret[KEY_SIZE];
    char hex[65];
    struct sp_buf again = SP_BUF_INIT;
    const char *p = url != NULL && sp_str_prefix(url, URL_START) ? url + strlen(URL_START) : NULL;
    if (p != NULL)
        p = field(p, "&expires=", g->bucket);
    if (p != NULL)
        p = field(p, "&key=", g->expires);
    if (p != NULL)
        p = field(p, "&method=", g->key);
    if (p != NULL)
        p = field(p, "&signature=", g->method);
    if (p == NULL || strlen(p) != 64)
        return refuse(err, "it is not in the form that was given out");
    int rc = key_read(s, secret, err);
    if (rc == -SP_E_NOT_FOUND)
        return refuse(err, "this storage has not signed any");
    if (rc == 0)
        rc = signature(secret, g, hex, err);
    OPENSSL_cleanse(secret, sizeof secret);
    if (rc != 0)
        return rc;
    if (CRYPTO_memcmp(hex, p, 64) != 0)
        return refuse(err, "its signature does not fit");
    render(&again, g, hex);
    if (again.oom)
        rc = sp_nomem(err);
    else if (strcmp(again.p, url) != 0)
        rc = refuse(err, "it is not in the form that was given out");
    sp_buf_free(&again);
    return rc;
}

int sp_fs_fetch_signed(struct sp_session *s, const char *url, const char *method, int64_t now_offset_s,
    sp_source_fn source, void *source_payload, sp_sink_fn sink, void *sink_payload, struct sp_error *err)
{
    struct grant g = { 0 };
    int64_t expires, now = (int64_t)time(NULL);
    int rc = verify(s, url, &g, err);
    if (rc != 0)
        return rc;
    if (strcmp(g.method, method) != 0)
        return refuse(err, "it is for another method");
    if (!sp_parse_i64(g.expires, &expires) || __builtin_add_overflow(now, now_offset_s, &now) ||
        now >= expires)
        return refuse(err, "it has expired");
    struct sp_arena a = SP_ARENA_INIT;
    if (strcmp(method, "PUT") == 0)
        rc = sp_fs_put(s, &a, g.bucket, g.key, source, source_payload, NULL, NULL, err);
    else
        rc = sp_fs_get(s, &a, g.bucket, g.key, 0, SP_TO_END, sink, sink_payload, NULL, err);
    sp_arena_free(&a);
    return rc;
}
