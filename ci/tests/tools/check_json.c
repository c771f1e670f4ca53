/* check_json.c -- checks that the promised fields stand in summary.json and verify.json, with their types and words.
 *
 * usage: check_json summary|verify FILE; exit code 1 with one message per mistake, 2 when it cannot be read. Fields
 * beyond those in the tables are allowed: readers ignore what they don't know. */
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char *file;
static unsigned mistakes;

static void mistake(const char *path, const char *what)
{
    mistakes++;
    (void)fprintf(stderr, "%s: %s: %s\n", file, path, what);
}

enum type { TEXT, COUNT, NUMBER, FLAG, CODE, OBJECT, LIST };

struct field {
    const char *name;
    enum type type;
    const char *words;         /* " a b ": the only texts allowed, NULL = any */
    const struct field *inner; /* fields of the object, or of each object in the list */
    bool optional;
};

#define OUTCOMES "|passed|failed|errored|skipped|xfailed|not run|"
#define VERDICTS " equal equal_with_loss different not_compared no_difference_seen "

static const struct field tool[] = { { "name", TEXT, " switchproof ", NULL, false },
    { "version", TEXT, NULL, NULL, false }, { NULL, TEXT, NULL, NULL, false } };
static const struct field run[] = { { "id", TEXT, NULL, NULL, false }, { "command", TEXT, NULL, NULL, false },
    { "started", TEXT, NULL, NULL, false }, { "duration_s", NUMBER, NULL, NULL, false },
    { "truncated", FLAG, NULL, NULL, false }, { NULL, TEXT, NULL, NULL, false } };
static const struct field totals[] = { { "passed", COUNT, NULL, NULL, false },
    { "failed", COUNT, NULL, NULL, false }, { "errored", COUNT, NULL, NULL, false },
    { "skipped", COUNT, NULL, NULL, false }, { "xfailed", COUNT, NULL, NULL, false },
    { NULL, TEXT, NULL, NULL, false } };
static const struct field provider[] = { { "name", TEXT, NULL, NULL, false },
    { "kind", TEXT, NULL, NULL, false },
    { "fidelity", TEXT, "|real|official emulator|compatible server|mock|unknown|", NULL, false },
    { "server_version", TEXT, NULL, NULL, false }, { NULL, TEXT, NULL, NULL, false } };
static const struct field test_case[] = { { "id", TEXT, NULL, NULL, false },
    { "suite", TEXT, NULL, NULL, false }, { "provider", TEXT, NULL, NULL, false },
    { "outcome", TEXT, OUTCOMES, NULL, false }, { "duration_s", NUMBER, NULL, NULL, false },
    { "message", TEXT, NULL, NULL, false }, { NULL, TEXT, NULL, NULL, false } };
static const struct field class[] = { { "class", TEXT, NULL, NULL, false },
    { "behaviour", TEXT, NULL, NULL, false }, { NULL, TEXT, NULL, NULL, false } };
static const struct field unseen[] = { { "provider", TEXT, NULL, NULL, false },
    { "reason", TEXT, NULL, NULL, false }, { NULL, TEXT, NULL, NULL, false } };
static const struct field topic[] = { { "topic", TEXT, NULL, NULL, false }, { "id", TEXT, NULL, NULL, false },
    { "result", TEXT, "|differs|alike|seen once|not observed|", NULL, false },
    { "source_target_differ", FLAG, NULL, NULL, false }, { "classes", LIST, NULL, class, false },
    { "not_observed", LIST, NULL, unseen, false }, { NULL, TEXT, NULL, NULL, false } };
static const struct field summary[] = { { "tool", OBJECT, NULL, tool, false },
    { "run", OBJECT, NULL, run, false }, { "verdict", TEXT, NULL, NULL, false },
    { "exit_code", CODE, NULL, NULL, false }, { "totals", OBJECT, NULL, totals, false },
    { "providers", LIST, NULL, provider, false }, { "cases", LIST, NULL, test_case, false },
    { "semantics", LIST, NULL, topic, false }, { "verify", TEXT, VERDICTS, NULL, true },
    { NULL, TEXT, NULL, NULL, false } };

/* Counts of what could not be counted are left out, never guessed. */
static const struct field rule[] = { { "column", TEXT, NULL, NULL, false },
    { "rule", TEXT, NULL, NULL, false }, { "touched", COUNT, NULL, NULL, false },
    { "lossy", FLAG, NULL, NULL, false }, { "accepted", FLAG, NULL, NULL, false },
    { NULL, TEXT, NULL, NULL, false } };
static const struct field table[] = { { "name", TEXT, NULL, NULL, false },
    { "source_rows", COUNT, NULL, NULL, true }, { "target_rows", COUNT, NULL, NULL, true },
    { "digest_equal", FLAG, NULL, NULL, false }, { "missing", COUNT, NULL, NULL, true },
    { "extra", COUNT, NULL, NULL, true }, { "changed", COUNT, NULL, NULL, true },
    { "rules", LIST, NULL, rule, false }, { NULL, TEXT, NULL, NULL, false } };
static const struct field schema[] = { { "element", TEXT, NULL, NULL, false },
    { "name", TEXT, NULL, NULL, false }, { "difference", TEXT, " missing extra changed ", NULL, false },
    { "expected", TEXT, NULL, NULL, true }, { "actual", TEXT, NULL, NULL, true },
    { NULL, TEXT, NULL, NULL, false } };
static const struct field relation[] = { { "name", TEXT, NULL, NULL, false },
    { "child", TEXT, NULL, NULL, false }, { "parent", TEXT, NULL, NULL, false },
    { "source_orphans", COUNT, NULL, NULL, false }, { "target_orphans", COUNT, NULL, NULL, false },
    { "introduced", COUNT, NULL, NULL, true }, { NULL, TEXT, NULL, NULL, false } };
