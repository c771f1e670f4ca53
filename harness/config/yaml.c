/* yaml.c -- libyaml's events into a tree, without recursion. */
#include "config/yaml.h"

#include <string.h>
#include <yaml.h>

#include "base/str.h"

struct builder {
    struct sp_arena *arena;
    const char *name;
    struct sp_error *err;
    struct sp_yaml *root, *open[SP_YAML_DEPTH];
    size_t depth, nodes, documents;
    const char *key; /* read, its value is still to come */
    int key_line, key_column;
};

static int line_of(yaml_mark_t m)
{
    return (int)m.line + 1; /* a text of at most 1 MiB cannot overflow an int */
}

static int column_of(yaml_mark_t m)
{
    return (int)m.column + 1;
}

static int refuse(const struct builder *b, yaml_mark_t at, const char *what)
{
    return sp_invalid(b->err, "%s:%d:%d: %s", b->name, line_of(at), column_of(at), what);
}

bool sp_yaml_is_null(const struct sp_yaml *node)
{
    static const char *const words[] = { "", "~", "null", "Null", "NULL" };
    for (size_t i = 0; node->type == SP_YAML_SCALAR && !node->quoted && i < SP_LEN(words); i++) {
        if (strcmp(node->text, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

const char *sp_yaml_found(struct sp_arena *a, const struct sp_yaml *node)
{
    if (node->type == SP_YAML_MAP) {
        return "a map";
    }
    if (node->type == SP_YAML_LIST) {
        return "a list";
    }
    if (sp_yaml_is_null(node)) {
        return "nothing";
    }
    const char *text = sp_arena_printf(a, "\"%.60s%s\"", node->text, strlen(node->text) > 60 ? "..." : "");
    return text != NULL ? text : "a text";
}

static int new_node(struct builder *b, enum sp_yaml_type type, yaml_mark_t at, struct sp_yaml **out)
{
    if (++b->nodes > SP_YAML_NODES) {
        return refuse(b, at, "too many values for one file (at most 20000)");
    }
    struct sp_yaml *node = sp_arena_alloc(b->arena, sizeof *node);
    if (node == NULL) {
        return sp_nomem(b->err);
    }
    node->type = type;
    node->line = line_of(at);
    node->column = column_of(at);
    *out = node;
    return 0;
}

/* Hangs a finished or just opened node into the innermost open one. */
static int attach(struct builder *b, struct sp_yaml *node)
{
    if (b->depth == 0) {
        b->root = node;
        return 0;
    }
    struct sp_yaml *parent = b->open[b->depth - 1];
    if (parent->type == SP_YAML_MAP) {
        node->key = b->key;
        node->key_line = b->key_line;
        node->key_column = b->key_column;
        b->key = NULL;
    }
    if (parent->last == NULL) {
        parent->first = node;
    } else {
        parent->last->next = node;
    }
    parent->last = node;
    parent->count++;
    return 0;
}

static bool expects_key(const struct builder *b)
{
    return b->depth > 0 && b->open[b->depth - 1]->type == SP_YAML_MAP && b->key == NULL;
}

static int take_key(struct builder *b, const char *key, yaml_mark_t at)
{
    const struct sp_yaml *map = b->open[b->depth - 1];
    if (map->count >= SP_YAML_KEYS) {
        return refuse(b, at, "too many keys in one map (at most 2000)");
    }
    for (const struct sp_yaml *n = map->first; n != NULL; n = n->next) {
        if (strcmp(n->key, key) == 0) {
            return sp_invalid(b->err, "%s:%d:%d: duplicate key \"%s\": it stands already in line %d", b->name,
                line_of(at), column_of(at), key, n->key_line);
        }
    }
    b->key = key;
    b->key_line = line_of(at);
    b->key_column = column_of(at);
    return 0;
}

static int on_scalar(struct builder *b, const yaml_event_t *ev)
{
    const char *value = (const char *)ev->data.scalar.value;
    size_t n = ev->data.scalar.length;
    if (memchr(value, '\0', n) != NULL) {
        return refuse(b, ev->start_mark, "a zero byte has no place in a configuration");
    }
    char *text = sp_arena_strn(b->arena, value, n);
    if (text == NULL) {
        return sp_nomem(b->err);
    }
    if (expects_key(b)) {
        return take_key(b, text, ev->start_mark);
    }
    struct sp_yaml *node;
    int rc = new_node(b, SP_YAML_SCALAR, ev->start_mark, &node);
    if (rc != 0) {
        return rc;
    }
    node->text = text;
    node->quoted = ev->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    return attach(b, node);
}

static int on_open(struct builder *b, enum sp_yaml_type type, yaml_mark_t at)
{
    if (expects_key(b)) {
        return refuse(b, at, "a key must be a plain word, not a map or a list");
    }
    if (b->depth == SP_YAML_DEPTH) {
        return refuse(b, at, "nested too deeply (at most 24 levels)");
    }
    struct sp_yaml *node;
    int rc = new_node(b, type, at, &node);
    if (rc == 0) {
        rc = attach(b, node);
    }
    if (rc == 0) {
        b->open[b->depth++] = node;
    }
    return rc;
}

static int refuse_decoration(
    const struct builder *b, yaml_mark_t at, const yaml_char_t *anchor, const yaml_char_t *tag)
{
    if (anchor != NULL) {
        return refuse(b, at, "anchors (&name) are not used here: write the value out");
    }
    return tag != NULL ? refuse(b, at, "tags (!name) are not used here: leave it out") : 0;
}

static int on_event(struct builder *b, const yaml_event_t *ev)
{
    int rc = 0;
    switch (ev->type) {
    case YAML_DOCUMENT_START_EVENT:
        return ++b->documents > 1
                   ? refuse(b, ev->start_mark, "a second document: a configuration is one document")
                   : 0;
    case YAML_ALIAS_EVENT:
        return refuse(b, ev->start_mark, "aliases (*name) are not used here: write the value out");
    case YAML_SCALAR_EVENT:
        rc = refuse_decoration(b, ev->start_mark, ev->data.scalar.anchor, ev->data.scalar.tag);
        return rc != 0 ? rc : on_scalar(b, ev);
    case YAML_SEQUENCE_START_EVENT:
        rc =
            refuse_decoration(b, ev->start_mark, ev->data.sequence_start.anchor, ev->data.sequence_start.tag);
        return rc != 0 ? rc : on_open(b, SP_YAML_LIST, ev->start_mark);
    case YAML_MAPPING_START_EVENT:
        rc = refuse_decoration(b, ev->start_mark, ev->data.mapping_start.anchor, ev->data.mapping_start.tag);
        return rc != 0 ? rc : on_open(b, SP_YAML_MAP, ev->start_mark);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        b->depth--;
        return 0;
    default:
        return 0;
    }
}

static int syntax_error(const struct builder *b, const yaml_parser_t *p)
{
    if (p->error == YAML_MEMORY_ERROR) {
        return sp_nomem(b->err);
    }
    yaml_mark_t at = p->error == YAML_READER_ERROR ? p->mark : p->problem_mark;
    return sp_invalid(b->err, "%s:%d:%d: not valid YAML: %s%s%s", b->name, line_of(at), column_of(at),
        p->problem != NULL ? p->problem : "cannot be read", p->context != NULL ? " " : "",
        p->context != NULL ? p->context : "");
}

static int check_utf8(const char *name, const char *text, size_t n, struct sp_error *err)
{
    size_t bad = sp_utf8_bad_at(text, n);
    if (bad == n) {
        return 0;
    }
    int line = 1;
    size_t start = 0;
    for (size_t i = 0; i < bad; i++) {
        if (text[i] == '\n') {
            line++;
            start = i + 1;
        }
    }
    int column = 1;
    for (size_t i = start; i < bad; i++) {
        column += ((unsigned char)text[i] & 0xc0) != 0x80;
    }
    return sp_invalid(err, "%s:%d:%d: byte 0x%02x is not UTF-8: save the file as UTF-8", name, line, column,
        (unsigned)(unsigned char)text[bad]);
}

int sp_yaml_parse(struct sp_arena *a, const char *name, const char *text, size_t n, struct sp_yaml **root,
    struct sp_error *err)
{
    *root = NULL;
    int rc = check_utf8(name, text, n, err);
    if (rc != 0) {
        return rc;
    }
    yaml_parser_t parser;
    if (yaml_parser_initialize(&parser) == 0) {
        return sp_nomem(err);
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)(n > 0 ? text : ""), n);
    struct builder b = { .arena = a, .name = name, .err = err };
    bool more = true;
    while (rc == 0 && more) {
        yaml_event_t ev;
        if (yaml_parser_parse(&parser, &ev) == 0) {
            rc = syntax_error(&b, &parser);
            break;
        }
        rc = on_event(&b, &ev);
        more = ev.type != YAML_STREAM_END_EVENT;
        yaml_event_delete(&ev);
    }
    yaml_parser_delete(&parser);
    if (rc == 0) {
        *root = b.root;
    }
    return rc;
}
