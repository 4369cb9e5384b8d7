/* Inhibition: the sources that fire are sorted by rule and by the values that have to be equal. */
#include "alerts/notify/inhibit.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

struct inhibit_rule {
    struct match_list source, target;
    const char **equal; /* equal_count of them */
    size_t equal_count;
};
struct inhibit_rules {
    struct inhibit_rule *rules;
    size_t count;
};

/* A firing alert that matches the source side of a rule. */
struct inhibitor {
    size_t rule;
    const char *values; /* of the equal labels, joined */
    bool both;          /* matches the target side too */
    char fingerprint[ALERT_FINGERPRINT_BYTES];
};
struct inhibit_view {
    const struct inhibit_rules *rules;
    struct inhibitor *sources;
    size_t count, capacity;
    struct arena arena;
};

/* clang-format off */
#define CONFIG struct inhibit_config
#define LINE(member) OPTION_LINE(CONFIG, line.member)
const struct option inhibit_options[] = {
    { "source_matchers", OPTION_TEXT_LIST(CONFIG, source_matchers), LINE(source), .required = true,
      .help = "While an alert like this fires ..." },
    { "target_matchers", OPTION_TEXT_LIST(CONFIG, target_matchers), LINE(target), .required = true,
      .help = "... alerts like this are not sent." },
    { "equal", OPTION_TEXT_LIST(CONFIG, equal), LINE(equal),
      .help = "Labels that must have the same value in both." },
    { 0 }
};
/* clang-format on */

/* --- compiling -------------------------------------------------------------------------------- */

struct compiler {
    const char *const *labels;
    const char *file;
    struct arena *arena;
    struct option_report *report;
};

static void compile_side(const struct compiler *compiler, const struct option_texts *texts,
                         int line, const char *key, struct match_list *out)
{
    struct error error;
    if (!match_parse_all(texts, out, compiler->arena, &error) ||
        !match_all_known(out, compiler->labels, &error))
        options_complain(compiler->report, compiler->file, line, key, "%s", error.message);
    else if (!out->count)
        options_complain(compiler->report, compiler->file, line, key, "needs a matcher");
}

static void compile_rule(const struct compiler *compiler, const struct inhibit_config *config,
                         struct inhibit_rule *rule)
{
    struct error error;
    compile_side(compiler, &config->source_matchers, config->line.source,
                 "inhibit_rules.source_matchers", &rule->source);
    compile_side(compiler, &config->target_matchers, config->line.target,
                 "inhibit_rules.target_matchers", &rule->target);
    rule->equal = config->equal.texts;
    rule->equal_count = config->equal.count;
    for (size_t n = 0; n < rule->equal_count; n++)
        if (!match_is_name(rule->equal[n]))
            options_complain(compiler->report, compiler->file, config->line.equal,
                             "inhibit_rules.equal", "\"%s\" is no label name", rule->equal[n]);
        else if (!match_known(rule->equal[n], compiler->labels, &error))
            options_complain(compiler->report, compiler->file, config->line.equal,
                             "inhibit_rules.equal", "%s", error.message);
}

const struct inhibit_rules *inhibit_compile(const struct option_items *configs,
                                            const char *const *labels, const char *file,
                                            struct arena *arena, struct option_report *report)
{
    const struct compiler compiler = { labels, file, arena, report };
    size_t reasons = report->count;
    struct inhibit_rules *rules = arena_zalloc(arena, sizeof *rules);
    rules->rules = arena_zalloc(arena, (configs->count + 1) * sizeof *rules->rules);
    rules->count = configs->count;
    for (size_t i = 0; i < configs->count; i++)
        compile_rule(&compiler, (const struct inhibit_config *)configs->items + i,
                     &rules->rules[i]);
    if (rules->count && report->count == reasons)
        return rules;
    inhibit_finish(rules);
    return NULL;
}

void inhibit_finish(const struct inhibit_rules *rules)
{
    for (size_t i = 0; rules && i < rules->count; i++) {
        match_finish(&rules->rules[i].source);
        match_finish(&rules->rules[i].target);
    }
}

