/* A rule from its rows: what kind it is, whether the keys belong together, what they name. */
#include "alerts/rules/rule_read.h"

#include <stdio.h>
#include <string.h>

#include "alerts/rules/notification.h"
#include "core/near.h"

enum { KEPT_S = 900, RESOLVE_AFTER_S = 3600, NAME_BYTES_MAX = 128, EVENT_WORDS_MAX = 64 };

/* clang-format off */
#define CONFIG struct rule_config
#define LINE(member) OPTION_LINE(CONFIG, line.member)
static const struct option one_rule_options[] = {
    { "alert", OPTION_TEXT(CONFIG, name), LINE(name), .required = true,
      .help = "Name of the rule; the label alertname of its alerts." },
    { "event", OPTION_TEXT_LIST(CONFIG, events), LINE(event),
      .help = "Event rules: what must happen, such as finding.opened." },
    { "match", OPTION_TEXT_LIST(CONFIG, match), LINE(match),
      .help = "Matchers such as 'risk_level=\"critical\"'; all must match." },
    { "internet_exposed", OPTION_BOOL(CONFIG, internet_exposed), LINE(internet_exposed),
      .help = "Event rules: only findings that can (true), cannot (false) be reached from the"
              " internet. Default: both." },
    { "on_attack_path", OPTION_BOOL(CONFIG, on_attack_path), LINE(on_attack_path),
      .help = "Event rules: only findings that are, are not on an attack path." },
    { "contextual", OPTION_BOOL(CONFIG, contextual), LINE(contextual),
      .help = "Event rules: only findings whose risk comes, does not come from Defender CSPM's"
              " context." },
    { "min_age", OPTION_DURATION(CONFIG, min_age_ms), LINE(min_age),
      .help = "Event rules: wait so long; fires only when the finding is still open then." },
    { "resolve_after", OPTION_DURATION(CONFIG, resolve_after_ms), LINE(resolve_after),
      .min = 1000, .max = -1,
      .help = "Event rules: when an alert is over that nothing undoes. Default: 1h." },
    { "metric", OPTION_TEXT(CONFIG, metric), LINE(metric),
      .help = "Rules over metrics: a family of the metric list." },
    { "by", OPTION_TEXT_LIST(CONFIG, by), LINE(by),
      .help = "Labels to keep; the others are summed away, ratios averaged. Default: all." },
    { "above", OPTION_NUMBER(CONFIG, above), LINE(above), .help = "Fires above this." },
    { "below", OPTION_NUMBER(CONFIG, below), LINE(below), .help = "Fires below this." },
    { "drop", OPTION_NUMBER(CONFIG, drop), LINE(drop),
      .help = "Fires when it fell by this much below its highest value." },
    { "within", OPTION_DURATION(CONFIG, within_ms), LINE(within), .min = 60e3, .max = 86400e3,
      .help = "With drop: how far to look back." },
    { "absent", OPTION_BOOL(CONFIG, absent), LINE(absent),
      .help = "Fires when there is no such sample." },
    { "clear", OPTION_NUMBER(CONFIG, clear), LINE(clear),
      .help = "Stops firing only at this bound. Default: the same." },
    { "for", OPTION_DURATION(CONFIG, for_ms), LINE(for_),
      .help = "Rules over metrics: must hold so long before it fires." },
    { "keep_firing_for", OPTION_DURATION(CONFIG, keep_firing_ms), LINE(keep_firing),
      .help = "Rules over metrics: fires so much longer after it held last." },
    { "labels", OPTION_TEXT_MAP(CONFIG, labels), LINE(labels),
      .help = "Labels to set on the alert, at most 8." },
    { "title", OPTION_TEXT(CONFIG, title), LINE(title), .help = "Template of the title." },
    { "text", OPTION_TEXT(CONFIG, text), LINE(text), .help = "Template of the text." },
    { "runbook_url", OPTION_URL(CONFIG, runbook_url), .help = "What to do, for people." },
    { 0 }
};
static const struct option group_options[] = {
    { "name", OPTION_TEXT(struct rule_group_config, name), .required = true,
      .help = "Name of the group, for people." },
    { "rules", OPTION_ITEMS(struct rule_group_config, rules, struct rule_config),
      .section = one_rule_options, OPTION_WRONG(struct rule_config, wrong), .help = "The rules." },
    { 0 }
};
const struct option rule_options[] = {
    { "groups", OPTION_ITEMS(struct rule_file_config, groups, struct rule_group_config),
      .section = group_options, .help = "Groups of rules." },
    { 0 }
};

