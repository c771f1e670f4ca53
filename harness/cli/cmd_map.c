/* cmd_map.c -- switchproof map: a draft of a mapping file. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "cli/sides.h"
#include "map/draft.h"

/* People work on a draft: it does not replace what they wrote. */
static int write_draft(const char *file, const struct sp_buf *text, struct sp_error *err)
{
    if (file == NULL) {
        (void)fputs(text->p, stdout);
        return 0;
    }
    if (access(file, F_OK) == 0 || errno != ENOENT)
        return sp_invalid(err, "%s is there already: a draft replaces nothing, name another file", file);
    return sp_write_file_atomic(file, text->p, text->n, err);
}

int sp_cmd_map(const struct sp_program *program, struct sp_args *a)
{
    struct sp_sides s;
    struct sp_error err = SP_ERROR_INIT;
    struct sp_buf text = SP_BUF_INIT;
    int code = sp_sides_resolve(&s, program, a, false);
    if (code < 0) {
        sp_interrupt_install();
        code = sp_sides_open(&s, program);
        for (size_t i = 0; code != -1 && i < 2; i++)
            if (s.error[i].code != SP_E_OK)
                sp_log_error("%s", sp_error_text(&s.error[i]));
    }
    if (code == -1) {
        int rc = sp_mapping_draft(s.session[0], s.session[1], &text, &err);
        if (rc == 0)
            rc = write_draft(a->output, &text, &err);
        code = rc == 0 ? SP_EXIT_OK : sp_cli_fail(&err);
    }
    sp_error_clear(&err);
    sp_buf_free(&text);
    sp_sides_close(&s);
    return code;
}
