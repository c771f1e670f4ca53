/* test_filesystem_disk.c -- what the disk can do to the filesystem provider: planted links, damage, missing rights, no
 * space, killed writers, readers during a replacement. */
#include "fs_fixture.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "base/str.h"

static void path_of(const struct fx *f, char out[256], const char *name)
{
    snprintf(out, 256, "%s/%s", f->dir, name);
}

static void planted_links(void **state)
{
    struct fx *f = *state;
    char p[256], outside[256], victim[256];
    struct sp_buf b = SP_BUF_INIT;
    struct sp_object h, *v;
    struct sp_names l = { 0 };
    const char *cursor = NULL;
    size_t n;
    path_of(f, outside, "outside");
    path_of(f, victim, "outside/=k");
    assert_int_equal(
        mkdir(outside, 0755), 0); /* "outside" is a fine bucket name: use it to make a real object */
    OK(f, sp_blob_put(f->s, "outside", "k", "victim", 6, NULL, &f->err));
    path_of(f, p, "box/=k");
    assert_int_equal(symlink(victim, p), 0);
    path_of(f, p, "linked");
    assert_int_equal(symlink(outside, p), 0);
    /* a link at an object's place is damage, not an object */
    WANT(f, SP_E_CORRUPT, sp_blob_get(f->s, "box", "k", &b, &f->err));
    WANT(f, SP_E_CORRUPT, sp_blob_head(f->s, &f->a, "box", "k", &h, &f->err));
    WANT(f, SP_E_CORRUPT, sp_blob_copy(f->s, "box", "k", "k2", &f->err));
    WANT(f, SP_E_CORRUPT, sp_blob_list(f->s, &f->a, "box", "", NULL, &cursor, 9, &v, &n, &f->err));
    /* a put replaces the link and leaves its target alone */
    put_text(f, "k", "mine");
    want_text(f, "k", "mine");
    OK(f, sp_blob_get(f->s, "outside", "k", &b, &f->err));
    assert_string_equal(b.p, "victim");
    /* a link at a bucket's place is no bucket */
    WANT(f, SP_E_CORRUPT, sp_blob_put(f->s, "linked", "k", "x", 1, NULL, &f->err));
    WANT(f, SP_E_CORRUPT, sp_blob_bucket_drop(f->s, "linked", &f->err));
    OK(f, sp_blob_bucket_list(f->s, "", &l, &f->err));
    assert_int_equal(l.n, 2);
    sp_names_free(&l);
    /* a drop removes links inside, not what they point to */
    path_of(f, p, "box/=z");
    assert_int_equal(symlink(outside, p), 0);
    OK(f, sp_blob_bucket_drop(f->s, "box", &f->err));
    assert_int_equal(access(victim, F_OK), 0);
    sp_buf_free(&b);
}

static void planted_files(void **state)
{
    struct fx *f = *state;
    char p[256];
    struct sp_buf b = SP_BUF_INIT;
    struct sp_object *v;
    const char *cursor = NULL;
    size_t n;
    put_text(f, "good", "x");
    path_of(f, p, "box/README");
    OK(f, sp_write_file_atomic(p, "no object", 9, &f->err));
    want_list(f, "", NULL, 10, (const char *[]){ "good", NULL });
    path_of(f, p, "box/=pipe");
    assert_int_equal(mkfifo(p, 0644), 0);
    WANT(f, SP_E_CORRUPT, sp_blob_get(f->s, "box", "pipe", &b, &f->err));
    OK(f, sp_blob_delete(f->s, "box", "pipe", &f->err));
    path_of(f, p, "box/=text");
    OK(f, sp_write_file_atomic(p, "no object", 9, &f->err));
    WANT(f, SP_E_CORRUPT, sp_blob_get(f->s, "box", "text", &b, &f->err));
    OK(f, sp_blob_delete(f->s, "box", "text", &f->err));
    /* names that no key has: listed wrongly they would hide or double a key */
    static const char *const odd[] = { "=%2F", "=%2", "=good.", "=%67ood", "#12", "=", "=%ff" };
    for (size_t i = 0; i < SP_LEN(odd); i++) {
        char name[64];
        snprintf(name, sizeof name, "box/%s", odd[i]);
        path_of(f, p, name);
        OK(f, sp_write_file_atomic(p, "x", 1, &f->err));
        WANT(f, SP_E_CORRUPT, sp_blob_list(f->s, &f->a, "box", "", NULL, &cursor, 9, &v, &n, &f->err));
        assert_int_equal(unlink(p), 0);
    }
    want_list(f, "", NULL, 10, (const char *[]){ "good", NULL });
    sp_buf_free(&b);
}

