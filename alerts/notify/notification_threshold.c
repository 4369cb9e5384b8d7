#include "alerts/notify/notification_threshold.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/notify/notification_names.h"
#include "alerts/notify/notification_worst.h"
#include "alerts/rules/threshold.h"
#include "alerts/text/quantity.h"
#include "alerts/text/text.h"
#include "collectors/collector.h"

struct telling {
    const struct notification_context *context;
    const struct rule *rule;
    const struct alert *alert;
    struct arena *arena;
    struct notification_block *block;
};

static bool is_over(const struct telling *telling)
{
    return telling->alert->state == ALERT_RESOLVED;
}

/* --- names ------------------------------------------------------------------------------------ */

/* " (Production, critical)": the labels the value is of. Of what is absent, those it would have. */
static void put_labels(const struct telling *telling, struct buf *out)
{
    const struct rule *rule = telling->rule;
    const char *separator = " (";
    for (size_t i = 0; rule->family->labels[i]; i++) {
        const char *label = rule->family->labels[i], *value = NULL;
        if (rule->by & (1U << i))
            value = alert_label_value(telling->alert, label);
        for (size_t j = 0; j < rule->match.count && !value; j++)
            if (!strcmp(rule->match.matches[j].name, label) &&
                rule->match.matches[j].operator== MATCH_EQUAL)
                value = rule->match.matches[j].value;
        bool is_own = value && !strcmp(label, "connector") && !strcmp(value, "none");
        if (!value || !*value || is_own || !strcmp(label, "initiative"))
            continue;
        buf_text(out, separator);
        buf_text(out, notification_names_value(telling->context, label, value, telling->arena));
        separator = ", ";
    }
    buf_text(out, *separator == ',' ? ")" : "");
}

/* --- the headline ----------------------------------------------------------------------------- */

/* The end of the first word that means several, or NULL: "findings overdue", "control points". */
static const char *plural_of(const char *words)
{
    for (const char *at = words; *at; at += *at == ' ') {
        at += strcspn(at, " ");
        if (at - words > 3 && at[-1] == 's' && !strchr("su", at[-2]))
            return at;
    }
    return NULL;
}

static bool is_many(const char *words)
{
    return plural_of(words) != NULL;
}

/* "secure score", with a capital letter where a sentence begins. */
static const char *name_of(const struct telling *telling, bool begins)
{
    CLEANUP(buf_finish) struct buf words = { 0 };
    quantity_name(&words, telling->rule->family->name);
    if (begins && words.length)
        words.data[0] = (char)toupper((unsigned char)words.data[0]);
    return arena_text(telling->arena, buf_cstr(&words));
}

/* " findings overdue" of several, " finding overdue" of one. */
static void put_counted(const struct telling *telling, double count, struct buf *out)
{
    const char *words = name_of(telling, false), *end = plural_of(words);
    if (count == 1)
        buf_printf(out, " %.*s%s", (int)(end - words - 1), words, end);
    else
        buf_printf(out, " %s", words);
}

static void put_within(const struct telling *telling, struct buf *out)
{
    buf_text(out, " within ");
    text_age(out, telling->rule->within_s);
}

/* "Secure score is 53.8 %, below 55.0 %", "12 findings, above 10". */
static void put_bound(const struct telling *telling, struct buf *out)
{
    const struct notification_block *block = telling->block;
    const char *name = name_of(telling, true);
    CLEANUP(buf_finish) struct buf between = { 0 };
    bool counts = !*block->unit && is_many(name);
    if (counts)
        put_counted(telling, block->value, &between);
    buf_printf(&between, "%s %s ", is_over(telling) ? ", no longer" : ",", block->comparison);
    if (!counts)
        buf_printf(out, "%s %s ", name, is_many(name) ? "are" : "is");
    quantity_compare(out, block->value, buf_cstr(&between), block->bound, block->unit);
}

static void put_drop(const struct telling *telling, struct buf *out)
{
    const struct notification_block *block = telling->block;
    buf_text(out, name_of(telling, true));
    if (is_over(telling)) {
        buf_printf(out, " %s ", is_many(name_of(telling, true)) ? "are" : "is");
        quantity_compare(out, block->value, ", had fallen from ", block->value_before, block->unit);
        return;
    }
    buf_text(out, " fell from ");
    quantity_compare(out, block->value_before, " to ", block->value, block->unit);
    put_within(telling, out);
}

static void put_absent(const struct telling *telling, struct buf *out)
{
    int64_t since_s = telling->context->now - telling->block->since_at;
    if (is_over(telling)) {
        buf_printf(out, "%s %s told again", name_of(telling, true),
                   is_many(name_of(telling, true)) ? "are" : "is");
        return;
    }
    buf_printf(out, "No %s", name_of(telling, false));
    if (since_s > 0) {
        buf_text(out, " since ");
        text_age(out, since_s);
    }
}

