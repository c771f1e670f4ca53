/* read.c -- nodes into typed values, after the option table. */
#include "config/read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "model/calendar.h"

int sp_read_fail(const struct sp_reader *r, const struct sp_yaml *at, const char *path, const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (n < 0) {
        return sp_nomem(r->err);
    }
    int rc = sp_invalid(
        r->err, "%s:%d:%d: %s%s%s", r->name, at->line, at->column, path, *path != '\0' ? ": " : "", text);
    free(text);
    return rc;
}

const char *sp_read_path(struct sp_reader *r, const char *prefix, const char *name)
{
    if (prefix == NULL || *prefix == '\0') {
        return name;
    }
    const char *path = sp_arena_printf(r->arena, "%s%s%s", prefix, *name == '[' ? "" : ".", name);
    return path != NULL ? path : name;
}

const char *sp_read_hint(struct sp_arena *a, const char *word, const char *const *names)
{
    const char *near = sp_nearest(word, names);
    const char *hint = near != NULL ? sp_arena_printf(a, "; did you mean \"%s\"?", near) : NULL;
    if (near != NULL || *names == NULL) {
        return hint != NULL ? hint : "";
    }
    struct sp_buf list = SP_BUF_INIT;
    for (const char *const *n = names; *n != NULL; n++) {
        (void)sp_buf_printf(&list, "%s%s", n == names ? "; known: " : ", ", *n);
    }
    hint = list.oom ? "" : sp_arena_str(a, list.p);
    sp_buf_free(&list);
    return hint != NULL ? hint : "";
}

