/* options.c -- arguments into struct sp_args, after the tables. */
#include "cli/options.h"

#include <string.h>

#include "base/str.h"

const struct sp_command *sp_command_find(const char *name)
{
    for (const struct sp_command *c = sp_commands; c->name != NULL; c++) {
        if (strcmp(c->name, name) == 0) {
            return c;
        }
    }
    return NULL;
}

const char *const *sp_command_names(struct sp_arena *a)
{
    size_t n = 0;
    while (sp_commands[n].name != NULL) {
        n++;
    }
    const char **names = sp_arena_array(a, n + 1, sizeof *names);
    size_t k = 0;
    for (size_t i = 0; names != NULL && i < n; i++) {
        if (sp_commands[i].summary != NULL) {
            names[k++] = sp_commands[i].name;
        }
    }
    return names;
}

const char *sp_cli_hint(struct sp_arena *a, const char *word, const char *const *names)
{
    const char *near = names != NULL ? sp_nearest(word, names) : NULL;
    const char *hint = near != NULL ? sp_arena_printf(a, "; did you mean '%s'?", near) : NULL;
    return hint != NULL ? hint : "";
}

static bool applies(const struct sp_option *o, const struct sp_command *c)
{
    return c == NULL ? o->commands == SP_C_ALL : (o->commands & c->bit) != 0;
}

static const struct sp_option *find_long(const struct sp_args *a, const char *name, size_t n)
{
    for (const struct sp_option *o = sp_options; o->name != NULL; o++) {
        if (applies(o, a->command) && strlen(o->name) == n && strncmp(o->name, name, n) == 0) {
            return o;
        }
    }
    return NULL;
}

static const struct sp_option *find_letter(const struct sp_args *a, char letter)
{
    for (const struct sp_option *o = sp_options; o->name != NULL; o++) {
        if (applies(o, a->command) && o->letter == letter) {
            return o;
        }
    }
    return NULL;
}

/* The option exists, but belongs elsewhere; or something near; or nothing to say. */
static int unknown_option(struct sp_args *a, const char *name, size_t n, struct sp_error *err)
{
    const char *names[64] = { NULL };
    size_t k = 0;
    char *word = sp_arena_strn(&a->arena, name, n);
    if (word == NULL) {
        return sp_nomem(err);
    }
    for (const struct sp_option *o = sp_options; o->name != NULL && k + 1 < SP_LEN(names); o++) {
        if (applies(o, a->command)) {
            names[k++] = o->name;
        } else if (strcmp(o->name, word) == 0) {
            return a->command == NULL ? sp_invalid(err, "--%s belongs behind the command", word)
                                      : sp_invalid(err, "--%s is no option of '%s'", word, a->command->name);
        }
    }
    const char *near = sp_nearest(word, names);
    return sp_invalid(err, "unknown option '--%s'%s%s%s", word, near != NULL ? "; did you mean '--" : "",
        near != NULL ? near : "", near != NULL ? "'?" : "");
}

static bool is_choice(const struct sp_option *o, const char *value)
{
    for (const char *const *c = o->choices; c != NULL && *c != NULL; c++) {
        if (strcmp(*c, value) == 0) {
            return true;
        }
    }
    return o->choices == NULL;
}

static int bad_choice(struct sp_args *a, const struct sp_option *o, const char *value, struct sp_error *err)
{
    if (strcmp(o->name, "strategy") == 0) {
        return sp_invalid(err, "--strategy %s is not part of this version; it knows: bulk", value);
    }
    struct sp_buf list = SP_BUF_INIT;
    for (const char *const *c = o->choices; *c != NULL; c++) {
        (void)sp_buf_printf(&list, "%s%s", c == o->choices ? "" : ", ", *c);
    }
    int rc = list.oom ? sp_nomem(err)
                      : sp_invalid(err, "--%s: expected %s, found '%s'%s", o->name, list.p, value,
                            sp_cli_hint(&a->arena, value, o->choices));
    sp_buf_free(&list);
    return rc;
}

/* Commas separate; an empty part would mean "everything" to somebody, so it is refused. */
static int add_list(struct sp_args *a, const struct sp_option *o, struct sp_list *list, const char *value,
    struct sp_error *err)
{
    for (const char *p = value;; p++) {
        size_t n = strcspn(p, ",");
        char *part = sp_arena_strn(&a->arena, p, n);
        if (part == NULL) {
            return sp_nomem(err);
        }
        if (n == 0) {
            return sp_invalid(err, "--%s: an empty value in '%s'", o->name, value);
        }
        if (!is_choice(o, part)) {
            return bad_choice(a, o, part, err);
        }
        if (list->n == SP_CLI_LIST) {
            return sp_invalid(err, "--%s: more than %d values", o->name, SP_CLI_LIST);
        }
        list->v[list->n++] = part;
        p += n;
        if (*p == '\0') {
            return 0;
        }
    }
}

/* A time in milliseconds, or so many a second. */
static int store_measure(
    struct sp_args *a, const struct sp_option *o, const char *value, struct sp_error *err)
{
    bool rate = o->type == SP_OPT_RATE;
    double per_s = 0;
    int64_t ms = 0;
    uint64_t v = 0;
    bool ok =
        rate ? sp_parse_u64(value, &v) || sp_parse_rate(value, &per_s) : sp_parse_duration_ms(value, &ms);
    if (v == 0)
        v = rate ? (per_s >= 1 && per_s <= 1e18 ? (uint64_t)per_s : 0) : ms > 0 ? (uint64_t)ms : 0;
    if (!ok || v < o->min || v > o->max) {
        return sp_invalid(err, "--%s: expected %s, found '%s'", o->name,
            rate ? "a rate such as 5000/s" : "a time such as 500ms, 30s or 5m", value);
    }
    *(uint64_t *)((char *)a + o->offset) = v;
    return 0;
}

