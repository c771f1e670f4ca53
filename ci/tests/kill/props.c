/* props.c -- random schemas and data on pairs of backends: faithful copies must be equal, every corruption must be found
 * with its row and column, and nothing else.
 *
 * usage: props PAIR WORK_DIRECTORY SEEDS [FIRST_SEED]      (pairs: see below; servers by POSTGRESQL_URL, MONGODB_URL)
 * PROPS_DAMAGES says how many corruptions each copy gets. A failure names its seed, which alone repeats it. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "migrate/migrate.h"
#include "props/props.h"

static unsigned long passed, failed, copies, damages, misses;
static struct {
    struct world w;
    struct side *a, *b;
    const struct pair *pair;
    struct sp_mapping *mapping;
    uint64_t seed;
} now;

struct pair {
    const char *name;
    struct limits can;
    enum keys keys;
    unsigned damages;
    enum { SAME_SHAPE, FORTH, BACK } mapped; /* through a mapping: documents are the target, the source */
    struct side *(*a)(const char *work), *(*b)(const char *work);
    void (*others)(void); /* further copies */
};

/* PROPS_EVENTS=1: what was said, behind the line that names the seed. */
static void show(const struct verdict *v)
{
    size_t i;
    json_t *e;
    if (getenv("PROPS_EVENTS") == NULL || v == NULL)
        return;
    json_array_foreach(v->events, i, e)
    {
        char *text = json_dumps(e, JSON_COMPACT);
        printf("    %.600s\n", text);
        free(text);
    }
}

static void score(const char *what, const char *problem, const struct verdict *v)
{
    if (problem[0] == '\0') {
        passed++;
        return;
    }
    failed++;
    printf("not ok - %s seed %llu: %s: %s\n", now.pair->name, (unsigned long long)now.seed, what, problem);
    show(v);
    fflush(stdout);
}

static void equal_to(const struct side *b, const char *what)
{
    struct verdict v;
    char problem[2048] = "", reversed[128];
    bool loses = world_loses(&now.w);
    judge(now.a, b, now.mapping, &v);
    expect_equal(&v, loses, problem, sizeof problem);
    score(what, problem, &v);
    verdict_clear(&v);
    copies++;
    if (loses || now.mapping != NULL)
        return;
    judge(b, now.a, NULL, &v); /* a mapping has a direction */
    expect_equal(&v, false, problem, sizeof problem);
    snprintf(reversed, sizeof reversed, "%s, the other way round", what);
    score(reversed, problem, &v);
    verdict_clear(&v);
}

static void damaged_rows(void)
{
    struct world x;
    struct verdict v;
    char what[400] = "", problem[2048] = "";
    unsigned table;
    world_copy(&x, &now.w);
    sp_rng_seed(&x.rng, now.seed * 1000 + damages);
    bool done = false;
    for (int i = 0; i < 20 && !done; i++) {
        world_free(&x);
        struct sp_rng rng = x.rng;
        world_copy(&x, &now.w);
        x.rng = rng;
        done = damage_rows(&x, what, sizeof what, &table);
    }
    if (now.pair->mapped == FORTH)
        world_settle(&x);
    if (done) {
        now.b->rewrite(now.b->self, &x, table);
        if (now.b->read_back != NULL && now.pair->keys == KEYS_STORED)
            now.b->read_back(now.b->self, &x);
        judge(now.a, now.b, now.mapping, &v);
        expect_rows(&v, &now.w, &x, now.pair->keys, problem, sizeof problem);
        score(what, problem, &v);
        verdict_clear(&v);
        now.b->rewrite(now.b->self, &now.w, table);
        damages++;
    } else {
        misses++;
    }
    world_free(&x);
}

