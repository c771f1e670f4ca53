/* auth.c -- the table of the identity suite. */
#include "suites/auth/actors.h"
#include "suites/auth/auth.h"
#include "suites/auth/credentials.h"
#include "suites/suites.h"

#define USERS   SP_CAP_SIGN_UP, SP_CAP_SIGN_IN
#define SIGN_IN SP_NEEDS(USERS)
#define TOKENS  SP_NEEDS(USERS, SP_CAP_USER_GET)
#define REFRESH SP_NEEDS(USERS, SP_CAP_USER_GET, SP_CAP_REFRESH)
#define UPDATE  SP_NEEDS(USERS, SP_CAP_USER_GET, SP_CAP_USER_UPDATE)
#define EMAIL   SP_NEEDS(USERS, SP_CAP_USER_GET, SP_CAP_USER_UPDATE, SP_CAP_EMAIL_CHANGE)
#define DELETE  SP_NEEDS(USERS, SP_CAP_USER_GET, SP_CAP_USER_DELETE, SP_CAP_REFRESH)
#define RESET   SP_NEEDS(USERS, SP_CAP_PASSWORD_RESET)
#define CLAIMS  SP_NEEDS(USERS, SP_CAP_CLAIMS)
#define ADMIN   SP_NEEDS(USERS, SP_CAP_USER_GET, SP_CAP_ADMIN)

/* Database users: of the database facet. */
#define ROLES           SP_NEEDS(SP_CAP_ROLES)
#define TABLES          SP_CAP_TABLES, SP_CAP_CRUD, SP_CAP_ROLES
#define GRANTS          SP_NEEDS(TABLES)
#define GRANTS_AND(...) SP_NEEDS(TABLES, __VA_ARGS__)

/* People of an application, and their rows. */
#define ACTORS_NEED     SP_CAP_TABLES, SP_CAP_CRUD, SP_CAP_ACTORS, SP_CAP_ROW_RULES
#define ACTORS          SP_NEEDS(ACTORS_NEED)
#define ACTORS_AND(...) SP_NEEDS(ACTORS_NEED, __VA_ARGS__)
#define ACTORS_TOKENS   ACTORS_AND(SP_CAP_ACTOR_TOKENS)

#define CASE(name, what, caps)                                                                               \
    {                                                                                                        \
        .id = "auth." #name, .promise = what, .needs = caps, .run = auc_##name                               \
    }
#define ROLE(name, what, caps)                                                                               \
    {                                                                                                        \
        .id = "auth.credentials_" #name, .promise = what, .needs = caps, .run = crd_##name                   \
    }
#define ACTOR(name, what, caps)                                                                              \
    {                                                                                                        \
        .id = "auth.rows_" #name, .promise = what, .needs = caps, .run = act_##name                          \
    }