/* Which kinds of rules may have a key, and which need it. */
#define KIND(kind) (1U << RULE_##kind)
#define METRICS (KIND(ABOVE) | KIND(BELOW) | KIND(DROP) | KIND(ABSENT))
#define LINE_AT(member) offsetof(struct rule_config, line.member)
static const struct {
    const char *key;
    size_t line_offset;
    unsigned may, must;
} uses[] = {
    { "internet_exposed", LINE_AT(internet_exposed), KIND(EVENT),                             0 },
    { "on_attack_path",   LINE_AT(on_attack_path),   KIND(EVENT),                             0 },
    { "contextual",       LINE_AT(contextual),       KIND(EVENT),                             0 },
    { "min_age",          LINE_AT(min_age),          KIND(EVENT),                             0 },
    { "resolve_after",    LINE_AT(resolve_after),    KIND(EVENT),                             0 },
    { "by",               LINE_AT(by),               KIND(ABOVE) | KIND(BELOW) | KIND(DROP),  0 },
    { "clear",            LINE_AT(clear),            KIND(ABOVE) | KIND(BELOW) | KIND(DROP),  0 },
    { "within",           LINE_AT(within),           KIND(DROP),                     KIND(DROP) },
    { "for",              LINE_AT(for_),             METRICS,                                 0 },
    { "keep_firing_for",  LINE_AT(keep_firing),      METRICS,                                 0 },
};
/* clang-format on */

/* --- complaints ------------------------------------------------------------------------------- */

struct reader {
    const struct rule_config *config;
    const char *file;
    struct arena *arena;
    struct rule *rule;
    struct option_report *report;
};

/* line 0: something is missing. */
static void complain(const struct reader *reader, int line, const char *key, const char *reason)
{
    if (!line && reader->config->wrong)
        return;
    CLEANUP(buf_finish) struct buf path = { 0 };
    buf_printf(&path, "%s.%s", reader->rule->name, key);
    options_complain(reader->report, reader->file, line ? line : reader->rule->line,
                     buf_cstr(&path), "%s", reason);
}

/* "there is no <what> "word"" and the near ones. */
static void complain_unknown(const struct reader *reader, int line, const char *key,
                             const char *what, const char *word, const char *const *known)
{
    CLEANUP(buf_finish) struct buf reason = { 0 };
    buf_printf(&reason, "there is no %s \"%s\"", what, word);
    near_append(word, known, &reason);
    complain(reader, line, key, buf_cstr(&reason));
}

/* --- what it names ---------------------------------------------------------------------------- */

static void read_events(const struct reader *reader)
{
    const struct option_texts *words = &reader->config->events;
    const char *known[EVENT_WORDS_MAX + 1] = { 0 };
    size_t count = 0;
    for (const struct event_name *name = event_names; name->word; name++)
        if (name->kinds && count < EVENT_WORDS_MAX)
            known[count++] = name->word;
    int line = reader->config->line.event;
    for (size_t i = 0; i < words->count; i++) {
        const struct event_name *name = event_name_find(words->texts[i]);
        if (!name || !name->kinds)
            complain_unknown(reader, line, "event", "event", words->texts[i], known);
        else if (reader->rule->event_count == RULE_EVENTS_MAX)
            complain(reader, line, "event", "at most 16 are possible");
        else
            reader->rule->events[reader->rule->event_count++] = name;
    }
    if (!words->count)
        complain(reader, line, "event", "names no event");
}