/* Every byte of a small object, flipped, is noticed by a whole read; so is every shorter and a longer file. */
static void damage(void **state)
{
    struct fx *f = *state;
    char p[256], other[256];
    struct sp_buf file = SP_BUF_INIT, b = SP_BUF_INIT;
    struct sp_meta meta[] = { { "name", "value" } };
    struct sp_put_opts o = { .meta = meta, .nmeta = 1 };
    OK(f, sp_blob_put(f->s, "box", "k", "content", 7, &o, &f->err));
    path_of(f, p, "box/=k");
    OK(f, sp_read_file(p, 10000, &file, &f->err));
    for (size_t i = 0; i < file.n; i++) {
        file.p[i] = (char)(file.p[i] ^ 4);
        OK(f, sp_write_file_atomic(p, file.p, file.n, &f->err));
        WANT(f, SP_E_CORRUPT, sp_blob_get(f->s, "box", "k", &b, &f->err));
        WANT(f, SP_E_CORRUPT, sp_blob_copy(f->s, "box", "k", "copy", &f->err));
        file.p[i] = (char)(file.p[i] ^ 4);
        OK(f, sp_write_file_atomic(p, file.p, i, &f->err));
        WANT(f, SP_E_CORRUPT, sp_blob_get(f->s, "box", "k", &b, &f->err));
    }
    want_list(f, "copy", NULL, 5, (const char *[]){ NULL });
    sp_buf_putc(&file, 'x');
    OK(f, sp_write_file_atomic(p, file.p, file.n, &f->err));
    WANT(f, SP_E_CORRUPT, sp_blob_get(f->s, "box", "k", &b, &f->err));
    OK(f, sp_write_file_atomic(p, file.p, file.n - 1, &f->err));
    want_text(f, "k", "content");
    /* an object under another's name */
    path_of(f, other, "box/=other");
    assert_int_equal(rename(p, other), 0);
    WANT(f, SP_E_CORRUPT, sp_blob_get(f->s, "box", "other", &b, &f->err));
    assert_int_equal(b.n, 0);
    sp_buf_free(&file);
    sp_buf_free(&b);
}

static void read_only(void **state)
{
    struct fx *f = *state;
    struct sp_session *s = NULL;
    struct sp_endpoint ep = f->ep;
    char dir[256], url[300];
    const char *out;
    put_text(f, "k", "x");
    ep.access = SP_ACCESS_READ_ONLY;
    OK(f, sp_open(&s, &sp_provider_filesystem, &ep, &f->err));
    const struct sp_blob_ops *raw = sp_provider_filesystem.blob; /* below the harness's own check */
    WANT(f, SP_E_PERMISSION, raw->bucket_create(s, "new", &f->err));
    WANT(f, SP_E_PERMISSION, raw->bucket_drop(s, "box", &f->err));
    WANT(f, SP_E_PERMISSION, raw->put(s, &f->a, "box", "k", NULL, NULL, NULL, NULL, &f->err));
    WANT(f, SP_E_PERMISSION, raw->del(s, "box", "k", &f->err));
    WANT(f, SP_E_PERMISSION, raw->move(s, "box", "k", "l", &f->err));
    WANT(f, SP_E_PERMISSION, raw->copy(s, "box", "k", "l", &f->err));
    WANT(f, SP_E_PERMISSION, raw->upload_begin(s, &f->a, "box", "k", NULL, &out, &f->err));
    WANT(f, SP_E_PERMISSION, raw->sign(s, &f->a, "box", "k", "GET", 5, &out, &f->err));
    struct sp_cap caps[SP_CAP_N];
    struct sp_facts facts;
    OK(f, sp_effective(s, caps, &facts, &f->err));
    assert_int_equal(caps[SP_CAP_PUT].level, SP_CAP_NO);
    assert_non_null(caps[SP_CAP_PUT].why);
    assert_int_equal(caps[SP_CAP_GET].level, SP_CAP_YES);
    sp_close(s);
    assert_int_equal(count_files(f->dir, "", "[.]switchproof"), 0);
    path_of(f, dir, "absent/deep");
    snprintf(url, sizeof url, "filesystem:%s", dir);
    ep.url = url;
    WANT(f, SP_E_UNAVAILABLE, sp_open(&s, &sp_provider_filesystem, &ep, &f->err));
    assert_int_equal(access(dir, F_OK), -1);
    ep.access = SP_ACCESS_TARGET;
    OK(f, sp_open(&s, &sp_provider_filesystem, &ep, &f->err));
    assert_int_equal(access(dir, F_OK), 0);
    assert_int_equal(rmdir(dir), 0);
    WANT(f, SP_E_UNAVAILABLE, sp_ping(s, &f->err));
    sp_close(s);
    ep.url = "filesystem:";
    WANT(f, SP_E_INVALID, sp_open(&s, &sp_provider_filesystem, &ep, &f->err));
    ep.access = SP_ACCESS_READ_ONLY;
    ep.url = "filesystem:/dev/null";
    WANT(f, SP_E_UNAVAILABLE, sp_open(&s, &sp_provider_filesystem, &ep, &f->err));
}