#define ALONE(name, privilege)                                                                               \
    {                                                                                                        \
        .id = "auth.credentials_" #name "_alone", .promise = "the privilege to " #name " allows just that",  \
        .needs = GRANTS, .run = crd_alone, .data = &(const enum sp_privilege)                                \
        {                                                                                                    \
            privilege                                                                                        \
        }                                                                                                    \
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
    CASE(update_email, "a new e-mail replaces the old one, which is free again", EMAIL),
    CASE(update_email_taken, "nobody takes another user's e-mail", EMAIL),
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
    CASE(semantics_users, "what is answered about a user is told, and the user stays", SIGN_IN),
    CASE(semantics_passwords, "a long password is refused, or signs in", SIGN_IN),
    CASE(semantics_tokens, "what becomes of used tokens is told, and the user signs in again",
        SP_NEEDS(USERS, SP_CAP_USER_GET, SP_CAP_REFRESH, SP_CAP_SIGN_OUT)),
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
    ROLE(sign_in, "a database user signs in with the right password, again and again", ROLES),
    ROLE(wrong, "a wrong or empty password of a database user is refused", ROLES),
    ROLE(near, "a database user's password that is nearly right is wrong", ROLES),
    ROLE(unknown, "an unknown database user and a wrong password are refused alike", ROLES),
    ROLE(lock, "a locked database user is refused", SP_NEEDS(SP_CAP_ROLES, SP_CAP_ROLE_LOCK)),
    ROLE(unlock, "an unlocked database user signs in again, with the old privileges",
        GRANTS_AND(SP_CAP_ROLE_LOCK)),
    ROLE(expiry, "a password past its end is refused", SP_NEEDS(SP_CAP_ROLES, SP_CAP_ROLE_EXPIRY)),
    ROLE(new_password, "a database user's new password replaces the old one",
        SP_NEEDS(SP_CAP_ROLES, SP_CAP_ROLE_PASSWORD)),
    ROLE(drop, "a dropped database user cannot sign in", ROLES),
    ROLE(drop_anew, "a database user made again inherits nothing from the first of that name", GRANTS),
    ROLE(silent, "no error about database users tells a password", ROLES),
    ROLE(silent_url, "no error about a connection tells the password in its URL", ROLES),
    ROLE(nothing, "a new database user may do nothing, and nothing changes", GRANTS),
    ALONE(select, SP_PRIV_SELECT),
    ALONE(insert, SP_PRIV_INSERT),
    ALONE(update, SP_PRIV_UPDATE),
    ALONE(delete, SP_PRIV_DELETE),
    ROLE(revoke, "a revoked privilege ends in sessions that are open", GRANTS),
    ROLE(revoke_one, "revoking some privileges leaves the others; they can be granted again", GRANTS),
    ROLE(prepared, "a revoked privilege ends for what was prepared before", GRANTS_AND(SP_CAP_PREPARED)),
    ROLE(apart, "passwords and privileges of two database users are not mixed up", GRANTS),
    ROLE(tables, "a privilege on one table is none on another", GRANTS_AND(SP_CAP_TABLE_GRANTS)),
    ROLE(column_read, "a privilege to read columns allows just those", GRANTS_AND(SP_CAP_COLUMN_GRANTS)),
    ROLE(column_write, "a privilege to write columns allows just those", GRANTS_AND(SP_CAP_COLUMN_GRANTS)),
    ROLE(column_revoke, "a privilege on a column can be revoked", GRANTS_AND(SP_CAP_COLUMN_GRANTS)),
    ROLE(scan, "a scan without the privilege is refused, never empty", GRANTS_AND(SP_CAP_SCAN)),
    ROLE(scan_columns, "a scan reads the columns that were granted, and no other",
        GRANTS_AND(SP_CAP_SCAN, SP_CAP_COLUMN_GRANTS)),
    ROLE(load, "a bulk load without the privilege is refused, and nothing changes", GRANTS_AND(SP_CAP_LOAD)),
    ROLE(act, "who acts as another role has its privileges instead of one's own, until reset",
        GRANTS_AND(SP_CAP_ROLE_ACT)),
    ROLE(act_stranger, "nobody acts as a role of others", GRANTS_AND(SP_CAP_ROLE_ACT)),
    ROLE(member, "a member has the role's privileges only while acting as it", GRANTS_AND(SP_CAP_ROLE_ACT)),
    ROLE(act_rows, "whose rows are seen goes by the role one acts as",
        GRANTS_AND(SP_CAP_ROLE_ACT, SP_CAP_ROW_SECURITY)),
    ROLE(rows_own, "row security shows, counts, changes and deletes one's own rows only",
        GRANTS_AND(SP_CAP_ROW_SECURITY)),
    ROLE(rows_others, "row security refuses rows that would belong to others",
        GRANTS_AND(SP_CAP_ROW_SECURITY)),
    ROLE(rows_bypass, "a role that bypasses row security sees all rows, until it no longer does",
        GRANTS_AND(SP_CAP_ROW_SECURITY, SP_CAP_SCAN)),
    ROLE(rows_lifted, "without row security all rows are seen", GRANTS_AND(SP_CAP_ROW_SECURITY, SP_CAP_SCAN)),
    ROLE(rows_scan, "a scan where rows could be hidden is refused, never short",
        GRANTS_AND(SP_CAP_ROW_SECURITY, SP_CAP_SCAN, SP_CAP_LOAD)),
    ROLE(rows_read_only, "a read-only session is refused where rows could be hidden",
        GRANTS_AND(SP_CAP_ROW_SECURITY)),
    ACTOR(own, "who is signed in sees, changes, deletes and creates rows of their own", ACTORS),
    ACTOR(count, "no count tells of hidden rows", ACTORS),
    ACTOR(pages, "limit and offset count the rows that are seen", ACTORS),
    ACTOR(insert_other, "nobody creates a row that belongs to somebody else", ACTORS),
    ACTOR(give_away, "nobody moves a row to another owner", ACTORS),
    ACTOR(batch, "a create-many with one row of somebody else writes none", ACTORS_AND(SP_CAP_ATOMIC_BATCH)),
    ACTOR(upsert_hidden, "an upsert over a hidden row is refused", ACTORS_AND(SP_CAP_UPSERT)),
    ACTOR(insert_taken, "a create with the key of a hidden row is refused", ACTORS),
    ACTOR(hidden_silent, "an update or delete of a hidden row changes nothing, without an error", ACTORS),
    ACTOR(hidden_filter, "no filter finds hidden rows", ACTORS),
    ACTOR(returning, "what an update or delete gives back are one's own rows", ACTORS_AND(SP_CAP_RETURNING)),
    ACTOR(anonymous, "who is not signed in sees, changes and creates nothing", ACTORS),
    ACTOR(service, "the session's own credentials see all rows, also after it spoke for others", ACTORS),
    ACTOR(closed, "a table with row security and no rule shows nothing", ACTORS),
    ACTOR(lifted, "without row security all rows are seen, and with it no longer", ACTORS),
    ACTOR(switch, "a session that speaks for one and then for another mixes up neither", ACTORS),
    ACTOR(apart, "two sessions that speak for two people at once mix up neither", ACTORS),
    ACTOR(prepared, "what was prepared for one shows another one's rows to them alone",
        ACTORS_AND(SP_CAP_PREPARED)),
    ACTOR(role_unknown, "a role that does not exist is refused", ACTORS),
    ACTOR(scan, "a scan where rows are hidden is refused, never short", ACTORS_AND(SP_CAP_SCAN)),
    ACTOR(load, "a bulk load where rows are hidden is refused", ACTORS_AND(SP_CAP_LOAD)),
    ACTOR(in_txn, "who a transaction speaks for stays the same to its end", ACTORS_AND(SP_CAP_TXN)),
    ACTOR(matrix, "who may do what is found out without changing a row", ACTORS_AND(SP_CAP_TXN)),
    { .id = "auth.access",
        .promise = "who may do what with the team's own tables is what the team says",
        .needs = SP_NEEDS(SP_CAP_INTROSPECT, SP_CAP_CRUD, SP_CAP_ACTORS),
        .flags = SP_CASE_READ_ONLY,
        .timeout_ms = 600000,
        .run = act_access },
    ACTOR(token, "a token says who is signed in", ACTORS_TOKENS),
    ACTOR(token_expired, "a token past its end is refused", ACTORS_TOKENS),
    ACTOR(token_early, "a token of a clock that is a quarter of an hour ahead is refused", ACTORS_TOKENS),
    ACTOR(token_skew, "clocks that are some seconds apart do no harm", ACTORS_TOKENS),
    ACTOR(token_tampered, "a token with a changed signature is refused", ACTORS_TOKENS),
    ACTOR(token_unsigned, "a token without a signature is refused", ACTORS_TOKENS),
    ACTOR(token_other, "a signature counts for the words that it was made for", ACTORS_TOKENS),
    ACTOR(token_garbage, "what is no token lets nobody in", ACTORS_TOKENS),
    ACTOR(token_role, "a token for a role that does not exist is refused", ACTORS_TOKENS),
    { .id = NULL },
};

const struct sp_suite sp_suite_auth = {
    .name = "auth",
    .summary = "users and sessions: sign-up, tokens, claims, administration; database users, privileges, row "
               "security; whose rows somebody sees",
    .cases = cases,
};
