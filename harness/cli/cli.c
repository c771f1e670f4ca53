/* cli.c -- from argv to a command, and what every command needs around it. */
#include "cli/cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "cli/options.h"
#include "config/config.h"

int sp_cli_exit_of(const struct sp_error *err)
{
    if (sp_interrupted() != 0) {
        return SP_EXIT_INTERRUPTED;
    }
    return err->code == SP_E_INVALID || err->code == SP_E_NOT_FOUND ? SP_EXIT_USAGE : SP_EXIT_INCONCLUSIVE;
}

int sp_cli_fail(const struct sp_error *err)
{
    sp_log_error("%s", sp_error_text(err));
    return sp_cli_exit_of(err);
}

int sp_cli_usage(const struct sp_args *a, const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&text, fmt, ap);
    va_end(ap);
    sp_log_error("%s (try `switchproof %s%s--help`)", n >= 0 ? text : "wrong arguments",
        a->command != NULL ? a->command->name : "", a->command != NULL ? " " : "");
    if (n >= 0) {
        free(text);
    }
    return SP_EXIT_USAGE;
}

static int show_help(const struct sp_args *a)
{
    struct sp_buf out = SP_BUF_INIT;
    int rc = a->command != NULL ? sp_help_command(&out, a->command) : sp_help_all(&out);
    if (rc == 0) {
        (void)fputs(out.p, stdout);
    }
    sp_buf_free(&out);
    return rc == 0 ? SP_EXIT_OK : SP_EXIT_INCONCLUSIVE;
}

static int dispatch(const struct sp_program *program, struct sp_args *a)
{
    if (a->quiet && a->verbose > 0) {
        return sp_cli_usage(a, "-q and -v contradict each other");
    }
    sp_log_level(a->quiet ? 0 : 1 + a->verbose);
    if (a->help) {
        return show_help(a);
    }
    if (a->version) {
        return sp_cmd_version(program, a);
    }
    if (a->command == NULL) {
        return sp_cli_usage(a, "no command");
    }
    return a->command->run(program, a);
}

/* Output that did not arrive is no success: `switchproof list > /dev/full`. */
static int check_output(int code)
{
    if (fflush(stdout) != 0 || ferror(stdout) != 0) {
        if (errno == EPIPE) {
            return code; /* the reader has seen enough: switchproof list cases | head */
        }
        sp_log_error("cannot write to standard output: %s", strerrordesc_np(errno));
        return code == SP_EXIT_OK ? SP_EXIT_INCONCLUSIVE : code;
    }
    return code;
}

int sp_cli_main(const struct sp_program *program, int argc, char **argv)
{
    struct sp_args a;
    struct sp_error err = SP_ERROR_INIT;
    sp_config_left_out(program->left_out);
    int code = sp_args_parse(&a, argc, argv, &err) == 0 ? dispatch(program, &a)
                                                        : sp_cli_usage(&a, "%s", sp_error_text(&err));
    sp_error_clear(&err);
    sp_args_free(&a);
    code = check_output(code);
    sp_secret_forget_all();
    return code;
}