static void facts_are_found_out(void **state)
{
    struct fx *f = *state;
    struct sp_cap caps[SP_CAP_N];
    struct sp_facts facts;
    OK(f, sp_ping(f->s, &f->err));
    OK(f, sp_effective(f->s, caps, &facts, &f->err));
    assert_int_equal(facts.fidelity, SP_FID_REAL);
    assert_true(sp_str_prefix(facts.server_version, "Linux "));
    assert_null(strstr(facts.server_version, "unknown"));
    assert_int_equal(caps[SP_CAP_KEY_BYTES].limit, 1024);
    for (size_t i = 0; i < SP_CAP_N; i++)
        assert_int_equal(caps[i].level, sp_caps[i].facet == SP_FACET_blob ? SP_CAP_YES : SP_CAP_NO);
}

static void no_rights(void **state)
{
    struct fx *f = *state;
    char p[256];
    struct sp_buf b = SP_BUF_INIT;
    struct sp_object h;
    bool root = geteuid() == 0;
    put_text(f, "k", "x");
    path_of(f, p, "box/=k");
    assert_int_equal(chmod(p, 0), 0);
    path_of(f, p, "box");
    assert_int_equal(chmod(p, 0555), 0);
    assert_true(!root || seteuid(65534) == 0);
    int put = sp_blob_put(f->s, "box", "new", "x", 1, NULL, &f->err);
    char *text = strdup(sp_error_text(&f->err));
    sp_error_clear(&f->err);
    int get = sp_blob_get(f->s, "box", "k", &b, &f->err);
    int del = sp_blob_delete(f->s, "box", "k", &f->err);
    int create = root ? sp_blob_bucket_create(f->s, "mine", &f->err) : -SP_E_PERMISSION;
    assert_true(!root || seteuid(0) == 0);
    sp_error_clear(&f->err);
    assert_int_equal(chmod(p, 0755), 0);
    assert_int_equal(put, -SP_E_PERMISSION);
    assert_non_null(text);
    assert_non_null(strstr(text, "Permission denied"));
    free(text);
    assert_int_equal(get, -SP_E_PERMISSION);
    assert_int_equal(del, -SP_E_PERMISSION);
    assert_int_equal(create, -SP_E_PERMISSION);
    WANT(f, SP_E_NOT_FOUND, sp_blob_head(f->s, &f->a, "box", "new", &h, &f->err));
    sp_buf_free(&b);
}

