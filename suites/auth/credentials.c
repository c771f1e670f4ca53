/* credentials.c -- who may sign in as a database user, and what a refusal tells. */
#include "suites/auth/credentials.h"

#include <string.h>
#include <time.h>

static bool works(struct cr *c, const char *what, const char *role, const char *password)
{
    struct sp_session *s = cr_sign_in(c, what, role, password);
    return s != NULL && cr_ok(c, "ping as the role", sp_ping(s, &c->d.err));
}

void crd_sign_in(struct sp_ctx *ctx, const void *data)
{
    struct cr c;
    (void)data;
    const char *role = cr_start(&c, ctx) ? cr_role(&c, "one") : NULL;
    for (int i = 0; role != NULL && i < 3; i++) {
        if (!works(&c, "opening with the right password", role, CR_PASSWORD))
            break;
    }
    cr_done(&c);
}

void crd_wrong(struct sp_ctx *ctx, const void *data)
{
    struct cr c;
    (void)data;
    const char *role = cr_start(&c, ctx) ? cr_role(&c, "one") : NULL;
    (void)(role != NULL && cr_refused(&c, "opening with a wrong password", role, CR_OTHER) &&
           cr_refused(&c, "opening with an empty password", role, "") &&
           works(&c, "opening with the right password afterwards", role, CR_PASSWORD));
    cr_done(&c);
}

void crd_near(struct sp_ctx *ctx, const void *data)
{
    static const char *const near[] = { CR_MARK "-of-one role", CR_MARK "-of-one Rol",
        CR_MARK "-of-one Role ", " " CR_MARK "-of-one Role", CR_MARK "-of-one Role1", CR_MARK "-of-oneRole" };
    struct cr c;
    (void)data;
    const char *role = cr_start(&c, ctx) ? cr_role(&c, "one") : NULL;
    bool ok = role != NULL;
    for (size_t i = 0; ok && i < SP_LEN(near); i++)
        ok = cr_refused(&c, "opening with a password that is nearly right", role, near[i]);
    (void)(ok && works(&c, "opening with the right password afterwards", role, CR_PASSWORD));
    cr_done(&c);
}

/* What the refusal says, but for the name that was given. */
static const char *refusal(struct cr *c, const char *what, const char *role)
{
    struct sp_buf b = SP_BUF_INIT;
    const char *said = NULL;
    if (cr_refused_with(c, what, role, CR_OTHER)) {
        const char *p = sp_error_text(&c->d.err);
        for (const char *at; (at = strstr(p, role)) != NULL; p = at + strlen(role))
            sp_buf_printf(&b, "%.*sNAME", (int)(at - p), p);
        sp_buf_printf(&b, "%s [%s]", p, c->d.err.native);
        said = b.oom ? NULL : sp_arena_str(c->d.a, b.p);
        if (said == NULL)
            sp_ctx_error(c->d.ctx, "out of memory");
    }
    sp_buf_free(&b);
    sp_error_clear(&c->d.err);
    return said;
}

void crd_unknown(struct sp_ctx *ctx, const void *data)
{
    struct cr c;
    (void)data;
    const char *role = cr_start(&c, ctx) ? cr_role(&c, "one") : NULL;
    const char *nobody = role != NULL ? sp_ctx_role(ctx, "two") : NULL;
    const char *wrong = nobody != NULL ? refusal(&c, "opening with a wrong password", role) : NULL;
    const char *unknown = wrong != NULL ? refusal(&c, "opening as an unknown role", nobody) : NULL;
    if (unknown != NULL)
        (void)sp_check_text(ctx, "what is said to an unknown role", wrong, unknown);
    cr_done(&c);
}

void crd_lock(struct sp_ctx *ctx, const void *data)
{
    struct cr c;
    (void)data;
    const char *role = cr_start(&c, ctx) ? cr_role(&c, "one") : NULL;
    (void)(role != NULL && works(&c, "opening before it is locked", role, CR_PASSWORD) &&
           cr_change(&c, "locking the role", role, &(struct sp_role_change){ .sign_in = SP_OFF }) &&
           cr_refused(&c, "opening as a locked role", role, CR_PASSWORD) &&
           cr_refused(&c, "opening as a locked role with a wrong password", role, CR_OTHER));
    cr_done(&c);
}

void crd_unlock(struct sp_ctx *ctx, const void *data)
{
    struct cr c;
    (void)data;
    const char *role = cr_start(&c, ctx) && dc_table(&c.d, &dc_items, NULL) ? cr_role(&c, "one") : NULL;
    if (role != NULL && cr_grant(&c, role, "items", SP_PRIV_SELECT) &&
        cr_change(&c, "locking the role", role, &(struct sp_role_change){ .sign_in = SP_OFF }) &&
        cr_change(&c, "unlocking the role", role, &(struct sp_role_change){ .sign_in = SP_ON })) {
        struct sp_session *s = cr_sign_in(&c, "opening after it was unlocked", role, CR_PASSWORD);
        (void)(s != NULL && dc_holds(&c.d, s, "its privileges stayed", "items", NO_ITEMS) &&
               cr_refused(&c, "opening with a wrong password", role, CR_OTHER));
    }
    cr_done(&c);
}

