/* check_html.c -- checks a report.html: it parses, asks for nothing from outside, and runs nothing but its one script.
 *
 * usage: check_html FILE; exit code 1 with one message per mistake, 2 when it cannot be read. The parser knows HTML 4:
 * its complaints about newer elements are none. */
#include <libxml/HTMLparser.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *file;
static unsigned mistakes, scripts, styles, headings, main_parts;

static void mistake(long line, const char *what, const char *detail)
{
    mistakes++;
    (void)fprintf(stderr, "%s:%ld: %s%s%.200s\n", file, line, what, detail[0] != '\0' ? ": " : "", detail);
}

static void on_error(void *context, const xmlError *e)
{
    (void)context;
    /* libxml2 2.14 made the argument const; both spellings fit through the cast where it is set. */
    if (e->code == XML_HTML_UNKNOWN_TAG)
        return;
    mistake(e->line, "parse error", e->message == NULL ? "" : e->message);
}

static const char *attr(const xmlNode *n, const char *name)
{
    const xmlAttr *a = xmlHasProp(n, (const xmlChar *)name);
    return a == NULL ? NULL : a->children == NULL ? "" : (const char *)a->children->content;
}

static bool is(const xmlNode *n, const char *name)
{
    return strcmp((const char *)n->name, name) == 0;
}

/* Elements that fetch, run, or send. */
static void check_element(const xmlNode *n)
{
    static const char *const forbidden[] = { "link", "iframe", "object", "embed", "img", "base", "form",
        "frame", "audio", "video", "source", "applet", "image", "use" };
    long line = xmlGetLineNo(n);
    for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++)
        if (is(n, forbidden[i]))
            mistake(line, "an element that does not belong here", forbidden[i]);
    scripts += is(n, "script");
    styles += is(n, "style");
    headings += is(n, "h1");
    main_parts += is(n, "main");
    if (is(n, "th") && attr(n, "scope") == NULL)
        mistake(line, "a table header without scope", "");
    if (is(n, "meta") && attr(n, "http-equiv") != NULL && strcmp(attr(n, "http-equiv"), "refresh") == 0)
        mistake(line, "the page reloads itself", "");
}

static void check_attribute(const xmlNode *n, const xmlAttr *a)
{
    static const char *const loading[] = { "src", "srcset", "data", "action", "formaction", "poster",
        "background", "ping", "srcdoc" };
    const char *name = (const char *)a->name,
               *value = a->children == NULL ? "" : (const char *)a->children->content;
    long line = xmlGetLineNo(n);
    if (strncmp(name, "on", 2) == 0)
        mistake(line, "an event handler in an attribute", name);
    for (size_t i = 0; i < sizeof loading / sizeof loading[0]; i++)
        if (strcmp(name, loading[i]) == 0)
            mistake(line, "an attribute that loads something", name);
    if (strcmp(name, "href") == 0 && value[0] != '#')
        mistake(line, "a link that leaves the page", value);
    if (strcmp(name, "style") == 0 && strncmp(value, "flex-grow:", 10) != 0)
        mistake(line, "a style attribute that we don't write", value);
}

static void check_style(const xmlNode *n)
{
    xmlChar *text = xmlNodeGetContent(n);
    if (text != NULL &&
        (strstr((const char *)text, "url(") != NULL || strstr((const char *)text, "@import") != NULL))
        mistake(xmlGetLineNo(n), "the style sheet loads something", "");
    xmlFree(text);
}

/* Without recursion: nesting in the file may be as deep as it likes. */
static void check_tree(const xmlNode *root)
{
    const xmlNode *n = root;
    while (n != NULL) {
        if (n->type == XML_ELEMENT_NODE) {
            check_element(n);
            for (const xmlAttr *a = n->properties; a != NULL; a = a->next)
                check_attribute(n, a);
            if (is(n, "style"))
                check_style(n);
        }
        if (n->type == XML_COMMENT_NODE)
            mistake(xmlGetLineNo(n), "a comment, which we don't write", "");
        if (n->children != NULL && n->type == XML_ELEMENT_NODE) {
            n = n->children;
            continue;
        }
        while (n != root && n->next == NULL)
            n = n->parent;
        n = n == root ? NULL : n->next;
    }
}

static void check_totals(void)
{
    if (scripts != 1)
        mistake(0, "there should be exactly one script", "");
    if (styles != 1)
        mistake(0, "there should be exactly one style sheet", "");
    if (headings != 1)
        mistake(0, "there should be exactly one main heading", "");
    if (main_parts != 1)
        mistake(0, "there should be exactly one <main>", "");
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        (void)fputs("usage: check_html FILE\n", stderr);
        return 2;
    }
    file = argv[1];
    xmlSetStructuredErrorFunc(NULL, (xmlStructuredErrorFunc)on_error);
    htmlDocPtr doc = htmlReadFile(file, "UTF-8", HTML_PARSE_NONET);
    const xmlNode *root = doc == NULL ? NULL : xmlDocGetRootElement(doc);
    if (root == NULL) {
        (void)fprintf(stderr, "%s: cannot be read\n", file);
        xmlFreeDoc(doc);
        return 2;
    }
    check_tree(root);
    check_totals();
    xmlFreeDoc(doc);
    xmlCleanupParser();
    return mistakes > 0 ? 1 : 0;
}
