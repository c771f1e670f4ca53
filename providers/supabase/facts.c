/* facts.c -- what this project offers to these keys. */
#include <string.h>

#include "base/str.h"
#include "providers/supabase/internal.h"

static void refuse_facet(struct sp_cap *caps, enum sp_facet facet, const char *why)
{
    for (size_t i = 0; i < SP_CAP_N; i++)
        if (sp_caps[i].facet == facet && caps[i].level == SP_CAP_YES) {
            caps[i].level = SP_CAP_NO;
            caps[i].why = why;
        }
}

static void refuse(struct sp_cap *caps, const enum sp_cap_id *ids, size_t n, const char *why)
{
    for (size_t i = 0; i < n; i++)
        if (caps[ids[i]].level == SP_CAP_YES) {
            caps[ids[i]].level = SP_CAP_NO;
            caps[ids[i]].why = why;
        }
}

static int ask_settings(struct sp_session *s, struct sp_cap *caps, struct sp_error *err)
{
    static const enum sp_cap_id sign_up[] = { SP_CAP_SIGN_UP };
    json_t *settings = NULL;
    struct su_call c = { .service = SU_AUTH,
        .role = s->key[SU_ANON] != NULL ? SU_ANON : SU_ADMIN,
        .method = "GET",
        .target = "/settings",
        .again = true };
    int rc = su_json(s, &c, &settings, err);
    if (rc == 0 && json_is_true(json_object_get(settings, "disable_signup")))
        refuse(caps, sign_up, SP_LEN(sign_up), "this project has sign-up switched off");
    else if (rc == 0 && json_is_false(json_object_get(settings, "mailer_autoconfirm")))
        refuse(caps, sign_up, SP_LEN(sign_up),
            "this project waits for a confirmation by mail, which nobody reads here");
    json_decref(settings);
    return rc;
}

/* Storage itself says what of the protocol it speaks; of others it was found out by a trial. */
static int ask_uploads(struct sp_session *s, struct sp_cap *caps, struct sp_error *err)
{
    static const enum sp_cap_id uploads[] = { SP_CAP_MULTIPART };
    bool is = true;
    int rc =
        s->http[SU_STORAGE] != NULL && s->unfit[SU_STORAGE] == NULL && s->fidelity[SU_STORAGE] == SP_FID_REAL
            ? su_upload_offered(s, &is, err)
            : 0;
    if (rc == 0 && !is)
        refuse(caps, uploads, SP_LEN(uploads), SU_NO_UPLOADS);
    return rc;
}

static void put_version(struct sp_session *s, struct sp_buf *b, enum su_service i, const char *name)
{
    if (s->http[i] == NULL)
        return;
    const char *v = s->version[i];
    bool other = s->fidelity[i] == SP_FID_COMPATIBLE;
    sp_buf_printf(b, "%s%s%s %s", b->n == 0 ? "" : ", ", other ? "compatible with " : "", name,
        v[0] != '\0' ? v : "(says no version)");
}

/* The least faithful of the services counts for all. */
static enum sp_fidelity fidelity_of(const struct sp_session *s)
{
    enum sp_fidelity f = SP_FID_UNKNOWN;
    for (size_t i = 0; i < SU_SERVICES; i++)
        if (s->http[i] != NULL && (f == SP_FID_UNKNOWN || s->fidelity[i] == SP_FID_COMPATIBLE))
            f = s->fidelity[i];
    return f;
}

int su_effective(struct sp_session *s, struct sp_cap *caps, struct sp_facts *facts, struct sp_error *err)
{
    struct sp_buf text = SP_BUF_INIT;
    int rc = 0;
    for (size_t i = 0; i < SP_CAP_N; i++)
        caps[i] = sp_provider_supabase.declared[i];
    if (s->http[SU_STORAGE] == NULL)
        refuse_facet(caps, SP_FACET_blob, "no storage service is configured");
    else if (s->unfit[SU_STORAGE] != NULL)
        refuse_facet(caps, SP_FACET_blob, s->unfit[SU_STORAGE]);
    for (size_t i = 0; i < s->nlacks; i++)
        refuse(caps, &s->lacks[i].cap, 1, s->lacks[i].why);
    if (s->http[SU_AUTH] == NULL)
        refuse_facet(caps, SP_FACET_auth, "no auth service is configured");
    else if (s->unfit[SU_AUTH] != NULL)
        refuse_facet(caps, SP_FACET_auth, s->unfit[SU_AUTH]);
    else
        rc = ask_settings(s, caps, err);
    if (rc == 0)
        rc = ask_uploads(s, caps, err);
    static const enum sp_cap_id admin[] = { SP_CAP_ADMIN, SP_CAP_DISABLE, SP_CAP_CLAIMS, SP_CAP_USER_DELETE,
        SP_CAP_PASSWORD_RESET };
    if (s->no_admin)
        refuse(caps, admin, SP_LEN(admin), SU_NO_ADMIN);
    put_version(s, &text, SU_AUTH, "GoTrue");
    put_version(s, &text, SU_STORAGE, "storage-api");
    bool services = s->http[SU_AUTH] != NULL || s->http[SU_STORAGE] != NULL;
    if (s->db.alike != NULL)
        refuse_facet(caps, SP_FACET_db, SD_NO_REST);
    else if (s->db.sql == NULL)
        refuse_facet(caps, SP_FACET_db,
            "the option db_url is not given: tables are described and made through the database itself");
    else if (rc == 0)
        rc = sd_effective(s, caps, facts, err);
    if (s->db.sql == NULL || (services && fidelity_of(s) != SP_FID_REAL))
        facts->fidelity = fidelity_of(s);
    if (s->db.sql != NULL)
        sp_buf_printf(&text, "%s%s", text.n == 0 ? "" : ", ", facts->server_version);
    (void)sp_strlcpy(facts->server_version, text.p == NULL ? "" : text.p, sizeof facts->server_version);
    if (services)
        (void)sp_strlcpy(
            facts->place, s->url[s->http[SU_STORAGE] != NULL ? SU_STORAGE : SU_AUTH], sizeof facts->place);
    sp_buf_free(&text);
    return rc;
}
