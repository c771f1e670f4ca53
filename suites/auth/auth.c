/* auth.c -- the table of the identity suite. */
#include "suites/auth/auth.h"

#include "suites/suites.h"

#define USERS   SP_CAP_SIGN_UP, SP_CAP_SIGN_IN
#define SIGN_IN SP_NEEDS(USERS)
#define TOKENS  SP_NEEDS(USERS, SP_CAP_USER_GET)
#define REFRESH SP_NEEDS(USERS, SP_CAP_USER_GET, SP_CAP_REFRESH)
#define UPDATE  SP_NEEDS(USERS, SP_CAP_USER_GET, SP_CAP_USER_UPDATE)
#define DELETE  SP_NEEDS(USERS, SP_CAP_USER_GET, SP_CAP_USER_DELETE, SP_CAP_REFRESH)
#define RESET   SP_NEEDS(USERS, SP_CAP_PASSWORD_RESET)
#define CLAIMS  SP_NEEDS(USERS, SP_CAP_CLAIMS)
#define ADMIN   SP_NEEDS(USERS, SP_CAP_USER_GET, SP_CAP_ADMIN)

#define CASE(name, what, caps)                                                                               \
    {                                                                                                        \
        .id = "auth." #name, .promise = what, .needs = caps, .run = auc_##name                               \
    }
#define TEXT(id_, fn, value, what)                                                                           \
    {                                                                                                        \
        .id = "auth." #id_, .promise = what, .needs = SIGN_IN, .run = auc_##fn,                              \
        .data = &(const struct au_text)                                                                      \
        {                                                                                                    \
            value                                                                                            \
        }                                                                                                    \
    }

static const struct sp_case cases[] = {
    CASE(sign_up, "a user who signed up can sign in, and is the one of the token", TOKENS),
    CASE(sign_up_twice, "an e-mail registers once, and the first user keeps it", SIGN_IN),
    CASE(sign_up_case, "an e-mail in capitals is the same e-mail", SIGN_IN),
    CASE(sign_up_tokens, "sign-up gives a working access token", TOKENS),
    CASE(sign_in, "every sign-in gives a token of its own that works", TOKENS),
    CASE(sign_in_wrong, "a wrong or empty password is refused, without a token", SIGN_IN),
    CASE(sign_in_near, "a password that is nearly right is wrong", SIGN_IN),
    CASE(sign_in_unknown, "an unknown user is refused", SIGN_IN),
    CASE(sign_in_case, "sign-in does not depend on the case of the e-mail", SIGN_IN),
    CASE(enumeration, "nobody learns from a refusal whether a user exists",
        SP_NEEDS(USERS, SP_CAP_ENUMERATION_SAFE)),
    CASE(sessions_apart, "passwords and tokens of two users are not mixed up", TOKENS),
    CASE(two_sessions, "a token and a password work from another connection", TOKENS),
    CASE(ids_unique, "every user has an id of their own", SIGN_IN),
    CASE(refresh, "a refresh token gives new tokens, again and again", REFRESH),
    CASE(refresh_rotation, "a used refresh token is refused",
        SP_NEEDS(USERS, SP_CAP_REFRESH, SP_CAP_REFRESH_ROTATION)),
    CASE(refresh_garbage, "a made-up or changed refresh token is refused", REFRESH),
    CASE(refresh_access_mixed, "access and refresh tokens do not stand for one another", REFRESH),
    CASE(sign_out, "sign-out ends the refresh token; the user can sign in again",
        SP_NEEDS(USERS, SP_CAP_REFRESH, SP_CAP_SIGN_OUT)),
    CASE(sign_out_access, "sign-out ends the access token at once",
        SP_NEEDS(USERS, SP_CAP_USER_GET, SP_CAP_SIGN_OUT, SP_CAP_SIGN_OUT_ACCESS)),
    CASE(sign_out_one, "sign-out ends nobody else's session",
        SP_NEEDS(USERS, SP_CAP_USER_GET, SP_CAP_REFRESH, SP_CAP_SIGN_OUT)),
    CASE(token_garbage, "a made-up access token is refused, also one without a signature", TOKENS),
    CASE(token_tampered, "an access token with one changed character is refused", TOKENS),
    CASE(update_password, "a new password replaces the old one", UPDATE),
    CASE(update_email, "a new e-mail replaces the old one, which is free again", UPDATE),
    CASE(update_email_taken, "nobody takes another user's e-mail", UPDATE),
    CASE(update_name, "a profile name is kept exactly", UPDATE),
    CASE(delete, "a deleted user cannot sign in; the tokens end", DELETE),
    CASE(delete_then_up, "who registers a deleted user's e-mail is another user", DELETE),
    CASE(reset, "a reset code sets a new password; until then the old one works", RESET),
    CASE(reset_once, "a reset code works once", RESET),
    CASE(reset_wrong, "a made-up code, or another user's, resets nothing", RESET),
    CASE(reset_unknown, "a reset for an unknown e-mail is answered alike, and does nothing", RESET),
    CASE(claims, "custom claims stand in the next token, and are replaced whole", CLAIMS),
    CASE(claims_own, "claims belong to one user", CLAIMS),
    CASE(claims_bad, "claims that are no JSON object are refused", CLAIMS),
    CASE(admin_create, "an administrator creates users who can sign in", ADMIN),
    CASE(admin_list, "an administrator lists every user once, in pages", ADMIN),
    CASE(admin_disable, "a disabled user is refused until enabled again",
        SP_NEEDS(USERS, SP_CAP_ADMIN, SP_CAP_DISABLE, SP_CAP_REFRESH)),
    CASE(admin_delete, "a user whom an administrator deleted is gone", ADMIN),
    CASE(password_long, "no byte of a long password is ignored in silence", SIGN_IN),
    TEXT(email_no_at, bad_email, "ann.example.com", "an e-mail without @ is refused"),
    TEXT(email_empty, bad_email, "", "an empty e-mail is refused"),
    TEXT(email_no_domain, bad_email, "ann@", "an e-mail without a domain is refused"),
    TEXT(email_newline, bad_email, "ann@example.com\nbcc: eve@example.com",
        "an e-mail with a line break is refused"),
    TEXT(password_empty, password_weak, "", "an empty password is refused at sign-up"),
    TEXT(password_short, password_weak, "abc", "a password of three characters is refused at sign-up"),
    TEXT(password_unicode, password_kept,
        "p\xc3\xa4ssw\xc3\xb6rt \xe6\xbc\xa2\xe5\xad\x97 \xf0\x9f\x94\x91 1A",
        "a password beyond ASCII works, to its last byte"),
    TEXT(password_blanks, password_kept, "  leading and trailing 1A  ", "blanks belong to the password"),
    TEXT(password_punctuation, password_kept, "'; DROP TABLE users; -- \"%s\" \\ $1 1A",
        "punctuation in a password is data"),
    { .id = NULL },
};

const struct sp_suite sp_suite_auth = {
    .name = "auth",
    .summary = "users and sessions: sign-up, sign-in, tokens, refresh, reset, claims, administration",
    .cases = cases,
};
