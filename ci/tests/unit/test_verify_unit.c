/* How much is done at once, and how far a comparison is: with a backend that is slow, one that is quick, and one that does
 * not say how many rows it has. */
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "cli/evidence.h"
#include "verify_case.h"
#include "verify/unit.h"

/* ---- units ------------------------------------------------------------------------------------------------------- */

static void a_slow_backend_gives_one_at_a_time(void **state)
{
    struct sp_vunit u = { .size = 1, .least = 1, .most = 1000, .target_s = 0.1 };
    (void)state;
    for (int i = 0; i < 10; i++) {
        sp_v_unit_done(&u, u.size, 3.0 * (double)u.size);
        assert_int_equal(1, u.size);
    }
}

static void a_quick_one_soon_gives_many(void **state)
{
    struct sp_vunit u = { .size = 1, .least = 1, .most = 1000, .target_s = 0.1 };
    static const uint64_t sizes[] = { 4, 16, 64, 256, 1000, 1000 };
    (void)state;
    for (size_t i = 0; i < SP_LEN(sizes); i++) {
        sp_v_unit_done(&u, u.size, 1e-6 * (double)u.size);
        assert_int_equal(sizes[i], u.size);
    }
    sp_v_unit_done(&u, 1000, 0); /* too quick for the clock */
    assert_int_equal(1000, u.size);
}

static void a_unit_takes_about_the_target(void **state)
{
    struct sp_vunit u = { .size = 1, .least = 1, .most = 1000000, .target_s = 0.1 };
    (void)state;
    for (int i = 0; i < 20; i++)
        sp_v_unit_done(&u, u.size, (double)u.size / 5000);
    assert_in_range(u.size, 499, 501);
    sp_v_unit_done(&u, u.size, (double)u.size / 20); /* slower from here on: at once */
    assert_in_range(u.size, 1, 2);
    sp_v_unit_done(&u, 0, 100); /* nothing tells nothing */
    assert_in_range(u.size, 1, 2);
}

static void a_whole_is_cut_by_speed(void **state)
{
    (void)state;
    assert_int_equal(0, sp_v_units(1000000, 0, 5)); /* nobody knows */
    assert_int_equal(1, sp_v_units(1000000, 1e6, 5));
    assert_int_equal(201, sp_v_units(1000000, 1000, 5));
    assert_int_equal(1, sp_v_units(0, 1000, 5));
    assert_true(sp_v_units(UINT64_MAX, 1e-300, 5) >= 1000000);
}

/* ---- how far it is ------------------------------------------------------------------------------------------------- */

#define SLOW_ROWS 60

static struct {
    int64_t rows[2]; /* that the sides estimate */
    unsigned calls, between;
    uint64_t last, total;
    bool about, failed;
} told;

static int told_volume(
    struct sp_session *s, const char *ns, const char *table, struct sp_volume *out, struct sp_error *err)
{
    (void)ns;
    (void)table;
    if (told.failed)
        return sp_fail(err, SP_E_PERMISSION, SP_ORIGIN_BACKEND, "not for you");
    out->rows = told.rows[strcmp(fake_of(s)->endpoint.name, "new") == 0];
    return 0;
}

static void tell(void *payload, const char *table, uint64_t rows, uint64_t total, bool about)
{
    (void)payload;
    assert_string_equal("t", table);
    told.calls++;
    told.between += rows != told.last && rows != 0 && rows < 2 * SLOW_ROWS;
    told.last = rows;
    told.total = total;
    told.about = about;
}

/* A backend that takes 10 ms for each row. */
struct slow {
    int (*sink)(void *payload, const struct sp_rowview *row);
    void *payload;
};
static int slowly(void *payload, const struct sp_rowview *row)
{
    const struct timespec pause = { 0, 10000000 };
    const struct slow *s = payload;
    (void)nanosleep(&pause, NULL);
    return s->sink(s->payload, row);
}
static int slow_scan(
    struct sp_session *s, const struct sp_scan *scan, struct sp_rowbuf *rb, struct sp_error *err)
{
    struct slow slow = { rb->sink, rb->payload };
    rb->sink = slowly;
    rb->payload = &slow;
    return fake_scan(s, scan, rb, err);
}

static void run_slowly(int64_t source, int64_t target)
{
    struct sp_db_ops db = fake_db;
    struct sp_provider slow = fake_provider;
    struct fake_table *t[2];
    struct vcase v;
    db.scan = slow_scan;
    db.volume = told_volume;
    slow.db = &db;
    told.calls = told.between = 0;
    told.last = told.total = 0;
    told.rows[0] = source;
    told.rows[1] = target;
    vcase_begin(&v);
    vcase_table(&v, "t", "id:int! n:int", 1, t);
    for (int s = 0; s < 2; s++) {
        v.f[s]->base.provider = &slow;
        for (int64_t i = 0; i < SLOW_ROWS; i++) {
            struct sp_value *row = fake_row(t[s]);
            row[0] = sp_v_int(i);
            row[1] = sp_v_int(i * i);
        }
    }
    v.opt.checks = SP_VC_ROWS;
    v.opt.progress = tell;
    assert_verdict(&v, SP_VV_EQUAL);
    vcase_end(&v);
}

