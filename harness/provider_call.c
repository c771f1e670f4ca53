/* provider_call.c -- finding a provider, opening and closing sessions, effective capabilities. */
#include "provider_call.h"

#include <string.h>

#include "base/str.h"
#include "provider_check.h"

const struct sp_provider *sp_provider_by_kind(const struct sp_provider *const *list, const char *kind)
{
    for (; kind != NULL && *list != NULL; list++) {
        if (strcmp((*list)->kind, kind) == 0)
            return *list;
    }
    return NULL;
}

/* "scheme:rest"; a provider with scheme "x" also takes "x+anything:", its transport variants. An exact scheme wins. */
const struct sp_provider *sp_provider_by_url(const struct sp_provider *const *list, const char *url)
{
    const struct sp_provider *variant = NULL;
    if (url == NULL)
        return NULL;
    size_t n = strcspn(url, ":");
    if (url[n] != ':' || n == 0)
        return NULL;
    for (; *list != NULL; list++) {
        const char *scheme = (*list)->scheme, *alias = (*list)->alias;
        size_t m = strlen(scheme);
        if (alias != NULL && strlen(alias) == n && strncmp(url, alias, n) == 0)
            return *list;
        if (m > n || strncmp(url, scheme, m) != 0)
            continue;
        if (m == n)
            return *list;
        if (url[m] == '+')
            variant = *list;
    }
    return variant;
}

int sp_open(
    struct sp_session **out, const struct sp_provider *p, const struct sp_endpoint *e, struct sp_error *err)
{
    *out = NULL;
    if (p == NULL || e == NULL)
        return sp_invalid(err, "a session needs a provider and an endpoint");
    if (e->url == NULL)
        return sp_invalid(err, "provider %s has no url", e->name == NULL ? p->kind : e->name);
    struct sp_session *s = NULL;
    int rc = sp_answer(p->open(&s, e, err), err);
    if (rc != 0)
        return rc;
    if (s == NULL)
        return sp_fail(err, SP_E_INTERNAL, SP_ORIGIN_HARNESS, "%s opened without giving a session", p->kind);
    struct sp_session_base *base = (struct sp_session_base *)(void *)s;
    base->provider = p;
    base->endpoint = e;
    *out = s;
    return 0;
}

void sp_close(struct sp_session *s)
{
    if (s != NULL)
        sp_session_provider(s)->close(s);
}

int sp_ping(struct sp_session *s, struct sp_error *err)
{
    if (s == NULL)
        return sp_invalid(err, "no session is open");
    const struct sp_provider *p = sp_session_provider(s);
    return p->ping == NULL ? sp_unsupported(s, "ping", err) : sp_answer(p->ping(s, err), err);
}

static bool has_facet(const struct sp_provider *p, enum sp_facet f)
{
    return f == SP_FACET_db ? p->db != NULL : f == SP_FACET_auth ? p->auth != NULL : p->blob != NULL;
}

int sp_effective(struct sp_session *s, struct sp_cap *out, struct sp_facts *facts, struct sp_error *err)
{
    if (s == NULL)
        return sp_invalid(err, "no session is open");
    const struct sp_provider *p = sp_session_provider(s);
    struct sp_facts mine;
    if (facts == NULL)
        facts = &mine;
    *facts = (struct sp_facts){ .fidelity = SP_FID_UNKNOWN };
    memcpy(out, p->declared, SP_CAP_N * sizeof *out);
    int rc = p->effective == NULL ? 0 : sp_answer(p->effective(s, out, facts, err), err);
    if (rc != 0)
        return rc;
    facts->server_version[sizeof facts->server_version - 1] = '\0';
    facts->notes[sizeof facts->notes - 1] = '\0';
    facts->place[sizeof facts->place - 1] = '\0';
    for (size_t i = 0; i < SP_CAP_N; i++) {
        const struct sp_cap *d = &p->declared[i];
        if (!has_facet(p, sp_caps[i].facet)) {
            out[i] = (struct sp_cap){ .level = SP_CAP_NO, .why = "the facet is not offered" };
            continue;
        }
        bool below =
            d->level == SP_CAP_YES &&
            (out[i].level != SP_CAP_YES || (sp_caps[i].kind == SP_CAP_KIND_LIMIT && out[i].limit < d->limit));
        if (below && out[i].why == NULL)
            out[i].why = "below what is declared, and the provider gave no reason";
    }
    return 0;
}
