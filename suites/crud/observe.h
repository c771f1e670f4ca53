/* observe.h -- what the cases about open behaviour share: an operation that may be answered in one way or another.
 *
 * An observation is an answer of the backend. What is no answer (a lost connection, a time-out, a defect) is never told as
 * behaviour: the case is errored or failed. Topics begin with their area ("integers: 2^53 + 1"). One thread. */
#ifndef SP_SUITES_CRUD_OBSERVE_H
#define SP_SUITES_CRUD_OBSERVE_H

#include "suites/crud/crud.h"

/* As words, with its type, in the case's arena. */
const char *cro_shown(struct dc *d, const struct sp_value *v);
/* True when rc is an answer: *refusal is NULL for success, else "refused: CODE". Clears the record. */
bool cro_answered(struct dc *d, const char *what, int rc, const char **refusal);
/* How many rows the filter finds, told as words: `one` and `none` stand for 1 and 0. */
bool cro_finds(struct dc *d, const char *topic, const char *table, const struct sp_filter *where,
    const char *none, const char *one);
/* False: the capability is not there, and the topic says so. */
bool cro_offers(struct dc *d, const char *topic, enum sp_cap_id needs);
/* A session in a namespace of this case alone, and its name. NULL: return. */
struct sp_session *cro_apart(struct dc *d, const char *tag, const char **name);

/* Values offered to columns, a column each; what was acknowledged is there once, what was refused is not. */
struct cro_probe {
    const char *topic;
    struct sp_type type;
    struct sp_value v;
    enum sp_cap_id needs; /* SP_CAP_N = nothing more */
};
struct cro_probes {
    const char *table;
    const struct cro_probe *v;
    size_t n;
};
extern const struct cro_probes cro_misfits, cro_integers, cro_floats_kept, cro_times, cro_texts,
    cro_documents;
void crc_semantics_stored(struct sp_ctx *ctx, const void *data);

/* clang-format off */
#define CRO_CASES(X)                                                                                         \
    X(nulls) X(defaults) X(not_a_number) X(text_equal) X(text_unique) X(names) X(duplicate) X(absent)        \
    X(batch_atomic) X(update_atomic) X(unordered) X(paging) X(consistency) X(open_writer)                    \
    X(long_values) X(many_columns) X(many_values)
#define SP_X(name) void crc_semantics_##name(struct sp_ctx *ctx, const void *data);
CRO_CASES(SP_X)
#undef SP_X
/* clang-format on */

#endif
