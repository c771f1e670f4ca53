/* errors.c -- the server's and the driver's errors in the one vocabulary. The text of the server is kept, its details that
 * hold values are not: "dup key: { id: 5 }" belongs to the data. */
#include <stdio.h>
#include <string.h>

#include "providers/mongodb/internal.h"

struct code_row {
    int32_t code;
    enum sp_code to;
    const char *advice;
};

static const struct code_row codes[] = {
    { 11000, SP_E_UNIQUE, "" },
    { 11001, SP_E_UNIQUE, "" },
    { 12582, SP_E_UNIQUE, "" },
    { 121, SP_E_CHECK, "" },
    { 26, SP_E_NOT_FOUND, "" }, /* NamespaceNotFound */
    { 27, SP_E_NOT_FOUND, "" }, /* IndexNotFound */
    { 11, SP_E_NOT_FOUND, "" }, /* UserNotFound */
    { 31, SP_E_NOT_FOUND, "" }, /* RoleNotFound */
    { 43, SP_E_UNAVAILABLE, "the server forgot the cursor; repeat the read" },
    { 48, SP_E_EXISTS, "" },    /* NamespaceExists */
    { 51002, SP_E_EXISTS, "" }, /* user or role */
    { 51003, SP_E_EXISTS, "" },
    { 85, SP_E_EXISTS, "" }, /* IndexOptionsConflict */
    { 86, SP_E_EXISTS, "" }, /* IndexKeySpecsConflict */
    { 13, SP_E_PERMISSION, "" },
    { 8000, SP_E_PERMISSION, "" }, /* Atlas */
    { 18, SP_E_AUTHENTICATION, "" },
    { 334, SP_E_AUTHENTICATION, "" }, /* MechanismUnavailable */
    { 391, SP_E_AUTHENTICATION, "the session's credentials expired" },
    { 112, SP_E_CONFLICT, "repeat the transaction" },
    { 244, SP_E_CONFLICT, "repeat the transaction" }, /* TransactionAborted */
    { 246, SP_E_CONFLICT, "the snapshot is too old" },
    { 239, SP_E_CONFLICT, "the snapshot is too old" },
    { 24, SP_E_CONFLICT, "another operation holds the lock" }, /* LockTimeout */
    { 117, SP_E_CONFLICT, "" },
    { 225, SP_E_CONFLICT, "" },                                            /* TransactionTooOld */
    { 251, SP_E_CONFLICT, "the server has no such transaction any more" }, /* NoSuchTransaction */
    { 256, SP_E_INVALID, "" },                                             /* TransactionCommitted */
    { 50, SP_E_TIMEOUT, "" },
    { 262, SP_E_TIMEOUT, "" }, /* ExceededTimeLimit */
    { 89, SP_E_TIMEOUT, "" },  /* NetworkTimeout */
    { 202, SP_E_TIMEOUT, "" },
    { 11601, SP_E_CANCELLED, "" },
    { 237, SP_E_CANCELLED, "" }, /* CursorKilled */
    { 279, SP_E_UNAVAILABLE, "the client's connection ended" },
    { 11600, SP_E_UNAVAILABLE, "the server is stopping" },
    { 11602, SP_E_UNAVAILABLE, "the primary stepped down" },
    { 10107, SP_E_UNAVAILABLE, "not the primary" },
    { 13435, SP_E_UNAVAILABLE, "not the primary" },
    { 13436, SP_E_UNAVAILABLE, "the server recovers" },
    { 10058, SP_E_UNAVAILABLE, "not the primary" },
    { 91, SP_E_UNAVAILABLE, "the server is stopping" },
    { 189, SP_E_UNAVAILABLE, "the primary stepped down" },
    { 75, SP_E_OUTCOME_UNKNOWN,
        "made on the primary, but not confirmed by the others" }, /* WriteConcernTimeout */
    { 100, SP_E_OUTCOME_UNKNOWN, "" },                            /* UnsatisfiableWriteConcern */
    { 6, SP_E_UNAVAILABLE, "" },                                  /* HostUnreachable */
    { 7, SP_E_UNAVAILABLE, "" },                                  /* HostNotFound */
    { 9001, SP_E_UNAVAILABLE, "" },
    { 133, SP_E_UNAVAILABLE, "" }, /* FailedToSatisfyReadPreference */
    { 14031, SP_E_UNAVAILABLE, "the server's disk is full" },
    { 64, SP_E_OUTCOME_UNKNOWN, "made on the primary, but not confirmed by the others" },
    { 10334, SP_E_TOO_LARGE, "a document is at most 16 MiB" },
    { 17419, SP_E_TOO_LARGE, "a document is at most 16 MiB" },
    { 17420, SP_E_TOO_LARGE, "a document is at most 16 MiB" },
    { 17280, SP_E_TOO_LARGE, "" }, /* KeyTooLong */
    { 292, SP_E_TOO_LARGE, "" },   /* QueryExceededMemoryLimitNoDiskUseAllowed */
    { 59, SP_E_UNSUPPORTED, "" },  /* CommandNotFound */
    { 238, SP_E_UNSUPPORTED, "" }, /* NotImplemented */
    { 115, SP_E_UNSUPPORTED, "" }, /* CommandNotSupported */
    { 303, SP_E_UNSUPPORTED, "" }, /* API */
    { 20, SP_E_UNSUPPORTED, "transactions need a replica set or a sharded cluster" }, /* IllegalOperation */
    { 263, SP_E_UNSUPPORTED, "not inside a transaction" },
    { 8, SP_E_INTERNAL, "" },
    { 1, SP_E_INTERNAL, "" },
};