static const struct field difference[] = { { "name", TEXT, NULL, NULL, false },
    { "difference", TEXT, " missing extra changed orphan duplicate lossy ", NULL, false },
    { "key", TEXT, NULL, NULL, false }, { "column", TEXT, NULL, NULL, true },
    { "expected", TEXT, NULL, NULL, true }, { "actual", TEXT, NULL, NULL, true },
    { NULL, TEXT, NULL, NULL, false } };
static const struct field diagnosis[] = { { "name", TEXT, NULL, NULL, false },
    { "column", TEXT, NULL, NULL, true }, { "topic", TEXT, NULL, NULL, false },
    { "confidence", NUMBER, NULL, NULL, false }, { "count", COUNT, NULL, NULL, false },
    { "examined", COUNT, NULL, NULL, false }, { "differences", COUNT, NULL, NULL, false },
    { "message", TEXT, NULL, NULL, false }, { "advice", TEXT, NULL, NULL, false },
    { NULL, TEXT, NULL, NULL, false } };
static const struct field not_compared[] = { { "name", TEXT, NULL, NULL, false },
    { "reason", TEXT, NULL, NULL, false }, { NULL, TEXT, NULL, NULL, false } };
static const struct field verify[] = { { "verdict", TEXT, VERDICTS, NULL, false },
    { "tables", LIST, NULL, table, false }, { "schema", LIST, NULL, schema, false },
    { "relations", LIST, NULL, relation, false }, { "differences", LIST, NULL, difference, false },
    { "differences_capped", FLAG, NULL, NULL, false }, { "not_compared", LIST, NULL, not_compared, false },
    { "diagnoses", LIST, NULL, diagnosis, false }, { NULL, TEXT, NULL, NULL, false } };

static bool of_type(const json_t *v, enum type t)
{
    switch (t) {
    case TEXT:
        return json_is_string(v);
    case COUNT:
        return json_is_integer(v) && json_integer_value(v) >= 0;
    case NUMBER:
        return json_is_number(v) && json_number_value(v) >= 0;
    case FLAG:
        return json_is_boolean(v);
    case CODE: /* null: the run has no end */
        return json_is_null(v) ||
               (json_is_integer(v) && json_integer_value(v) >= 0 && json_integer_value(v) <= 5);
    case OBJECT:
        return json_is_object(v);
    case LIST:
        return json_is_array(v);
    }
    return false;
}

/* The first character of the list is what separates its words. */
static bool is_word(const char *words, const char *text)
{
    char word[64];
    int n = snprintf(word, sizeof word, "%c%s%c", words[0], text, words[0]);
    return n > 2 && (size_t)n < sizeof word && strchr(text, words[0]) == NULL && strstr(words, word) != NULL;
}

/* As deep as the tables are. */
static void check(const json_t *object, const struct field *fields, const char *where)
{
    static const char *const names[] = { "a text", "a whole number, not negative", "a number, not negative",
        "true or false", "null or 0 to 5", "an object", "a list" };
    char path[256], what[160];
    if (!json_is_object(object)) {
        mistake(where, "should be an object");
        return;
    }
    for (const struct field *f = fields; f->name != NULL; f++) {
        const json_t *v = json_object_get(object, f->name);
        (void)snprintf(path, sizeof path, "%.180s.%s", where, f->name);
        if (v == NULL) {
            if (!f->optional)
                mistake(path, "is not there");
            continue;
        }
        if (!of_type(v, f->type)) {
            (void)snprintf(what, sizeof what, "should be %s", names[f->type]);
            mistake(path, what);
            continue;
        }
        if (f->type == TEXT && f->words != NULL && !is_word(f->words, json_string_value(v))) {
            (void)snprintf(what, sizeof what, "'%.40s' is none of%s", json_string_value(v), f->words);
            mistake(path, what);
        }
        if (f->type == OBJECT)
            check(v, f->inner, path);
        for (size_t i = 0; f->type == LIST && i < json_array_size(v); i++) {
            char item[300];
            (void)snprintf(item, sizeof item, "%s[%zu]", path, i);
            check(json_array_get(v, i), f->inner, item);
        }
    }
}

/* The totals are those of the cases. */
static void check_totals(const json_t *root)
{
    const json_t *all = json_object_get(root, "totals"), *cases = json_object_get(root, "cases");
    for (const struct field *f = totals; f->name != NULL; f++) {
        json_int_t found = 0;
        for (size_t i = 0; i < json_array_size(cases); i++) {
            const char *outcome = json_string_value(json_object_get(json_array_get(cases, i), "outcome"));
            found += outcome != NULL && strcmp(outcome, f->name) == 0;
        }
        if (found != json_integer_value(json_object_get(all, f->name)))
            mistake(f->name, "the total is not the number of cases with that outcome");
    }
}

int main(int argc, char **argv)
{
    bool is_summary = argc == 3 && strcmp(argv[1], "summary") == 0;
    if (!is_summary && (argc != 3 || strcmp(argv[1], "verify") != 0)) {
        (void)fputs("usage: check_json summary|verify FILE\n", stderr);
        return 2;
    }
    json_error_t bad;
    file = argv[2];
    json_t *root = json_load_file(file, JSON_REJECT_DUPLICATES, &bad);
    if (root == NULL) {
        (void)fprintf(stderr, "%s:%d: %s\n", file, bad.line, bad.text);
        return bad.line < 1 ? 2 : 1;
    }
    check(root, is_summary ? summary : verify, is_summary ? "summary" : "verify");
    if (is_summary)
        check_totals(root);
    json_decref(root);
    return mistakes > 0 ? 1 : 0;
}
