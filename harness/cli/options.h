/* options.h -- private to cli/: one table of commands and one of options, for parsing, help and did-you-mean. */
#ifndef SP_CLI_OPTIONS_H
#define SP_CLI_OPTIONS_H

#include "cli/cli.h"
#include "run/run.h"

#define SP_CLI_LIST 256 /* values of one repeatable option */

struct sp_list {
    const char *v[SP_CLI_LIST];
    size_t n;
};

struct sp_args {
    const struct sp_command *command;
    const char *self; /* argv[0] */
    struct sp_arena arena;
    bool quiet, no_color, help, version;
    int verbose;
    const char *config, *glob, *report_dir, *mapping, *output, *strategy, *format, *run, *sample, *target;
    struct sp_list providers, suites, tables, buckets, checks, accept_loss, accept, operands;
    uint64_t seed, jobs, max_differences;
    uint64_t rate, max_lag, max_snapshot, recheck;
    bool has_seed, has_max_differences;
    bool full, list, show_values, strict_integrity, dry_run, into_existing, explain, resume;
    int argc; /* as given, for evidence */
    char **argv;
};

enum sp_command_bit {
    SP_C_RUN = 1,
    SP_C_VERIFY = 2,
    SP_C_MIGRATE = 4,
    SP_C_LIST = 8,
    SP_C_REPORT = 16,
    SP_C_CLEAN = 32,
    SP_C_DOCTOR = 64,
    SP_C_FIXTURE = 128,
    SP_C_VERSION = 256,
    SP_C_HELP = 512,
    SP_C_WORKER = 1024,
    SP_C_MAP = 2048,
    SP_C_ASSESS = 65536,
    SP_C_ALL = 1023 | SP_C_MAP | SP_C_ASSESS
};

struct sp_command {
    const char *name;
    unsigned bit;
    const char *operands; /* for the usage line */
    size_t min, max;      /* number of operands */
    bool raw;             /* arguments are passed on unread */
    const char *summary, *details;
    const char *const *examples; /* ends with NULL; each "arguments\0"-less line after the program's name */
    int (*run)(const struct sp_program *, struct sp_args *);
};
extern const struct sp_command sp_commands[]; /* ends with a NULL name; hidden ones have no summary */

enum sp_option_type {
    SP_OPT_FLAG,
    SP_OPT_COUNT,
    SP_OPT_TEXT,
    SP_OPT_U64,
    SP_OPT_LIST,
    SP_OPT_CHOICE,
    SP_OPT_DURATION, /* uint64_t, ms */
    SP_OPT_RATE      /* uint64_t, a second: 5000 or 5000/s */
};
struct sp_option {
    const char *name;
    char letter; /* 0 = none */
    enum sp_option_type type;
    unsigned commands;
    size_t offset;     /* into struct sp_args */
    size_t has_offset; /* U64: the flag that says it was given; 0 = none */
    uint64_t min, max; /* U64, DURATION, RATE */
    const char *arg, *doc;
    const char *const *choices; /* CHOICE, and LIST of choices; NULL-terminated */
};
extern const struct sp_option sp_options[]; /* ends with a NULL name */

/* -SP_E_INVALID with a message that ends in what to do. */
int sp_args_parse(struct sp_args *a, int argc, char **argv, struct sp_error *err);
void sp_args_free(struct sp_args *a);
const struct sp_command *sp_command_find(const char *name); /* hidden ones too */
const char *const *sp_command_names(struct sp_arena *a);    /* visible ones; NULL when out of memory */
int sp_help_command(struct sp_buf *out, const struct sp_command *c);
int sp_help_all(struct sp_buf *out);
/* 'near' as "; did you mean 'x'?", in the arena; "" if nothing is near. */
const char *sp_cli_hint(struct sp_arena *a, const char *word, const char *const *names);

/* The commands. */
int sp_cmd_run(const struct sp_program *, struct sp_args *);
int sp_cmd_verify(const struct sp_program *, struct sp_args *);
int sp_cmd_assess(const struct sp_program *, struct sp_args *);
int sp_cmd_map(const struct sp_program *, struct sp_args *);
int sp_cmd_migrate(const struct sp_program *, struct sp_args *);
int sp_cmd_list(const struct sp_program *, struct sp_args *);
int sp_cmd_report(const struct sp_program *, struct sp_args *);
int sp_cmd_clean(const struct sp_program *, struct sp_args *);
int sp_cmd_doctor(const struct sp_program *, struct sp_args *);
int sp_cmd_fixture(const struct sp_program *, struct sp_args *);
int sp_cmd_version(const struct sp_program *, struct sp_args *);
int sp_cmd_help(const struct sp_program *, struct sp_args *);
int sp_cmd_worker(const struct sp_program *, struct sp_args *);

/* Shared. The exit code for an error: usage, interrupted, or could not tell. Prints the error. */
int sp_cli_fail(const struct sp_error *err);
int sp_cli_usage(const struct sp_args *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int sp_cli_exit_of(const struct sp_error *err);
uint64_t sp_cli_seed(const struct sp_args *); /* --seed, or drawn: short enough to be typed */

#endif