/* An hour to either side: the clocks need not agree to the second. */
void crd_expiry(struct sp_ctx *ctx, const void *data)
{
    const struct sp_ts past = { (int64_t)time(NULL) - 3600, 0 }, future = { past.sec + 7200, 0 };
    struct cr c;
    (void)data;
    const char *role = cr_start(&c, ctx) ? cr_role(&c, "one") : NULL;
    (void)(role != NULL &&
           cr_change(
               &c, "an end in the future", role, &(struct sp_role_change){ .password_until = &future }) &&
           works(&c, "opening before the end", role, CR_PASSWORD) &&
           cr_change(&c, "an end in the past", role, &(struct sp_role_change){ .password_until = &past }) &&
           cr_refused(&c, "opening with a password past its end", role, CR_PASSWORD) &&
           cr_change(&c, "another end in the future", role,
               &(struct sp_role_change){ .password_until = &future }) &&
           works(&c, "opening before the new end", role, CR_PASSWORD));
    cr_done(&c);
}

void crd_new_password(struct sp_ctx *ctx, const void *data)
{
    struct cr c;
    (void)data;
    const char *role = cr_start(&c, ctx) ? cr_role(&c, "one") : NULL;
    (void)(role != NULL &&
           cr_change(&c, "a new password", role, &(struct sp_role_change){ .password = CR_OTHER }) &&
           works(&c, "opening with the new password", role, CR_OTHER) &&
           cr_refused(&c, "opening with the old password", role, CR_PASSWORD));
    cr_done(&c);
}

void crd_drop(struct sp_ctx *ctx, const void *data)
{
    struct cr c;
    (void)data;
    const char *role = cr_start(&c, ctx) ? cr_role(&c, "one") : NULL;
    (void)(role != NULL && cr_ok(&c, "dropping the role", sp_db_role_drop(c.d.s, role, &c.d.err)) &&
           cr_refused(&c, "opening as a dropped role", role, CR_PASSWORD) &&
           cr_fails(&c, "dropping it again", SP_E_NOT_FOUND, sp_db_role_drop(c.d.s, role, &c.d.err)));
    cr_done(&c);
}

void crd_drop_anew(struct sp_ctx *ctx, const void *data)
{
    struct cr c;
    (void)data;
    const char *role = cr_start(&c, ctx) && dc_table(&c.d, &dc_items, NULL) ? cr_role(&c, "one") : NULL;
    if (role != NULL && cr_grant(&c, role, "items", CR_ALL) &&
        cr_ok(&c, "dropping the role", sp_db_role_drop(c.d.s, role, &c.d.err)) &&
        cr_ok(&c, "a role of the same name", sp_db_role_create(c.d.s, role, CR_OTHER, &c.d.err)) &&
        cr_refused(&c, "opening with the first one's password", role, CR_PASSWORD)) {
        struct sp_session *s = cr_sign_in(&c, "opening as the second", role, CR_OTHER);
        (void)(s != NULL && cr_may_not(&c, s, "as the second role of this name", CR_ALL) &&
               dc_holds(&c.d, c.d.s, "nothing was written", "items", NO_ITEMS));
    }
    cr_done(&c);
}

/* ---- passwords in errors -------------------------------------------------------------------------------------------- */

void crd_silent(struct sp_ctx *ctx, const void *data)
{
    struct cr c;
    (void)data;
    const char *role = cr_start(&c, ctx) ? cr_role(&c, "one") : NULL;
    const char *nobody = role != NULL ? sp_ctx_role(ctx, "two") : NULL;
    if (nobody != NULL) {
        const struct sp_role_change change = { .password = CR_OTHER };
        (void)(cr_fails(&c, "creating a role that is there", SP_E_EXISTS,
                   sp_db_role_create(c.d.s, role, CR_OTHER, &c.d.err)) &&
               cr_refused(&c, "opening with the password of the refused create", role, CR_OTHER) &&
               works(&c, "opening with the right password", role, CR_PASSWORD) &&
               cr_fails(&c, "a new password for an absent role", SP_E_NOT_FOUND,
                   sp_ctx_cap(ctx, SP_CAP_ROLE_PASSWORD)->level == SP_CAP_YES
                       ? sp_db_role_change(c.d.s, nobody, &change, &c.d.err)
                       : sp_db_role_drop(c.d.s, nobody, &c.d.err)));
    }
    cr_done(&c);
}

/* A URL may hold a password. Nobody listens at port 1; a backend without servers may take any name. */
void crd_silent_url(struct sp_ctx *ctx, const void *data)
{
    static const char *const tails[] = { "://user:" CR_MARK "@127.0.0.1:1/none",
        "://user:" CR_MARK "%20x@127.0.0.1:1/none", "://user:" CR_MARK "@127.0.0.1:999999/none",
        "://user:" CR_MARK "@[127.0.0.1/none", "://127.0.0.1:1/none?user=user&password=" CR_MARK,
        "://[127.0.0.1/none?password=" CR_MARK };
    struct cr c;
    (void)data;
    if (cr_start(&c, ctx)) {
        const struct sp_provider *p = sp_session_provider(c.d.s);
        for (size_t i = 0; !sp_ctx_done(ctx) && i < SP_LEN(tails); i++) {
            struct sp_endpoint e = *sp_session_endpoint(c.d.s);
            struct sp_session *s = NULL;
            e.url = sp_arena_printf(c.d.a, "%s%s", p->scheme, tails[i]);
            int rc = e.url == NULL ? 0 : sp_open(&s, p, &e, &c.d.err);
            sp_close(s);
            const char *said = rc == 0 ? "" : sp_error_text(&c.d.err);
            (void)sp_check_at(ctx, __FILE__, __LINE__, strstr(said, CR_MARK) == NULL,
                "passwords of the URL in the error", "none", "one");
            sp_error_clear(&c.d.err);
        }
        const char *role = sp_ctx_done(ctx) ? NULL : cr_role(&c, "one");
        (void)(role != NULL && cr_refused(&c, "opening with a wrong password", role, CR_OTHER));
    }
    cr_done(&c);
}
