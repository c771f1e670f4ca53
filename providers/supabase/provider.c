/* provider.c -- what Supabase offers here: options, capabilities, and the constant struct. */
#include "providers/supabase/internal.h"

#define YES                                                                                                  \
    {                                                                                                        \
        SP_CAP_YES, 0, NULL                                                                                  \
    }
#define LIMIT(n)                                                                                             \
    {                                                                                                        \
        SP_CAP_YES, (n), NULL                                                                                \
    }
#define NO(why)                                                                                              \
    {                                                                                                        \
        SP_CAP_NO, 0, (why)                                                                                  \
    }

static const struct sp_cap declared[SP_CAP_N] = {
    [SP_CAP_SIGN_UP] = YES,
    [SP_CAP_SIGN_IN] = YES,
    [SP_CAP_REFRESH] = YES,
    [SP_CAP_REFRESH_ROTATION] =
        NO("a used refresh token counts for some seconds more, for clients that lost the answer"),
    [SP_CAP_SIGN_OUT] = YES,
    [SP_CAP_SIGN_OUT_ACCESS] = YES,
    [SP_CAP_USER_GET] = YES,
    [SP_CAP_USER_UPDATE] = YES,
    [SP_CAP_EMAIL_CHANGE] = NO("a new e-mail waits to be confirmed by mail"),
    [SP_CAP_USER_DELETE] = YES,
    [SP_CAP_PASSWORD_RESET] = YES,
    [SP_CAP_CLAIMS] = YES,
    [SP_CAP_ADMIN] = YES,
    [SP_CAP_DISABLE] = YES,
    [SP_CAP_ENUMERATION_SAFE] = YES,

    [SP_CAP_BUCKETS] = YES,
    [SP_CAP_PUT] = YES,
    [SP_CAP_GET] = YES,
    [SP_CAP_RANGE] = YES,
    [SP_CAP_HEAD] = YES,
    [SP_CAP_LIST] = YES,
    [SP_CAP_DELIMITER] = YES,
    [SP_CAP_DELETE] = YES,
    [SP_CAP_COPY] = YES,
    [SP_CAP_MOVE] = YES,
    [SP_CAP_METADATA] = YES,
    [SP_CAP_CONTENT_TYPE] = YES,
    [SP_CAP_IF_NONE_MATCH] = NO("of two puts at one moment that ask for a free key, both may be stored"),
    [SP_CAP_IF_MATCH] = NO("Supabase Storage has no put-if-unchanged"),
    [SP_CAP_CHECKSUM] = NO("Supabase Storage checks no checksum of a put"),
    [SP_CAP_SIGNED_URL] = YES,
    [SP_CAP_SIGNED_PUT] = NO("URLs for uploads end after a time that the project sets, not the caller"),
    [SP_CAP_MULTIPART] = NO("uploads resume at their end only: parts in any order are not offered"),
    [SP_CAP_KEY_BYTES] = LIMIT(SU_KEY_BYTES),
    [SP_CAP_KEYS_ANY] = NO("keys are ASCII letters, digits, and some punctuation"),
    [SP_CAP_OBJECT_BYTES] = LIMIT(SU_OBJECT_BYTES),
};

static const struct sp_loss losses[] = {
    { SP_MISSING, SP_RULE_NONE, NULL },
};

static const struct sp_provider_option options[] = {
    { "anon_key", "text", NULL, "the key that applications carry (anon, or sb_publishable_...)", true },
    { "service_key", "text", NULL,
        "the key that may do everything (service_role, or sb_secret_...): needed for storage and "
        "administration",
        true },
    { "auth_url", "text", NULL, "where Supabase Auth answers, if not at URL/auth/v1; \"none\": left out",
        false },
    { "storage_url", "text", NULL,
        "where Supabase Storage answers, if not at URL/storage/v1; \"none\": left out", false },
    { "ca", "path", NULL, "file of certificates to trust instead of the system's", false },
    { "insecure", "bool", "false", "don't check the certificate; loopback addresses only", false },
    SP_STACK_OPTIONS,
    { NULL, NULL, NULL, NULL, false },
};

const struct sp_provider sp_provider_supabase = {
    .kind = "supabase",
    .scheme = "supabase",
    .summary = "Supabase: accounts through Auth (GoTrue), objects through Storage",
    .library = sp_http_library,
    .options = options,
    .declared = declared,
    .losses = losses,
    .process_init = su_process_init,
    .open = su_open,
    .effective = su_effective,
    .ping = su_ping,
    .interrupt = su_interrupt,
    .close = su_close,
    .auth = &su_auth_ops,
    .blob = &su_blob_ops,
};
