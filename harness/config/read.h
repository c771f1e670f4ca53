/* read.h -- shared by config/ and map/: the option table, and how a node becomes a typed value.
 *
 * One row of sp_config_keys says name, type, bounds, default and doc of one key; checking, messages and
 * `switchproof help config` are made from it. Ownership: values live in the reader's arena. One thread. */
#ifndef SP_CONFIG_READ_H
#define SP_CONFIG_READ_H

#include "config/config.h"
#include "config/yaml.h"

struct sp_reader {
    struct sp_arena *arena;
    struct sp_config *cfg; /* of a configuration; NULL for other files */
    const char *name;      /* of the file, for messages */
    const struct sp_provider *const *kinds;
    struct sp_error *err;
    bool literal; /* texts are taken as they stand: no ${VAR} */
    /* Inside a provider a ${VAR} without a value is remembered here; elsewhere it is an error at once. */
    bool may_be_unset;
    const char *unset;
};

enum sp_key_type {
    SP_KEY_TEXT,
    SP_KEY_NAME, /* [A-Za-z0-9][A-Za-z0-9_.-]* */
    SP_KEY_BOOL,
    SP_KEY_INT,
    SP_KEY_DURATION, /* value in ms */
    SP_KEY_RATE,     /* value per second */
    SP_KEY_PERCENT,  /* value as a fraction */
    SP_KEY_DATE,     /* value in days since 1970 */
    SP_KEY_CHOICE,
    SP_KEY_NAMES, /* a list of texts */
    SP_KEY_URL,
    SP_KEY_TREE /* a map or list with keys of its own */
};

struct sp_config_key {
    const char *section, *name;
    enum sp_key_type type;
    bool required;
    int64_t min, max;           /* INT; DURATION in ms */
    const char *const *choices; /* CHOICE, NULL-terminated */
    const char *fallback, *doc;
};
extern const struct sp_config_key sp_config_keys[]; /* ends with a NULL name */

struct sp_key_value {
    const struct sp_config_key *key; /* NULL = the key is not there */
    const struct sp_yaml *node;
    const char *text; /* after substitution; NULL when unset or TREE or NAMES */
    bool b;
    int64_t i;
    double f;
    const char *const *names;
    size_t nnames;
};

/* INVALID with "file:line:column: path: text". */
int sp_read_fail(const struct sp_reader *r, const struct sp_yaml *at, const char *path, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* Reads every member of `map` by the rows of `section`: unknown keys, wrong types, values out of bounds and missing
 * required keys are errors. values[i] belongs to the i-th row of the section, sp_section_size() of them. */
size_t sp_section_size(const char *section);
int sp_read_map(struct sp_reader *r, const struct sp_yaml *map, const char *section, const char *path,
    struct sp_key_value *values);
const struct sp_key_value *sp_value_of(const struct sp_key_value *values, size_t n, const char *name);
int sp_read_scalar(struct sp_reader *r, const struct sp_yaml *node, const struct sp_config_key *key,
    const char *path, struct sp_key_value *out);
/* `${VAR}` substituted; *text is NULL and r->unset set where a variable has no value and that is allowed. */
int sp_read_text(
    struct sp_reader *r, const struct sp_yaml *node, const char *path, const char **text, bool *substituted);
/* "a.b" in the arena; a NULL or empty prefix gives just the name. Never NULL. */
const char *sp_read_path(struct sp_reader *r, const char *prefix, const char *name);
int sp_expect_type(struct sp_reader *r, const struct sp_yaml *node, enum sp_yaml_type type, const char *path);
/* 'x'; did you mean "y"?' or '; known: a, b'. Lives in the arena. */
const char *sp_read_hint(struct sp_arena *a, const char *word, const char *const *names);
bool sp_config_name_ok(const char *s);

/* The sections. */
int sp_read_providers(struct sp_reader *r, const struct sp_yaml *node);
int sp_read_checks(struct sp_reader *r, const struct sp_yaml *node);
int sp_read_suites(struct sp_reader *r, const struct sp_yaml *node);
int sp_read_verify(struct sp_reader *r, const struct sp_yaml *node);
int sp_read_actors(struct sp_reader *r, const struct sp_yaml *node);
int sp_read_access(struct sp_reader *r, const struct sp_yaml *node);
int sp_read_gates(struct sp_reader *r, const struct sp_yaml *node);
/* The value names a provider of this file, or the reason with the nearest name. */
int sp_read_provider_name(struct sp_reader *r, const struct sp_key_value *v, const char *path);
int sp_read_xfails(struct sp_reader *r, const struct sp_yaml *node);
/* A plain word that reads as null, true, false or a number is that; in quotes it is text. */
int sp_read_value(struct sp_reader *r, const struct sp_yaml *node, const char *path, struct sp_value *out);
int sp_read_filter(
    struct sp_reader *r, const struct sp_yaml *node, const char *path, const struct sp_filter **out);

/* env.c: ${VAR}, ${VAR:-default}, $${ for a literal ${. */
struct sp_expanded {
    const char *text;    /* NUL-terminated, in the arena */
    const char *from;    /* per byte of text: 1 = came from the environment */
    const char *unset;   /* first variable without value and default */
    const char *problem; /* what is wrong with the syntax, or NULL */
    bool substituted, from_env;
};
/* use_env false: as if no variable had a value, for finding what stands in the file itself. */
int sp_expand(
    struct sp_arena *a, const char *text, bool use_env, struct sp_expanded *out, struct sp_error *err);
/* True if a password that is a part of the URL stands in the text itself and not in the environment. */
bool sp_url_literal_password(const struct sp_expanded *url);
/* Registers the passwords inside a URL as secrets. */
int sp_url_register(const char *url, struct sp_error *err);
/* True where a raw '@', '/', '?' or '#' in the password makes it end elsewhere for those who read the URL by the rules:
 * they would take the rest for a host or a parameter, and quote it. SP_URL_RAW says what to do. */
bool sp_url_raw_password(const char *url);
#define SP_URL_RAW                                                                                           \
    "'@', '/', '?' and '#' in the password of a URL have to be written as %40, %2F, %3F and %23; as it "     \
    "stands, nobody can tell where the password ends"

/* kinds.c */
const struct sp_provider *sp_config_kind(
    const struct sp_provider *const *kinds, const char *kind); /* by kind */
/* Why there is no such kind: left out of the build, or unknown, with the nearest. Lives in the arena. */
const char *sp_config_no_kind(
    struct sp_arena *a, const struct sp_provider *const *kinds, const char *kind, bool scheme);

#endif
