/* object.c -- the format of a stored object, and its reading.
 *
 * One file holds everything, so that one rename is the commit point of content and metadata together:
 *   0  magic, 8 bytes            8  bytes of the metadata block, u32 big-endian     12 zero, u32
 *  16  bytes of content, u64    24  SHA-256 of the content, 32                      56 SHA-256 of 0..55 + block, 32
 *  88  metadata block: key, content type, count, then name and value each; a string is u32 length and bytes
 *   .  content
 * A file whose parts don't fit together is CORRUPT, never a shorter object. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "format.h"
#include "internal.h"
#include "providers/lib/object.h"

const char sp_fs_magic[8] = { 'S', 'P', 'O', 'B', 'J', '1', '\r', '\n' };

int sp_fs_head_digest(const uint8_t head[SP_FS_HEAD], const void *meta, size_t n, uint8_t out[32])
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    bool ok = md != NULL && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1 &&
              EVP_DigestUpdate(md, head, SP_FS_HEAD_DIGEST) == 1 && EVP_DigestUpdate(md, meta, n) == 1 &&
              EVP_DigestFinal_ex(md, out, NULL) == 1;
    EVP_MD_CTX_free(md);
    return ok ? 0 : -SP_E_NOMEM;
}

static uint64_t be(const uint8_t *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v = v << 8 | p[i];
    return v;
}

static int check_text(const char *what, const char *s, size_t max, bool may_be_empty, struct sp_error *err)
{
    size_t n = strlen(s);
    if (n == 0 && !may_be_empty)
        return sp_fail(err, SP_E_INVALID, SP_ORIGIN_BACKEND, "%s is empty", what);
    if (n > max)
        return sp_fail(
            err, SP_E_TOO_LARGE, SP_ORIGIN_BACKEND, "%s has %zu bytes; at most %zu are kept", what, n, max);
    if (!sp_utf8_valid(s, n))
        return sp_fail(err, SP_E_INVALID, SP_ORIGIN_BACKEND, "%s is not UTF-8", what);
    return 0;
}

int sp_fs_check_opts(const struct sp_put_opts *o, struct sp_error *err)
{
    int rc = 0;
    if (o == NULL)
        return 0;
    if (o->content_type != NULL)
        rc = check_text("the content type", o->content_type, 255, false, err);
    for (const char *p = o->content_type; rc == 0 && p != NULL && *p != '\0'; p++)
        if ((uint8_t)*p < 0x20 || *p == 0x7f)
            rc = sp_fail(err, SP_E_INVALID, SP_ORIGIN_BACKEND, "the content type holds a control character");
    for (size_t i = 0; rc == 0 && i < o->nmeta; i++) {
        rc = check_text("a metadata name", o->meta[i].name, 255, false, err);
        if (rc == 0)
            rc = check_text("a metadata value", o->meta[i].value, SP_FS_META_BYTES, true, err);
    }
    if (rc == 0 && o->sha256_hex != NULL &&
        (strlen(o->sha256_hex) != 64 || strspn(o->sha256_hex, "0123456789abcdefABCDEF") != 64))
        rc = sp_fail(
            err, SP_E_INVALID, SP_ORIGIN_BACKEND, "the checksum is not 64 hexadecimal digits (SHA-256)");
    if (rc == 0 && o->if_none_match && o->if_match != NULL)
        rc = sp_fail(err, SP_E_INVALID, SP_ORIGIN_BACKEND,
            "if_none_match and if_match exclude each other: no object is absent and has an etag");
    return rc;
}

static int by_meta_name(const void *a, const void *b)
{
    return strcmp(((const struct sp_meta *)a)->name, ((const struct sp_meta *)b)->name);
}

static void pack_text(struct sp_buf *out, const char *s)
{
    size_t n = strlen(s);
    sp_buf_u32be(out, (uint32_t)n); /* every text was checked to be short */
    sp_buf_put(out, s, n);
}

int sp_fs_meta_pack(struct sp_buf *out, const char *key, const char *type, const struct sp_meta *m, size_t n,
    struct sp_error *err)
{
    struct sp_meta *sorted = NULL;
    int rc = 0;
    if (n > SP_FS_META_BYTES / 8)
        return sp_fail(err, SP_E_TOO_LARGE, SP_ORIGIN_BACKEND, "%zu metadata entries are too many", n);
    if (n != 0) {
        sorted = malloc(n * sizeof *sorted);
        if (sorted == NULL)
            return sp_nomem(err);
        memcpy(sorted, m, n * sizeof *sorted);
        qsort(sorted, n, sizeof *sorted, by_meta_name);
    }
    pack_text(out, key);
    pack_text(out, type != NULL ? type : "application/octet-stream");
    sp_buf_u32be(out, (uint32_t)n);
    for (size_t i = 0; i < n && rc == 0 && out->n <= SP_FS_META_BYTES; i++) {
        if (i > 0 && strcmp(sorted[i].name, sorted[i - 1].name) == 0)
            rc = sp_fail(
                err, SP_E_INVALID, SP_ORIGIN_BACKEND, "metadata name \"%s\" is given twice", sorted[i].name);
        pack_text(out, sorted[i].name);
        pack_text(out, sorted[i].value);
    }
    free(sorted);
    if (rc == 0 && out->oom)
        rc = sp_nomem(err);
    if (rc == 0 && out->n > SP_FS_META_BYTES)
        rc = sp_fail(err, SP_E_TOO_LARGE, SP_ORIGIN_BACKEND,
            "key, content type and metadata take more than %d bytes", SP_FS_META_BYTES);
    return rc;
}

