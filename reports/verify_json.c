/* verify_json.c -- verify.json: what was compared, and every difference that was listed. */
#include <jansson.h>
#include <string.h>

#include "base/str.h"
#include "reports/json_util.h"
#include "reports/rundata.h"

#define F(name) SP_FLD_##name

/* Tables that were counted, buckets, accounts: each its own list. */
static json_t *counted_of(const struct rd *r, const char *element)
{
    const enum sp_event_field fields[] = { F(name), F(source_rows), F(target_rows), F(missing), F(extra),
        F(changed), F(bytes), F(message) };
    return rdj_rows(r, SP_EV_COUNTED, F(element), element, fields, SP_LEN(fields));
}

static json_t *rules_of(const struct rd *r, const char *table)
{
    const enum sp_event_field fields[] = { F(column), F(rule), F(touched), F(lossy), F(accepted), F(why) };
    return rdj_rows(r, SP_EV_RULE, F(name), table, fields, SP_LEN(fields));
}

static json_t *tables_of(const struct rd *r)
{
    const enum sp_event_field fields[] = { F(name), F(source_rows), F(target_rows), F(digest_equal),
        F(missing), F(extra), F(changed), F(duplicates_source), F(duplicates_target), F(keyed),
        F(source_digest), F(target_digest), F(plan), F(duration_s), F(source_state), F(target_state),
        F(in_flight), F(unsettled), F(resumed) };
    json_t *list = rdj_rows(r, SP_EV_TABLE, SP_FLD_name, NULL, fields, SP_LEN(fields));
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *o = json_array_get(list, i);
        const char *name = json_string_value(json_object_get(o, "name"));
        rdj_set(o, "rules", rules_of(r, name == NULL ? "" : name));
    }
    return list;
}

int rd_verify_json(const struct rd *r, struct sp_buf *out, struct sp_error *err)
{
    const enum sp_event_field head[] = { F(source), F(target), F(source_kind), F(target_kind),
        F(source_version), F(target_version), F(source_state), F(target_state), F(checks), F(mapping),
        F(mapping_digest), F(rate), F(recheck), F(sample), F(seed) };
    const enum sp_event_field schema[] = { F(element), F(name), F(table), F(difference), F(expected),
        F(actual), F(accepted) };
    const enum sp_event_field relation[] = { F(name), F(child), F(parent), F(columns), F(source_orphans),
        F(target_orphans), F(introduced), F(preexisting) };
    const enum sp_event_field sequence[] = { F(name), F(source_next), F(target_next), F(behind) };
    const enum sp_event_field difference[] = { F(name), F(difference), F(key), F(column), F(expected),
        F(actual), F(digest), F(side), F(since) };
    const enum sp_event_field not_compared[] = { F(name), F(what), F(reason), F(accepted) };
    const enum sp_event_field finding[] = { F(name), F(column), F(topic), F(count), F(message), F(key),
        F(actual) };
    const enum sp_event_field custom[] = { F(name), F(provider), F(expected), F(actual), F(outcome) };
    const enum sp_event_field profile[] = { F(name), F(column), F(keyed), F(source_nulls), F(target_nulls),
        F(source_missing), F(target_missing), F(source_distinct), F(target_distinct), F(source_min),
        F(target_min), F(source_max), F(target_max), F(source_longest), F(target_longest), F(message) };
    const enum sp_event_field constraint[] = { F(element), F(name), F(table), F(columns), F(source_faults),
        F(target_faults), F(introduced), F(preexisting) };
    const enum sp_event_field migrated[] = { F(name), F(rows), F(bytes), F(duration_s), F(rate), F(message) };
    const enum sp_event_field sampled[] = { F(name), F(source_rows), F(target_rows), F(examined), F(missing),
        F(extra), F(changed), F(at_most), F(message) };
    const enum sp_event_field diagnosis[] = { F(name), F(column), F(topic), F(confidence), F(count),
        F(examined), F(differences), F(key), F(message), F(advice) };
    const struct rd_rows *starts = &r->of[SP_EV_VERIFY_START], *ends = &r->of[SP_EV_VERIFY_END];
    const char *verdict = rd_verify_verdict(r);
    json_t *root = json_object();

    rdj_set(root, "format", json_integer(1));
    rdj_text(root, "run", rd_text(&r->start, F(run)));
    rdj_text(root, "verdict", verdict == NULL ? "not_compared" : verdict);
    rdj_set(root, "truncated", json_boolean(r->truncated));
    rdj_text(root, "reasons", rd_text(&r->end, F(reasons)));
    for (size_t k = 0; starts->n > 0 && k < SP_LEN(head); k++)
        rdj_copy(root, &starts->v[0].ev, head[k]);
    rdj_set(root, "tables", tables_of(r));
    rdj_set(root, "schema", rdj_rows(r, SP_EV_SCHEMA_DIFF, SP_FLD_name, NULL, schema, SP_LEN(schema)));
    rdj_set(root, "relations", rdj_rows(r, SP_EV_RELATION, SP_FLD_name, NULL, relation, SP_LEN(relation)));
    rdj_set(root, "sequences", rdj_rows(r, SP_EV_SEQUENCE, SP_FLD_name, NULL, sequence, SP_LEN(sequence)));
    rdj_set(root, "profiles", rdj_rows(r, SP_EV_PROFILE, SP_FLD_name, NULL, profile, SP_LEN(profile)));
    rdj_set(root, "constraints",
        rdj_rows(r, SP_EV_CONSTRAINT, SP_FLD_name, NULL, constraint, SP_LEN(constraint)));
    rdj_set(root, "counts", counted_of(r, "table"));
    rdj_set(root, "buckets", counted_of(r, "bucket"));
    rdj_set(root, "accounts", counted_of(r, "accounts"));
    rdj_set(root, "sampled", rdj_rows(r, SP_EV_SAMPLED, SP_FLD_name, NULL, sampled, SP_LEN(sampled)));
    rdj_set(root, "diagnoses", rdj_rows(r, SP_EV_DIAGNOSIS, SP_FLD_name, NULL, diagnosis, SP_LEN(diagnosis)));
    rdj_set(root, "differences",
        rdj_rows(r, SP_EV_DIFFERENCE, SP_FLD_name, NULL, difference, SP_LEN(difference)));
    if (ends->n > 0) {
        rdj_copy(root, &ends->v[ends->n - 1].ev, F(in_flight));
        rdj_copy(root, &ends->v[ends->n - 1].ev, F(unsettled));
    }
    rdj_set(root, "differences_capped",
        json_boolean(ends->n > 0 && sp_event_get_bool(&ends->v[ends->n - 1].ev, F(capped), false)));
    rdj_set(root, "not_compared",
        rdj_rows(r, SP_EV_NOT_COMPARED, SP_FLD_name, NULL, not_compared, SP_LEN(not_compared)));
    rdj_set(root, "findings", rdj_rows(r, SP_EV_FINDING, SP_FLD_name, NULL, finding, SP_LEN(finding)));
    rdj_set(
        root, "custom_checks", rdj_rows(r, SP_EV_CUSTOM_CHECK, SP_FLD_name, NULL, custom, SP_LEN(custom)));
    rdj_set(
        root, "migrated", rdj_rows(r, SP_EV_MIGRATE_TABLE, SP_FLD_name, NULL, migrated, SP_LEN(migrated)));
    return rdj_write(root, out, err);
}
