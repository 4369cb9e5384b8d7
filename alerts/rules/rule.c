/* Sets of rules: read from files, looked up by name, and what an event rule wants. */
#include "alerts/rules/rule.h"

#include <glob.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/rules/alert.h"
#include "alerts/rules/rule_read.h"
#include "core/hash.h"
#include "core/memory.h"
#include "core/options_yaml.h"

struct rule_set {
    atomic_int references;
    struct rule *rules; /* in the order they were read, the built-in ones last */
    size_t count, capacity;
    uint64_t hash;                  /* of everything that was written */
    const struct family **families; /* NULL-terminated */
    const char **labels;            /* NULL-terminated */
    struct tag_labels tags;
    const char **event_labels; /* rule_event_labels and those of tags; NULL-terminated */
    struct buf unmatched;
    struct arena arena;
};

const char *const rule_event_labels[] = {
    "risk_level",
    "severity",
    "source",
    "subscription_id",
    "resource_group",
    "resource_type",
    "assessment_id",
    "finding_id",
    "resource_name",
    "category",
    "model",
    "cloud",
    "connector",
    "account",
    "subject",
    "control",
    "subscription_name",
    "management_group",
    NULL,
};

/* All labels of an alert fit: alertname and those of its event, or of its sample and what is known
 * of that (cloud, connector, the names for routing); then those of tags and of its rule. */
enum { ADDED_LABELS = 1 + TAG_LABELS_MAX + RULE_LABELS_MAX, SAMPLE_NAMES = 5 };
_Static_assert(ARRAY_COUNT(rule_event_labels) - 1 + ADDED_LABELS <= ALERT_LABELS_MAX,
               "labels of an alert about an event");
_Static_assert(METRIC_LABELS_MAX + SAMPLE_NAMES + ADDED_LABELS <= ALERT_LABELS_MAX,
               "labels of an alert over a metric");

/* The built-in rules, which the operator may replace. */
static const char built_in[] = "groups:\n"
                               "- name: built in\n"
                               "  rules:\n"
                               "  - alert: FirstRun\n"
                               "    event: digest\n"
                               "  - alert: RulerChanged\n"
                               "    event: ruler.changed\n"
                               "  - alert: DataStale\n"
                               "    event: data.stale\n"
                               "  - alert: RiskMissing\n"
                               "    event: risk.missing\n";

/* --- loading ---------------------------------------------------------------------------------- */

struct loader {
    struct rule_set *set;
    const char *named_in; /* the file that names those to read; "" = none */
    const struct family *const *families;
    struct option_report *report;
    bool is_built_in; /* rules that are there already replace these */
};

static struct rule *find(const struct rule_set *set, const char *name)
{
    for (size_t i = 0; i < set->count; i++)
        if (!strcmp(set->rules[i].name, name))
            return &set->rules[i];
    return NULL;
}

static void add_rule(struct loader *loader, const char *file, const struct rule_config *config)
{
    struct rule_set *set = loader->set;
    const struct rule *older = config->name ? find(set, config->name) : NULL;
    if (older && loader->is_built_in)
        return;
    if (older)
        options_complain(loader->report, file, config->line.name, older->name,
                         "there is a rule of this name in %s:%d", older->file, older->line);
    MEMORY_GROW(set->rules, set->count, set->capacity);
    const struct rule_known known = { loader->families, set->event_labels };
    rule_read(config, file, &known, &set->arena, &set->rules[set->count++], loader->report);
}

static void add_file(struct loader *loader, const char *file, const struct rule_file_config *config)
{
    struct rule_set *set = loader->set;
    set->hash = options_hash_join(set->hash, hash_bytes(file, strlen(file)));
    set->hash = options_hash_join(set->hash, options_hash(rule_options, config, OPTIONS_HASH_OURS));
    const struct rule_group_config *groups = config->groups.items;
    for (size_t i = 0; i < config->groups.count; i++) {
        const struct rule_config *rules = groups[i].rules.items;
        for (size_t n = 0; n < groups[i].rules.count; n++)
            add_rule(loader, file, &rules[n]);
    }
}