/* A write that breaks off in the middle leaves the old object and no trace. */
static void file_size_limit(void **state)
{
    struct fx *f = *state;
    struct rlimit was, small;
    char *big = calloc(1, 400000);
    assert_non_null(big);
    put_text(f, "k", "old");
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
    small = was;
    small.rlim_cur = 200000;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    int rc = sp_blob_put(f->s, "box", "k", big, 400000, NULL, &f->err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
    assert_int_equal(rc, -SP_E_TOO_LARGE);
    assert_string_equal(f->err.native, "EFBIG");
    want_text(f, "k", "old");
    assert_int_equal(count_files(f->dir, "box", "[.]tmp"), 0);
    free(big);
}

/* In the child: a small tmpfs of its own over the directory. 0 good, 77 cannot mount, else the failing step. */
static int on_a_full_disk(struct fx *f)
{
    struct sp_session *s = NULL;
    struct sp_error err = SP_ERROR_INIT;
    struct sp_buf b = SP_BUF_INIT;
    int step = 0;
    if (unshare(CLONE_NEWNS | (geteuid() != 0 ? CLONE_NEWUSER : 0)) != 0 ||
        mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", f->dir, "tmpfs", 0, "size=256k") != 0)
        return 77;
    char *big = calloc(1, 500000);
    if (big == NULL || sp_open(&s, &sp_provider_filesystem, &f->ep, &err) != 0)
        step = 1;
    else if (sp_blob_bucket_create(s, "box", &err) != 0 ||
             sp_blob_put(s, "box", "k", "old", 3, NULL, &err) != 0)
        step = 2;
    else if (sp_blob_put(s, "box", "k", big, 500000, NULL, &err) != -SP_E_IO)
        step = 3;
    else if (strcmp(err.native, "ENOSPC") != 0 || strstr(sp_error_text(&err), "free some space") == NULL)
        step = 4;
    else if (sp_blob_get(s, "box", "k", &b, &err) != 0 || strcmp(b.p, "old") != 0)
        step = 5;
    else if (count_files(f->dir, "box", "[.]tmp") != 0)
        step = 6;
    else if (sp_blob_put(s, "box", "k2", big, 100000, NULL, &err) != 0) /* the space is free again */
        step = 7;
    free(big);
    sp_buf_free(&b);
    sp_error_clear(&err);
    sp_close(s);
    return step;
}

static void no_space(void **state)
{
    struct fx *f = *state;
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(on_a_full_disk(f));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) {
        print_message("cannot mount a small file system here: not tried\n");
        skip();
    }
    assert_int_equal(WEXITSTATUS(status), 0);
}

static int64_t forever(void *payload, void *p, size_t n)
{
    (void)payload;
    memset(p, 'x', n);
    usleep(1000);
    return (int64_t)n;
}

static void killed_writer(void **state)
{
    struct fx *f = *state;
    char cmd[512];
    int status;
    put_text(f, "k", "old");
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct sp_session *s;
        struct sp_arena a = SP_ARENA_INIT;
        if (sp_open(&s, &sp_provider_filesystem, &f->ep, NULL) == 0)
            sp_blob_put_stream(s, &a, "box", "k", forever, NULL, NULL, NULL, NULL);
        _exit(1);
    }
    for (int i = 0; i < 10000 && count_files(f->dir, "box", "[.]tmp") == 0; i++)
        usleep(2000);
    usleep(10000);
    /* a living writer's file is left alone, however old it looks */
    snprintf(cmd, sizeof cmd, "touch -d '2 hours ago' %s/box/.tmp-*", f->dir);
    assert_int_equal(system(cmd), 0);
    struct sp_session *second = NULL;
    OK(f, sp_open(&second, &sp_provider_filesystem, &f->ep, &f->err));
    OK(f, sp_blob_put(second, "box", "z", "x", 1, NULL, &f->err));
    sp_close(second);
    assert_int_equal(count_files(f->dir, "box", "[.]tmp"), 1);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    want_text(f, "k", "old");
    want_list(f, "", NULL, 5, (const char *[]){ "k", "z", NULL });
    /* what it left is removed by a later session, once it is old */
    assert_int_equal(system(cmd), 0);
    OK(f, sp_open(&second, &sp_provider_filesystem, &f->ep, &f->err));
    OK(f, sp_blob_put(second, "box", "z", "y", 1, NULL, &f->err));
    sp_close(second);
    assert_int_equal(count_files(f->dir, "box", "[.]tmp"), 0);
}

struct replacing {
    struct fx *f;
    volatile bool stop;
    int failed;
};

static void *replace(void *arg)
{
    struct replacing *r = arg;
    struct sp_session *s = NULL;
    char *text = malloc(200000);
    if (text == NULL || sp_open(&s, &sp_provider_filesystem, &r->f->ep, NULL) != 0)
        r->failed++;
    for (unsigned i = 0; !r->failed && !__atomic_load_n(&r->stop, __ATOMIC_RELAXED); i++) {
        char letter[2] = { (char)('a' + i % 26), '\0' };
        struct sp_meta m[] = { { "letter", letter } };
        struct sp_put_opts o = { .meta = m, .nmeta = 1 };
        memset(text, letter[0], 200000);
        r->failed += sp_blob_put(s, "box", "k", text, 1 + i * 7919 % 200000, &o, NULL) != 0;
    }
    sp_close(s);
    free(text);
    return NULL;
}

static int into(void *payload, const void *p, size_t n)
{
    return sp_buf_put(payload, p, n);
}

