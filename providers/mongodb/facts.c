/* facts.c -- who answered, and what that server really does: asked, never guessed from a name. */
#include <stdio.h>
#include <string.h>

#include "providers/mongodb/internal.h"

/* What a mongod says of its build, all versions since 4.2. Another key is the mark of another program. */
static const char *const build_keys[] = { "version", "gitVersion", "targetMinOS", "modules", "allocator",
    "javascriptEngine", "sysInfo", "versionArray", "openssl", "buildEnvironment", "bits", "debug",
    "maxBsonObjectSize", "storageEngines", "ok", "$clusterTime", "operationTime", "loaderFlags",
    "compilerFlags", "timestamp", NULL };
/* What all of them say. A program that says less may still be one behind a proxy: then it is not known. */
static const char *const needed_keys[] = { "gitVersion", "allocator", "javascriptEngine", "buildEnvironment",
    "storageEngines", "modules", NULL };

static bool in_list(const char *const *list, const char *word)
{
    for (size_t i = 0; list[i] != NULL; i++)
        if (strcmp(list[i], word) == 0)
            return true;
    return false;
}

static const char *text_of(const bson_t *doc, const char *key)
{
    bson_iter_t it;
    return bson_iter_init_find(&it, doc, key) && BSON_ITER_HOLDS_UTF8(&it) ? bson_iter_utf8(&it, NULL) : "";
}

static int64_t number_of(const bson_t *doc, const char *key)
{
    bson_iter_t it;
    return bson_iter_init_find(&it, doc, key) && BSON_ITER_HOLDS_NUMBER(&it) ? bson_iter_as_int64(&it) : 0;
}

/* A commit of forty hex digits, not all zero. */
static bool real_commit(const char *git)
{
    size_t n = strspn(git, "0123456789abcdef");
    return n == 40 && git[n] == '\0' && strspn(git, "0") < 40;
}

static enum sp_fidelity judge(const bson_t *build, const char **stranger)
{
    bson_iter_t it;
    bool known = bson_iter_init(&it, build);
    *stranger = NULL;
    while (known && bson_iter_next(&it))
        if (!in_list(build_keys, bson_iter_key(&it)) && *stranger == NULL)
            *stranger = bson_iter_key(&it);
    if (*stranger != NULL)
        return SP_FID_COMPATIBLE;
    for (size_t i = 0; needed_keys[i] != NULL; i++)
        known = known && bson_has_field(build, needed_keys[i]);
    return known && real_commit(text_of(build, "gitVersion")) ? SP_FID_REAL : SP_FID_UNKNOWN;
}

/* Servers that say who they are beside the version that they imitate. */
static void name_version(struct mo_server *m, const bson_t *build, const char *stranger)
{
    static const char *const own[] = { "ferretdbVersion", "secantusVersion", NULL };
    const char *version = text_of(build, "version");
    bson_iter_t it, sub;
    if (bson_iter_init(&it, build) && bson_iter_find_descendant(&it, "ferretdb.version", &sub) &&
        BSON_ITER_HOLDS_UTF8(&sub)) {
        (void)snprintf(m->version, sizeof m->version, "FerretDB %.30s (as MongoDB %.20s)",
            bson_iter_utf8(&sub, NULL), version);
        return;
    }
    for (size_t i = 0; own[i] != NULL; i++) {
        if (*text_of(build, own[i]) != '\0') {
            (void)snprintf(m->version, sizeof m->version, "%s %.30s (as MongoDB %.20s)",
                i == 0 ? "FerretDB" : "SecantusDB", text_of(build, own[i]), version);
            return;
        }
    }
    if (m->fidelity == SP_FID_REAL)
        (void)snprintf(m->version, sizeof m->version, "MongoDB %.40s", version);
    else
        (void)snprintf(m->version, sizeof m->version, "a server that says MongoDB %.20s%s%.30s", version,
            stranger == NULL ? "" : ", with ", stranger == NULL ? "" : stranger);
}

static int ask(
    struct sp_session *s, const char *command, const char *what, bson_t *reply, struct sp_error *err)
{
    bson_t cmd = BSON_INITIALIZER;
    bool ok = BSON_APPEND_INT32(&cmd, command, 1);
    bson_init(reply);
    if (ok)
        bson_destroy(reply);
    int ret = ok ? mo_command(s, "admin", &cmd, MO_PLAIN, what, reply, err) : sp_nomem(err);
    bson_destroy(&cmd);
    return ret;
}

