/* equivalence.c -- the comparison type of a pair of columns and the rules that it cannot do without.
 *
 * The comparison type is one into which every value that means the same on both sides can be brought exactly. Where the
 * target cannot hold what the source can, a rule on the source says what is left of it. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "model/equivalence.h"

#include <string.h>

#include "base/str.h"

struct pair {
    struct sp_type s, t; /* s: after the rules so far */
    struct sp_colplan *plan;
    bool full; /* more rules than a plan holds */
    const char *why_not;
};

#define IS(type, id)    ((type).tag == SP_##id)
#define PAIR(p, x, y)   (IS((p)->s, x) && IS((p)->t, y))
#define EITHER(p, x, y) (PAIR(p, x, y) || PAIR(p, y, x))
#define IS_FLOAT(type)  (IS(type, F32) || IS(type, F64))
#define IS_NUMBER(type) (IS(type, INT) || IS(type, DEC) || IS_FLOAT(type))
#define IS_MOMENT(type) (IS(type, INSTANT) || IS(type, LOCAL))
#define HAS_CLOCK(type) (IS_MOMENT(type) || IS(type, TIME))

static bool plan_rule(struct sp_colplan *plan, enum sp_rule_kind k, int32_t arg)
{
    for (size_t i = 0; i < plan->nrules; i++) {
        if (plan->rules[i] == k)
            return true;
    }
    if (plan->nrules == SP_MAX_RULES)
        return false;
    plan->args[plan->nrules] = arg;
    plan->rules[plan->nrules++] = k;
    return true;
}

static void add_rule_arg(struct pair *p, enum sp_rule_kind k, int32_t arg)
{
    if (!plan_rule(p->plan, k, arg))
        p->full = true;
    else
        sp_rule_type(k, &p->s);
}

static void add_rule(struct pair *p, enum sp_rule_kind k)
{
    add_rule_arg(p, k, 0);
}

static int compare_as(struct pair *p, enum sp_tag tag)
{
    p->plan->type = (struct sp_type){ .tag = tag };
    return 0;
}

static int not_comparable(struct pair *p, const char *why)
{
    p->why_not = why;
    return 1;
}

/* Fraction digits that a type holds; nothing said is all nine. */
static uint32_t fraction(const struct sp_type *t)
{
    return t->precision == 0 || t->precision > 10 ? 9 : t->precision - 1;
}

static void truncate_times(struct pair *p)
{
    uint32_t have = fraction(&p->s), keep = fraction(&p->t);
    bool source_times = HAS_CLOCK(p->s) || IS(p->s, TEXT) || IS(p->s, MISSING);
    if (!HAS_CLOCK(p->t) || !source_times || keep >= have)
        return;
    if (keep == 6)
        add_rule(p, SP_RULE_TRUNCATE_US);
    else if (keep == 3)
        add_rule(p, SP_RULE_TRUNCATE_MS);
    else if (keep == 0)
        add_rule(p, SP_RULE_TRUNCATE_S);
    else
        add_rule_arg(p, SP_RULE_TRUNCATE_DIGITS, (int32_t)keep);
}

/* Where times are kept as text, a date stands for its midnight, and a zone is missing or too many. */
static void spelled_moments(struct pair *p)
{
    if (!IS_MOMENT(p->t))
        return;
    add_rule(p, SP_RULE_DATE_AS_MIDNIGHT);
    add_rule(p, IS(p->t, INSTANT) ? SP_RULE_LOCAL_AS_UTC : SP_RULE_UTC_AS_LOCAL);
}

/* A declared scale rounds what has more digits. */
static void round_decimals(struct pair *p)
{
    bool exact = IS(p->s, DEC) && p->s.precision != 0 && p->s.scale <= p->t.scale;
    bool whole = IS(p->s, INT) && p->t.scale >= 0;
    if (IS(p->t, DEC) && p->t.precision != 0 && !exact && !whole)
        add_rule_arg(p, SP_RULE_ROUND_SCALE, p->t.scale);
}

static void pad_text(struct pair *p)
{
    bool same = p->s.padded && p->s.length == p->t.length;
    if (IS(p->t, TEXT) && p->t.padded && p->t.length != 0 && p->t.length <= INT32_MAX && !same)
        add_rule_arg(p, SP_RULE_PAD, (int32_t)p->t.length);
}

