/* help.c -- help texts, made from the tables. */
#include "cli/options.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "config/config.h"

#define WIDTH  100
#define COLUMN 28

/* Text broken at blanks, each line but the first indented. */
static void wrap(struct sp_buf *out, const char *text, size_t indent)
{
    size_t column = indent;
    for (const char *p = text; *p != '\0';) {
        size_t n = strcspn(p, " ");
        if (column > indent && column + 1 + n > WIDTH) {
            (void)sp_buf_printf(out, "\n%*s", (int)indent, "");
            column = indent;
        } else if (column > indent) {
            (void)sp_buf_putc(out, ' ');
            column++;
        }
        (void)sp_buf_put(out, p, n);
        column += n;
        p += n + (p[n] == ' ');
    }
    (void)sp_buf_putc(out, '\n');
}

static void option_line(struct sp_buf *out, const struct sp_option *o)
{
    char left[64];
    int n = o->letter != 0 ? snprintf(left, sizeof left, "  -%c, --%s%s%s", o->letter, o->name,
                                 o->arg != NULL ? " " : "", o->arg != NULL ? o->arg : "")
                           : snprintf(left, sizeof left, "      --%s%s%s", o->name, o->arg != NULL ? " " : "",
                                 o->arg != NULL ? o->arg : "");
    (void)sp_buf_printf(out, "%-*s", COLUMN, left);
    if (n >= COLUMN) {
        (void)sp_buf_printf(out, "\n%*s", COLUMN, "");
    }
    wrap(out, o->doc, COLUMN);
}

int sp_help_command(struct sp_buf *out, const struct sp_command *c)
{
    (void)sp_buf_printf(out, "usage: switchproof %s%s%s%s\n\n%s\n", c->name, c->raw ? "" : " [OPTIONS]",
        *c->operands != '\0' ? " " : "", c->operands, c->summary);
    if (c->details != NULL) {
        (void)sp_buf_printf(out, "\n%s\n", c->details);
    }
    (void)sp_buf_puts(out, c->raw ? "" : "\noptions:\n");
    for (const struct sp_option *o = sp_options; !c->raw && o->name != NULL; o++) {
        if ((o->commands & c->bit) != 0) {
            option_line(out, o);
        }
    }
    (void)sp_buf_puts(out, "\nexamples:\n");
    for (const char *const *e = c->examples; *e != NULL; e++) {
        (void)sp_buf_printf(out, "  switchproof %s\n", *e);
    }
    return out->oom ? -SP_E_NOMEM : 0;
}

int sp_help_all(struct sp_buf *out)
{
    (void)sp_buf_puts(out, "usage: switchproof COMMAND [OPTIONS]\n\nProve a backend switch before you make "
                           "it.\n\ncommands:\n");
    for (const struct sp_command *c = sp_commands; c->name != NULL; c++) {
        if (c->summary != NULL) {
            (void)sp_buf_printf(out, "  %-10s %s\n", c->name, c->summary);
        }
    }
    (void)sp_buf_puts(out,
        "\n`switchproof COMMAND --help` explains each, with examples; `switchproof help config` "
        "the configuration.\n\nexit codes: 0 all held, 1 a promise broken or data differs, 2 "
        "usage or configuration,\n            3 could not tell, 4 interrupted, 5 nothing ran\n");
    return out->oom ? -SP_E_NOMEM : 0;
}

static int print(struct sp_buf *text, int rc)
{
    if (rc == 0) {
        (void)fputs(text->p, stdout);
    }
    sp_buf_free(text);
    return rc == 0 ? SP_EXIT_OK : SP_EXIT_INCONCLUSIVE;
}

int sp_cmd_help(const struct sp_program *program, struct sp_args *a)
{
    (void)program;
    struct sp_buf out = SP_BUF_INIT;
    if (a->operands.n == 0) {
        return print(&out, sp_help_all(&out));
    }
    if (strcmp(a->operands.v[0], "config") == 0) {
        (void)sp_buf_puts(&out, "switchproof.yaml. Values may hold ${VARIABLE} and ${VARIABLE:-default}; a "
                                "password comes from a variable.\n");
        return print(&out, sp_config_document(&out));
    }
    if (strcmp(a->operands.v[0], "mapping") == 0) {
        (void)sp_buf_puts(&out,
            "A mapping file says what is called or kept otherwise on the two sides of verify and migrate.\n"
            "`switchproof map SOURCE TARGET` drafts one, `verify --mapping FILE --explain` shows what it "
            "means.\n");
        return print(&out, sp_mapping_document(&out));
    }
    const struct sp_command *c = sp_command_find(a->operands.v[0]);
    if (c == NULL || c->summary == NULL) {
        return sp_cli_usage(a, "unknown command '%s'%s", a->operands.v[0],
            sp_cli_hint(&a->arena, a->operands.v[0], sp_command_names(&a->arena)));
    }
    return print(&out, sp_help_command(&out, c));
}