/* The line of the first rule that is one of Prometheus or its like; 0 = there is none. */
static int prometheus_line(const char *text, size_t length)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct options_yaml_node *root, *groups = NULL;
    struct error error;
    int line;
    if (options_yaml_parse(text, length, &arena, &root, &line, &error))
        groups = options_yaml_find(root, "groups");
    for (const struct options_yaml_node *group = groups ? groups->first : NULL; group;
         group = group->next) {
        const struct options_yaml_node *rules = options_yaml_find(group, "rules");
        for (const struct options_yaml_node *rule = rules ? rules->first : NULL; rule;
             rule = rule->next)
            if (options_yaml_find(rule, "expr") && !options_yaml_find(rule, "event") &&
                !options_yaml_find(rule, "metric"))
                return options_yaml_find(rule, "expr")->line;
    }
    return 0;
}

/* All that is wrong with a text: a part that cannot be read hides nothing of the others. */
static void load_text(struct loader *loader, const char *name, const char *text, size_t length)
{
    struct rule_file_config config = { 0 };
    struct option_report *report = loader->report;
    const char *file = arena_text(&loader->set->arena, name);
    int line = prometheus_line(text, length);
    if (line)
        options_complain(report, file, line, "",
                         "these are rules of Prometheus (expr), which evaluates them itself: list "
                         "the file below rule_files of prometheus.yml. Rules here have event or "
                         "metric");
    else if (options_read(rule_options, file, text, length, &config, &loader->set->arena, report) ||
             config.groups.count)
        add_file(loader, file, &config);
}

/* line: where it is named, 0 = nowhere. */
static void load_file(struct loader *loader, const char *path, int line)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    int reason = options_file(path, &text);
    if (!reason)
        load_text(loader, path, buf_cstr(&text), text.length);
    else if (line)
        options_complain(loader->report, loader->named_in, line, "alerts.rules", "%s: %s", path,
                         strerror(reason));
    else
        options_complain(loader->report, path, 0, "", "%s", strerror(reason));
}