static int moments(struct pair *p)
{
    if (IS(p->s, DATE))
        add_rule(p, SP_RULE_DATE_AS_MIDNIGHT);
    if (PAIR(p, LOCAL, INSTANT))
        add_rule(p, SP_RULE_LOCAL_AS_UTC);
    else if (PAIR(p, INSTANT, LOCAL))
        add_rule(p, SP_RULE_UTC_AS_LOCAL);
    truncate_times(p);
    return compare_as(p, p->t.tag);
}

/* Does a double hold every number of this type, in the sense of sp_dec_to_f64_exact()? */
static bool fits_double(const struct sp_type *t)
{
    if (IS(*t, INT))
        return t->int_bits != 0 && t->int_bits <= 32;
    return IS(*t, DEC) && t->precision != 0 && t->precision <= 15 && t->scale >= 0;
}

static int numbers(struct pair *p)
{
    round_decimals(p);
    if (!IS_FLOAT(p->t)) /* a float on the source alone is compared by its exact number */
        return compare_as(p, IS(p->s, INT) && IS(p->t, INT) ? SP_INT : SP_DEC);
    if (PAIR(p, F32, F32))
        return compare_as(p, SP_F32);
    if (!IS_FLOAT(p->s) && (IS(p->t, F32) || !fits_double(&p->s)))
        add_rule(p, SP_RULE_TO_FLOAT64);
    if (PAIR(p, F64, F32))
        add_rule(p, SP_RULE_TO_FLOAT32);
    return compare_as(p, SP_F64);
}

static bool text_spells(enum sp_tag tag)
{
    switch (tag) {
    case SP_UUID:
    case SP_INT:
    case SP_DEC:
    case SP_DATE:
    case SP_TIME:
    case SP_INSTANT:
    case SP_LOCAL:
    case SP_JSON:
        return true;
    default:
        return false;
    }
}

static int with_text(struct pair *p)
{
    enum sp_tag other = IS(p->s, TEXT) ? p->t.tag : p->s.tag;
    if (!text_spells(other))
        return not_comparable(p, "text on one side has no reading as the type of the other");
    truncate_times(p);
    if (IS(p->s, TEXT)) {
        round_decimals(p);
        spelled_moments(p); /* last: behind it, the type is one of times */
    }
    return compare_as(p, other);
}

static int arrays(struct pair *p)
{
    struct sp_type s = { .tag = p->s.elem }, t = { .tag = p->t.elem };
    if (s.tag == t.tag || IS(s, MISSING) || IS(t, MISSING)) {
        compare_as(p, SP_ARRAY);
        p->plan->type.elem = IS(t, MISSING) ? s.tag : t.tag;
        return 0;
    }
    /* No rule reaches into an array: only element types with exact coercions both ways of looking at it. */
    if (IS_NUMBER(s) && IS_NUMBER(t)) {
        compare_as(p, SP_ARRAY);
        p->plan->type.elem = IS_FLOAT(s) && IS_FLOAT(t) ? SP_F64 : SP_DEC;
        return 0;
    }
    return not_comparable(p, "the arrays hold elements of different types");
}

static int one_dynamic(struct pair *p)
{
    const struct sp_type *typed = IS(p->s, MISSING) ? &p->t : &p->s;
    if (IS(*typed, NATIVE))
        return not_comparable(p, "a type of its own on one side, and no declared type on the other");
    if (IS(p->s, MISSING)) {
        spelled_moments(p);
        round_decimals(p);
        pad_text(p);
        truncate_times(p);
        if (IS(p->t, F32))
            add_rule(p, SP_RULE_TO_FLOAT32);
    }
    compare_as(p, typed->tag);
    p->plan->type.elem = typed->elem;
    return 0;
}

static int same_tag(struct pair *p, const struct sp_column *source, const struct sp_column *target)
{
    if (IS(p->s, NATIVE) &&
        (source->native_type == NULL || !sp_streq(source->native_type, target->native_type)))
        return not_comparable(p, "both sides have a type of their own, and not the same");
    if (IS(p->s, ARRAY))
        return arrays(p);
    if (IS(p->s, TEXT) && p->s.padded && !p->t.padded)
        add_rule(p, SP_RULE_TRIM_PADDING);
    pad_text(p);
    round_decimals(p);
    truncate_times(p);
    return compare_as(p, p->t.tag);
}

