/* Files and the log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/str.h"

static char dir[64];

static int enter(void **state)
{
    (void)state;
    (void)sp_strlcpy(dir, "/tmp/test_base_io.XXXXXX", sizeof dir);
    return mkdtemp(dir) != NULL && chdir(dir) == 0 ? 0 : -1;
}

static int leave(void **state)
{
    (void)state;
    return chdir("/") == 0 ? sp_rmtree(dir, NULL) : -1;
}

static size_t entries(const char *path)
{
    DIR *d = opendir(path);
    size_t n = 0;
    assert_non_null(d);
    while (readdir(d) != NULL) {
        n++;
    }
    assert_int_equal(closedir(d), 0);
    return n - 2;
}

static void holds(const char *path, const char *want)
{
    struct sp_buf b = SP_BUF_INIT;
    assert_int_equal(sp_read_file(path, 1000, &b, NULL), 0);
    assert_string_equal(b.p, want);
    sp_buf_free(&b);
}

static void put(const char *path, const char *text)
{
    assert_int_equal(sp_write_file_atomic(path, text, strlen(text), NULL), 0);
}

static void reads_whole_files(void **state)
{
    (void)state;
    struct sp_buf b = SP_BUF_INIT;
    struct sp_error e = SP_ERROR_INIT;
    static const size_t sizes[] = { 0, 1, 4095, 4096, 4097, 100000 };
    char *data = malloc(100000);
    assert_non_null(data);
    for (size_t i = 0; i < 100000; i++) {
        data[i] = (char)(i % 253);
    }
    for (size_t i = 0; i < SP_LEN(sizes); i++) {
        size_t n = sizes[i];
        assert_int_equal(sp_write_file_atomic("f", data, n, &e), 0);
        assert_int_equal(sp_read_file("f", n, &b, &e), 0); /* replaces what the buffer held; max is allowed */
        assert_int_equal(b.n, n);
        assert_memory_equal(b.p, data, n);
        assert_int_equal(b.p[n], 0);
        assert_int_equal(sp_read_file("f", SIZE_MAX, &b, &e), 0);
        assert_int_equal(b.n, n);
        if (n > 0) {
            assert_int_equal(sp_read_file("f", n - 1, &b, &e), -SP_E_TOO_LARGE);
            assert_non_null(strstr(sp_error_text(&e), "f is larger"));
            assert_int_equal(b.n, 0);
        }
    }
    free(data);
    assert_int_equal(sp_read_file("absent", 10, &b, &e), -SP_E_NOT_FOUND);
    assert_string_equal(e.native, "ENOENT");
    assert_non_null(strstr(e.text, "absent"));
    assert_int_equal(sp_read_file(".", 10, &b, &e), -SP_E_IO);
    assert_string_equal(e.native, "EISDIR");
    sp_error_clear(&e);
    sp_buf_free(&b);
}

/* Files of /proc say that their size is 0. */
static void reads_files_without_a_size(void **state)
{
    (void)state;
    struct sp_buf b = SP_BUF_INIT;
    assert_int_equal(sp_read_file("/proc/self/status", 1000000, &b, NULL), 0);
    assert_true(b.n > 100);
    assert_int_equal(sp_read_file("/dev/zero", 100000, &b, NULL), -SP_E_TOO_LARGE);
    sp_buf_free(&b);
}