static bool read_family(const struct reader *reader, const struct family *const *families)
{
    const char *metric = reader->config->metric ? reader->config->metric : "";
    size_t count = 0;
    if (!families)
        return false;
    for (; families[count]; count++)
        if (!strcmp(families[count]->name, metric))
            reader->rule->family = families[count];
    if (reader->rule->family)
        return true;
    const char **known = arena_zalloc(reader->arena, (count + 1) * sizeof *known);
    for (size_t i = 0; i < count; i++)
        known[i] = families[i]->name;
    complain_unknown(reader, reader->config->line.metric, "metric", "metric", metric, known);
    return false;
}

static void read_by(const struct reader *reader)
{
    const struct option_texts *names = &reader->config->by;
    const char *const *labels = reader->rule->family->labels;
    for (size_t n = 0; labels[n] && !reader->config->line.by; n++)
        reader->rule->by |= 1U << n;
    for (size_t i = 0; i < names->count; i++) {
        size_t n = 0;
        while (labels[n] && strcmp(labels[n], names->texts[i]) != 0)
            n++;
        if (labels[n])
            reader->rule->by |= 1U << n;
        else
            complain_unknown(reader, reader->config->line.by, "by", "label", names->texts[i],
                             labels);
    }
    if (reader->rule->kind == RULE_ABSENT)
        reader->rule->by = 0;
}

static void read_match(const struct reader *reader, const char *const *labels)
{
    struct error error;
    struct match_list *match = &reader->rule->match;
    int line = reader->config->line.match;
    if (!match_parse_all(&reader->config->match, match, reader->arena, &error))
        complain(reader, line, "match", error.message);
    for (size_t i = 0; i < match->count; i++) {
        size_t n = 0;
        while (labels[n] && strcmp(labels[n], match->matches[i].name) != 0)
            n++;
        if (!labels[n])
            complain_unknown(reader, line, "match", "label", match->matches[i].name, labels);
    }
}

static void read_labels(const struct reader *reader)
{
    const struct option_pairs *pairs = &reader->config->labels;
    for (size_t i = 0; i < pairs->count; i++) {
        const struct option_pair *pair = &pairs->pairs[i];
        if (!match_is_name(pair->name))
            complain(reader, pair->line, "labels", "that is no label name");
        else if (!strcmp(pair->name, "alertname") || !strcmp(pair->name, "finding_id"))
            complain(reader, pair->line, "labels", "alertname and finding_id cannot be set");
        else if (strstr(pair->value, "{{"))
            complain(reader, pair->line, "labels",
                     "are no templates: a route can match the labels of the finding itself");
        else if (i == RULE_LABELS_MAX)
            complain(reader, pair->line, "labels", "at most 8 are possible");
        else if (i < RULE_LABELS_MAX)
            reader->rule->labels[reader->rule->label_count++] =
                (struct match_label){ pair->name, pair->value };
    }
}

static const struct template *read_template(const struct reader *reader, const char *text, int line,
                                            const char *key)
{
    struct error error;
    if (!text)
        return NULL;
    const struct template *compiled =
        template_compile(text, notification_fields, reader->arena, &error);
    if (!compiled)
        complain(reader, line, key, error.message);
    return compiled;
}

/* --- what kind it is -------------------------------------------------------------------------- */

static int line_of(const struct rule_config *config, size_t offset)
{
    return *(const int *)(const void *)((const char *)config + offset);
}

static bool read_kind(const struct reader *reader)
{
    const struct rule_config *config = reader->config;
    const struct {
        enum rule_kind kind;
        int line;
        double bound;
    } bounds[] = {
        { RULE_ABOVE, config->line.above, config->above },
        { RULE_BELOW, config->line.below, config->below },
        { RULE_DROP, config->line.drop, config->drop },
        { RULE_ABSENT, config->absent ? config->line.absent : 0, 0 },
    };
    size_t given = 0;
    for (size_t i = 0; i < ARRAY_COUNT(bounds); i++) {
        if (!bounds[i].line)
            continue;
        given++;
        reader->rule->kind = bounds[i].kind;
        reader->rule->bound = bounds[i].bound;
        reader->rule->clear = config->line.clear ? config->clear : bounds[i].bound;
    }
    bool is_event = config->line.event != 0, is_metric = config->line.metric != 0;
    const char *wrong = NULL;
    if (is_event == is_metric)
        wrong = "needs either event or metric";
    else if (is_event && given)
        wrong = "above, below, drop and absent belong to rules over metrics";
    else if (is_metric && given != 1)
        wrong = "needs one of above, below, drop and absent";
    if (wrong)
        complain(reader, 0, is_metric ? "metric" : "event", wrong);
    return !wrong;
}