static void hear_hello(struct mo_server *m, const bson_t *hello)
{
    m->wire = (int)number_of(hello, "maxWireVersion");
    m->sharded = strcmp(text_of(hello, "msg"), "isdbgrid") == 0;
    m->sessions = bson_has_field(hello, "logicalSessionTimeoutMinutes");
    m->max_document = number_of(hello, "maxBsonObjectSize");
    m->max_message = number_of(hello, "maxMessageSizeBytes");
    (void)sp_strlcpy(m->set, text_of(hello, "setName"), sizeof m->set);
    if (m->max_document <= 0 || m->max_document > MO_DOCUMENT_BYTES)
        m->max_document = MO_DOCUMENT_BYTES;
}

/* May be refused to a user with few rights: then nobody knows. */
static void hear_engine(struct sp_session *s)
{
    bson_t reply;
    bson_iter_t it, sub;
    (void)sp_strlcpy(s->server.engine, "not said", sizeof s->server.engine);
    if (ask(s, "serverStatus", "serverStatus", &reply, NULL) == 0 && bson_iter_init(&it, &reply) &&
        bson_iter_find_descendant(&it, "storageEngine.name", &sub) && BSON_ITER_HOLDS_UTF8(&sub))
        (void)sp_strlcpy(s->server.engine, bson_iter_utf8(&sub, NULL), sizeof s->server.engine);
    bson_destroy(&reply);
}

int mo_recognise(struct sp_session *s, struct sp_error *err)
{
    bson_t hello, build;
    const char *stranger = NULL;
    int ret = ask(s, "hello", "cannot connect", &hello, err);
    if (ret == 0)
        hear_hello(&s->server, &hello);
    bson_destroy(&hello);
    if (ret != 0)
        return ret;
    ret = ask(s, "buildInfo", "buildInfo", &build, err);
    if (ret == 0) {
        s->server.fidelity = judge(&build, &stranger);
        name_version(&s->server, &build, stranger);
    }
    bson_destroy(&build);
    if (ret == 0 && s->server.wire < 8) /* 4.2 */
        ret = sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND,
            "%s speaks wire version %d; MongoDB 4.2 or later is needed", s->where, s->server.wire);
    return ret;
}

static void deny(struct sp_cap *c, enum sp_cap_level level, const char *why)
{
    if (c->level == SP_CAP_YES)
        *c = (struct sp_cap){ .level = (uint8_t)level, .why = why };
}

static const enum sp_cap_id of_txn[] = { SP_CAP_TXN, SP_CAP_ATOMIC_BATCH, SP_CAP_RETURNING,
    SP_CAP_ISO_READ_COMMITTED, SP_CAP_ISO_REPEATABLE, SP_CAP_SNAPSHOT };
static const enum sp_cap_id of_others[] = { SP_CAP_UNIQUE, SP_CAP_UNIQUE_COMPOUND, SP_CAP_NOT_NULL,
    SP_CAP_STRICT_TYPES };

/* Nothing could be tried. A real server is believed what it says; any other program's transactions are unproven. */
static void unproven(struct sp_session *s, struct sp_cap out[SP_CAP_N], const char *why)
{
    if (s->server.fidelity == SP_FID_REAL)
        return;
    for (size_t i = 0; i < SP_LEN(of_txn); i++)
        deny(&out[of_txn[i]], SP_CAP_UNKNOWN, why);
    for (size_t i = 0; i < SP_LEN(of_others); i++)
        deny(&out[of_others[i]], SP_CAP_UNKNOWN, why);
}