static int choose(struct pair *p, const struct sp_column *source, const struct sp_column *target)
{
    if (IS(p->s, MISSING) && IS(p->t, MISSING))
        return compare_as(p, SP_MISSING);
    if (IS(p->s, MISSING) || IS(p->t, MISSING))
        return one_dynamic(p);
    if (p->s.tag == p->t.tag)
        return same_tag(p, source, target);
    if (IS_NUMBER(p->s) && IS_NUMBER(p->t))
        return numbers(p);
    if (EITHER(p, INT, BOOL))
        return compare_as(p, SP_BOOL);
    if ((IS_MOMENT(p->s) || IS(p->s, DATE)) && IS_MOMENT(p->t))
        return moments(p);
    if (IS_MOMENT(p->s) && IS(p->t, DATE))
        return not_comparable(p, "the target keeps only the date of a time");
    if (PAIR(p, INT, INSTANT) || PAIR(p, INT, LOCAL))
        return not_comparable(p, "an integer is a time only if the mapping names epoch_s or epoch_ms");
    if (EITHER(p, BYTES, UUID))
        return compare_as(p, SP_UUID);
    if (EITHER(p, ARRAY, JSON))
        return compare_as(p, SP_JSON);
    if (EITHER(p, VECTOR, ARRAY))
        return compare_as(p, SP_VECTOR);
    if (IS(p->s, TEXT) || IS(p->t, TEXT))
        return with_text(p);
    return not_comparable(p, "there is no exact way from one type to the other");
}

static const char *type_text(struct sp_arena *a, const struct sp_type *t)
{
    struct sp_buf b = SP_BUF_INIT;
    char *s = sp_type_print(&b, t) == 0 ? sp_arena_strn(a, b.p, b.n) : NULL;
    sp_buf_free(&b);
    return s;
}

static int explain(struct sp_arena *a, const struct sp_colplan *plan, const char *why_not,
    const struct sp_column *source, const struct sp_column *target, const char **why)
{
    const char *s = type_text(a, &source->type), *t = type_text(a, &target->type);
    struct sp_buf b = SP_BUF_INIT;
    if (s == NULL || t == NULL)
        return -SP_E_NOMEM;
    sp_buf_printf(&b, "%s to %s: ", s, t);
    if (why_not != NULL)
        sp_buf_puts(&b, why_not);
    for (size_t i = 0; why_not == NULL && i < plan->nrules; i++)
        sp_buf_printf(&b, "%s%s", i != 0 ? "; " : "", sp_rule_doc(plan->rules[i]));
    *why = b.oom ? NULL : sp_arena_strn(a, b.p, b.n);
    sp_buf_free(&b);
    return *why == NULL ? -SP_E_NOMEM : 0;
}

int sp_equiv_resolve_with(struct sp_arena *a, const struct sp_column *source, const struct sp_column *target,
    const enum sp_rule_kind *given, const int32_t *args, size_t ngiven, struct sp_colplan *out,
    const char **why)
{
    struct sp_colplan plan = { .source = source->name, .target = target->name };
    struct pair p = { .s = source->type, .t = target->type, .plan = &plan };
    plan.name = sp_streq(source->name, target->name)
                    ? source->name
                    : sp_arena_printf(a, "%s->%s", source->name, target->name);
    if (why != NULL)
        *why = NULL;
    if (plan.name == NULL)
        return -SP_E_NOMEM;
    for (size_t i = 0; i < ngiven; i++)
        add_rule_arg(&p, given[i], args != NULL ? args[i] : 0);
    plan.ngiven = plan.nrules;
    int rc = choose(&p, source, target);
    if (source->ordinal_unstable && !target->ordinal_unstable) /* tables have no missing fields */
        add_rule(&p, SP_RULE_MISSING_TO_NULL);
    if (p.full)
        return -SP_E_INVALID;
    if (why != NULL && (rc == 1 || plan.nrules != 0)) {
        int failed = explain(a, &plan, p.why_not, source, target, why);
        if (failed != 0)
            return failed;
    }
    *out = plan;
    return rc;
}

int sp_equiv_resolve(struct sp_arena *a, const struct sp_column *source, const struct sp_column *target,
    struct sp_colplan *out, const char **why)
{
    return sp_equiv_resolve_with(a, source, target, NULL, NULL, 0, out, why);
}

/* ---- ledgers ---- */

const char *sp_equiv_why(struct sp_arena *a, const struct sp_column *source, const struct sp_column *target,
    const struct sp_colplan *plan)
{
    const char *why = NULL;
    return plan->nrules != 0 && explain(a, plan, NULL, source, target, &why) == 0 ? why : NULL;
}