static void check_uses(const struct reader *reader)
{
    unsigned kind = 1U << reader->rule->kind;
    for (size_t i = 0; i < ARRAY_COUNT(uses); i++) {
        int line = line_of(reader->config, uses[i].line_offset);
        if (line && !(uses[i].may & kind))
            complain(reader, line, uses[i].key, "does not belong to this kind of rule");
        if (!line && (uses[i].must & kind))
            complain(reader, 0, uses[i].key, "is missing");
    }
}

static void check_bounds(const struct reader *reader)
{
    const struct rule *rule = reader->rule;
    const char *wrong = NULL;
    if (rule->kind == RULE_ABOVE && rule->clear > rule->bound)
        wrong = "must not lie above the bound";
    if (rule->kind == RULE_BELOW && rule->clear < rule->bound)
        wrong = "must not lie below the bound";
    if (rule->kind == RULE_DROP && rule->clear > rule->bound)
        wrong = "must not be more than drop";
    if (wrong)
        complain(reader, reader->config->line.clear, "clear", wrong);
    if (rule->kind == RULE_DROP && rule->bound <= 0)
        complain(reader, reader->config->line.drop, "drop", "must be more than 0");
}

/* min_age waits for something that can end. */
static void check_min_age(const struct reader *reader)
{
    for (size_t i = 0; i < reader->rule->event_count && reader->config->line.min_age; i++)
        if (reader->rule->events[i]->kinds & (1U << EVENT_RESOLVED))
            complain(reader, reader->config->line.min_age, "min_age",
                     "makes no sense with a finding that is resolved");
}

static enum rule_wish wish(int line, bool value)
{
    if (!line)
        return RULE_ANY;
    return value ? RULE_YES : RULE_NO;
}

static int64_t seconds(int64_t duration_ms)
{
    return (duration_ms + 999) / 1000;
}

static void fill(const struct reader *reader)
{
    const struct rule_config *config = reader->config;
    struct rule *rule = reader->rule;
    bool is_event = rule->kind == RULE_EVENT;
    rule->runbook_url = config->runbook_url ? config->runbook_url : "";
    rule->timing.for_s = seconds(is_event ? config->min_age_ms : config->for_ms);
    rule->timing.keep_firing_s = seconds(config->keep_firing_ms);
    rule->timing.kept_s = KEPT_S;
    rule->internet_exposed = wish(config->line.internet_exposed, config->internet_exposed);
    rule->on_attack_path = wish(config->line.on_attack_path, config->on_attack_path);
    rule->contextual = wish(config->line.contextual, config->contextual);
    rule->resolve_after_s =
        config->line.resolve_after ? seconds(config->resolve_after_ms) : RESOLVE_AFTER_S;
    rule->within_s = seconds(config->within_ms);
}

void rule_read(const struct rule_config *config, const char *file, const struct rule_known *known,
               struct arena *arena, struct rule *rule, struct option_report *report)
{
    const struct reader reader = { config, file, arena, rule, report };
    *rule = (struct rule){ .name = config->name ? config->name : "",
                           .file = file,
                           .line = config->line.name };
    if (!*rule->name || strlen(rule->name) > NAME_BYTES_MAX)
        complain(&reader, config->line.name, "alert", "must have 1 to 128 bytes");
    read_labels(&reader);
    rule->title = read_template(&reader, config->title, config->line.title, "title");
    rule->text = read_template(&reader, config->text, config->line.text, "text");
    if (!read_kind(&reader))
        return;
    fill(&reader);
    check_uses(&reader);
    if (rule->kind == RULE_EVENT) {
        read_events(&reader);
        read_match(&reader, known->event_labels);
        check_min_age(&reader);
    } else if (read_family(&reader, known->families)) {
        read_by(&reader);
        read_match(&reader, rule->family->labels);
        check_bounds(&reader);
    }
}
