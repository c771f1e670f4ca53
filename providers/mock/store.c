/* store.c -- the stores of this process, their namespaces, and the frame of an operation. */
#include "internal.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/str.h"

static pthread_mutex_t stores_lock = PTHREAD_MUTEX_INITIALIZER;
static struct mock_store *stores;

int mock_fail(struct sp_error *err, enum sp_code code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int rc = sp_failv(err, code, SP_ORIGIN_BACKEND, fmt, ap);
    va_end(ap);
    return rc;
}

static struct mock_store *store_new(const char *name)
{
    struct mock_store *st = calloc(1, sizeof *st);
    if (st == NULL)
        return NULL;
    st->name = strdup(name);
    if (st->name == NULL || RAND_bytes(st->key, sizeof st->key) != 1 ||
        pthread_mutex_init(&st->lock, NULL) != 0) {
        free(st->name);
        free(st);
        return NULL;
    }
    st->stamp = 1;
    return st;
}

int mock_store_get(const char *name, struct mock_store **out, struct sp_error *err)
{
    pthread_mutex_lock(&stores_lock);
    struct mock_store *st = stores;
    while (st != NULL && strcmp(st->name, name) != 0)
        st = st->next;
    if (st == NULL) {
        st = store_new(name);
        if (st != NULL) {
            st->next = stores;
            stores = st;
        }
    }
    pthread_mutex_unlock(&stores_lock);
    *out = st;
    return st == NULL ? sp_nomem(err) : 0;
}

static int64_t monotonic_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* An interrupt stops what is running; one that comes between two operations stops nothing. */
void mock_enter(struct mock_session *s)
{
    atomic_store(&s->interrupted, false);
    s->ticks = 0;
    s->deadline_ms = s->timeout_ms > 0 ? monotonic_ms() + s->timeout_ms : 0;
    pthread_mutex_lock(&s->store->lock);
}

void mock_leave(struct mock_session *s)
{
    pthread_mutex_unlock(&s->store->lock);
}

int mock_tick(struct mock_session *s, struct sp_error *err)
{
    if (atomic_load_explicit(&s->interrupted, memory_order_relaxed))
        return mock_fail(err, SP_E_CANCELLED, "the operation was interrupted");
    if (s->deadline_ms != 0 && (s->ticks++ & 15) == 0 && monotonic_ms() >= s->deadline_ms)
        return mock_fail(err, SP_E_TIMEOUT, "the operation took longer than %d ms", s->timeout_ms);
    return 0;
}

int mock_owner_check(const struct mock_session *s, const char *what, struct sp_error *err)
{
    return s->role == NULL ? 0 : mock_fail(err, SP_E_PERMISSION, "role \"%s\" may not %s", s->role, what);
}

bool mock_ns_exists(const struct mock_store *st, const char *ns)
{
    if (*ns == '\0')
        return true;
    for (const struct mock_ns *n = st->namespaces; n != NULL; n = n->next) {
        if (strcmp(n->name, ns) == 0)
            return true;
    }
    return false;
}

int mock_table_find(
    struct mock_session *s, const char *ns, const char *name, struct mock_table **out, struct sp_error *err)
{
    if (ns == NULL)
        ns = s->ns;
    for (struct mock_table *t = s->store->tables; t != NULL; t = t->next) {
        if (strcmp(t->def.name, name) != 0 || strcmp(t->ns, ns) != 0)
            continue;
        if (s->txn != NULL && s->txn->isolation != SP_ISO_READ_COMMITTED && t->created > s->txn->snapshot)
            continue;
        *out = t;
        return 0;
    }
    return mock_fail(err, SP_E_NOT_FOUND, "table \"%s\" does not exist", name);
}

int mock_ns_create(struct sp_session *ss, const char *ns, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    mock_enter(s);
    int rc = mock_owner_check(s, "create a namespace", err);
    if (rc == 0 && mock_ns_exists(s->store, ns))
        rc = mock_fail(err, SP_E_EXISTS, "namespace \"%s\" exists already", ns);
    if (rc == 0) {
        struct mock_ns *n = calloc(1, sizeof *n);
        char *name = strdup(ns);
        if (n == NULL || name == NULL) {
            free(n);
            free(name);
            rc = sp_nomem(err);
        } else {
            n->name = name;
            n->next = s->store->namespaces;
            s->store->namespaces = n;
        }
    }
    mock_leave(s);
    return rc;
}

int mock_ns_use(struct sp_session *ss, const char *ns, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    if (ns == NULL)
        ns = "";
    mock_enter(s);
    bool known = mock_ns_exists(s->store, ns);
    mock_leave(s);
    if (!known)
        return mock_fail(err, SP_E_NOT_FOUND, "namespace \"%s\" does not exist", ns);
    char *copy = strdup(ns);
    if (copy == NULL)
        return sp_nomem(err);
    free(s->ns);
    s->ns = copy;
    return 0;
}

/* Foreign keys never leave a namespace, so that its tables can go in any order. */
static int drop_tables(struct mock_session *s, const char *ns, struct sp_error *err)
{
    for (struct mock_table *t = s->store->tables; t != NULL; t = t->next) {
        int rc = strcmp(t->ns, ns) == 0 ? mock_table_free_check(s, t, err) : 0;
        if (rc != 0)
            return rc;
    }
    for (struct mock_table *t = s->store->tables, *next; t != NULL; t = next) {
        next = t->next;
        if (strcmp(t->ns, ns) == 0)
            mock_table_free(t);
    }
    return 0;
}

int mock_ns_drop(struct sp_session *ss, const char *ns, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    mock_enter(s);
    int rc = mock_owner_check(s, "drop a namespace", err);
    if (rc == 0)
        rc = drop_tables(s, ns, err);
    for (struct mock_ns **p = &s->store->namespaces; rc == 0 && *p != NULL; p = &(*p)->next) {
        struct mock_ns *n = *p;
        if (strcmp(n->name, ns) == 0) {
            *p = n->next;
            free(n->name);
            free(n);
            break;
        }
    }
    mock_leave(s);
    return rc;
}

int mock_ns_list(struct sp_session *ss, const char *prefix, struct sp_names *out, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    int rc = 0;
    mock_enter(s);
    for (const struct mock_ns *n = s->store->namespaces; rc == 0 && n != NULL; n = n->next) {
        if (sp_str_prefix(n->name, prefix) && sp_names_add(out, n->name) != 0)
            rc = sp_nomem(err);
    }
    mock_leave(s);
    return rc;
}
