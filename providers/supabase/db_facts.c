/* db_facts.c -- what the database facet offers to this key. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "provider_call.h"
#include "providers/supabase/internal.h"

static void deny(struct sp_cap *c, const char *why)
{
    c->level = SP_CAP_NO;
    c->why = why;
}

int sd_effective(struct sp_session *s, struct sp_cap *caps, struct sp_facts *facts, struct sp_error *err)
{
    static const enum sp_cap_id lent[] = { SP_CAP_INTROSPECT, SP_CAP_NAMESPACES, SP_CAP_TABLES,
        SP_CAP_SEQUENCE_SET, SP_CAP_SNAPSHOT };
    struct sp_cap *behind = calloc(SP_CAP_N, sizeof *behind);
    struct sp_facts base = { .fidelity = SP_FID_UNKNOWN };
    int ret = behind == NULL ? sp_nomem(err) : sp_effective(s->db.sql, behind, &base, err);
    for (size_t i = 0; ret == 0 && i < SP_LEN(lent); i++)
        if (behind[lent[i]].level != SP_CAP_YES)
            deny(&caps[lent[i]], behind[lent[i]].why);
    if (sd_no_actors(s) != NULL) {
        deny(&caps[SP_CAP_ACTORS], sd_no_actors(s));
        deny(&caps[SP_CAP_ACTOR_TOKENS], sd_no_actors(s));
    } else if (s->db.gateway && s->key[SU_ANON] == NULL) {
        deny(&caps[SP_CAP_ACTORS], "no anon_key is configured: those who are not signed in come with it");
    }
    facts->fidelity = s->db.version[0] != '\0' ? base.fidelity : SP_FID_UNKNOWN;
    /* Not the place of the database: REST shows it in its own way, which is worth comparing with it. */
    if (base.place[0] != '\0')
        (void)snprintf(facts->place, sizeof facts->place, "supabase %.140s", base.place);
    (void)snprintf(facts->server_version, sizeof facts->server_version, "PostgREST %.20s%s%.56s",
        s->db.version[0] != '\0' ? s->db.version : "of unknown version",
        base.server_version[0] != '\0' ? " before " : "", base.server_version);
    (void)snprintf(facts->notes, sizeof facts->notes, "schema %.63s, as role %.63s, %s", s->db.schema,
        s->db.role[0] != '\0' ? s->db.role : "unknown",
        s->db.gateway ? "behind a gateway" : "without a gateway");
    free(behind);
    return ret;
}

const struct sp_db_ops sd_ops = {
    .introspect = sd_introspect,
    .ns_create = sd_ns_create,
    .ns_use = sd_ns_use,
    .ns_drop = sd_ns_drop,
    .ns_list = sd_ns_list,
    .table_create = sd_table_create,
    .table_finish = sd_table_finish,
    .table_drop = sd_table_drop,
    .exec = sd_exec,
    .snapshot_begin = sd_snapshot_begin,
    .snapshot_end = sd_snapshot_end,
    .scan = sd_scan,
    .load_open = sd_load_open,
    .load_row = sd_load_row,
    .load_close = sd_load_close,
    .sequence_set = sd_sequence_set,
    .raw_reads = sd_raw_reads,
    .act_for = sd_act_for,
    .actor_token = sd_actor_token,
    .row_rules = sd_row_rules,
};