static const char *unpack_text(struct sp_arena *a, const uint8_t **p, const uint8_t *end)
{
    if ((size_t)(end - *p) < 4)
        return NULL;
    size_t n = (size_t)be(*p, 4);
    if ((size_t)(end - *p) - 4 < n || memchr(*p + 4, 0, n) != NULL)
        return NULL;
    const char *s = sp_arena_strn(a, (const char *)*p + 4, n);
    *p += 4 + n;
    return s;
}

int sp_fs_meta_unpack(struct sp_arena *a, const uint8_t *p, size_t n, struct sp_object *out)
{
    const uint8_t *end = p + n;
    out->key = unpack_text(a, &p, end);
    out->content_type = out->key != NULL ? unpack_text(a, &p, end) : NULL;
    if (out->content_type == NULL || end - p < 4)
        return -SP_E_CORRUPT;
    size_t count = (size_t)be(p, 4);
    p += 4;
    if (count > (size_t)(end - p) / 8)
        return -SP_E_CORRUPT;
    struct sp_meta *m = sp_arena_array(a, count + 1, sizeof *m);
    if (m == NULL)
        return -SP_E_NOMEM;
    for (size_t i = 0; i < count; i++) {
        m[i].name = unpack_text(a, &p, end);
        m[i].value = m[i].name != NULL ? unpack_text(a, &p, end) : NULL;
        if (m[i].value == NULL)
            return -SP_E_CORRUPT;
    }
    out->meta = m;
    out->nmeta = count;
    return p == end ? 0 : -SP_E_CORRUPT;
}

/* `buf` holds the first `got` bytes of the file. */
static int parse(struct sp_fs_file *f, const uint8_t *head, size_t got, struct sp_arena *a, const char **bad)
{
    uint8_t digest[32];
    uint8_t *meta = NULL;
    *bad = "it is not an object of this provider";
    if (got < SP_FS_HEAD || memcmp(head, sp_fs_magic, sizeof sp_fs_magic) != 0)
        return -SP_E_CORRUPT;
    size_t nmeta = (size_t)be(head + 8, 4);
    uint64_t size = be(head + 16, 8);
    *bad = "its header is damaged";
    if (nmeta > SP_FS_META_BYTES || be(head + 12, 4) != 0)
        return -SP_E_CORRUPT;
    f->data = SP_FS_HEAD + nmeta;
    *bad = "its length does not fit its header";
    if (f->st.st_size < 0 || (uint64_t)f->st.st_size < f->data || (uint64_t)f->st.st_size - f->data != size)
        return -SP_E_CORRUPT;
    *bad = "its header is damaged";
    meta = malloc(nmeta + 1);
    if (meta == NULL)
        return -SP_E_NOMEM;
    size_t have = got - SP_FS_HEAD < nmeta ? got - SP_FS_HEAD : nmeta;
    memcpy(meta, head + SP_FS_HEAD, have);
    int rc = 0;
    if (have < nmeta &&
        sp_fs_read_at(f->fd, meta + have, nmeta - have, SP_FS_HEAD + have, NULL) != (int64_t)(nmeta - have))
        rc = -SP_E_CORRUPT;
    if (rc == 0)
        rc = sp_fs_head_digest(head, meta, nmeta, digest);
    if (rc == 0 && memcmp(digest, head + SP_FS_HEAD_DIGEST, 32) != 0)
        rc = -SP_E_CORRUPT;
    if (rc == 0)
        rc = sp_fs_meta_unpack(a, meta, nmeta, &f->obj);
    free(meta);
    if (rc != 0)
        return rc;
    char hex[65];
    sp_fs_hex(head + 24, hex);
    f->obj.etag = sp_arena_str(a, hex);
    f->obj.size = size;
    f->obj.modified = (struct sp_ts){ f->st.st_mtim.tv_sec, (uint32_t)f->st.st_mtim.tv_nsec };
    return f->obj.etag != NULL ? 0 : -SP_E_NOMEM;
}