static void add_headline(const struct telling *telling)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    if (telling->rule->kind == RULE_ABSENT)
        put_absent(telling, &out);
    else if (telling->rule->kind == RULE_DROP)
        put_drop(telling, &out);
    else
        put_bound(telling, &out);
    put_labels(telling, &out);
    telling->block->title = arena_text(telling->arena, buf_cstr(&out));
}

/* --- what it means ---------------------------------------------------------------------------- */

/* The metric with the matchers of the rule: what is counted, or what is missing. */
static void put_selection(const struct telling *telling, struct buf *out)
{
    const struct match_list *match = &telling->rule->match;
    buf_text(out, telling->rule->family->name);
    for (size_t i = 0; i < match->count; i++) {
        buf_text(out, i ? ", " : "{");
        match_print(&match->matches[i], out);
    }
    buf_text(out, match->count ? "}" : "");
}

static bool emits(const struct source *source, const struct family *family)
{
    for (const struct family *const *one = source->collector->families; *one; one++)
        if (*one == family)
            return true;
    return false;
}

/* Who should tell of what is absent, and how that stands. */
static void put_sources(const struct telling *telling, struct buf *out)
{
    const struct snapshot *snapshot = telling->context->snapshot;
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        const struct source_status *status = &snapshot->status[i];
        if (!emits(&snapshot->sources->sources[i], telling->rule->family))
            continue;
        buf_text(out, " The collector ");
        collector_describe(snapshot->sources->sources[i].collector,
                           snapshot->sources->sources[i].name, out);
        buf_char(out, ' ');
        if (!status->enabled) {
            buf_text(out, "is off.");
        } else if (!status->last_success_at) {
            buf_text(out, "has not succeeded yet");
        } else {
            buf_text(out, "last succeeded ");
            text_instant(out, status->last_success_at, telling->context->now);
        }
        if (status->enabled && *status->error.message)
            buf_printf(out, ": %s", status->error.message);
        buf_text(out, status->enabled ? "." : "");
    }
}

static void add_sentence(const struct telling *telling)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    const struct rule *rule = telling->rule;
    const struct notification_block *block = telling->block;
    if (rule->kind == RULE_ABSENT) {
        buf_text(&out, is_over(telling) ? "There is " : "There is no ");
        put_selection(telling, &out);
        buf_text(&out, is_over(telling) ? " again." : ".");
        put_sources(telling, &out);
    } else {
        buf_text(&out, "The metric ");
        put_selection(telling, &out);
        buf_text(&out, " is ");
        if (rule->kind == RULE_DROP)
            quantity_compare(&out, block->value, ", was ", block->value_before, block->unit);
        else
            quantity_write(&out, block->value, block->unit, -1);
        buf_text(&out, rule->kind == RULE_DROP ? ": a drop by " : ", the bound is ");
        quantity_write(&out, block->bound, block->unit, -1);
        if (rule->kind == RULE_DROP)
            put_within(telling, &out);
        if (rule->clear != rule->bound) {
            buf_text(&out, ", it ends at ");
            quantity_write(&out, rule->clear, block->unit, -1);
        }
        buf_char(&out, '.');
    }
    telling->block->what = notification_names_copy(buf_cstr(&out), telling->arena);
}

/* --- all of it -------------------------------------------------------------------------------- */

static void add_value(const struct telling *telling)
{
    static const char *const words[] = { [RULE_ABOVE] = "above",
                                         [RULE_BELOW] = "below",
                                         [RULE_DROP] = "fell",
                                         [RULE_ABSENT] = "absent" };
    struct notification_block *block = telling->block;
    const char *before = alert_annotation_value(telling->alert, "value_before");
    block->metric = name_of(telling, false);
    block->unit = quantity_unit(telling->rule->family->name);
    block->comparison = words[telling->rule->kind];
    if (!strcmp(block->unit, "date") && telling->rule->kind == RULE_ABOVE)
        block->comparison = "after";
    if (!strcmp(block->unit, "date") && telling->rule->kind == RULE_BELOW)
        block->comparison = "before";
    block->value_before = *before ? strtod(before, NULL) : NAN;
    block->since_at = telling->alert->starts_at;
    if (!telling->context->metrics ||
        !threshold_value(telling->rule, telling->context->metrics, telling->alert, &block->value))
        block->value = telling->alert->value;
    block->bound = telling->rule->bound;
    if (telling->rule->kind == RULE_ABSENT)
        block->value = block->bound = NAN;
}

bool notification_threshold(const struct notification_context *context, const struct rule *rule,
                            const struct alert *alert, bool brief, struct arena *arena,
                            struct notification_block *block, struct error *error)
{
    const struct telling telling = { context, rule, alert, arena, block };
    add_value(&telling);
    add_headline(&telling);
    add_sentence(&telling);
    return brief || is_over(&telling) ||
           notification_worst(context, rule, alert, arena, block, error);
}