static void damaged_schema(void)
{
    struct world x;
    struct verdict v;
    char what[400] = "", problem[2048] = "";
    const char *element = "";
    unsigned table = 0;
    world_copy(&x, &now.w);
    sp_rng_seed(&x.rng, now.seed * 1000 + 999);
    bool done = false;
    for (int i = 0; i < 20 && !done; i++) {
        struct sp_rng rng = x.rng;
        world_free(&x);
        world_copy(&x, &now.w);
        x.rng = rng;
        done = damage_schema(&x, what, sizeof what, &table, &element);
    }
    if (done) {
        now.b->create(now.b->self, &x);
        judge(now.a, now.b, now.mapping, &v);
        expect_schema(&v, now.w.tables[table].name, element, problem, sizeof problem);
        score(what, problem, &v);
        verdict_clear(&v);
        damages++;
    } else {
        misses++;
    }
    world_free(&x);
}

static struct side *migrated;
static int drop_event(
    struct sp_emitter *em, enum sp_event_kind k, const char *json, size_t n, struct sp_error *err)
{
    (void)em, (void)k, (void)json, (void)n, (void)err;
    return 0;
}

/* A copy that our own migrate makes into `to`, which is empty. */
static void migrate_to(const struct side *to)
{
    static const struct sp_migrate_options opt = { .dry_run = false };
    struct sp_emitter em = { drop_event };
    struct sp_endpoint e[2];
    struct sp_error err = SP_ERROR_INIT;
    to->empty(to->self);
    struct sp_session *a = side_open(now.a, SP_ACCESS_READ_ONLY, &e[0], &err),
                      *b = a == NULL ? NULL : side_open(to, SP_ACCESS_TARGET, &e[1], &err);
    int rc = b == NULL ? -1 : sp_migrate_bulk(a, b, &opt, &em, &err);
    sp_close(a);
    sp_close(b);
    score("migrate", rc == 0 ? "" : sp_error_text(&err), NULL);
    sp_error_clear(&err);
    if (rc == 0)
        equal_to(to, "migrated by switchproof");
}

/* ---- pairs ---- */

static char paths[3][512];
static struct side *file(const char *work, int i, const char *name)
{
    snprintf(paths[i], sizeof paths[i], "%s/%s.db", work, name);
    return side_sqlite(paths[i]);
}
static struct side *file_a(const char *work)
{
    return file(work, 0, "a");
}
static struct side *file_b(const char *work)
{
    migrated = file(work, 2, "m");
    return file(work, 1, "b");
}

/* What the shell's dump loses (U+0000, the sign of -0.0) is told from what verify says by reading both files. */
static void as_read(const char *what)
{
    struct world x;
    struct verdict v;
    char problem[2048] = "";
    world_copy(&x, &now.w);
    now.b->read_back(now.b->self, &x);
    judge(now.a, now.b, now.mapping, &v);
    expect_rows(&v, &now.w, &x, KEYS_STORED, problem, sizeof problem);
    score(what, problem, &v);
    verdict_clear(&v);
    world_free(&x);
    copies++;
}

static void sqlite_others(void)
{
    unsigned route = (unsigned)(now.seed % SQLITE_ROUTES);
    /* The dump starts two programs. */
    if (route == SQLITE_ROUTES - 1 && now.seed % 2 != 0)
        route = 0;
    const char *how = sqlite_copy(paths[0], paths[1], route);
    if (route == SQLITE_ROUTES - 1)
        as_read(how);
    else
        equal_to(now.b, how);
    if (now.seed % 3 == 0)
        migrate_to(migrated);
}

static const char *server(const char *variable)
{
    const char *url = getenv(variable);
    if (url == NULL || *url == '\0')
        die("%s is not set", variable);
    return url;
}
/* Several of these programs may work on one server. */
static const char *own(char letter)
{
    static char name[48];
    snprintf(name, sizeof name, "sp_props_%d_%c", (int)getpid(), letter);
    return name;
}
static struct side *schema_a(const char *work)
{
    (void)work;
    return side_pg(server("POSTGRESQL_URL"), own('a'));
}
static struct side *schema_b(const char *work)
{
    (void)work;
    migrated = side_pg(server("POSTGRESQL_URL"), own('m'));
    return side_pg(server("POSTGRESQL_URL"), own('b'));
}