int sp_fs_file_open(int bfd, const char *name, const char *key, struct sp_arena *a, struct sp_fs_file *out,
    struct sp_error *err)
{
    uint8_t buf[1024];
    const char *bad = "it is not a regular file";
    char other[SP_FS_NAME];
    memset(out, 0, sizeof *out);
    /* not blocking: a planted pipe must not hang the reader */
    out->fd = openat(bfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (out->fd < 0 && errno == ENOENT)
        return sp_fail(
            err, SP_E_NOT_FOUND, SP_ORIGIN_BACKEND, "there is no object \"%s\"", key != NULL ? key : name);
    if (out->fd < 0)
        return sp_fs_errno(err, errno, "cannot open object \"%s\"", key != NULL ? key : name);
    int rc = 0;
    if (fstat(out->fd, &out->st) != 0)
        rc = sp_fs_errno(err, errno, "cannot read the state of object \"%s\"", key != NULL ? key : name);
    else if (!S_ISREG(out->st.st_mode))
        rc = -SP_E_CORRUPT;
    else {
        int64_t got = sp_fs_read_at(out->fd, buf, sizeof buf, 0, err);
        rc = got < 0 ? (int)got : parse(out, buf, (size_t)got, a, &bad);
        if (got < 0)
            goto fail;
    }
    if (rc == 0 && key != NULL && strcmp(key, out->obj.key) != 0) {
        bad = "it holds another key";
        rc = -SP_E_CORRUPT;
    }
    if (rc == 0 && key == NULL && (sp_fs_name(out->obj.key, other, NULL) != 0 || strcmp(other, name) != 0)) {
        bad = "its name does not fit its key";
        rc = -SP_E_CORRUPT;
    }
    if (rc == -SP_E_CORRUPT)
        rc = sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_BACKEND, "object \"%s\" (file %s): %s",
            key != NULL ? key : "", name, bad);
    else if (rc == -SP_E_NOMEM)
        rc = sp_nomem(err);
    if (rc == 0)
        return 0;
fail:
    close(out->fd);
    out->fd = -1;
    return rc;
}

int sp_fs_object_open(
    int bfd, const char *key, struct sp_arena *a, struct sp_fs_file *out, struct sp_error *err)
{
    char name[SP_FS_NAME];
    int rc = sp_fs_name(key, name, err);
    return rc != 0 ? rc : sp_fs_file_open(bfd, name, key, a, out, err);
}

int sp_fs_head(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key,
    struct sp_object *out, struct sp_error *err)
{
    struct sp_fs_file f;
    int rc = sp_fs_check_key(key, err);
    if (rc != 0)
        return rc;
    int bfd = sp_fs_bucket_open(s, bucket, err);
    if (bfd < 0)
        return bfd;
    rc = sp_fs_object_open(bfd, key, a, &f, err);
    close(bfd);
    if (rc != 0)
        return rc;
    close(f.fd);
    *out = f.obj;
    return 0;
}

static int stream(struct sp_fs_file *f, uint64_t offset, uint64_t length, sp_sink_fn sink, void *payload,
    struct sp_error *err)
{
    struct sp_object_reader r;
    uint8_t *buf = malloc(SP_FS_CHUNK);
    int rc = sp_object_reader_begin(&r, &f->obj, offset, length, sink, payload, err);
    if (rc == 0 && buf == NULL)
        rc = sp_nomem(err);
    while (rc == 0 && r.at < r.to) {
        size_t n = r.to - r.at < SP_FS_CHUNK ? (size_t)(r.to - r.at) : SP_FS_CHUNK;
        int64_t got = sp_fs_read_at(f->fd, buf, n, f->data + r.at, err);
        if (got <= 0) /* 0: cut short while it is read, as the end will say */
            rc = (int)got;
        if (got <= 0)
            break;
        rc = sp_object_reader_add(&r, r.at, buf, (size_t)got, err);
    }
    if (rc == 0)
        rc = sp_object_reader_end(&r, err);
    sp_object_reader_free(&r);
    free(buf);
    return rc;
}

int sp_fs_get(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key, uint64_t offset,
    uint64_t length, sp_sink_fn sink, void *payload, struct sp_object *out, struct sp_error *err)
{
    struct sp_arena own = SP_ARENA_INIT;
    struct sp_fs_file f = { .fd = -1 };
    int rc = sp_fs_check_key(key, err);
    if (rc != 0)
        return rc;
    int bfd = sp_fs_bucket_open(s, bucket, err);
    if (bfd < 0)
        return bfd;
    rc = sp_fs_object_open(bfd, key, a != NULL ? a : &own, &f, err);
    close(bfd);
    if (rc != 0)
        goto out;
    rc = stream(&f, offset, length, sink, payload, err);
    if (rc == 0 && out != NULL && a != NULL)
        *out = f.obj;
out:
    if (f.fd >= 0)
        close(f.fd);
    sp_arena_free(&own);
    return rc;
}
