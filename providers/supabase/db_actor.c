/* db_actor.c -- people of an application. Over REST a token says who asks: the project's own, or one that is signed here with
 * its secret. Rules for rows are made in the database itself. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "provider_call.h"
#include "providers/lib/actor.h"
#include "providers/lib/sign/jwt.h"
#include "providers/supabase/internal.h"

#define ANON "anon"
#define USER "authenticated"
#define LIFE 3600 /* seconds of a token that is made for one session */
#define AGO  60   /* it began so long ago: the server's clock may be behind */

static const char *secret_of(const struct sp_session *s)
{
    return sd_setting(s->base.endpoint, "jwt_secret", "SUPABASE_JWT_SECRET");
}

const char *sd_no_actors(const struct sp_session *s)
{
    return secret_of(s) != NULL ? NULL
                                : "no jwt_secret is configured: nobody can be signed in without a password";
}

static int sign(struct sp_session *s, const struct sp_actor *a, int64_t from, int64_t until,
    struct sp_buf *out, struct sp_error *err)
{
    const char *secret = secret_of(s), *role = a->role != NULL ? a->role : a->user != NULL ? USER : ANON;
    struct sp_buf claims = SP_BUF_INIT;
    if (secret == NULL)
        return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_HARNESS, "%s; set the option jwt_secret, or sign in",
            sd_no_actors(s));
    int ret = sp_actor_claims(&claims, a, role, from, until, err);
    if (ret == 0)
        ret = sp_jwt_sign_hs256(out, claims.p, secret, strlen(secret), err);
    sp_buf_free(&claims);
    return ret;
}

int sd_actor_token(struct sp_session *s, struct sp_arena *arena, const struct sp_actor *a, int64_t from,
    int64_t until, const char **token, struct sp_error *err)
{
    struct sp_buf b = SP_BUF_INIT;
    int ret = sign(s, a, from, until, &b, err);
    if (ret == 0 && (*token = sp_arena_strn(arena, b.p, b.n)) == NULL)
        ret = sp_nomem(err);
    sp_buf_free(&b);
    return ret;
}

/* What goes with each request from now on. token NULL = none. */
static int send_as(struct sp_session *s, const char *key, const char *token, struct sp_error *err)
{
    char *bearer = token == NULL ? NULL : sp_strdup_printf("Bearer %s", token);
    int ret = token != NULL && bearer == NULL ? sp_nomem(err) : 0;
    if (ret == 0)
        ret = sp_http_set_header(s->db.http, "apikey", key, err);
    if (ret == 0)
        ret = sp_http_set_header(s->db.http, "Authorization", bearer, err);
    free(bearer);
    return ret;
}

static void note_role(struct sp_session *s, const char *token)
{
    struct sp_buf claims = SP_BUF_INIT;
    (void)sp_strlcpy(s->db.role, ANON, sizeof s->db.role);
    if (token != NULL && sp_jwt_peek(&claims, token, NULL) == 0)
        (void)sp_json_member(claims.p, claims.n, "role", s->db.role, sizeof s->db.role);
    sp_buf_free(&claims);
}

/* A gateway makes what it wants of a key that comes alone, and the service's key would be let through as what it is. */
static int key_of_nobody(const struct sp_session *s, const char **key, struct sp_error *err)
{
    *key = s->key[SU_ANON];
    if (*key == NULL && s->db.gateway)
        return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_HARNESS,
            "%s: those who are not signed in come with the project's public key; set the option anon_key",
            sp_http_where(s->db.http));
    return 0;
}

static int own(struct sp_session *s, struct sp_error *err)
{
    const char *key = s->key[s->key[SU_ADMIN] != NULL ? SU_ADMIN : SU_ANON];
    (void)sp_strlcpy(s->db.role, s->db.own_role, sizeof s->db.role);
    s->db.acting = false;
    return send_as(s, key, su_key_is_token(key) ? key : NULL, err);
}

static int become(struct sp_session *s, const struct sp_actor *a, struct sp_error *err)
{
    const char *key, *token = a->token;
    bool nobody = token == NULL && a->user == NULL && a->role == NULL && a->claims == NULL;
    struct sp_buf made = SP_BUF_INIT;
    int64_t now = (int64_t)time(NULL);
    int ret = key_of_nobody(s, &key, err);
    if (ret == 0 && nobody &&
        sd_no_actors(s) != NULL) /* what is said not to be offered is refused as a whole */
        ret = sp_fail(
            err, SP_E_UNSUPPORTED, SP_ORIGIN_HARNESS, "%s; set the option jwt_secret", sd_no_actors(s));
    if (ret == 0 && token != NULL && !su_can_be_token(token))
        ret = sp_fail(err, SP_E_AUTHENTICATION, SP_ORIGIN_BACKEND, "this is no access token");
    if (ret == 0 && nobody)
        token = key != NULL && su_key_is_token(key) ? key : NULL;
    else if (ret == 0 && token == NULL)
        ret = sign(s, a, now - AGO, now + LIFE, &made, err);
    if (ret == 0)
        ret = send_as(s, key, made.p != NULL ? made.p : token, err);
    s->db.acting = ret == 0;
    if (ret == 0)
        note_role(s, made.p != NULL ? made.p : token);
    sp_buf_free(&made);
    return ret;
}

int sd_act_for(struct sp_session *s, const struct sp_actor *a, struct sp_error *err)
{
    int ret = sd_no_sql(s, err);
    if (ret == 0)
        ret = own(s, err); /* what goes wrong below leaves it so */
    return ret == 0 && a != NULL ? become(s, a, err) : ret;
}

/* As on a project: all of its roles have all privileges, and the rules for rows decide. */
static int grant_all(struct sp_session *s, const char *table, struct sp_error *err)
{
    static const char sql[] = "SELECT format('GRANT USAGE ON SCHEMA %1$I TO " ANON ", " USER
                              "', $1), format('GRANT ALL ON %1$I.%2$I TO " ANON ", " USER "', $1, $2)";
    struct sp_value v[] = { sp_v_text(sd_ns(s, NULL)), sp_v_text(table) };
    struct sp_op names = { .kind = SP_OP_RAW, .raw = sql, .values = v, .nfields = SP_LEN(v) };
    struct sp_result r = SP_RESULT_INIT;
    int ret = sd_ask(s, &names, &r, err); /* names are quoted by the server itself */
    for (size_t i = 0; ret == 0 && r.nrows == 1 && i < r.ncolumns; i++) {
        char *text = sp_strdup_printf("%.*s", (int)r.values[i].u.str.n, r.values[i].u.str.p);
        struct sp_op grant = { .kind = SP_OP_RAW, .raw = text };
        ret = text == NULL ? sp_nomem(err) : sp_db_exec(s->db.sql, &grant, NULL, err);
        free(text);
    }
    sp_result_free(&r);
    return ret;
}

int sd_row_rules(
    struct sp_session *s, const char *table, const struct sp_row_rules *rules, struct sp_error *err)
{
    sd_begin(s);
    int ret = sd_no_sql(s, err);
    if (ret == 0)
        ret = sp_db_row_rules(s->db.sql, table, rules, err);
    return ret == 0 ? grant_all(s, table, err) : ret;
}
