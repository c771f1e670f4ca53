/* load.c -- a mapping file as a whole. */
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/str.h"
#include "map/parse.h"
#include "model/canonical.h"

#define MAX_FILE ((size_t)4 << 20)

static int read_crosswalks(struct sp_map_reader *mr, const struct sp_yaml *node)
{
    struct sp_reader *r = &mr->r;
    int rc = sp_expect_type(r, node, SP_YAML_MAP, "crosswalks");
    struct sp_crosswalk *list = rc == 0 ? sp_arena_array(r->arena, node->count + 1, sizeof *list) : NULL;
    if (rc == 0 && list == NULL)
        rc = sp_nomem(r->err);
    mr->m->crosswalks = list;
    for (const struct sp_yaml *m = rc == 0 ? node->first : NULL; rc == 0 && m != NULL; m = m->next) {
        struct sp_key_value v[SP_MAP_KEYS];
        const char *path = sp_read_path(r, "crosswalks", m->key);
        rc = sp_map_read_section(r, m, "mapping.crosswalks.NAME", path, v);
        if (rc == 0 && sp_yaml_is_null(m))
            rc = sp_read_fail(r, m, path, "expected side, table, source and target, found nothing");
        if (rc != 0)
            break;
        struct sp_crosswalk x = { .name = m->key,
            .on_target = sp_map_get(v, "side")->i == 1,
            .table = sp_map_get(v, "table")->text,
            .source_id = sp_map_get(v, "source")->text,
            .target_id = sp_map_get(v, "target")->text };
        if (strcmp(x.source_id, x.target_id) == 0)
            rc = sp_read_fail(
                r, m, path, "source and target are both \"%s\": that translates nothing", x.source_id);
        list[mr->m->ncrosswalks++] = x;
    }
    return rc;
}

/* ignore: { source: { table: reason } } */
static int read_ignored(
    struct sp_map_reader *mr, const struct sp_yaml *node, int side, struct sp_map_relation *list, size_t *n)
{
    static const struct sp_config_key reason = { .name = "", .type = SP_KEY_TEXT };
    const char *path = sp_read_path(&mr->r, "ignore", sp_map_side(side));
    int rc = sp_expect_type(&mr->r, node, SP_YAML_MAP, path);
    for (const struct sp_yaml *m = rc == 0 ? node->first : NULL; rc == 0 && m != NULL; m = m->next) {
        struct sp_key_value v = { .key = &reason };
        const char *at = sp_read_path(&mr->r, path, m->key);
        if (m->type != SP_YAML_SCALAR || sp_yaml_is_null(m))
            rc = sp_read_fail(&mr->r, m, at, "expected the reason why it is left out, found %s",
                sp_yaml_found(mr->r.arena, m));
        else
            rc = sp_read_scalar(&mr->r, m, &reason, at, &v);
        list[*n] =
            (struct sp_map_relation){ .name = m->key, .ignore = v.text, .line = (unsigned)m->key_line };
        list[(*n)++].table[side] = m->key;
    }
    return rc;
}

static size_t members(const struct sp_key_value *v)
{
    return v->key != NULL && v->node->type == SP_YAML_MAP ? v->node->count : 0;
}

/* Two relations may share a table only if each takes its own part of it. */
static int check_places(struct sp_map_reader *mr)
{
    const struct sp_map_relation *rel = mr->m->relations;
    for (size_t i = 0; i < mr->m->nrelations; i++)
        for (size_t k = 0; k < i; k++)
            for (int side = 0; side < 2; side++) {
                if (rel[i].table[side] == NULL || !sp_streq(rel[i].table[side], rel[k].table[side]) ||
                    !sp_streq(rel[i].array[side], rel[k].array[side]) ||
                    (rel[i].where[side] != NULL && rel[k].where[side] != NULL))
                    continue;
                struct sp_yaml at = { .line = (int)rel[i].line, .column = 1 };
                return sp_read_fail(&mr->r, &at, sp_map_side(side),
                    "relations %s and %s both claim %s%s%s: give each a `where` of its own, or name another",
                    rel[k].name, rel[i].name, rel[i].table[side], rel[i].array[side] != NULL ? "/" : "",
                    rel[i].array[side] != NULL ? rel[i].array[side] : "");
            }
    return 0;
}

static int read_relations(
    struct sp_map_reader *mr, const struct sp_key_value *relations, const struct sp_key_value *ignore)
{
    struct sp_reader *r = &mr->r;
    struct sp_key_value sides[SP_MAP_KEYS];
    int rc = relations->key != NULL && !sp_yaml_is_null(relations->node)
                 ? sp_expect_type(r, relations->node, SP_YAML_MAP, "relations")
                 : 0;
    for (size_t i = 0; i < SP_MAP_KEYS; i++)
        sides[i] = (struct sp_key_value){ .key = NULL };
    if (rc == 0 && ignore->key != NULL)
        rc = sp_map_read_section(r, ignore->node, "mapping.ignore", "ignore", sides);
    if (rc != 0)
        return rc;
    size_t n = 0, max = members(relations) + members(sp_map_get(sides, "source")) +
                        members(sp_map_get(sides, "target"));
    struct sp_map_relation *list = sp_arena_array(r->arena, max + 1, sizeof *list);
    if (list == NULL)
        return sp_nomem(r->err);
    const struct sp_yaml *first = members(relations) != 0 ? relations->node->first : NULL;
    for (const struct sp_yaml *m = first; rc == 0 && m != NULL; m = m->next)
        rc = sp_map_read_relation(mr, m, &list[n++]);
    for (int side = 0; side < 2 && rc == 0; side++)
        if (sp_map_has(sides, sp_map_side(side)))
            rc = read_ignored(mr, sp_map_get(sides, sp_map_side(side))->node, side, list, &n);
    mr->m->relations = list;
    mr->m->nrelations = n;
    return rc == 0 ? check_places(mr) : rc;
}