bool sp_config_name_ok(const char *s)
{
    size_t n = strlen(s);
    bool ok = n > 0 && n <= 64 && strchr("_.-", s[0]) == NULL;
    for (size_t i = 0; ok && i < n; i++) {
        ok = (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z') || (s[i] >= '0' && s[i] <= '9') ||
             strchr("_.-", s[i]) != NULL;
    }
    return ok;
}

int sp_expect_type(struct sp_reader *r, const struct sp_yaml *node, enum sp_yaml_type type, const char *path)
{
    static const char *const want[] = { [SP_YAML_SCALAR] = "a single value",
        [SP_YAML_LIST] = "a list",
        [SP_YAML_MAP] = "a map of keys and values" };
    if (node->type == type) {
        return 0;
    }
    return sp_read_fail(r, node, path, "expected %s, found %s", want[type], sp_yaml_found(r->arena, node));
}

static const struct sp_config_key *section_start(const char *section)
{
    const struct sp_config_key *k = sp_config_keys;
    while (k->name != NULL && strcmp(k->section, section) != 0) {
        k++;
    }
    return k;
}

size_t sp_section_size(const char *section)
{
    const struct sp_config_key *first = section_start(section);
    size_t n = 0;
    while (first[n].name != NULL && strcmp(first[n].section, section) == 0) {
        n++;
    }
    return n;
}

const struct sp_key_value *sp_value_of(const struct sp_key_value *values, size_t n, const char *name)
{
    static const struct sp_key_value absent;
    for (size_t i = 0; i < n; i++) {
        if (values[i].key != NULL && strcmp(values[i].key->name, name) == 0) {
            return &values[i];
        }
    }
    return &absent;
}

int sp_read_text(
    struct sp_reader *r, const struct sp_yaml *node, const char *path, const char **text, bool *substituted)
{
    struct sp_expanded x;
    int rc = sp_expect_type(r, node, SP_YAML_SCALAR, path);
    if (rc == 0 && r->literal) {
        *text = node->text;
        return 0;
    }
    if (rc == 0) {
        rc = sp_expand(r->arena, node->text, true, &x, r->err);
    }
    if (rc != 0) {
        return rc;
    }
    if (x.problem != NULL) {
        return sp_read_fail(r, node, path, "%s", x.problem);
    }
    *text = x.text;
    if (substituted != NULL) {
        *substituted = x.substituted;
    }
    if (x.unset != NULL) {
        if (!r->may_be_unset) {
            return sp_read_fail(r, node, path,
                "the environment variable %s is not set: set it, or give a default: ${%s:-value}", x.unset,
                x.unset);
        }
        r->unset = r->unset != NULL ? r->unset : x.unset;
        *text = NULL;
        return 0;
    }
    if (!sp_utf8_valid(x.text, strlen(x.text))) {
        return sp_read_fail(r, node, path, "the environment variable's value is not UTF-8");
    }
    return 0;
}

/* What a wrong value should have been. */
static const char *expected(struct sp_reader *r, const struct sp_config_key *key)
{
    static const char *const texts[] = {
        [SP_KEY_TEXT] = "text",
        [SP_KEY_NAME] = "a name of letters, digits, '_', '-' and '.'",
        [SP_KEY_BOOL] = "true or false",
        [SP_KEY_INT] = "a whole number",
        [SP_KEY_DURATION] = "a duration such as 500ms, 5s or 2m",
        [SP_KEY_RATE] = "a rate such as 500/s",
        [SP_KEY_PERCENT] = "a percentage such as 5% or 0.1pp",
        [SP_KEY_DATE] = "a date, YYYY-MM-DD",
        [SP_KEY_CHOICE] = "a choice",
        [SP_KEY_NAMES] = "a list of texts",
        [SP_KEY_URL] = "a URL",
        [SP_KEY_TREE] = "a section",
    };
    const char *text = NULL;
    if (key->type == SP_KEY_INT && key->max == INT64_MAX) {
        text = sp_arena_printf(r->arena, "a whole number, %lld or more", (long long)key->min);
    } else if (key->type == SP_KEY_INT) {
        text = sp_arena_printf(
            r->arena, "a whole number from %lld to %lld", (long long)key->min, (long long)key->max);
    } else if (key->type == SP_KEY_DURATION) {
        text = sp_arena_printf(r->arena, "a duration from %lldms to %llds (such as 500ms, 5s or 2m)",
            (long long)key->min, (long long)(key->max / 1000));
    } else if (key->type == SP_KEY_CHOICE) {
        struct sp_buf list = SP_BUF_INIT;
        for (const char *const *c = key->choices; *c != NULL; c++) {
            (void)sp_buf_printf(&list, "%s%s", c == key->choices ? "one of " : ", ", *c);
        }
        text = list.oom ? NULL : sp_arena_str(r->arena, list.p);
        sp_buf_free(&list);
    }
    return text != NULL ? text : texts[key->type];
}

static bool convert(const struct sp_config_key *key, const char *s, struct sp_key_value *out)
{
    switch (key->type) {
    case SP_KEY_BOOL: /* 1, on and yes mean text or numbers elsewhere: only the two plain words */
        return (strcmp(s, "true") == 0 || strcmp(s, "false") == 0) && sp_parse_bool(s, &out->b);
    case SP_KEY_INT:
        return sp_parse_i64(s, &out->i) && out->i >= key->min && out->i <= key->max;
    case SP_KEY_DURATION:
        return sp_parse_duration_ms(s, &out->i) && out->i >= key->min && out->i <= key->max;
    case SP_KEY_RATE:
        return sp_parse_rate(s, &out->f) && out->f > 0;
    case SP_KEY_PERCENT:
        return sp_parse_percent(s, &out->f);
    case SP_KEY_DATE:
        return sp_date_parse(s, strlen(s), &out->i) == 0;
    case SP_KEY_NAME:
        return sp_config_name_ok(s);
    case SP_KEY_CHOICE:
        for (int64_t i = 0; key->choices[i] != NULL; i++) {
            if (strcmp(key->choices[i], s) == 0) {
                out->i = i;
                return true;
            }
        }
        return false;
    case SP_KEY_TEXT:
    case SP_KEY_URL:
        return *s != '\0';
    case SP_KEY_NAMES:
    case SP_KEY_TREE:
        break;
    }
    return false;
}

static bool is_number(enum sp_key_type t)
{
    return t == SP_KEY_BOOL || t == SP_KEY_INT || t == SP_KEY_DURATION || t == SP_KEY_RATE ||
           t == SP_KEY_PERCENT;
}

int sp_read_scalar(struct sp_reader *r, const struct sp_yaml *node, const struct sp_config_key *key,
    const char *path, struct sp_key_value *out)
{
    struct sp_arena *a = r->arena;
    bool substituted = false;
    if (node->type != SP_YAML_SCALAR || sp_yaml_is_null(node)) {
        return sp_read_fail(r, node, path, "expected %s, found %s", expected(r, key), sp_yaml_found(a, node));
    }
    int rc = sp_read_text(r, node, path, &out->text, &substituted);
    if (rc != 0 || out->text == NULL) {
        return rc;
    }
    if (is_number(key->type) && node->quoted && !substituted) {
        return sp_read_fail(r, node, path, "expected %s, found the text \"%.60s\": leave out the quotes",
            expected(r, key), out->text);
    }
    if (convert(key, out->text, out)) {
        return 0;
    }
    const char *hint = key->type == SP_KEY_CHOICE && sp_nearest(out->text, key->choices) != NULL
                           ? sp_read_hint(a, out->text, key->choices)
                           : "";
    /* The value of a variable may be a secret that nobody has registered: the message shows the text of the file. */
    return sp_read_fail(r, node, path, "expected %s, found \"%.60s\"%s%s", expected(r, key), node->text,
        substituted ? " (after substitution)" : "", substituted ? "" : hint);
}

static int read_names(
    struct sp_reader *r, const struct sp_yaml *node, const char *path, struct sp_key_value *out)
{
    static const struct sp_config_key element = { .name = "", .type = SP_KEY_TEXT };
    int rc = sp_expect_type(r, node, SP_YAML_LIST, path);
    const char **names = rc == 0 ? sp_arena_array(r->arena, node->count + 1, sizeof *names) : NULL;
    if (rc != 0 || names == NULL) {
        return rc != 0 ? rc : sp_nomem(r->err);
    }
    for (const struct sp_yaml *n = node->first; n != NULL && rc == 0; n = n->next) {
        struct sp_key_value v = { .key = &element };
        rc = sp_read_scalar(r, n, &element, path, &v);
        names[out->nnames++] = v.text;
    }
    out->names = names;
    return rc;
}

static int unknown_key(
    struct sp_reader *r, const struct sp_yaml *member, const char *section, const char *path)
{
    const struct sp_config_key *first = section_start(section);
    size_t n = sp_section_size(section);
    const char **names = sp_arena_array(r->arena, n + 1, sizeof *names);
    if (names == NULL) {
        return sp_nomem(r->err);
    }
    for (size_t i = 0; i < n; i++) {
        names[i] = first[i].name;
    }
    struct sp_yaml at = { .line = member->key_line, .column = member->key_column };
    return sp_read_fail(
        r, &at, path, "unknown key \"%s\"%s", member->key, sp_read_hint(r->arena, member->key, names));
}

static int read_member(struct sp_reader *r, const struct sp_yaml *member, const struct sp_config_key *key,
    const char *path, struct sp_key_value *out)
{
    out->key = key;
    out->node = member;
    if (key->type == SP_KEY_TREE) {
        return 0;
    }
    return key->type == SP_KEY_NAMES ? read_names(r, member, path, out)
                                     : sp_read_scalar(r, member, key, path, out);
}

int sp_read_map(struct sp_reader *r, const struct sp_yaml *map, const char *section, const char *path,
    struct sp_key_value *values)
{
    const struct sp_config_key *first = section_start(section);
    size_t n = sp_section_size(section);
    int rc = sp_expect_type(r, map, SP_YAML_MAP, path);
    for (size_t i = 0; i < n; i++) {
        values[i] = (struct sp_key_value){ .key = NULL };
    }
    for (const struct sp_yaml *m = map->first; rc == 0 && m != NULL; m = m->next) {
        size_t i = 0;
        while (i < n && strcmp(first[i].name, m->key) != 0) {
            i++;
        }
        rc = i == n ? unknown_key(r, m, section, path)
                    : read_member(r, m, &first[i], sp_read_path(r, path, m->key), &values[i]);
    }
    for (size_t i = 0; i < n && rc == 0; i++) {
        if (first[i].required && values[i].key == NULL) {
            rc = sp_read_fail(r, map, path, "the key \"%s\" is missing: %s", first[i].name, first[i].doc);
        }
    }
    return rc;
}
