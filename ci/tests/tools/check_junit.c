/* check_junit.c -- holds a junit.xml to the strict rules of junit-10 as CI servers apply them, and to ours.
 *
 * Which elements stand where and with which attributes is a table; what a schema cannot say (outcomes that exclude
 * each other, counters, duplicate names) is checked after it. usage: check_junit FILE; exit code 1 with one message
 * per mistake, 2 when the file cannot be read. */
#include <libxml/parser.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *file;
static unsigned mistakes;

static void mistake(const xmlNode *n, const char *what, const char *detail)
{
    mistakes++;
    (void)fprintf(stderr, "%s:%ld: <%s> %s%s%s\n", file, xmlGetLineNo(n), (const char *)n->name, what,
        detail[0] != '\0' ? ": " : "", detail);
}

static bool is(const xmlNode *n, const char *name)
{
    return strcmp((const char *)n->name, name) == 0;
}

static const char *attr(const xmlNode *n, const char *name)
{
    const xmlAttr *a = xmlHasProp(n, (const xmlChar *)name);
    return a == NULL ? NULL : a->children == NULL ? "" : (const char *)a->children->content;
}

/* ---- kinds of values ----------------------------------------------------------------------------------------- */

static bool digits(const char *s, size_t n)
{
    return n > 0 && strspn(s, "0123456789") >= n;
}

static bool is_any(const char *s)
{
    (void)s;
    return true;
}

static bool is_filled(const char *s)
{
    return s[0] != '\0';
}

static bool is_count(const char *s)
{
    return digits(s, strlen(s));
}

static bool is_time(const char *s)
{
    size_t whole = strcspn(s, ".");
    return digits(s, whole) && s[whole] == '.' && strlen(s + whole + 1) == 3 && digits(s + whole + 1, 3);
}

/* Local time without a zone: 2026-01-31T23:59:59 */
static bool is_stamp(const char *s)
{
    const char form[] = "0000-00-00T00:00:00";
    if (strlen(s) != sizeof form - 1)
        return false;
    for (size_t i = 0; i < sizeof form - 1; i++)
        if (form[i] == '0' ? s[i] < '0' || s[i] > '9' : s[i] != form[i])
            return false;
    return true;
}

/* ---- which elements, with which attributes, in which order ----------------------------------------------------- */

struct attribute {
    const char *name;
    bool required;
    bool (*valid)(const char *);
    const char *form;
};

#define MAX_ATTRIBUTES 12
struct element {
    const char *name;
    const char *children; /* " a b " in their order; "" = none */
    bool text;
    struct attribute attributes[MAX_ATTRIBUTES];
};

#define COUNT "a whole number"
#define TIME  "seconds with three decimals, not negative"

static const struct element elements[] = {
    { "testsuites", " testsuite ", false,
        { { "name", false, is_any, "" }, { "time", false, is_time, TIME },
            { "tests", false, is_count, COUNT }, { "failures", false, is_count, COUNT },
            { "errors", false, is_count, COUNT } } },
    { "testsuite", " properties testcase system-out system-err ", false,
        { { "name", true, is_filled, "a name" }, { "tests", true, is_count, COUNT },
            { "failures", true, is_count, COUNT }, { "errors", true, is_count, COUNT },
            { "skipped", false, is_count, COUNT }, { "time", true, is_time, TIME },
            { "timestamp", false, is_stamp, "YYYY-MM-DDThh:mm:ss without a zone" },
            { "hostname", false, is_filled, "a name" }, { "id", false, is_any, "" },
            { "package", false, is_any, "" }, { "group", false, is_any, "" } } },
    { "properties", " property ", false, { { NULL, false, NULL, NULL } } },
    { "property", "", false, { { "name", true, is_filled, "a name" }, { "value", true, is_any, "" } } },
    { "testcase", " skipped error failure system-out system-err ", false,
        { { "name", true, is_filled, "a name" }, { "classname", true, is_filled, "a name" },
            { "time", true, is_time, TIME }, { "group", false, is_any, "" } } },
    { "skipped", "", true, { { "message", false, is_any, "" }, { "type", false, is_any, "" } } },
    { "error", "", true, { { "message", false, is_any, "" }, { "type", true, is_filled, "a type" } } },
    { "failure", "", true, { { "message", false, is_any, "" }, { "type", true, is_filled, "a type" } } },
    { "system-out", "", true, { { NULL, false, NULL, NULL } } },
    { "system-err", "", true, { { NULL, false, NULL, NULL } } },
};

