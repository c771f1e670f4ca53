/* equivalence.h -- what "the same" means for a pair of columns: comparison type and directional rules.
 *
 * A rule f is a direction: the target must equal f(source) exactly. Rules touch the source side only. Constant data,
 * any thread. */
#ifndef SP_MODEL_EQUIVALENCE_H
#define SP_MODEL_EQUIVALENCE_H

#include "model/canonical.h"
#include "model/schema.h"

/* X(enum suffix, wire name in mappings and reports, doc) */
#define SP_RULES(X)                                                                                          \
    X(TRUNCATE_US, "truncate_us",                                                                            \
        "timestamps and times lose digits below the microsecond (towards the past)")                         \
    X(TRUNCATE_MS, "truncate_ms",                                                                            \
        "timestamps and times lose digits below the millisecond (towards the past)")                         \
    X(TRUNCATE_S, "truncate_s", "timestamps and times lose the fraction (towards the past)")                 \
    X(NULL_TO_MISSING, "null_to_missing", "null becomes a missing field")                                    \
    X(MISSING_TO_NULL, "missing_to_null", "a missing field becomes null")                                    \
    X(EMPTY_TO_NULL, "empty_to_null", "the empty text becomes null")                                         \
    X(TRIM_PADDING, "trim_padding", "blanks at the end of a padded text are dropped")                        \
    X(TO_FLOAT32, "to_float32", "a double is rounded to the nearest single")                                 \
    X(TO_FLOAT64, "to_float64", "an exact number is rounded to the nearest double")                          \
    X(NEGZERO_TO_ZERO, "negzero_to_zero", "-0.0 becomes 0.0")                                                \
    X(LOCAL_AS_UTC, "local_as_utc", "a timestamp without zone is taken as UTC")                              \
    X(UTC_AS_LOCAL, "utc_as_local", "a UTC timestamp loses its zone")                                        \
    X(DATE_AS_MIDNIGHT, "date_as_midnight", "a date becomes 00:00:00 of that day")                           \
    X(EPOCH_S, "epoch_s", "an integer of seconds since 1970 becomes a timestamp")                            \
    X(EPOCH_MS, "epoch_ms", "an integer of milliseconds since 1970 becomes a timestamp")                     \
    X(TRUNCATE_DIGITS, "truncate_fraction",                                                                  \
        "timestamps and times lose the digits that the column does not keep (towards the past)")             \
    X(ROUND_DIGITS, "round_fraction",                                                                        \
        "timestamps and times are rounded to the digits that the column keeps (halves away from 2000)")      \
    X(ROUND_SCALE, "round_to_scale",                                                                         \
        "a number is rounded to the digits behind the point that the column keeps (halves away from 0)")     \
    X(PAD, "pad_to_length", "a text is filled with blanks up to the length of the column")

enum sp_rule_kind {
    SP_RULE_NONE,
#define SP_X(id, name, doc) SP_RULE_##id,
    SP_RULES(SP_X)
#undef SP_X
        SP_RULE_N
};
const char *sp_rule_name(enum sp_rule_kind k);
const char *sp_rule_doc(enum sp_rule_kind k);
int sp_rule_parse(const char *name, enum sp_rule_kind *out);
/* out = f(in), where out may be in. 1 if the value was changed, 0 if not, negative error. What a rule does not speak of
 * stays as it is. to_float32 and to_float64 always give the float and count as a change only if the number differs.
 * Rules about times also take a text that spells one. */
int sp_rule_apply(enum sp_rule_kind k, struct sp_arena *a, const struct sp_value *in, struct sp_value *out);
/* Rules with a number: truncate_fraction and round_fraction: digits kept; round_to_scale: the scale; pad_to_length:
 * characters. The others take no notice of it. */
int sp_rule_apply_arg(
    enum sp_rule_kind k, int32_t arg, struct sp_arena *a, const struct sp_value *in, struct sp_value *out);
bool sp_rule_has_arg(enum sp_rule_kind k);
/* What rules about times see of a value: a text that spells a moment, a date or a time as that, all else as it is. */
struct sp_value sp_rule_moment(const struct sp_value *in);
int sp_rule_print(struct sp_buf *out, enum sp_rule_kind k, int32_t arg); /* round_to_scale(2) */

/* What the rule does to the type of a column. */
void sp_rule_type(enum sp_rule_kind k, struct sp_type *type);

#define SP_MAX_RULES 4

/* One compared column pair. */
struct sp_colplan {
    const char *name;            /* shown in reports: source name (or source->target) */
    const char *source, *target; /* column names on each side */
    struct sp_type type;         /* comparison type; tag SP_MISSING = dynamic */
    enum sp_rule_kind rules[SP_MAX_RULES];
    int32_t args[SP_MAX_RULES]; /* of the rules that take a number */
    size_t nrules;              /* applied in order, source side only */
    size_t ngiven;              /* the first of them are a mapping's, and stay as they are */
    bool lossy_accepted;        /* named by mapping or --accept-loss */
    bool key;                   /* part of the row key; key columns stand first in a plan */
};

/* Chooses the comparison type and the unavoidable rules of a pair, after the `given` rules of a mapping (`args`
 * their numbers, or NULL). `why` (arena;
 * may be NULL) says what the rules of the plan do, or why the pair is not comparable; NULL if there is nothing to say.
 * 0, 1 = not comparable, negative error (-SP_E_INVALID: more than SP_MAX_RULES). */
int sp_equiv_resolve_with(struct sp_arena *a, const struct sp_column *source, const struct sp_column *target,
    const enum sp_rule_kind *given, const int32_t *args, size_t ngiven, struct sp_colplan *out,
    const char **why);
/* The same without a mapping. */
int sp_equiv_resolve(struct sp_arena *a, const struct sp_column *source, const struct sp_column *target,
    struct sp_colplan *out, const char **why);
/* Adds the rules that the target's type-loss ledger makes unavoidable and the source's does not: what one side never
 * held, the other cannot lose. `target` is the target's column type. Ledgers end with what == NULL and may be NULL. 0, or
 * -SP_E_INVALID: more than SP_MAX_RULES. */
struct sp_loss;
int sp_equiv_ledger(struct sp_colplan *plan, const struct sp_type *target,
    const struct sp_loss *source_losses, const struct sp_loss *target_losses);
/* What the rules of a plan do, for people; NULL if there are none. */
const char *sp_equiv_why(struct sp_arena *a, const struct sp_column *source, const struct sp_column *target,
    const struct sp_colplan *plan);
/* Fingerprint of a plan: format number, per column names, type, rules, key flags, residual flag. */
struct sp_d128 sp_plan_fingerprint(const struct sp_colplan *cols, size_t n, bool residual);

/* Type-loss ledger: what a provider cannot hold, a row per loss. Constant data of each provider. */
struct sp_loss {
    enum sp_tag tag;
    enum sp_rule_kind rule;
    const char *what;
};

#endif