static void pg_others(void)
{
    if (now.seed % 2 == 0) {
        const char *how = pg_copy(now.a, now.b, &now.w);
        equal_to(now.b, how);
        now.b->create(now.b->self, &now.w);
    }
    if (now.seed % 3 == 0)
        migrate_to(migrated);
}
static void only_migrate(void)
{
    if (now.seed % 3 == 0)
        migrate_to(migrated);
}

static struct side *database_a(const char *work)
{
    (void)work;
    return side_mongo(server("MONGODB_URL"), own('a'));
}
static struct side *database_b(const char *work)
{
    (void)work;
    migrated = side_mongo(server("MONGODB_URL"), own('m'));
    return side_mongo(server("MONGODB_URL"), own('b'));
}
static struct side *documents(const char *work)
{
    (void)work;
    return side_mapped(server("MONGODB_URL"), own('d'));
}
static void mongo_others(void)
{
    if (now.seed % 2 == 0) {
        const char *how = mongo_copy(now.a, now.b, &now.w);
        equal_to(now.b, how);
    } else if (now.seed % 3 == 0) {
        migrate_to(migrated);
    }
}

#define TO_DOCUMENTS                                                                                         \
    .nan = true, .infinity = true, .negative_zero = true, .narrow = true, .arrays = true, .embed = true,     \
    .kept = 3, .digits = 34
#define NONE UINT_MAX

static const struct pair pairs[] = {
    { .name = "sqlite-sqlite",
        .can = { .infinity = true,
            .negative_zero = true,
            .nul = true,
            .any = true,
            .arrays = true,
            .orphans = true,
            .nullable_pk = true,
            .fraction = 9,
            .kept = 9,
            .digits = 60 },
        .damages = 8,
        .a = file_a,
        .b = file_b,
        .others = sqlite_others },
    { .name = "sqlite-postgresql",
        .can = { .infinity = true, .narrow = true, .fraction = 6, .kept = 6, .digits = 60 },
        .keys = KEYS_TYPED,
        .damages = 4,
        .a = file_a,
        .b = schema_b,
        .others = only_migrate },
    { .name = "postgresql-sqlite",
        .can = { .infinity = true, .narrow = true, .fraction = 6, .kept = 6, .digits = 60 },
        .keys = KEYS_TYPED,
        .damages = 4,
        .a = schema_a,
        .b = file_b,
        .others = only_migrate },
    { .name = "postgresql-postgresql",
        .can = { .nan = true,
            .infinity = true,
            .negative_zero = true,
            .narrow = true,
            .arrays = true,
            .fraction = 6,
            .kept = 6,
            .digits = 60 },
        .keys = KEYS_TYPED,
        .damages = 3,
        .a = schema_a,
        .b = schema_b,
        .others = pg_others },
    /* What the ledgers say is lost is lost, and nothing else. */
    { .name = "sqlite-postgresql-loss",
        .can = { .infinity = true, .narrow = true, .fraction = 9, .kept = 6, .digits = 60 },
        .keys = KEYS_TYPED,
        .damages = NONE,
        .a = file_a,
        .b = schema_b },
    { .name = "postgresql-sqlite-loss",
        .can = { .infinity = true,
            .negative_zero = true,
            .zero_lost = true,
            .narrow = true,
            .fraction = 6,
            .kept = 6,
            .digits = 60 },
        .keys = KEYS_TYPED,
        .damages = NONE,
        .a = schema_a,
        .b = file_b,
        .others = only_migrate },
    { .name = "postgresql-mongodb-loss",
        .can = { TO_DOCUMENTS, .fraction = 6 },
        .keys = KEYS_TYPED,
        .damages = NONE,
        .mapped = FORTH,
        .a = schema_a,
        .b = documents },
    { .name = "mongodb-mongodb",
        .can = { .nan = true,
            .infinity = true,
            .negative_zero = true,
            .nul = true,
            .any = true,
            .arrays = true,
            .documents = true,
            .fraction = 3,
            .kept = 3,
            .digits = 34 },
        .keys = KEYS_UNNAMED,
        .damages = 3,
        .a = database_a,
        .b = database_b,
        .others = mongo_others },
    { .name = "postgresql-mongodb",
        .can = { TO_DOCUMENTS, .fraction = 3 },
        .keys = KEYS_TYPED,
        .damages = 3,
        .mapped = FORTH,
        .a = schema_a,
        .b = documents },
    { .name = "mongodb-postgresql",
        .can = { TO_DOCUMENTS, .fraction = 3 },
        .keys = KEYS_TYPED,
        .damages = 3,
        .mapped = BACK,
        .a = documents,
        .b = schema_b },
};