static const struct code_row *row_of(int32_t code)
{
    for (size_t i = 0; i < SP_LEN(codes); i++)
        if (codes[i].code == code)
            return &codes[i];
    return NULL;
}

/* "E11000 duplicate key error ... dup key: { id: 5 }": up to where values begin. */
static int text_length(const char *message)
{
    static const char *const marks[] = { " dup key:", " dup key ", "dup key: {", "found value", "Document:" };
    size_t n = strlen(message);
    for (size_t i = 0; i < SP_LEN(marks); i++) {
        const char *at = strstr(message, marks[i]);
        if (at != NULL && (size_t)(at - message) < n)
            n = (size_t)(at - message);
    }
    return n > 2000 ? 2000 : (int)n;
}

static int fill(struct sp_session *s, enum sp_code code, enum sp_origin origin, int32_t native,
    const char *what, const char *message, const char *advice, struct sp_error *err)
{
    bool about = what != NULL && *what != '\0';
    int ret = sp_fail(err, code, origin, "%s%s%.*s%s%s (%s)", about ? what : "", about ? ": " : "",
        text_length(message), message, *advice == '\0' ? "" : "; ", advice, s->where);
    if (err == NULL)
        return ret;
    char text[16];
    (void)snprintf(text, sizeof text, "%d", (int)native);
    if (native > 0)
        sp_error_native(err, text);
    err->retryable = code == SP_E_CONFLICT || code == SP_E_UNAVAILABLE || code == SP_E_TIMEOUT;
    if (code == SP_E_OUTCOME_UNKNOWN)
        err->effect = SP_EFFECT_UNKNOWN;
    return ret;
}

/* A commit was sent and its end is not known; the client may have tried a second one since, which says nothing of it. */
static bool unknown_commit(const bson_t *reply)
{
    return reply != NULL && mongoc_error_has_label(reply, "UnknownTransactionCommitResult");
}

/* ---- no answer ---- */

static void lose(struct sp_session *s)
{
    if (s->in_txn)
        s->txn_lost = SP_E_UNAVAILABLE;
}