/* Content and metadata of one put, never of two. */
static void readers_see_whole_objects(void **state)
{
    struct fx *f = *state;
    struct replacing r = { .f = f };
    struct sp_meta m[] = { { "letter", "z" } };
    struct sp_put_opts o = { .meta = m, .nmeta = 1 };
    pthread_t t;
    OK(f, sp_blob_put(f->s, "box", "k", "z", 1, &o, &f->err));
    assert_int_equal(pthread_create(&t, NULL, replace, &r), 0);
    for (int i = 0; i < 300; i++) {
        struct sp_buf b = SP_BUF_INIT;
        struct sp_arena a = SP_ARENA_INIT;
        struct sp_object h;
        OK(f, sp_blob_get_stream(f->s, &a, "box", "k", 0, SP_TO_END, into, &b, &h, &f->err));
        assert_int_equal(b.n, h.size);
        for (size_t k = 0; k < b.n; k++)
            if (b.p[k] != h.meta[0].value[0])
                fail_msg("a mixed object at byte %zu", k);
        sp_buf_free(&b);
        sp_arena_free(&a);
    }
    __atomic_store_n(&r.stop, true, __ATOMIC_RELAXED);
    pthread_join(t, NULL);
    assert_int_equal(r.failed, 0);
}

struct dropping {
    struct fx *f;
    volatile bool stop;
    int stored, gone, odd;
};

static void *put_into(void *arg)
{
    struct dropping *r = arg;
    struct sp_session *s = NULL;
    struct sp_error err = SP_ERROR_INIT;
    if (sp_open(&s, &sp_provider_filesystem, &r->f->ep, &err) != 0)
        r->odd++;
    while (!__atomic_load_n(&r->stop, __ATOMIC_RELAXED) && r->odd == 0) {
        int rc = sp_blob_put(s, "drops", "k", "x", 1, NULL, &err);
        __atomic_fetch_add(&r->stored, rc == 0, __ATOMIC_RELAXED);
        __atomic_fetch_add(&r->gone, rc == -SP_E_NOT_FOUND, __ATOMIC_RELAXED);
        if (rc != 0 && rc != -SP_E_NOT_FOUND) {
            r->odd++;
            print_error("put: %s\n", sp_error_text(&err));
        }
        sp_error_clear(&err);
    }
    sp_close(s);
    sp_error_clear(&err);
    return NULL;
}

static bool both_met(struct dropping r[2])
{
    int gone = 0, stored = 0;
    for (size_t i = 0; i < 2; i++) {
        gone += __atomic_load_n(&r[i].gone, __ATOMIC_RELAXED);
        stored += __atomic_load_n(&r[i].stored, __ATOMIC_RELAXED);
    }
    return gone > 0 && stored > 0;
}

/* Writers meet the bucket or its absence, never something between, and a new bucket of the name is empty. */
static void drop_under_writers(void **state)
{
    struct fx *f = *state;
    struct dropping r[2] = { { .f = f }, { .f = f } };
    pthread_t t[2];
    char p[256];
    path_of(f, p, ".switchproof-trash-left-by-a-killed-drop");
    assert_int_equal(mkdir(p, 0755), 0);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&t[i], NULL, put_into, &r[i]), 0);
    /* On a busy machine the writers may not run for a while: until they have met both. */
    for (int i = 0; i < 200 || (i < 10000 && !both_met(r)); i++) {
        OK(f, sp_blob_bucket_create(f->s, "drops", &f->err));
        usleep(i % 10 == 0 ? 2000 : 0);
        OK(f, sp_blob_bucket_drop(f->s, "drops", &f->err));
        usleep(i % 10 == 5 ? 2000 : 0);
    }
    for (size_t i = 0; i < 2; i++) {
        __atomic_store_n(&r[i].stop, true, __ATOMIC_RELAXED);
        pthread_join(t[i], NULL);
        assert_int_equal(r[i].odd, 0);
    }
    assert_true(both_met(r));
    OK(f, sp_blob_bucket_create(f->s, "drops", &f->err));
    OK(f, sp_blob_bucket_drop(f->s, "drops", &f->err));
    assert_int_equal(count_files(f->dir, "", "[.]switchproof-trash"), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, fx_setup, fx_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(planted_links),
        T(planted_files),
        T(damage),
        T(read_only),
        T(facts_are_found_out),
        T(no_rights),
        T(file_size_limit),
        T(no_space),
        T(killed_writer),
        T(readers_see_whole_objects),
        T(drop_under_writers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
