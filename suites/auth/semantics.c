/* semantics.c -- what an identity service makes of odd addresses, passwords and tokens: told side by side. What a case
 * checks is that the service stands by what it answered. */
#include "suites/auth/auth.h"

#include <string.h>

static bool is_answer(const struct au *t)
{
    switch (t->err.code) {
    case SP_E_INVALID:
    case SP_E_EXISTS:
    case SP_E_UNIQUE:
    case SP_E_AUTHENTICATION:
    case SP_E_PERMISSION:
    case SP_E_NOT_FOUND:
    case SP_E_TOO_LARGE:
    case SP_E_UNSUPPORTED:
    case SP_E_CONFLICT:
        return t->err.origin != SP_ORIGIN_TRANSPORT;
    default:
        return false;
    }
}

/* The answer in words: `yes` for success; NULL: it was none, and the case says so. */
static const char *answer(struct au *t, const char *what, int rc, const char *yes)
{
    const char *words = yes;
    if (rc < 0 && is_answer(t)) {
        words = sp_arena_printf(t->a, "refused: %s", sp_code_name(t->err.code));
        sp_error_clear(&t->err);
        return words;
    }
    return au_ok(t, what, rc) ? yes : NULL;
}

static bool tell(struct au *t, const char *topic, int rc, const char *yes)
{
    const char *words = answer(t, topic, rc, yes);
    if (words != NULL)
        sp_ctx_observe(t->ctx, topic, "%s", words);
    return words != NULL;
}

/* By the letters alone. */
static const char *form_of(const char *id)
{
    size_t n = strlen(id);
    bool uuid = n == 36 && strspn(id, "0123456789abcdef-") == 36 && id[8] == '-' && id[13] == '-';
    return uuid                                  ? "a UUID"
           : strspn(id, "0123456789") == n       ? "a number"
           : strspn(id, "0123456789abcdef") == n ? "hexadecimal digits"
                                                 : "another text";
}

void auc_semantics_users(struct sp_ctx *ctx, const void *data)
{
    struct au t;
    struct sp_user u = { 0 };
    struct sp_tokens k = { 0 };
    (void)data;
    if (!au_open(&t, ctx) || !au_registered(&t)) {
        au_done(&t);
        return;
    }
    sp_ctx_observe(ctx, "users: the id", "%s", form_of(t.user.id));
    sp_ctx_observe(ctx, "users: an e-mail that nobody confirmed", "%s",
        t.user.email_verified ? "counts as verified" : "is not verified, and signs in");
    sp_ctx_observe(ctx, "users: the access token", "%s",
        t.tokens.expires_in_s > 0
            ? sp_arena_printf(t.a, "ends after %lld s", (long long)t.tokens.expires_in_s)
            : "does not say when it ends");
    bool ok = tell(&t, "users: a second sign-up with the same e-mail",
        sp_auth_sign_up(t.s, t.a, t.email, AU_PASSWORD, NULL, &u, &k, &t.err),
        "answered as if it were the first");
    ok = ok && au_sign_in(&t, t.email, AU_PASSWORD, NULL, NULL) &&
         au_refused(&t, "sign-in with another password", t.email, "Another 1 password");
    size_t n = strlen(t.email);
    char *upper = ok ? sp_arena_strn(t.a, t.email, n) : NULL;
    for (size_t i = 0; upper != NULL && i < n; i++)
        upper[i] = upper[i] >= 'a' && upper[i] <= 'z' ? (char)(upper[i] - 32) : upper[i];
    if (upper != NULL &&
        tell(&t, "case: sign-in with the e-mail in capitals",
            sp_auth_sign_in(t.s, t.a, upper, AU_PASSWORD, &u, &k, &t.err), "the same user")) {
        int wrong = sp_auth_sign_in(t.s, t.a, t.email, "Wrong 1 password", &u, &k, &t.err);
        const char *a = answer(&t, "wrong password", wrong, "signed in");
        const char *b =
            a == NULL
                ? NULL
                : answer(&t, "unknown user",
                      sp_auth_sign_in(t.s, t.a, "nobody.at.all@example.com", AU_PASSWORD, &u, &k, &t.err),
                      "signed in");
        if (b != NULL)
            sp_ctx_observe(ctx, "users: a wrong password, and an unknown user", "%s",
                strcmp(a, b) == 0 ? a : sp_arena_printf(t.a, "%s; %s", a, b));
    }
    au_done(&t);
}

void auc_semantics_passwords(struct sp_ctx *ctx, const void *data)
{
    static const struct {
        const char *topic;
        size_t n;
    } rows[] = { { "passwords: 72 bytes", 72 }, { "passwords: 73 bytes", 73 },
        { "passwords: 200 bytes", 200 } };
    struct au t;
    (void)data;
    bool ok = au_open(&t, ctx);
    for (size_t i = 0; ok && i < SP_LEN(rows); i++) {
        char tag[] = { 'w', (char)('a' + i), '\0' }, password[201], other[201];
        const char *email = sp_ctx_email(ctx, tag);
        struct sp_user u = { 0 };
        struct sp_tokens k = { 0 };
        memset(password, 'p', rows[i].n);
        memcpy(password, "Pw1", 3);
        password[rows[i].n] = '\0';
        memcpy(other, password, rows[i].n + 1);
        other[rows[i].n - 1] = 'q';
        int rc = email != NULL ? sp_auth_sign_up(t.s, t.a, email, password, NULL, NULL, NULL, &t.err) : 0;
        const char *words = email != NULL ? answer(&t, "sign-up", rc, "taken") : NULL;
        ok = words != NULL &&
             (rc < 0 || (au_sign_in(&t, email, password, NULL, NULL) &&
                            au_refused(&t, "sign-in with another password", email, "Another 1 password")));
        if (ok && rc == 0) {
            rc = sp_auth_sign_in(t.s, t.a, email, other, &u, &k, &t.err);
            words = answer(&t, "sign-in", rc, "the last byte does not count");
            ok = words != NULL;
            words = rc < 0 ? "every byte counts" : words;
        }
        if (ok)
            sp_ctx_observe(ctx, rows[i].topic, "%s", words);
    }
    au_done(&t);
}

void auc_semantics_tokens(struct sp_ctx *ctx, const void *data)
{
    struct sp_tokens first = { 0 }, again = { 0 };
    struct sp_user u = { 0 };
    struct au t;
    (void)data;
    bool ok = au_open(&t, ctx) && au_registered(&t);
    if (ok && t.tokens.refresh != NULL) {
        ok = au_ok(&t, "refresh", sp_auth_refresh(t.s, t.a, t.tokens.refresh, &first, &t.err)) &&
             tell(&t, "tokens: a refresh token used twice",
                 sp_auth_refresh(t.s, t.a, t.tokens.refresh, &again, &t.err), "works again") &&
             tell(&t, "tokens: the newer refresh token, after that",
                 sp_auth_refresh(t.s, t.a, first.refresh, &again, &t.err), "works");
    }
    ok = ok && au_sign_in(&t, t.email, AU_PASSWORD, NULL, &first) &&
         au_ok(&t, "sign-out", sp_auth_sign_out(t.s, first.access, &t.err)) &&
         tell(&t, "tokens: an access token after sign-out",
             sp_auth_user_get(t.s, t.a, first.access, &u, &t.err), "works until it ends");
    (void)(ok && au_refused(&t, "sign-in with another password", t.email, "Another 1 password") &&
           au_sign_in(&t, t.email, AU_PASSWORD, NULL, NULL));
    au_done(&t);
}