int sp_rule_print(struct sp_buf *out, enum sp_rule_kind k, int32_t arg)
{
    return sp_rule_has_arg(k) ? sp_buf_printf(out, "%s(%d)", sp_rule_name(k), (int)arg)
                              : sp_buf_puts(out, sp_rule_name(k));
}

static bool holds(const struct sp_loss *list, enum sp_tag tag, enum sp_rule_kind rule)
{
    for (; list != NULL && list->what != NULL; list++) {
        if (list->tag == tag && list->rule == rule)
            return true;
    }
    return false;
}

/* Fraction digits that a rule leaves; -1 for rules about something else. */
static int32_t digits_left(enum sp_rule_kind k, int32_t arg)
{
    switch (k) {
    case SP_RULE_TRUNCATE_US:
        return 6;
    case SP_RULE_TRUNCATE_MS:
        return 3;
    case SP_RULE_TRUNCATE_S:
        return 0;
    case SP_RULE_TRUNCATE_DIGITS:
        return arg;
    default:
        return -1;
    }
}

static bool cuts_already(const struct sp_colplan *plan, enum sp_rule_kind k)
{
    int32_t keep = digits_left(k, 0);
    for (size_t i = 0; keep >= 0 && i < plan->nrules; i++) {
        int32_t left = digits_left(plan->rules[i], plan->args[i]);
        if (left >= 0 && left <= keep)
            return true;
    }
    return false;
}

int sp_equiv_ledger(struct sp_colplan *plan, const struct sp_type *target,
    const struct sp_loss *source_losses, const struct sp_loss *target_losses)
{
    enum sp_tag tag = plan->type.tag;
    for (const struct sp_loss *l = target_losses; l != NULL && l->what != NULL; l++) {
        bool declared = digits_left(l->rule, 0) >= 0 && fraction(target) <= (uint32_t)digits_left(l->rule, 0);
        if (l->tag != tag || tag == SP_MISSING || l->rule == SP_RULE_NONE || sp_rule_has_arg(l->rule) ||
            declared || cuts_already(plan, l->rule) || holds(source_losses, tag, l->rule))
            continue;
        if (!plan_rule(plan, l->rule, 0))
            return -SP_E_INVALID;
    }
    for (size_t i = plan->ngiven; holds(target_losses, tag, SP_RULE_ROUND_DIGITS) && i < plan->nrules; i++) {
        int32_t left = digits_left(plan->rules[i], plan->args[i]);
        if (left < 0)
            continue;
        plan->rules[i] = SP_RULE_ROUND_DIGITS;
        plan->args[i] = left;
    }
    return 0;
}

/* Hashed piece by piece, so that no allocation can fail. Lengths go before names. */
static void hash_u64(XXH3_state_t *h, uint64_t v)
{
    uint8_t b[8];
    for (int k = 0; k < 8; k++)
        b[k] = (uint8_t)(v >> (8 * k));
    XXH3_128bits_update(h, b, sizeof b);
}

static void hash_name(XXH3_state_t *h, const char *s)
{
    size_t n = s != NULL ? strlen(s) : 0;
    hash_u64(h, (uint64_t)n);
    if (n != 0)
        XXH3_128bits_update(h, s, n);
}

struct sp_d128 sp_plan_fingerprint(const struct sp_colplan *cols, size_t n, bool residual)
{
    XXH3_state_t h;
    XXH3_INITSTATE(&h);
    XXH3_128bits_reset(&h);
    hash_u64(&h, SP_CANON_FORMAT);
    hash_u64(&h, residual ? 1 : 0);
    hash_u64(&h, (uint64_t)n);
    for (size_t i = 0; i < n; i++) {
        const struct sp_colplan *c = &cols[i];
        hash_name(&h, c->source);
        hash_name(&h, c->target);
        hash_name(&h, sp_tag_name(c->type.tag));
        hash_name(&h, c->type.tag == SP_ARRAY ? sp_tag_name(c->type.elem) : "");
        hash_u64(&h, c->key ? 1 : 0);
        hash_u64(&h, (uint64_t)c->nrules);
        for (size_t r = 0; r < c->nrules; r++)
            hash_name(&h, sp_rule_name(c->rules[r]));
        for (size_t r = 0; r < c->nrules; r++) {
            if (sp_rule_has_arg(c->rules[r]))
                hash_u64(&h, (uint64_t)(int64_t)c->args[r]);
        }
    }
    XXH128_hash_t d = XXH3_128bits_digest(&h);
    return (struct sp_d128){ d.low64, d.high64 };
}
