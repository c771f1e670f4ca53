/* main.c -- the program: a safe process, and the registries and reports handed to the command line. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "fixtures/fixture.h"
#include "reports/report.h"

static const struct sp_report_name formats[] = {
    { "html", "report.html", SP_REPORT_HTML },
    { "junit", "junit.xml", SP_REPORT_JUNIT },
    { "json", "summary.json", SP_REPORT_SUMMARY_JSON | SP_REPORT_VERIFY_JSON | SP_REPORT_ASSESS_JSON },
    { "verify", "verify.json", SP_REPORT_VERIFY_JSON },
    { "assess", "assess.json", SP_REPORT_ASSESS_JSON },
    { "markdown", "summary.md", SP_REPORT_MARKDOWN },
    { "console", NULL, 0 },
    { NULL, NULL, 0 },
};

static int console_new(void **out, bool tty, bool color, int verbosity)
{
    struct sp_console *c = NULL;
    int rc = sp_console_new(&c, tty, color, verbosity);
    *out = c;
    return rc;
}

static void console_free(void *console)
{
    sp_console_free(console);
}

/* A descriptor that a library opens as number 0, 1 or 2 would receive what is printed; 3 is a worker's socket. */
static int fill_standard_descriptors(void)
{
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) == -1 && errno == EBADF && open("/dev/null", O_RDWR) != fd) {
            return -1;
        }
    }
    return 0;
}

/* Passwords are in this process's memory: no core dump, no reading by other processes of the same user. */
static void protect(void)
{
    static const struct rlimit none = { 0, 0 };
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN); /* a limit of file sizes is an error of write() like any other */
    mode_t mask = umask(022);
    (void)umask(mask | 022); /* nobody else writes to reports and databases */
}

int main(int argc, char **argv)
{
    static const struct sp_program program = {
        .providers = sp_providers,
        .left_out = sp_providers_left_out,
        .suites = sp_suites,
        .formats = formats,
        .all_formats = SP_REPORT_ALL,
        .render = sp_report_render,
        .console_new = console_new,
        .console_free = console_free,
        .console_observe = sp_console_observe,
        .fixture = sp_fixture_main,
    };
    if (fill_standard_descriptors() != 0) {
        return 3;
    }
    protect();
    return sp_cli_main(&program, argc, argv);
}