static int no_answer(struct sp_session *s, const bson_error_t *e, const char *what, struct sp_error *err)
{
    bool late = s->deadline_ns > 0 && mo_now_ns() >= s->deadline_ns;
    lose(s);
    if (s->uncertain) /* a read whose client has gone ends by itself */
        mo_stop(s);
    if (atomic_load(&s->interrupted)) {
        int ret = fill(s, SP_E_CANCELLED, SP_ORIGIN_BACKEND, 0, what, "stopped on request", "", err);
        if (err != NULL && s->uncertain)
            err->effect = SP_EFFECT_UNKNOWN;
        return ret;
    }
    if (s->uncertain)
        return fill(s, SP_E_OUTCOME_UNKNOWN, SP_ORIGIN_TRANSPORT, 0, what, e->message,
            "no answer came: the write may or may not have been made", err);
    if (late)
        return fill(s, SP_E_TIMEOUT, SP_ORIGIN_BACKEND, 0, what, "no answer within its time-out", "", err);
    return fill(s, SP_E_UNAVAILABLE, SP_ORIGIN_TRANSPORT, 0, what, e->message, "", err);
}

/* ---- the server's answer ---- */

/* These are said before anything is done; the others may come in the middle of it. */
static bool refused_at_once(int32_t code)
{
    return code == 10107 || code == 13435 || code == 10058 || code == 13436 || code == 133 || code == 14031;
}

static int answered(struct sp_session *s, int32_t code, const bson_error_t *e, const bson_t *reply,
    const char *what, struct sp_error *err)
{
    const struct code_row *row = row_of(code);
    bool transient = reply != NULL && mongoc_error_has_label(reply, "TransientTransactionError");
    enum sp_code to = row != NULL ? row->to : SP_E_INVALID;
    if (code == 13 && strstr(e->message, "requires authentication") != NULL)
        to = SP_E_AUTHENTICATION;
    if (unknown_commit(reply))
        to = SP_E_OUTCOME_UNKNOWN;
    else if (transient && to != SP_E_UNAVAILABLE)
        to = SP_E_CONFLICT;
    else if (s->uncertain && to == SP_E_UNAVAILABLE && !refused_at_once(code) &&
             !(reply != NULL && mongoc_error_has_label(reply, "NoWritesPerformed")))
        to = SP_E_OUTCOME_UNKNOWN;
    else if (s->uncertain && e->domain == MONGOC_ERROR_WRITE_CONCERN)
        to = SP_E_OUTCOME_UNKNOWN;
    if (s->in_txn) /* the server has aborted it, whatever the error was */
        s->txn_lost = to == SP_E_UNAVAILABLE ? SP_E_UNAVAILABLE : SP_E_CONFLICT;
    return fill(s, to, SP_ORIGIN_BACKEND, code, what, e->message, row == NULL ? "" : row->advice, err);
}

/* Nothing was sent. "No suitable servers found (`serverSelectionTryOnce` set): [why]": the why is for people. */
static int no_server(struct sp_session *s, const bson_error_t *e, const char *what, struct sp_error *err)
{
    int32_t code = (int32_t)e->code;
    bool version = code == MONGOC_ERROR_PROTOCOL_BAD_WIRE_VERSION ||
                   code == MONGOC_ERROR_SERVER_SELECTION_BAD_WIRE_VERSION;
    const char *why = strchr(e->message, '[');
    const char *set = mongoc_uri_get_replica_set(s->uri);
    struct sp_buf advice = SP_BUF_INIT;
    lose(s);
    if (why == NULL && set != NULL)
        sp_buf_printf(&advice, "no server says that it belongs to the replica set \"%s\" of the URL", set);
    int ret = fill(s, version ? SP_E_UNSUPPORTED : SP_E_UNAVAILABLE, SP_ORIGIN_TRANSPORT, 0, what,
        why != NULL              ? why
        : version || set == NULL ? e->message
                                 : "no server fits the URL",
        advice.p == NULL ? "" : advice.p, err);
    sp_buf_free(&advice);
    return ret;
}