static const struct element *element_of(const xmlNode *n)
{
    for (size_t i = 0; i < sizeof elements / sizeof elements[0]; i++)
        if (is(n, elements[i].name))
            return &elements[i];
    return NULL;
}

static void check_attributes(const xmlNode *n, const struct element *e)
{
    for (const struct attribute *a = e->attributes; a < e->attributes + MAX_ATTRIBUTES && a->name != NULL;
         a++) {
        const char *value = attr(n, a->name);
        if (value == NULL && a->required)
            mistake(n, "lacks attribute", a->name);
        else if (value != NULL && !a->valid(value)) {
            mistake(n, "has a bad attribute", a->name);
            (void)fprintf(stderr, "    '%s' should be %s\n", value, a->form);
        }
    }
    for (const xmlAttr *p = n->properties; p != NULL; p = p->next) {
        bool known = false;
        for (const struct attribute *a = e->attributes; a < e->attributes + MAX_ATTRIBUTES && a->name != NULL;
             a++)
            known = known || strcmp(a->name, (const char *)p->name) == 0;
        if (!known)
            mistake(n, "has an attribute that is not allowed", (const char *)p->name);
    }
}

/* Where the child stands in the list of its parent; 0 = not allowed there. */
static size_t place_of(const struct element *parent, const xmlNode *child)
{
    char word[64];
    int n = snprintf(word, sizeof word, " %s ", (const char *)child->name);
    const char *at = n < 0 || (size_t)n >= sizeof word ? NULL : strstr(parent->children, word);
    return at == NULL ? 0 : (size_t)(at - parent->children) + 1;
}

static void check_children(const xmlNode *n, const struct element *e)
{
    size_t last = 0;
    for (const xmlNode *k = n->children; k != NULL; k = k->next) {
        if (k->type == XML_TEXT_NODE || k->type == XML_CDATA_SECTION_NODE) {
            if (!e->text && !xmlIsBlankNode(k))
                mistake(n, "holds text, which is not allowed there", "");
            continue;
        }
        if (k->type != XML_ELEMENT_NODE)
            continue;
        size_t place = place_of(e, k);
        if (place == 0)
            mistake(k, "is not allowed inside of", e->name);
        else if (place < last)
            mistake(k, "comes too late inside of", e->name);
        last = place > last ? place : last;
    }
}

/* ---- what the schema cannot say ------------------------------------------------------------------------------- */

static unsigned children(const xmlNode *n, const char *name)
{
    unsigned found = 0;
    for (const xmlNode *k = n->children; k != NULL; k = k->next)
        found += k->type == XML_ELEMENT_NODE && is(k, name);
    return found;
}

static void check_case(const xmlNode *n)
{
    unsigned skipped = children(n, "skipped"), bad = children(n, "failure") + children(n, "error");
    if (skipped > 0 && bad > 0)
        mistake(n, "is skipped and failed at once: readers disagree which one counts",
            attr(n, "name") ? attr(n, "name") : "");
    if (skipped > 1 || bad > 1)
        mistake(n, "has more than one outcome", attr(n, "name") ? attr(n, "name") : "");
}

static void check_counter(const xmlNode *suite, const char *counter, unsigned found)
{
    const char *text = attr(suite, counter);
    char detail[96];
    if (text == NULL || !is_count(text) || strtoul(text, NULL, 10) == found)
        return;
    (void)snprintf(detail, sizeof detail, "%s=\"%.20s\" but %u found", counter, text, found);
    mistake(suite, "counts wrong", detail);
}

