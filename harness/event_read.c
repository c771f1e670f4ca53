/* event_read.c -- reading events back, from events.jsonl and from workers' frames. */
#include "event.h"

#include <jansson.h>
#include <string.h>

#include "base/str.h"

static int find_kind(const char *name, enum sp_event_kind *out)
{
    for (unsigned k = 0; k < SP_EV_N; k++) {
        if (strcmp(sp_event_name((enum sp_event_kind)k), name) == 0) {
            *out = (enum sp_event_kind)k;
            return 0;
        }
    }
    return -SP_E_UNSUPPORTED;
}

static bool fits(const json_t *v, enum sp_field_type type)
{
    switch (type) {
    case SP_FT_TEXT:
        return json_is_string(v);
    case SP_FT_INT:
        return json_is_integer(v);
    case SP_FT_REAL:
        return json_is_number(v);
    case SP_FT_BOOL:
        return json_is_boolean(v);
    }
    return false;
}

static int check_fields(const json_t *o, struct sp_error *err)
{
    for (unsigned f = 0; f < SP_FLD_N; f++) {
        const char *name = sp_event_field_name((enum sp_event_field)f);
        const json_t *v = json_object_get(o, name);
        if (v != NULL && !fits(v, sp_event_field_type((enum sp_event_field)f))) {
            return sp_invalid(err, "event field '%s' has the wrong type", name);
        }
    }
    return 0;
}

int sp_event_parse(const char *line, size_t n, struct sp_event_in *out, struct sp_error *err)
{
    *out = (struct sp_event_in){ .kind = SP_EV_N };
    json_error_t je;
    json_t *o = json_loadb(line, n, JSON_REJECT_DUPLICATES, &je);
    if (o == NULL) {
        return sp_invalid(err, "not an event: %s (byte %d)", je.text, je.position);
    }
    int rc = 0;
    const json_t *ev = json_object_get(o, "ev"), *seq = json_object_get(o, "seq"),
                 *t = json_object_get(o, "t");
    if (!json_is_string(ev)) {
        rc = sp_invalid(err, "not an event: no \"ev\"");
    } else if ((seq != NULL && (!json_is_integer(seq) || json_integer_value(seq) < 1)) ||
               (t != NULL && !json_is_number(t))) {
        rc = sp_invalid(err, "event with a bad \"seq\" or \"t\"");
    } else if (find_kind(json_string_value(ev), &out->kind) != 0) {
        rc = sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_HARNESS, "unknown event '%s'", json_string_value(ev));
    } else {
        rc = check_fields(o, err);
    }
    if (rc != 0) {
        json_decref(o);
        return rc;
    }
    out->seq = seq != NULL ? json_integer_value(seq) : 0;
    out->t = t != NULL ? json_number_value(t) : 0;
    out->json = o;
    return 0;
}

void sp_event_in_free(struct sp_event_in *in)
{
    if (in != NULL) {
        json_decref(in->json);
        in->json = NULL;
    }
}

static const json_t *field(const struct sp_event_in *in, enum sp_event_field f)
{
    return json_object_get(in->json, sp_event_field_name(f));
}

const char *sp_event_get_text(const struct sp_event_in *in, enum sp_event_field f)
{
    return json_string_value(field(in, f));
}

int64_t sp_event_get_int(const struct sp_event_in *in, enum sp_event_field f, int64_t fallback)
{
    const json_t *v = field(in, f);
    return json_is_integer(v) ? json_integer_value(v) : fallback;
}

double sp_event_get_real(const struct sp_event_in *in, enum sp_event_field f, double fallback)
{
    const json_t *v = field(in, f);
    return json_is_number(v) ? json_number_value(v) : fallback;
}

bool sp_event_get_bool(const struct sp_event_in *in, enum sp_event_field f, bool fallback)
{
    const json_t *v = field(in, f);
    return json_is_boolean(v) ? json_is_true(v) : fallback;
}

void sp_event_copy(struct sp_event *out, const struct sp_event_in *in)
{
    sp_event_begin(out, in->kind);
    for (unsigned i = 0; i < SP_FLD_N; i++) {
        enum sp_event_field f = (enum sp_event_field)i;
        const json_t *v = field(in, f);
        if (v == NULL) {
            continue;
        }
        switch (sp_event_field_type(f)) {
        case SP_FT_TEXT:
            sp_event_textn(out, f, json_string_value(v), json_string_length(v));
            break;
        case SP_FT_INT:
            sp_event_int(out, f, json_integer_value(v));
            break;
        case SP_FT_REAL:
            sp_event_real(out, f, json_number_value(v));
            break;
        case SP_FT_BOOL:
            sp_event_bool(out, f, json_is_true(v));
            break;
        }
    }
}
