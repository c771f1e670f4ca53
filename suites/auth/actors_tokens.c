/* actors_tokens.c -- a token says who asks as long as it counts, and a token that is not good lets nobody in: not as its bearer,
 * not as anybody, and never as the session's own. */
#include <string.h>
#include <time.h>

#include "suites/auth/actors.h"

#define QUARTER 900 /* seconds that a clock may be wrong */
#define SKEW    15  /* ... without harm */

static int64_t now(void)
{
    return (int64_t)time(NULL);
}

static const char *token_of(struct ac *t, const struct sp_actor *a, int64_t from, int64_t until)
{
    const char *token = NULL;
    int rc = sp_db_actor_token(t->own, t->c.d.a, a, now() + from, now() + until, &token, &t->c.d.err);
    return ac_ok(t, "making a token", rc) ? token : NULL;
}

static const char *good(struct ac *t, const struct sp_actor *a)
{
    return token_of(t, a, -60, 3600);
}

/* With this token nothing is read; the code is one of two. */
static bool refused_as(
    struct ac *t, const char *what, const char *token, enum sp_code one, enum sp_code other)
{
    const struct sp_actor a = { .token = token };
    int64_t n = -1;
    if (token == NULL)
        return false;
    int rc = sp_db_act_for(t->s, &a, &t->c.d.err);
    if (rc == 0)
        rc = sp_db_count(t->s, "notes", NULL, &n, &t->c.d.err);
    bool ok = rc == -(int)other ? sp_check(t->c.d.ctx, true, what) : ac_fails(t, what, one, rc);
    sp_error_clear(&t->c.d.err);
    return ok && ac_act(t, t->s, NULL) && ac_all_there(t);
}

static bool refused(struct ac *t, const char *what, const char *token)
{
    return refused_as(t, what, token, SP_E_AUTHENTICATION, SP_E_AUTHENTICATION);
}

static bool is_ann(struct ac *t, const char *token)
{
    const struct sp_actor a = { .token = token };
    return token != NULL && ac_act(t, t->s, &a) && AC_SEES(t, t->s, "ann's rows", 1, 3) &&
           ac_act(t, t->s, NULL);
}

#define BODY(...)                                                                                            \
    struct ac t;                                                                                             \
    (void)data;                                                                                              \
    (void)(ac_start(&t, ctx, &ac_owned) && __VA_ARGS__);                                                     \
    ac_done(&t)

void act_token(struct sp_ctx *ctx, const void *data)
{
    BODY(is_ann(&t, good(&t, &t.ann)));
}

void act_token_expired(struct sp_ctx *ctx, const void *data)
{
    BODY(refused(&t, "a token that ended a quarter of an hour ago", token_of(&t, &t.ann, -7200, -QUARTER)) &&
         refused(&t, "a token that ended years ago", token_of(&t, &t.ann, -900000000, -800000000)));
}

void act_token_early(struct sp_ctx *ctx, const void *data)
{
    BODY(refused(&t, "a token that begins in a quarter of an hour", token_of(&t, &t.ann, QUARTER, 7200)));
}

void act_token_skew(struct sp_ctx *ctx, const void *data)
{
    BODY(is_ann(&t, token_of(&t, &t.ann, SKEW, 3600)) && is_ann(&t, token_of(&t, &t.ann, -3600, -SKEW)));
}

/* A copy whose part behind the last dot can be changed; *sign is its place. */
static char *copy(struct ac *t, const char *token, size_t *sign)
{
    char *c = token != NULL ? sp_arena_strn(t->c.d.a, token, strlen(token)) : NULL, *dot;
    if (c == NULL)
        return NULL;
    dot = strrchr(c, '.');
    if (!sp_check(t->c.d.ctx, dot != NULL && dot[1] != '\0', "a token has a signature behind its last dot"))
        return NULL;
    *sign = (size_t)(dot - c) + 1;
    return c;
}

void act_token_tampered(struct sp_ctx *ctx, const void *data)
{
    struct ac t;
    size_t sign = 0;
    (void)data;
    if (ac_start(&t, ctx, &ac_owned)) {
        const char *whole = good(&t, &t.ann);
        char *first = copy(&t, whole, &sign), *middle = copy(&t, whole, &sign);
        if (first != NULL && middle != NULL) {
            size_t at = sign + strlen(middle + sign) / 2;
            first[sign] = first[sign] == 'A' ? 'B' : 'A';
            middle[at] = middle[at] == 'A' ? 'B' : 'A';
            (void)(refused(&t, "a token with another first character of its signature", first) &&
                   refused(&t, "a token with another character inside its signature", middle) &&
                   is_ann(&t, whole));
        }
    }
    ac_done(&t);
}

/* "none" as the algorithm of a JSON Web Token. */
#define UNSIGNED "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0"

void act_token_unsigned(struct sp_ctx *ctx, const void *data)
{
    struct ac t;
    size_t sign = 0;
    (void)data;
    char *token = ac_start(&t, ctx, &ac_owned) ? copy(&t, good(&t, &t.ann), &sign) : NULL;
    if (token != NULL) {
        token[sign] = '\0';
        const char *dot = strchr(token, '.');
        (void)(refused(&t, "a token without its signature", token) &&
               refused(&t, "a token that says it needs none",
                   sp_arena_printf(t.c.d.a, UNSIGNED "%s", dot != NULL ? dot : "")));
    }
    ac_done(&t);
}

/* One's own signature under somebody else's words. */
void act_token_other(struct sp_ctx *ctx, const void *data)
{
    struct ac t;
    size_t sign = 0, ours = 0;
    (void)data;
    if (ac_start(&t, ctx, &ac_owned)) {
        char *ann = copy(&t, good(&t, &t.ann), &sign);
        char *ben = ann != NULL ? copy(&t, good(&t, &t.ben), &ours) : NULL;
        if (ben != NULL) {
            ann[sign] = '\0';
            (void)refused(
                &t, "ann's words under ben's signature", sp_arena_printf(t.c.d.a, "%s%s", ann, ben + ours));
        }
    }
    ac_done(&t);
}

void act_token_garbage(struct sp_ctx *ctx, const void *data)
{
    static const char *const garbage[] = { "", "x", "a.b.c", "..", "sb_secret_of_nobody",
        "line\r\nX-Break: 1" };
    struct ac t;
    (void)data;
    bool ok = ac_start(&t, ctx, &ac_owned);
    for (size_t i = 0; ok && i < SP_LEN(garbage); i++)
        ok = refused(&t, "what is no token", garbage[i]);
    ac_done(&t);
}

/* Well signed, but for a role that is none. */
void act_token_role(struct sp_ctx *ctx, const void *data)
{
    const struct sp_actor a = { .role = "sp_no_such_role", .user = AC_ANN };
    BODY(refused_as(
        &t, "a token for a role that does not exist", good(&t, &a), SP_E_PERMISSION, SP_E_NOT_FOUND));
}