static void check_suite(const xmlNode *suite)
{
    unsigned tests = 0, failures = 0, errors = 0, skipped = 0;
    for (const xmlNode *k = suite->children; k != NULL; k = k->next) {
        if (k->type != XML_ELEMENT_NODE || !is(k, "testcase"))
            continue;
        tests++;
        failures += children(k, "failure") > 0;
        errors += children(k, "error") > 0;
        skipped += children(k, "skipped") > 0;
    }
    check_counter(suite, "tests", tests);
    check_counter(suite, "failures", failures);
    check_counter(suite, "errors", errors);
    check_counter(suite, "skipped", skipped);
}

struct name {
    const xmlNode *node;
    const char *class, *name;
};

static int by_name(const void *a, const void *b)
{
    const struct name *x = a, *y = b;
    int order = strcmp(x->class, y->class);
    return order != 0 ? order : strcmp(x->name, y->name);
}

/* Duplicates are dropped silently by readers. */
static void check_names(const xmlNode *root)
{
    size_t n = 0, cap = 0;
    struct name *names = NULL;
    for (const xmlNode *s = root->children; s != NULL; s = s->next)
        for (const xmlNode *k = s->type == XML_ELEMENT_NODE ? s->children : NULL; k != NULL; k = k->next) {
            if (k->type != XML_ELEMENT_NODE || !is(k, "testcase") || attr(k, "name") == NULL ||
                attr(k, "classname") == NULL)
                continue;
            if (n == cap) {
                cap = cap == 0 ? 256 : cap * 2;
                struct name *grown = realloc(names, cap * sizeof *names);
                if (grown == NULL) {
                    (void)fputs("check_junit: out of memory\n", stderr);
                    exit(2);
                }
                names = grown;
            }
            names[n++] = (struct name){ k, attr(k, "classname"), attr(k, "name") };
        }
    if (n > 0)
        qsort(names, n, sizeof *names, by_name);
    for (size_t i = 1; i < n; i++)
        if (by_name(&names[i - 1], &names[i]) == 0)
            mistake(names[i].node, "has the class and name of another case", names[i].name);
    free(names);
}

/* Suites, cases, their outcomes: never deeper than the table allows, so this recursion ends. */
static void walk(const xmlNode *n, unsigned depth)
{
    const struct element *e = element_of(n);
    if (e == NULL) {
        mistake(n, "is not an element of junit-10", "");
        return;
    }
    check_attributes(n, e);
    check_children(n, e);
    if (is(n, "testcase"))
        check_case(n);
    if (is(n, "testsuite"))
        check_suite(n);
    for (const xmlNode *k = n->children; k != NULL && depth < 8; k = k->next)
        if (k->type == XML_ELEMENT_NODE)
            walk(k, depth + 1);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        (void)fputs("usage: check_junit FILE\n", stderr);
        return 2;
    }
    file = argv[1];
    xmlDoc *doc = xmlReadFile(file, NULL, XML_PARSE_NONET | XML_PARSE_BIG_LINES | XML_PARSE_NOCDATA);
    const xmlNode *root = doc == NULL ? NULL : xmlDocGetRootElement(doc);
    if (root == NULL) {
        (void)fprintf(stderr, "%s: not well-formed XML\n", file);
        xmlFreeDoc(doc);
        return 1;
    }
    if (!is(root, "testsuites"))
        mistake(root, "is the root, which should be <testsuites>", "");
    walk(root, 0);
    check_names(root);
    xmlFreeDoc(doc);
    xmlCleanupParser();
    if (mistakes > 0)
        (void)fprintf(stderr, "%s: %u mistake%s\n", file, mistakes, mistakes == 1 ? "" : "s");
    return mistakes > 0 ? 1 : 0;
}