static void a_slow_comparison_tells_how_far_it_is(void **state)
{
    (void)state;
    run_slowly(70, 50);
    assert_true(told.calls >= 2);
    assert_true(told.between >= 2); /* not only at the end */
    assert_int_equal(120, told.total);
    assert_true(told.about);
}

static void who_does_not_say_is_taken_for_a_copy(void **state)
{
    (void)state;
    run_slowly(-1, 70);
    assert_int_equal(140, told.total);
    run_slowly(-1, -1);
    assert_int_equal(0, told.total);
    run_slowly(INT64_MAX, -1);
    assert_int_equal(0, told.total);
    told.failed = true;
    run_slowly(60, 60);
    told.failed = false;
    assert_int_equal(0, told.total);
    assert_true(told.between >= 2);
}

/* ---- what people read ------------------------------------------------------------------------------------------------ */

/* The lines that are written for these calls, all due. */
static void lines_of(void (*calls)(struct sp_progress *), char *out, size_t size)
{
    char path[] = "/tmp/sp-progress-XXXXXX";
    struct sp_progress p;
    int fd = mkstemp(path), kept = dup(STDERR_FILENO);
    assert_true(fd >= 0 && kept >= 0);
    assert_int_equal(STDERR_FILENO, dup2(fd, STDERR_FILENO));
    sp_progress_init(&p, false);
    calls(&p);
    sp_progress_free(&p);
    assert_int_equal(STDERR_FILENO, dup2(kept, STDERR_FILENO));
    close(kept);
    ssize_t n = pread(fd, out, size - 1, 0);
    assert_true(n >= 0);
    out[n] = '\0';
    close(fd);
    assert_int_equal(0, unlink(path));
}

static void due(struct sp_progress *p, uint64_t rows, uint64_t total, bool about)
{
    p->last.tv_sec -= 100;
    sp_progress_about(p, "t", rows, total, about);
}

static void exact(struct sp_progress *p)
{
    due(p, 0, 1000, false);
    p->table_start.tv_sec -= 10;
    due(p, 500, 1000, false);
}
static void guessed(struct sp_progress *p)
{
    due(p, 0, 1000, true);
    p->table_start.tv_sec -= 10;
    due(p, 500, 1000, true);
}
static void guessed_too_low(struct sp_progress *p)
{
    due(p, 0, 1000, true);
    p->table_start.tv_sec -= 10;
    due(p, 1500, 1000, true);
}
static void read_again(struct sp_progress *p)
{
    due(p, 100, 0, false);
    p->table_start.tv_sec -= 1000;
    due(p, 900, 0, false);
    due(p, 10, 1000, false); /* the next pass: the first one's time is not its own */
    p->table_start.tv_sec -= 10;
    due(p, 510, 1000, false);
}

static void the_line_says_what_is_an_estimate(void **state)
{
    char text[1000];
    (void)state;
    lines_of(exact, text, sizeof text);
    assert_non_null(strstr(text, "t: 500 of 1,000 rows, "));
    assert_non_null(strstr(text, " left"));
    lines_of(guessed, text, sizeof text);
    assert_non_null(strstr(text, "t: 500 of about 1,000 rows, "));
    assert_non_null(strstr(text, " left"));
    lines_of(guessed_too_low, text, sizeof text);
    assert_non_null(strstr(text, "t: 1,500 rows, "));
    assert_null(strstr(text, " left"));
    lines_of(read_again, text, sizeof text);
    const char *second = strstr(text, "t: 510 of 1,000 rows, ");
    assert_non_null(second);
    double rate = strtod(second + strlen("t: 510 of 1,000 rows, "), NULL);
    assert_true(rate > 10 && rate <= 50); /* 500 rows in 10 s and what the test took */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slow_backend_gives_one_at_a_time),
        cmocka_unit_test(a_quick_one_soon_gives_many),
        cmocka_unit_test(a_unit_takes_about_the_target),
        cmocka_unit_test(a_whole_is_cut_by_speed),
        cmocka_unit_test(a_slow_comparison_tells_how_far_it_is),
        cmocka_unit_test(who_does_not_say_is_taken_for_a_copy),
        cmocka_unit_test(the_line_says_what_is_an_estimate),
    };
    return cmocka_run_group_tests_name("verify: units and progress", tests, NULL, NULL);
}