static void make_mapping(void)
{
    struct sp_buf text = SP_BUF_INIT;
    struct sp_error err = SP_ERROR_INIT;
    mapping_text(&now.w, now.pair->mapped == BACK, &text);
    if (sp_mapping_parse("mapping", text.p, text.n, &now.mapping, &err) != 0)
        die("%s:\n%s", sp_error_text(&err), text.p);
    sp_buf_free(&text);
}

static void one_seed(unsigned ndamages)
{
    world_make(&now.w, now.seed, &now.pair->can);
    if (now.pair->mapped != SAME_SHAPE)
        make_mapping();
    now.a->create(now.a->self, &now.w);
    now.b->create(now.b->self, &now.w);
    if (now.a->read_back != NULL && now.pair->keys == KEYS_STORED)
        now.a->read_back(now.a->self, &now.w);
    equal_to(now.b, "written by a plain client");
    if (now.pair->others != NULL)
        now.pair->others();
    for (unsigned i = 0; i < ndamages && now.pair->damages != NONE; i++)
        damaged_rows();
    if (now.pair->mapped == SAME_SHAPE && now.pair->damages != NONE)
        damaged_schema();
    sp_mapping_free(now.mapping);
    now.mapping = NULL;
    world_free(&now.w);
}

int main(int argc, char **argv)
{
    uint64_t seeds, first = 1;
    const char *n = getenv("PROPS_DAMAGES");
    uint64_t ndamages = 0;
    for (size_t i = 0; argc > 1 && i < SP_LEN(pairs); i++)
        if (strcmp(pairs[i].name, argv[1]) == 0)
            now.pair = &pairs[i];
    if (argc < 4 || argc > 5 || now.pair == NULL || !sp_parse_u64(argv[3], &seeds) ||
        (argc == 5 && !sp_parse_u64(argv[4], &first)) || (n != NULL && !sp_parse_u64(n, &ndamages))) {
        fprintf(stderr, "usage: %s PAIR WORK_DIRECTORY SEEDS [FIRST_SEED]\n", argv[0]);
        return 2;
    }
    now.a = now.pair->a(argv[2]);
    now.b = now.pair->b(argv[2]);
    for (now.seed = first; now.seed < first + seeds; now.seed++)
        one_seed(n != NULL ? (unsigned)ndamages : now.pair->damages);
    judge_end();
    const struct side *all[] = { now.a, now.b, migrated };
    for (size_t i = 0; i < SP_LEN(all); i++)
        if (all[i] != NULL)
            all[i]->empty(all[i]->self);
    printf("%s: %llu seeds, %lu copies, %lu corruptions (%lu had no place)\n", now.pair->name,
        (unsigned long long)seeds, copies, damages, misses);
    printf("%lu passed, %lu failed, 0 skipped\n", passed, failed);
    return failed != 0 || passed == 0 ? 1 : 0;
}