int mo_error(
    struct sp_session *s, const bson_error_t *e, const bson_t *reply, const char *what, struct sp_error *err)
{
    int32_t code = (int32_t)e->code;
    switch (e->domain) {
    case MONGOC_ERROR_SERVER:
    case MONGOC_ERROR_WRITE_CONCERN:
        return answered(s, code, e, reply, what, err);
    case MONGOC_ERROR_STREAM:
        return no_answer(s, e, what, err);
    case MONGOC_ERROR_SERVER_SELECTION:
        if (atomic_load(&s->interrupted) || unknown_commit(reply))
            return no_answer(s, e, what, err);
        return no_server(s, e, what, err);
    case MONGOC_ERROR_CLIENT:
        if (code == MONGOC_ERROR_CLIENT_AUTHENTICATE)
            return fill(s, SP_E_AUTHENTICATION, SP_ORIGIN_BACKEND, 18, what, e->message, "", err);
        if (code == MONGOC_ERROR_CLIENT_TOO_BIG)
            return fill(s, SP_E_TOO_LARGE, SP_ORIGIN_HARNESS, 0, what, e->message, "", err);
        return fill(s, SP_E_INVALID, SP_ORIGIN_HARNESS, 0, what, e->message, "", err);
    case MONGOC_ERROR_SASL:
    case MONGOC_ERROR_SCRAM:
        return fill(s, SP_E_AUTHENTICATION, SP_ORIGIN_BACKEND, 18, what, e->message, "", err);
    case MONGOC_ERROR_PROTOCOL:
        if (s->uncertain)
            return no_answer(s, e, what, err);
        lose(s);
        return fill(s, code == MONGOC_ERROR_PROTOCOL_BAD_WIRE_VERSION ? SP_E_UNSUPPORTED : SP_E_UNAVAILABLE,
            SP_ORIGIN_TRANSPORT, 0, what, e->message, "", err);
    case MONGOC_ERROR_BSON:
        return fill(s, code == MONGOC_ERROR_BSON_INVALID ? SP_E_TOO_LARGE : SP_E_INVALID, SP_ORIGIN_BACKEND,
            0, what, e->message, "", err);
    default:
        return fill(s, SP_E_INVALID, SP_ORIGIN_BACKEND, 0, what, e->message, "", err);
    }
}

/* ---- what a validator says (since 5.0) ---- */

struct verdict {
    enum sp_code code;
    char column[128], why[32];
};

static const char *text_at(const bson_iter_t *doc, const char *key)
{
    bson_iter_t it;
    return bson_iter_recurse(doc, &it) && bson_iter_find(&it, key) && BSON_ITER_HOLDS_UTF8(&it)
               ? bson_iter_utf8(&it, NULL)
               : "";
}

static void judge(struct verdict *v, const char *column, const char *rule, const char *type)
{
    static const struct {
        const char *rule;
        enum sp_code code;
    } rules[] = { { "not", SP_E_NOT_NULL }, { "required", SP_E_NOT_NULL }, { "bsonType", SP_E_INVALID },
        { "minimum", SP_E_RANGE }, { "maximum", SP_E_RANGE }, { "maxLength", SP_E_TOO_LARGE },
        { "pattern", SP_E_INVALID }, { "items", SP_E_INVALID }, { "minItems", SP_E_INVALID },
        { "maxItems", SP_E_INVALID }, { "additionalProperties", SP_E_INVALID } };
    enum sp_code code = SP_E_CHECK;
    for (size_t i = 0; i < SP_LEN(rules); i++)
        if (strcmp(rules[i].rule, rule) == 0)
            code = rules[i].code;
    if (strcmp(rule, "bsonType") == 0 && strcmp(type, "null") == 0)
        code = SP_E_NOT_NULL;
    if (v->code != SP_E_OK && v->code != SP_E_CHECK && code != SP_E_NOT_NULL)
        return; /* the first counts, and before all a null */
    v->code = code;
    (void)sp_strlcpy(v->column, column, sizeof v->column);
    (void)sp_strlcpy(v->why, rule, sizeof v->why);
}

static void judge_property(struct verdict *v, const bson_iter_t *property)
{
    bson_iter_t it, list;
    if (!bson_iter_recurse(property, &it) || !bson_iter_find(&it, "details") ||
        !bson_iter_recurse(&it, &list))
        return;
    while (bson_iter_next(&list))
        judge(v, text_at(property, "propertyName"), text_at(&list, "operatorName"),
            text_at(&list, "consideredType"));
}

