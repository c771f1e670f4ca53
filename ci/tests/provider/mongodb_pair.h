/* mongodb_pair.h -- two databases on the server that MONGODB_URL names, filled and changed by plain commands in extended
 * JSON, compared and copied through the provider. */
#ifndef SP_TEST_MONGODB_PAIR_H
#define SP_TEST_MONGODB_PAIR_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <mongoc/mongoc.h>

#include "base/str.h"
#include "migrate/migrate.h"
#include "providers/mongodb/mongodb.h"
#include "verify/verify.h"

struct mpair {
    mongoc_client_t *plain;
    char db[2][48], url[2][512];
    struct sp_verify_options opt;
    struct sp_buf reasons, events;
    enum sp_verify_verdict verdict;
    struct sp_error err;
};

struct mlines {
    struct sp_emitter em;
    struct sp_buf *out;
};
static inline int mpair_line(
    struct sp_emitter *em, enum sp_event_kind k, const char *json, size_t n, struct sp_error *err)
{
    struct mlines *l = (struct mlines *)(void *)em;
    (void)err;
    return sp_buf_printf(l->out, "%s %.*s\n", sp_event_name(k), (int)n, json);
}

/* A plain command; the reply is the caller's if wanted. */
static inline void command(struct mpair *p, int side, const char *json)
{
    bson_error_t e;
    bson_t reply, *cmd = bson_new_from_json((const uint8_t *)json, -1, &e);
    bson_iter_t it;
    if (cmd == NULL)
        fail_msg("%s: %s", json, e.message);
    if (!mongoc_client_command_simple(p->plain, p->db[side], cmd, NULL, &reply, &e))
        fail_msg("%s: %s", json, e.message);
    if (bson_iter_init_find(&it, &reply, "writeErrors"))
        fail_msg("%s: %s", json, bson_as_canonical_extended_json(&reply, NULL));
    bson_destroy(&reply);
    bson_destroy(cmd);
}

static inline struct sp_session *mpair_open(struct mpair *p, int side, enum sp_access access)
{
    static struct sp_endpoint e[2];
    struct sp_session *s = NULL;
    e[side] = (struct sp_endpoint){ .name = p->db[side], .url = p->url[side], .access = access };
    sp_error_clear(&p->err);
    if (sp_open(&s, &sp_provider_mongodb, &e[side], &p->err) != 0)
        fail_msg("%s: %s", p->db[side], sp_error_text(&p->err));
    return s;
}

static inline enum sp_verify_verdict mpair_compare(struct mpair *p)
{
    struct mlines l = { { mpair_line }, &p->events };
    struct sp_session *a = mpair_open(p, 0, SP_ACCESS_READ_ONLY), *b = mpair_open(p, 1, SP_ACCESS_READ_ONLY);
    sp_buf_clear(&p->reasons);
    sp_buf_clear(&p->events);
    p->verdict = SP_VV_NOT_COMPARED;
    if (sp_verify(a, b, &p->opt, &l.em, &p->verdict, &p->reasons, &p->err) != 0)
        fail_msg("verify: %s", sp_error_text(&p->err));
    sp_close(a);
    sp_close(b);
    return p->verdict;
}

static inline void mpair_assert(struct mpair *p, enum sp_verify_verdict want)
{
    if (mpair_compare(p) != want)
        fail_msg("%s, not %s: %s\n%s", sp_verify_verdict_name(p->verdict), sp_verify_verdict_name(want),
            p->reasons.p != NULL ? p->reasons.p : "", p->events.p);
}

static inline int mpair_migrate(struct mpair *p)
{
    const struct sp_migrate_options opt = { .dry_run = false };
    struct mlines l = { { mpair_line }, &p->events };
    struct sp_session *a = mpair_open(p, 0, SP_ACCESS_READ_ONLY), *b = mpair_open(p, 1, SP_ACCESS_TARGET);
    sp_buf_clear(&p->events);
    sp_error_clear(&p->err);
    int rc = sp_migrate_bulk(a, b, &opt, &l.em, &p->err);
    sp_close(a);
    sp_close(b);
    return rc;
}

/* Is there an event line of that kind that holds all of these? NULL = anything. */
static inline bool mpair_told(
    const struct mpair *p, const char *kind, const char *a, const char *b, const char *c)
{
    const char *at = p->events.p, *end;
    for (; at != NULL && *at != '\0' && (end = strchr(at, '\n')) != NULL; at = end + 1) {
        char *line = strndup(at, (size_t)(end - at));
        bool yes = strncmp(line, kind, strlen(kind)) == 0 && (a == NULL || strstr(line, a) != NULL) &&
                   (b == NULL || strstr(line, b) != NULL) && (c == NULL || strstr(line, c) != NULL);
        free(line);
        if (yes)
            return true;
    }
    return false;
}

/* The URL with another database. */
static inline void mpair_url(char out[512], const char *url, const char *db)
{
    const char *host = strstr(url, "://"), *slash = host == NULL ? NULL : strchr(host + 3, '/');
    size_t n = slash == NULL ? strlen(url) : (size_t)(slash - url);
    const char *query = slash == NULL ? NULL : strchr(slash, '?');
    snprintf(out, 512, "%.*s/%s%s", (int)n, url, db, query == NULL ? "" : query);
}

static inline int mpair_setup(void **state)
{
    static int number;
    const char *url = getenv("MONGODB_URL");
    struct sp_error err = SP_ERROR_INIT;
    struct mpair *p = calloc(1, sizeof *p);
    *state = p;
    if (url == NULL || *url == '\0')
        return 0;
    if (sp_provider_mongodb.process_init(&err) != 0)
        return -1;
    p->opt = (struct sp_verify_options){ .checks = SP_VC_ALL, .max_differences = 100 };
    p->plain = mongoc_client_new(url);
    for (int i = 0; i < 2; i++) {
        snprintf(p->db[i], sizeof p->db[i], "sptest_%ld_%d_%c", (long)getpid(), number, 'a' + i);
        mpair_url(p->url[i], url, p->db[i]);
    }
    number++;
    return p->plain == NULL ? -1 : 0;
}

static inline int mpair_teardown(void **state)
{
    struct mpair *p = *state;
    for (int i = 0; i < 2 && p->plain != NULL; i++)
        command(p, i, "{\"dropDatabase\":1}");
    if (p->plain != NULL)
        mongoc_client_destroy(p->plain);
    sp_buf_free(&p->reasons);
    sp_buf_free(&p->events);
    sp_error_clear(&p->err);
    free(p);
    return 0;
}

static inline void need_server(const struct mpair *p)
{
    if (p->plain == NULL) {
        print_message("skip: MONGODB_URL is not set; run ci/stack up\n");
        skip();
    }
}

#endif