static int check_acknowledgements(struct sp_map_reader *mr, const struct sp_key_value *v)
{
    for (size_t i = 0; i < v->nnames; i++) {
        const char *colon = strchr(v->names[i], ':');
        if (colon == NULL || colon == v->names[i] || colon[1] == '\0')
            return sp_read_fail(&mr->r, v->node, "acknowledge",
                "expected KIND:NAME or KIND:TABLE.NAME as the report shows them, such as view:totals, found "
                "\"%s\"",
                v->names[i]);
    }
    return 0;
}

static int read_top(struct sp_map_reader *mr, const struct sp_yaml *root)
{
    struct sp_key_value v[SP_MAP_KEYS];
    int rc = sp_map_read_section(&mr->r, root, "mapping", "", v);
    if (rc == 0 && sp_map_has(v, "crosswalks"))
        rc = read_crosswalks(mr, sp_map_get(v, "crosswalks")->node);
    if (rc == 0)
        rc = read_relations(mr, sp_map_get(v, "relations"), sp_map_get(v, "ignore"));
    if (rc == 0)
        rc = check_acknowledgements(mr, sp_map_get(v, "acknowledge"));
    mr->m->acknowledge = sp_map_get(v, "acknowledge")->names;
    mr->m->nacknowledge = sp_map_get(v, "acknowledge")->nnames;
    mr->m->accept_loss = sp_map_get(v, "accept_loss")->names;
    mr->m->naccept_loss = sp_map_get(v, "accept_loss")->nnames;
    return rc;
}

int sp_mapping_parse(
    const char *name, const char *text, size_t n, struct sp_mapping **out, struct sp_error *err)
{
    *out = NULL;
    struct sp_mapping *m = calloc(1, sizeof *m);
    if (m == NULL)
        return sp_nomem(err);
    struct sp_map_reader mr = { .r = { .arena = &m->arena, .name = name, .err = err, .literal = true },
        .m = m };
    struct sp_yaml *root = NULL;
    m->digest = sp_d128_of(text, n);
    m->file = sp_arena_str(&m->arena, name);
    int rc = m->file != NULL ? sp_yaml_parse(&m->arena, name, text, n, &root, err) : sp_nomem(err);
    if (rc == 0 && (root == NULL || sp_yaml_is_null(root)))
        rc = sp_invalid(err, "%s: it is empty: a mapping starts with `version: 1`", name);
    if (rc == 0)
        rc = read_top(&mr, root);
    if (rc != 0) {
        sp_mapping_free(m);
        return rc;
    }
    *out = m;
    return 0;
}

int sp_mapping_load(const char *file, struct sp_mapping **out, struct sp_error *err)
{
    struct sp_buf text = SP_BUF_INIT;
    *out = NULL;
    int rc = sp_read_file(file, MAX_FILE, &text, err);
    if (rc == -SP_E_TOO_LARGE) {
        rc = sp_invalid(err, "%s is larger than 4 MiB: that is no mapping", file);
    } else if (rc != 0 && rc != -SP_E_NOMEM) {
        struct sp_error why = SP_ERROR_INIT;
        sp_error_move(&why, err);
        rc = sp_invalid(err, "cannot read the mapping: %s", sp_error_text(&why));
        sp_error_clear(&why);
    }
    if (rc == 0)
        rc = sp_mapping_parse(file, text.n > 0 ? text.p : "", text.n, out, err);
    sp_buf_free(&text);
    return rc;
}

void sp_mapping_free(struct sp_mapping *m)
{
    if (m != NULL) {
        sp_arena_free(&m->arena);
        free(m);
    }
}

const struct sp_map_relation *sp_mapping_relation(const struct sp_mapping *m, const char *name)
{
    const struct sp_map_relation *ignored = NULL;
    for (size_t i = 0; i < m->nrelations; i++) {
        const struct sp_map_relation *r = &m->relations[i];
        if (strcmp(r->name, name) == 0 && r->ignore == NULL)
            return r;
        ignored = strcmp(r->name, name) == 0 ? r : ignored;
    }
    return ignored;
}

const struct sp_map_column *sp_map_column_named(const struct sp_map_relation *r, const char *name)
{
    for (size_t i = 0; i < r->ncolumns; i++)
        if (strcmp(r->columns[i].name, name) == 0)
            return &r->columns[i];
    return NULL;
}
