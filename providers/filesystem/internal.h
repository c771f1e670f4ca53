/* internal.h -- what the files of this provider share.
 *
 * On disk:
 *   DIR/.switchproof-key             32 random bytes, mode 0600: signs URLs
 *   DIR/.switchproof-trash-*         buckets on their way out
 *   DIR/BUCKET/=NAME, #HASH          objects, one file each (name.c, object.c)
 *   DIR/BUCKET/.tmp-*                objects being written, invisible until renamed
 *   DIR/BUCKET/.lock                 flock: one commit at a time, so that conditions and moves are atomic
 *   DIR/BUCKET/.uploads/HEX/         parts of an upload (upload.c)
 *
 * Every path has one component below an open directory and is opened with O_NOFOLLOW, so that a planted symbolic
 * link is never followed. Descriptors belong to the caller of the function that opened them. Threads: as in
 * provider.h; sessions share nothing but the disk. */
#ifndef SP_FILESYSTEM_INTERNAL_H
#define SP_FILESYSTEM_INTERNAL_H

#include <openssl/evp.h>
#include <sys/stat.h>

#include "provider.h"

#define SP_FS_KEY_BYTES  1024  /* longest key */
#define SP_FS_META_BYTES 65536 /* key, content type and metadata of one object */
#define SP_FS_CHUNK      65536 /* bytes moved at once */
#define SP_FS_NAME       160   /* room for any file name written here */
#define SP_FS_UPLOADS    ".uploads"
#define SP_FS_TMP        ".tmp-"

/* The keys of a bucket in byte order, as they were when its directory had these times. */
struct sp_fs_keys {
    struct sp_arena arena;
    const char **v;
    size_t n, cap;
    struct stat st;
    bool kept; /* may be used again */
};

struct sp_session {
    struct sp_session_base base;
    char *path; /* of the root, absolute */
    int root;
    bool writable, durable;
    struct sp_names swept;  /* buckets that sp_fs_sweep() has seen to */
    struct sp_fs_keys keys; /* of the bucket listed last */
};

/* name.c: keys and buckets as file names */
bool sp_fs_bucket_ok(const char *bucket);
int sp_fs_check_bucket(const char *bucket, struct sp_error *err);
int sp_fs_check_key(const char *key, struct sp_error *err);
/* File name of a checked key. */
int sp_fs_name(const char *key, char out[SP_FS_NAME], struct sp_error *err);
/* True for names that an object has. A hashed name leaves `key` empty: its key stands in the file. False in *ok when
 * no key has this name. */
bool sp_fs_name_is_object(const char *name);
bool sp_fs_name_decode(const char *name, char key[SP_FS_KEY_BYTES + 1], bool *hashed);