static int store(struct sp_args *a, const struct sp_option *o, const char *value, struct sp_error *err)
{
    void *at = (char *)a + o->offset;
    switch (o->type) {
    case SP_OPT_FLAG:
        *(bool *)at = true;
        return 0;
    case SP_OPT_COUNT:
        *(int *)at += *(int *)at < 3;
        return 0;
    case SP_OPT_LIST:
        return add_list(a, o, at, value, err);
    case SP_OPT_CHOICE:
        if (!is_choice(o, value)) {
            return bad_choice(a, o, value, err);
        }
        *(const char **)at = value;
        return 0;
    case SP_OPT_TEXT:
        if (*value == '\0') {
            return sp_invalid(err, "--%s: the %s is empty", o->name, o->arg);
        }
        *(const char **)at = value;
        return 0;
    case SP_OPT_DURATION:
    case SP_OPT_RATE:
        return store_measure(a, o, value, err);
    case SP_OPT_U64:
        break;
    }
    uint64_t v;
    if (!sp_parse_u64(value, &v) || v < o->min || v > o->max) {
        return sp_invalid(err, "--%s: expected a whole number from %llu to %llu, found '%s'", o->name,
            (unsigned long long)o->min, (unsigned long long)o->max, value);
    }
    *(uint64_t *)at = v;
    if (o->has_offset != 0) {
        *(bool *)((char *)a + o->has_offset) = true;
    }
    return 0;
}

static bool takes_value(const struct sp_option *o)
{
    return o->type != SP_OPT_FLAG && o->type != SP_OPT_COUNT;
}

/* --name, --name=value, --name value. *i is left at the last argument used. */
static int parse_long(struct sp_args *a, int *i, struct sp_error *err)
{
    const char *name = a->argv[*i] + 2;
    size_t n = strcspn(name, "=");
    const struct sp_option *o = find_long(a, name, n);
    if (o == NULL) {
        return unknown_option(a, name, n, err);
    }
    if (!takes_value(o)) {
        return name[n] == '=' ? sp_invalid(err, "--%s takes no value", o->name) : store(a, o, NULL, err);
    }
    if (name[n] == '=') {
        return store(a, o, name + n + 1, err);
    }
    if (*i + 1 >= a->argc) {
        return sp_invalid(err, "--%s needs a value: --%s %s", o->name, o->name, o->arg);
    }
    return store(a, o, a->argv[++*i], err);
}

/* -q, -vv, -pNAME, -p NAME */
static int parse_short(struct sp_args *a, int *i, struct sp_error *err)
{
    for (const char *p = a->argv[*i] + 1; *p != '\0'; p++) {
        const struct sp_option *o = find_letter(a, *p);
        if (o == NULL) {
            return a->command == NULL ? sp_invalid(err, "unknown option '-%c' before the command", *p)
                                      : sp_invalid(err, "unknown option '-%c' of '%s'", *p, a->command->name);
        }
        if (!takes_value(o)) {
            int rc = store(a, o, NULL, err);
            if (rc != 0) {
                return rc;
            }
            continue;
        }
        if (p[1] != '\0') {
            return store(a, o, p + 1 + (p[1] == '='), err);
        }
        if (*i + 1 >= a->argc) {
            return sp_invalid(err, "-%c needs a value: -%c %s", *p, *p, o->arg);
        }
        return store(a, o, a->argv[++*i], err);
    }
    return 0;
}

static int take_operand(struct sp_args *a, const char *word, struct sp_error *err)
{
    if (a->command == NULL) {
        a->command = sp_command_find(word);
        return a->command != NULL ? 0
                                  : sp_invalid(err, "unknown command '%s'%s", word,
                                        sp_cli_hint(&a->arena, word, sp_command_names(&a->arena)));
    }
    if (a->operands.n == SP_CLI_LIST || a->operands.n >= a->command->max) {
        return a->command->max == 0
                   ? sp_invalid(err, "'%s' takes no argument, found '%s'", a->command->name, word)
                   : sp_invalid(err, "one argument too many: '%s'; expected %s", word, a->command->operands);
    }
    a->operands.v[a->operands.n++] = word;
    return 0;
}

static int parse_all(struct sp_args *a, struct sp_error *err)
{
    bool only_operands = false;
    int rc = 0;
    for (int i = 1; i < a->argc && rc == 0; i++) {
        const char *word = a->argv[i];
        if (a->command != NULL && a->command->raw) {
            return 0; /* reads the rest itself */
        }
        if (!only_operands && strcmp(word, "--") == 0) {
            only_operands = true;
        } else if (!only_operands && a->command == NULL && strcmp(word, "--version") == 0) {
            a->version = true;
        } else if (!only_operands && strncmp(word, "--", 2) == 0) {
            rc = parse_long(a, &i, err);
        } else if (!only_operands && word[0] == '-' && word[1] != '\0') {
            rc = parse_short(a, &i, err);
        } else {
            rc = take_operand(a, word, err);
        }
    }
    return rc;
}

int sp_args_parse(struct sp_args *a, int argc, char **argv, struct sp_error *err)
{
    *a = (struct sp_args){ .argc = argc, .argv = argv, .max_differences = 100, .strategy = "bulk" };
    a->self = argc > 0 && argv[0] != NULL ? argv[0] : "switchproof";
    int rc = parse_all(a, err);
    if (rc == 0 && a->command != NULL && !a->help && a->operands.n < a->command->min) {
        rc = sp_invalid(err, "expected %s, found %zu argument%s", a->command->operands, a->operands.n,
            a->operands.n == 1 ? "" : "s");
    }
    return rc;
}

void sp_args_free(struct sp_args *a)
{
    sp_arena_free(&a->arena);
}