/* A user may be held to some databases; then there are no namespaces. */
static bool allows(const bson_iter_t *privilege, const char *action)
{
    bson_iter_t it, sub;
    bool any =
        bson_iter_recurse(privilege, &it) && bson_iter_find_descendant(&it, "resource.anyResource", &sub);
    bool wide = bson_iter_recurse(privilege, &it) && bson_iter_find_descendant(&it, "resource.db", &sub) &&
                BSON_ITER_HOLDS_UTF8(&sub) && *bson_iter_utf8(&sub, NULL) == '\0';
    if ((!any && !wide) || !bson_iter_recurse(privilege, &it) || !bson_iter_find(&it, "actions") ||
        !BSON_ITER_HOLDS_ARRAY(&it) || !bson_iter_recurse(&it, &sub))
        return false;
    while (bson_iter_next(&sub))
        if (BSON_ITER_HOLDS_UTF8(&sub) && (strcmp(bson_iter_utf8(&sub, NULL), action) == 0 ||
                                              strcmp(bson_iter_utf8(&sub, NULL), "anyAction") == 0))
            return true;
    return false;
}

static void hear_rights(struct sp_session *s, struct sp_cap out[SP_CAP_N])
{
    bson_t reply, *cmd = BCON_NEW("connectionStatus", BCON_INT32(1), "showPrivileges", BCON_BOOL(true));
    bson_iter_t it, users, list;
    bool may = false, some = false;
    if (cmd == NULL)
        return;
    int ret = mo_command(s, "admin", cmd, MO_PLAIN, "connectionStatus", &reply, NULL);
    bool named = ret == 0 && bson_iter_init(&it, &reply) &&
                 bson_iter_find_descendant(&it, "authInfo.authenticatedUsers", &users) &&
                 bson_iter_recurse(&users, &it) && bson_iter_next(&it);
    if (named && bson_iter_init(&it, &reply) &&
        bson_iter_find_descendant(&it, "authInfo.authenticatedUserPrivileges", &list) &&
        bson_iter_recurse(&list, &it))
        while (bson_iter_next(&it)) {
            some = true;
            may = may || allows(&it, "dropDatabase");
        }
    if (named && some && !may) {
        deny(&out[SP_CAP_NAMESPACES], SP_CAP_NO, "this user may not make and drop databases");
        deny(&out[SP_CAP_BUCKETS], SP_CAP_NO, "this user may not make and drop databases");
    }
    bson_destroy(&reply);
    bson_destroy(cmd);
}

/* An object is replaced by another file in a transaction. */
static const enum sp_cap_id of_storage[] = { SP_CAP_PUT, SP_CAP_COPY, SP_CAP_MOVE, SP_CAP_METADATA,
    SP_CAP_CONTENT_TYPE, SP_CAP_IF_NONE_MATCH, SP_CAP_IF_MATCH, SP_CAP_CHECKSUM, SP_CAP_MULTIPART,
    SP_CAP_PART_ORDER };

int mo_effective(
    struct sp_session *s, struct sp_cap out[SP_CAP_N], struct sp_facts *facts, struct sp_error *err)
{
    const struct mo_server *m = &s->server;
    (void)err;
    mo_begin_statement(s);
    hear_engine(s);
    facts->fidelity = m->fidelity;
    (void)sp_strlcpy(facts->server_version, m->version, sizeof facts->server_version);
    (void)snprintf(facts->notes, sizeof facts->notes,
        "%s%.60s, wire version %d, storage engine %.30s, database %.63s",
        m->sharded          ? "sharded cluster"
        : m->set[0] != '\0' ? "replica set "
                            : "standalone",
        m->set, m->wire, m->engine, s->default_ns);
    hear_rights(s, out);
    for (size_t i = 0; !mo_has_txn(s) && i < SP_LEN(of_txn); i++)
        deny(&out[of_txn[i]], SP_CAP_NO,
            "a standalone server has no transactions; make it a replica set of one");
    if (s->base.endpoint->access != SP_ACCESS_DISPOSABLE)
        unproven(s, out, "unproven: no real MongoDB, and this access allows no writes to try it");
    else if (s->cs != NULL)
        unproven(s, out, "unproven: no real MongoDB, and it could not be tried while a transaction is open");
    else if (mo_probe(s, out) != 0)
        unproven(s, out, "unproven: no real MongoDB, and it could not be tried in this database");
    mo_ask_roles(s, out);
    for (size_t i = 0; out[SP_CAP_TXN].level != SP_CAP_YES && i < SP_LEN(of_storage); i++)
        deny(&out[of_storage[i]], out[SP_CAP_TXN].level,
            "GridFS replaces an object in a transaction, which this server does not have, or is not proven "
            "to keep");
    return 0;
}