void inhibit_each_matchers(const struct inhibit_rules *rules, match_visit *visit, void *context)
{
    for (size_t i = 0; rules && i < rules->count; i++) {
        visit(context, "source_matchers", &rules->rules[i].source);
        visit(context, "target_matchers", &rules->rules[i].target);
    }
}

/* --- the view --------------------------------------------------------------------------------- */

static void join_values(const struct inhibit_rule *rule, const struct alert *alert, struct buf *out)
{
    buf_text(out, "");
    for (size_t i = 0; i < rule->equal_count; i++) {
        buf_text(out, alert_label_value(alert, rule->equal[i]));
        buf_char(out, '\xff'); /* in no UTF-8 text */
    }
}

static int compare_place(const struct inhibitor *source, size_t rule, const char *values)
{
    if (source->rule != rule)
        return source->rule < rule ? -1 : 1;
    return strcmp(source->values, values);
}

static int compare_sources(const void *left, const void *right)
{
    const struct inhibitor *a = left, *b = right;
    int order = compare_place(a, b->rule, b->values);
    if (!order)
        order = a->both - b->both;
    return order ? order : strcmp(a->fingerprint, b->fingerprint);
}

static bool add_source(void *context, const struct alert *alert, struct error *error)
{
    (void)error;
    struct inhibit_view *view = context;
    for (size_t i = 0; i < view->rules->count; i++) {
        const struct inhibit_rule *rule = &view->rules->rules[i];
        if (!match_surely(&rule->source, alert->labels, alert->label_count))
            continue;
        MEMORY_GROW(view->sources, view->count, view->capacity);
        CLEANUP(buf_finish) struct buf values = { 0 };
        join_values(rule, alert, &values);
        struct inhibitor *source = &view->sources[view->count++];
        *source = (struct inhibitor){
            .rule = i,
            .values = arena_text(&view->arena, buf_cstr(&values)),
            .both = match_maybe(&rule->target, alert->labels, alert->label_count),
        };
        memcpy(source->fingerprint, alert->fingerprint, sizeof source->fingerprint);
    }
    return true;
}

struct inhibit_view *inhibit_view_create(const struct inhibit_rules *rules,
                                         struct database *database, struct error *error)
{
    struct inhibit_view *view = MEMORY_NEW(struct inhibit_view);
    view->rules = rules;
    if (!active_each(database, ALERT_FIRING, add_source, view, error)) {
        inhibit_view_destroy(view);
        return NULL;
    }
    if (view->count)
        qsort(view->sources, view->count, sizeof *view->sources, compare_sources);
    return view;
}

void inhibit_view_destroy(struct inhibit_view *view)
{
    if (!view)
        return;
    free(view->sources);
    arena_finish(&view->arena);
    free(view);
}

/* The first source of a rule with these values; both: the alert matches both sides, as the source
 * must not then. */
static const char *find_source(const struct inhibit_view *view, size_t rule, const char *values,
                               bool both)
{
    size_t low = 0, high = view->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_place(&view->sources[middle], rule, values) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    /* those that match one side stand first, so that the first decides, also when it is the alert
     * itself: then it matches both sides */
    if (low == view->count || compare_place(&view->sources[low], rule, values) ||
        (both && view->sources[low].both))
        return NULL;
    return view->sources[low].fingerprint;
}

const char *inhibit_by(const struct inhibit_view *view, const struct alert *alert)
{
    for (size_t i = 0; view && i < view->rules->count; i++) {
        const struct inhibit_rule *rule = &view->rules->rules[i];
        if (!match_surely(&rule->target, alert->labels, alert->label_count))
            continue;
        CLEANUP(buf_finish) struct buf values = { 0 };
        join_values(rule, alert, &values);
        const char *found =
            find_source(view, i, buf_cstr(&values),
                        match_maybe(&rule->source, alert->labels, alert->label_count));
        if (found)
            return found;
    }
    return NULL;
}