/* disk.c: directories, locks, errors */
int sp_fs_errno(struct sp_error *err, int eno, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int sp_fs_need_write(const struct sp_session *s, struct sp_error *err);
/* Checks the name and opens; the descriptor or negative. NOT_FOUND when there is no such bucket. */
int sp_fs_bucket_open(struct sp_session *s, const char *bucket, struct sp_error *err);
/* Holds commits to the bucket off until the descriptor is closed. NOT_FOUND when the bucket was dropped. */
int sp_fs_lock(struct sp_session *s, const char *bucket, int bfd, struct sp_error *err);
int sp_fs_sync_dir(struct sp_session *s, int fd, const char *what, struct sp_error *err);
int sp_fs_write_at(int fd, const void *p, size_t n, uint64_t at, struct sp_error *err);
/* Reads n bytes unless the file ends before; the count or negative. */
int64_t sp_fs_read_at(int fd, void *p, size_t n, uint64_t at, struct sp_error *err);
/* Removes what killed writers left in a bucket; once per bucket and session, errors don't matter. */
void sp_fs_sweep(struct sp_session *s, const char *bucket, int bfd);

/* names.c. The keys live until the next call; *out is never NULL. */
int sp_fs_keys_read(struct sp_session *s, int bfd, const struct sp_fs_keys **out, struct sp_error *err);
void sp_fs_keys_forget(struct sp_fs_keys *k);

/* object.c: the format of a stored object */
struct sp_fs_file {
    int fd;
    uint64_t data; /* where the content starts */
    struct stat st;
    struct sp_object obj; /* in the arena given */
};
/* `key` NULL: whatever key the file holds (listing). The caller closes fd. */
int sp_fs_file_open(int bfd, const char *name, const char *key, struct sp_arena *a, struct sp_fs_file *out,
    struct sp_error *err);
int sp_fs_object_open(
    int bfd, const char *key, struct sp_arena *a, struct sp_fs_file *out, struct sp_error *err);
int sp_fs_check_opts(const struct sp_put_opts *o, struct sp_error *err);
/* Key, content type and metadata as they stand in a file. */
int sp_fs_meta_pack(struct sp_buf *out, const char *key, const char *type, const struct sp_meta *m, size_t n,
    struct sp_error *err);
int sp_fs_meta_unpack(struct sp_arena *a, const uint8_t *p, size_t n, struct sp_object *out);

/* write.c: an object on its way to its name */
struct sp_fs_temp {
    int fd, dir; /* dir is borrowed */
    char name[SP_FS_NAME];
    struct sp_buf meta;
    EVP_MD_CTX *md;
    uint64_t size;
    uint8_t sha[32];
};
#define SP_FS_TEMP_INIT                                                                                      \
    {                                                                                                        \
        .fd = -1, .dir = -1, .meta = SP_BUF_INIT                                                             \
    }
int sp_fs_temp_open(struct sp_fs_temp *t, int bfd, const char *key, const char *type, const struct sp_meta *m,
    size_t nmeta, struct sp_error *err);
int sp_fs_temp_add(struct sp_fs_temp *t, const void *p, size_t n, struct sp_error *err);
int sp_fs_temp_seal(struct sp_session *s, struct sp_fs_temp *t, const char *sha256_hex, struct sp_error *err);
/* What a later head will say of the sealed object; nothing to do when `out` is NULL. */
int sp_fs_temp_describe(
    struct sp_fs_temp *t, struct sp_arena *a, struct sp_object *out, struct sp_error *err);
/* With the bucket's lock held: checks the conditions and renames. */
int sp_fs_temp_place(struct sp_session *s, struct sp_fs_temp *t, const char *key,
    const struct sp_put_opts *cond, struct sp_error *err);
/* The same, taking the lock. */
int sp_fs_temp_commit(struct sp_session *s, const char *bucket, struct sp_fs_temp *t, const char *key,
    const struct sp_put_opts *cond, struct sp_error *err);
void sp_fs_temp_free(struct sp_fs_temp *t); /* removes what was not placed */
/* Appends `n` bytes (SP_TO_END: all) of a file from `at`. */
int sp_fs_temp_add_file(struct sp_fs_temp *t, int fd, uint64_t at, uint64_t n, struct sp_error *err);
void sp_fs_hex(const uint8_t sha[32], char out[65]);

/* The facet's functions. */
int sp_fs_put(struct sp_session *, struct sp_arena *, const char *bucket, const char *key, sp_source_fn,
    void *payload, const struct sp_put_opts *, struct sp_object *out, struct sp_error *);
int sp_fs_get(struct sp_session *, struct sp_arena *, const char *bucket, const char *key, uint64_t offset,
    uint64_t length, sp_sink_fn, void *payload, struct sp_object *out, struct sp_error *);
int sp_fs_head(struct sp_session *, struct sp_arena *, const char *bucket, const char *key,
    struct sp_object *, struct sp_error *);
int sp_fs_del(struct sp_session *, const char *bucket, const char *key, struct sp_error *);
int sp_fs_copy(struct sp_session *, const char *bucket, const char *from, const char *to, struct sp_error *);
int sp_fs_move(struct sp_session *, const char *bucket, const char *from, const char *to, struct sp_error *);
int sp_fs_list(struct sp_session *, struct sp_arena *, const char *bucket, const char *prefix,
    const char *delimiter, const char **cursor, size_t limit, struct sp_object **, size_t *n,
    struct sp_error *);
int sp_fs_bucket_create(struct sp_session *, const char *bucket, struct sp_error *);
int sp_fs_bucket_drop(struct sp_session *, const char *bucket, struct sp_error *);
int sp_fs_bucket_list(struct sp_session *, const char *prefix, struct sp_names *, struct sp_error *);
int sp_fs_sign(struct sp_session *, struct sp_arena *, const char *bucket, const char *key,
    const char *method, int64_t seconds, const char **url, struct sp_error *);
int sp_fs_fetch_signed(struct sp_session *, const char *url, const char *method, int64_t now_offset_s,
    sp_source_fn, void *source, sp_sink_fn, void *sink, struct sp_error *);
bool sp_fs_sign_possible(struct sp_session *); /* a key is there or can be made */
int sp_fs_upload_begin(struct sp_session *, struct sp_arena *, const char *bucket, const char *key,
    const struct sp_put_opts *, const char **id, struct sp_error *);
int sp_fs_upload_part(
    struct sp_session *, const char *id, unsigned part, const void *p, size_t n, struct sp_error *);
int sp_fs_upload_complete(
    struct sp_session *, struct sp_arena *, const char *id, struct sp_object *, struct sp_error *);
int sp_fs_upload_abort(struct sp_session *, const char *id, struct sp_error *);

#endif