static void load_pattern(struct loader *loader, const char *pattern, int line)
{
    CLEANUP(buf_finish) struct buf path = { 0 };
    const char *slash = strrchr(loader->named_in, '/');
    if (*pattern != '/' && slash)
        buf_append(&path, loader->named_in, (size_t)(slash + 1 - loader->named_in));
    buf_text(&path, pattern);
    CLEANUP(globfree) glob_t found = { 0 };
    if (glob(buf_cstr(&path), 0, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc; i++)
            load_file(loader, found.gl_pathv[i], line);
    else if (!strpbrk(pattern, "*?["))
        load_file(loader, buf_cstr(&path), line); /* says why it cannot be read */
    else
        buf_printf(&loader->set->unmatched, "%s%s (line %d)",
                   loader->set->unmatched.length ? ", " : "", pattern, line);
}

static struct rule_set *create_set(const struct tag_labels_wanted *wanted)
{
    enum { OWN = ARRAY_COUNT(rule_event_labels) - 1 };
    struct rule_set *set = MEMORY_NEW(struct rule_set);
    atomic_init(&set->references, 1);
    tag_labels_make(wanted, &set->arena, &set->tags);
    set->event_labels =
        arena_zalloc(&set->arena, (OWN + set->tags.count + 1) * sizeof *set->event_labels);
    memcpy(set->event_labels, rule_event_labels, OWN * sizeof *set->event_labels);
    for (size_t i = 0; i < set->tags.count; i++)
        set->event_labels[OWN + i] = set->tags.items[i].name;
    return set;
}

static void list_families(struct rule_set *set)
{
    size_t count = 0;
    set->families = arena_zalloc(&set->arena, (set->count + 1) * sizeof *set->families);
    for (size_t i = 0; i < set->count; i++) {
        const struct family *family = set->rules[i].family;
        bool known = !family;
        for (size_t n = 0; n < count && !known; n++)
            known = set->families[n] == family;
        if (!known)
            set->families[count++] = family;
    }
}

static void add_label(struct rule_set *set, size_t *count, const char *name)
{
    for (size_t i = 0; i < *count; i++)
        if (!strcmp(set->labels[i], name))
            return;
    set->labels[(*count)++] = name;
}

/* Those of events, of what the rules count, of the rules themselves, of drills. */
static void list_labels(struct rule_set *set)
{
    static const char *const own[] = { "alertname", "test", "started" };
    size_t count = 0, most = ARRAY_COUNT(own) + ARRAY_COUNT(rule_event_labels) + TAG_LABELS_MAX;
    for (size_t i = 0; i < set->count; i++)
        most += RULE_LABELS_MAX + METRIC_LABELS_MAX;
    set->labels = arena_zalloc(&set->arena, most * sizeof *set->labels);
    for (size_t i = 0; i < ARRAY_COUNT(own); i++)
        add_label(set, &count, own[i]);
    for (size_t i = 0; set->event_labels[i]; i++)
        add_label(set, &count, set->event_labels[i]);
    for (size_t i = 0; i < set->count; i++) {
        const struct rule *rule = &set->rules[i];
        for (size_t n = 0; n < rule->label_count; n++)
            add_label(set, &count, rule->labels[n].name);
        for (size_t n = 0; rule->family && rule->family->labels[n]; n++)
            add_label(set, &count, rule->family->labels[n]);
    }
}

/* Add the built-in rules; NULL when anything was wrong. */
static struct rule_set *complete(struct loader *loader, size_t reasons)
{
    loader->is_built_in = true;
    load_text(loader, "built-in rules", built_in, strlen(built_in));
    list_families(loader->set);
    list_labels(loader->set);
    if (loader->report->count == reasons)
        return loader->set;
    rule_release(loader->set);
    return NULL;
}

struct rule_set *rule_load(const struct option_texts *patterns, const char *file,
                           const struct family *const *families,
                           const struct tag_labels_wanted *wanted, struct option_report *report)
{
    struct loader loader = {
        .set = create_set(wanted), .named_in = file, .families = families, .report = report
    };
    size_t reasons = report->count;
    for (size_t i = 0; i < patterns->count; i++)
        load_pattern(&loader, patterns->texts[i], options_line(patterns, i));
    return complete(&loader, reasons);
}

struct rule_set *rule_load_text(const char *name, const char *text, size_t length,
                                const struct family *const *families, struct option_report *report)
{
    struct loader loader = { .set = create_set(&(struct tag_labels_wanted){ 0 }),
                             .families = families,
                             .report = report };
    size_t reasons = report->count;
    load_text(&loader, name, text, length);
    return complete(&loader, reasons);
}

void rule_acquire(struct rule_set *set)
{
    atomic_fetch_add(&set->references, 1);
}

void rule_release(struct rule_set *set)
{
    if (!set || atomic_fetch_sub(&set->references, 1) > 1)
        return;
    for (size_t i = 0; i < set->count; i++)
        match_finish(&set->rules[i].match);
    free(set->rules);
    buf_finish(&set->unmatched);
    arena_finish(&set->arena);
    free(set);
}

/* --- asking ----------------------------------------------------------------------------------- */

const struct rule *rule_all(const struct rule_set *set, size_t *count)
{
    *count = set->count;
    return set->rules;
}

uint64_t rule_hash(const struct rule_set *set)
{
    return set->hash;
}

const char *rule_unmatched(const struct rule_set *set)
{
    return buf_cstr(&set->unmatched);
}

const struct rule *rule_find(const struct rule_set *set, const char *name)
{
    return find(set, name);
}

const char *const *rule_labels(const struct rule_set *set)
{
    return set->labels;
}

const struct tag_labels *rule_tags(const struct rule_set *set)
{
    return &set->tags;
}

const struct family *const *rule_families(const struct rule_set *set)
{
    return set->families;
}

static bool granted(enum rule_wish wish, const struct finding *finding, bool is)
{
    return wish == RULE_ANY || (finding && is == (wish == RULE_YES));
}

bool rule_matches(const struct rule *rule, const struct finding *finding,
                  const struct match_label *labels, size_t label_count)
{
    return granted(rule->internet_exposed, finding, finding && finding->internet_exposed) &&
           granted(rule->on_attack_path, finding, finding && finding->attack_paths) &&
           granted(rule->contextual, finding, finding && finding->contextual) &&
           match_maybe(&rule->match, labels, label_count);
}

bool rule_wants(const struct rule *rule, const struct event *event, const struct finding *finding,
                const struct match_label *labels, size_t label_count)
{
    bool named = false;
    for (size_t i = 0; i < rule->event_count && !named; i++)
        named = event_is(event, rule->events[i]);
    return named && !event->quiet && rule_matches(rule, finding, labels, label_count);
}