static void judge_rule(struct verdict *v, const bson_iter_t *rule)
{
    static const char *const lists[] = { "missingProperties", "additionalProperties" };
    const char *name = text_at(rule, "operatorName");
    bson_iter_t it, list;
    if (bson_iter_recurse(rule, &it) && bson_iter_find(&it, "propertiesNotSatisfied") &&
        bson_iter_recurse(&it, &list))
        while (bson_iter_next(&list))
            judge_property(v, &list);
    for (size_t i = 0; i < SP_LEN(lists); i++)
        if (bson_iter_recurse(rule, &it) && bson_iter_find(&it, lists[i]) && BSON_ITER_HOLDS_ARRAY(&it) &&
            bson_iter_recurse(&it, &list) && bson_iter_next(&list) && BSON_ITER_HOLDS_UTF8(&list))
            judge(v, bson_iter_utf8(&list, NULL), name, "");
}

static int validation(struct sp_session *s, const bson_iter_t *error, const char *what, struct sp_error *err)
{
    struct verdict v = { .code = SP_E_OK };
    struct sp_buf text = SP_BUF_INIT;
    bson_iter_t it, rules;
    if (bson_iter_recurse(error, &it) &&
        bson_iter_find_descendant(&it, "errInfo.details.schemaRulesNotSatisfied", &rules) &&
        BSON_ITER_HOLDS_ARRAY(&rules) && bson_iter_recurse(&rules, &it))
        while (bson_iter_next(&it))
            judge_rule(&v, &it);
    if (v.code == SP_E_OK)
        sp_buf_puts(&text, "the collection's validator refused the document");
    else
        sp_buf_printf(&text, "the collection's validator refused \"%s\": %s", v.column,
            v.code == SP_E_NOT_NULL ? "it must not be null or missing" : v.why);
    int ret = fill(s, v.code == SP_E_OK ? SP_E_CHECK : v.code, SP_ORIGIN_BACKEND, 121, what,
        text.p == NULL ? "" : text.p, "", err);
    sp_buf_free(&text);
    return ret;
}

int mo_write_error(struct sp_session *s, const bson_t *reply, const char *what, struct sp_error *err)
{
    bson_iter_t it, list, sub;
    bson_error_t e = { .domain = MONGOC_ERROR_SERVER };
    if (bson_iter_init_find(&it, reply, "writeConcernError") && BSON_ITER_HOLDS_DOCUMENT(&it) &&
        !bson_has_field(reply, "writeErrors"))
        return fill(s, SP_E_OUTCOME_UNKNOWN, SP_ORIGIN_BACKEND, 64, what, text_at(&it, "errmsg"),
            "made on the primary, but not confirmed by the others", err);
    if (!bson_iter_init_find(&it, reply, "writeErrors") || !BSON_ITER_HOLDS_ARRAY(&it) ||
        !bson_iter_recurse(&it, &list) || !bson_iter_next(&list))
        return 0;
    if (bson_iter_recurse(&list, &sub) && bson_iter_find(&sub, "code") && BSON_ITER_HOLDS_NUMBER(&sub))
        e.code = (uint32_t)bson_iter_as_int64(&sub);
    (void)sp_strlcpy(e.message, text_at(&list, "errmsg"), sizeof e.message);
    if (e.code != 121)
        return mo_error(s, &e, reply, what, err);
    if (s->in_txn)
        s->txn_lost = SP_E_CONFLICT;
    return validation(s, &list, what, err);
}

int mo_cursor_error(struct sp_session *s, mongoc_cursor_t *cursor, const char *what, struct sp_error *err)
{
    bson_error_t e = { 0 };
    const bson_t *reply = NULL;
    return mongoc_cursor_error_document(cursor, &e, &reply) ? mo_error(s, &e, reply, what, err) : 0;
}

int mo_corrupt(const char *what, struct sp_error *err)
{
    return sp_fail(
        err, SP_E_CORRUPT, SP_ORIGIN_BACKEND, "the server's answer to %s has not the expected form", what);
}