static void write_keeps_mode_and_links(void **state)
{
    (void)state;
    struct stat st;
    mode_t before = umask(027);
    put("f", "one");
    (void)umask(before);
    assert_int_equal(stat("f", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_int_equal(chmod("f", 0604), 0);
    put("f", "two");
    assert_int_equal(stat("f", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0604);
    holds("f", "two");
    assert_int_equal(mkdir("d", 0755), 0);
    assert_int_equal(symlink("../f", "d/link"), 0);
    put("d/link", "three");
    assert_int_equal(lstat("d/link", &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    holds("f", "three");
    assert_int_equal(entries("."), 2);
    assert_int_equal(entries("d"), 1);
    put("f", "");
    holds("f", "");
}

static void write_refuses_what_is_no_file(void **state)
{
    (void)state;
    struct sp_error e = SP_ERROR_INIT;
    struct stat st;
    assert_int_equal(mkfifo("pipe", 0600), 0);
    assert_int_equal(sp_write_file_atomic("pipe", "x", 1, &e), -SP_E_INVALID);
    assert_int_equal(stat("pipe", &st), 0);
    assert_true(S_ISFIFO(st.st_mode));
    assert_int_equal(mkdir("d", 0755), 0);
    assert_int_equal(sp_write_file_atomic("d", "x", 1, &e), -SP_E_INVALID);
    assert_int_equal(symlink("nowhere", "dangling"), 0);
    assert_int_equal(sp_write_file_atomic("dangling", "x", 1, &e), -SP_E_NOT_FOUND);
    assert_int_equal(symlink("pipe", "to_pipe"), 0);
    assert_int_equal(sp_write_file_atomic("to_pipe", "x", 1, &e), -SP_E_INVALID);
    assert_int_equal(sp_write_file_atomic("absent/f", "x", 1, &e), -SP_E_NOT_FOUND);
    assert_int_equal(sp_write_file_atomic("", "x", 1, &e), -SP_E_NOT_FOUND);
    assert_int_equal(entries("."), 4);
    sp_error_clear(&e);
}

/* Half of the data fits: the old file stays, and nothing is left beside it. */
static void write_that_fails_midway(void **state)
{
    (void)state;
    static char data[100000];
    struct sp_error e = SP_ERROR_INIT;
    struct rlimit old, small;
    put("f", "old");
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = 4096;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    int rc = sp_write_file_atomic("f", data, sizeof data, &e);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    (void)signal(SIGXFSZ, handler);
    assert_int_equal(rc, -SP_E_IO);
    assert_string_equal(e.native, "EFBIG");
    holds("f", "old");
    assert_int_equal(entries("."), 1);
    sp_error_clear(&e);
}

static void write_into_a_directory_without_permission(void **state)
{
    (void)state;
    assert_int_equal(mkdir("locked", 0755), 0);
    put("locked/f", "old");
    assert_int_equal(chmod("locked", 0555), 0);
    assert_int_equal(chmod(".", 0755), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) { /* root may write everywhere, so the child gives that up */
        bool plain = geteuid() != 0 || (setgid(65534) == 0 && setuid(65534) == 0);
        _exit(plain ? -sp_write_file_atomic("locked/f", "new", 3, NULL) : 99);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), SP_E_PERMISSION);
    assert_int_equal(chmod("locked", 0755), 0);
    holds("locked/f", "old");
    assert_int_equal(entries("locked"), 1);
}

static void makes_directories(void **state)
{
    (void)state;
    struct sp_error e = SP_ERROR_INIT;
    struct stat st;
    assert_int_equal(sp_mkdirs("a//b/./c/", &e), 0);
    assert_int_equal(stat("a/b/c", &st), 0);
    assert_int_equal(sp_mkdirs("a/b/c", &e), 0);
    assert_int_equal(sp_mkdirs("/", &e), 0);
    char abs[200];
    assert_int_equal(sp_path_join(abs, sizeof abs, dir, "x/y", &e), 0);
    assert_int_equal(sp_mkdirs(abs, &e), 0);
    assert_int_equal(stat("x/y", &st), 0);
    assert_int_equal(symlink("x", "link"), 0);
    assert_int_equal(sp_mkdirs("link/z", &e), 0);
    assert_int_equal(stat("x/z", &st), 0);
    put("file", "");
    assert_true(sp_mkdirs("file", &e) < 0);
    assert_true(sp_mkdirs("file/deeper", &e) < 0);
    assert_non_null(strstr(e.text, "directory file"));
    assert_int_equal(sp_mkdirs("", &e), -SP_E_INVALID);
    sp_error_clear(&e);
}

static void removes_trees(void **state)
{
    (void)state;
    struct sp_error e = SP_ERROR_INIT;
    struct stat st;
    struct sp_buf deep = SP_BUF_INIT;
    assert_int_equal(sp_buf_puts(&deep, "t"), 0);
    for (int i = 0; i < 1200; i++) { /* more levels than descriptors */
        assert_int_equal(sp_buf_puts(&deep, "/d"), 0);
    }
    assert_int_equal(sp_mkdirs(deep.p, &e), 0);
    sp_buf_free(&deep);
    assert_int_equal(sp_mkdirs("t/d/e/f", &e), 0);
    assert_int_equal(sp_mkdirs("outside", &e), 0);
    put("outside/f", "kept");
    put("t/d/file", "x");
    put("t/.hidden", "x");
    assert_int_equal(symlink("../outside", "t/link"), 0);
    assert_int_equal(symlink("nowhere", "t/dangling"), 0);
    assert_int_equal(sp_rmtree("t/", &e), 0);
    assert_int_equal(lstat("t", &st), -1);
    holds("outside/f", "kept");
    /* a link itself, also with a slash behind it, is removed and not followed */
    assert_int_equal(symlink("outside", "link"), 0);
    assert_int_equal(sp_rmtree("link/", &e), 0);
    assert_int_equal(lstat("link", &st), -1);
    holds("outside/f", "kept");
    assert_int_equal(sp_rmtree("absent", &e), 0);
    assert_int_equal(sp_rmtree("absent/deeper", &e), 0);
    assert_int_equal(sp_rmtree("outside/f", &e), 0);
    assert_int_equal(sp_rmtree("outside", &e), 0);
    assert_int_equal(sp_rmtree("", &e), -SP_E_INVALID);
    assert_int_equal(entries("."), 0);
    sp_error_clear(&e);
}

static void joins_paths(void **state)
{
    (void)state;
    struct sp_error e = SP_ERROR_INIT;
    char out[8];
    static const char *const ok[][3] = { { "a", "b", "a/b" }, { "a/", "b", "a/b" }, { "", "b", "b" },
        { "a", "", "a" }, { "/", "b", "/b" }, { "abc", "def", "abc/def" } };
    for (size_t i = 0; i < SP_LEN(ok); i++) {
        assert_int_equal(sp_path_join(out, sizeof out, ok[i][0], ok[i][1], &e), 0);
        assert_string_equal(out, ok[i][2]);
    }
    assert_int_equal(sp_path_join(out, sizeof out, "abc", "defg", &e), -SP_E_TOO_LARGE);
    assert_string_equal(out, "");
    assert_int_equal(sp_path_join(out, sizeof out, "a", "/b", &e), -SP_E_INVALID);
    assert_string_equal(out, "");
    sp_error_clear(&e);
}

static void on_alarm(int sig)
{
    (void)sig;
}

/* A small pipe, a slow reader, a timer that interrupts: every byte arrives all the same. */
static void transfers(bool blocking)
{
    enum { N = 400000 };
    int fd[2];
    assert_int_equal(pipe2(fd, O_CLOEXEC | (blocking ? 0 : O_NONBLOCK)), 0);
    struct sigaction act = { .sa_handler = on_alarm }, old;
    assert_int_equal(sigaction(SIGALRM, &act, &old), 0); /* without SA_RESTART */
    char *data = malloc(N + 1);
    assert_non_null(data);
    for (size_t i = 0; i < N; i++) {
        data[i] = (char)(i % 251);
    }
    struct itimerval often = { { 0, 2000 }, { 0, 2000 } }, never = { { 0, 0 }, { 0, 0 } };
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)close(fd[0]);
        (void)setitimer(ITIMER_REAL, &often, NULL);
        int sent = sp_write_all(fd[1], data, N, NULL);
        free(data);
        _exit(sent == 0 ? 0 : 1);
    }
    assert_int_equal(close(fd[1]), 0);
    assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
    char *back = calloc(1, N + 1);
    assert_non_null(back);
    size_t got = 0, more = 0;
    int rc = sp_read_all(fd[0], back, 10, &got, NULL);
    int rc2 = sp_read_all(fd[0], back + 10, N + 1 - 10, &more, NULL);
    assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
    assert_int_equal(rc, 0);
    assert_int_equal(got, 10);
    assert_int_equal(rc2, 0);
    assert_int_equal(more, N - 10); /* less than asked for: the end */
    assert_memory_equal(back, data, N);
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(sigaction(SIGALRM, &old, NULL), 0);
    assert_int_equal(close(fd[0]), 0);
    free(back);
    free(data);
}

static void transfers_all(void **state)
{
    (void)state;
    transfers(true);
    transfers(false);
    struct sp_error e = SP_ERROR_INIT;
    size_t got = 1;
    char c;
    assert_int_equal(sp_write_all(-1, "x", 1, &e), -SP_E_IO);
    assert_string_equal(e.native, "EBADF");
    assert_int_equal(sp_read_all(-1, &c, 1, &got, &e), -SP_E_IO);
    assert_int_equal(got, 0);
    sp_error_clear(&e);
}

static void log_everything(void)
{
    sp_log_error("e %d", 1);
    sp_log_warn("w\nx \x1b[0m hunter22");
    sp_log_info("i http://u:pw@h");
    sp_log_debug("d");
}

static void logs_by_level(void **state)
{
    (void)state;
#define E "switchproof: error: e 1\n"
#define W "switchproof: warning: w x \\x1b[0m ***\n"
#define I "switchproof: i http://u:***@h\n"
#define D "switchproof: debug: d\n"
    static const char *const want[] = { E, E W, E W I, E W I D };
    assert_int_equal(sp_log_get_level(), 1);
    assert_int_equal(sp_secret_add("hunter22"), 0);
    for (int level = -1; level <= 4; level++) {
        int told = level < 0 ? 0 : level > 3 ? 3 : level;
        sp_log_level(level);
        assert_int_equal(sp_log_get_level(), told);
        int keep = dup(2);
        int fd = open("log", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        assert_true(keep >= 0 && fd >= 0 && dup2(fd, 2) == 2);
        errno = ERANGE;
        log_everything();
        int after = errno;
        assert_int_equal(dup2(keep, 2), 2);
        assert_int_equal(close(keep), 0);
        assert_int_equal(close(fd), 0);
        assert_int_equal(after, ERANGE); /* a log line between a call and its errno does no harm */
        holds("log", want[told]);
    }
    sp_log_level(1);
    sp_secret_forget_all();
}

#define IN_DIR(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIR(reads_whole_files),
        IN_DIR(reads_files_without_a_size),
        IN_DIR(write_keeps_mode_and_links),
        IN_DIR(write_refuses_what_is_no_file),
        IN_DIR(write_that_fails_midway),
        IN_DIR(write_into_a_directory_without_permission),
        IN_DIR(makes_directories),
        IN_DIR(removes_trees),
        IN_DIR(joins_paths),
        IN_DIR(transfers_all),
        IN_DIR(logs_by_level),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
