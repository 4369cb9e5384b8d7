#include "alerts/notify/limited.h"

#include "core/log.h"

/* clang-format off */
const struct family_1 limited_matchers = {
    .name = "defender_exporter_matchers_limited", .type = METRIC_GAUGE, .level = 0,
    .help = "Matchers whose regular expression met a limit since it was read: it counts as no "
            "match in silences, inhibition and maintenance, as a match in rules and routes.",
    LABELS("place"),
};
/* clang-format on */

struct tally {
    const char *place, *counts_as;
    size_t count;
};

static void visit(void *context, const char *name, const struct match_list *list)
{
    struct tally *tally = context;
    const struct match *news;
    tally->count += match_limited(list, &news);
    if (!news)
        return;
    CLEANUP(buf_finish) struct buf text = { 0 };
    match_print(news, &text);
    log_warn(MSG("a matcher met a limit"), TEXT("place", tally->place), TEXT("name", name),
             TEXT("matcher", buf_cstr(&text)), TEXT("counts_as", tally->counts_as));
}

static void visit_rules(const struct settings *settings, struct tally *tally)
{
    size_t count;
    const struct rule *rules = rule_all(settings->rules, &count);
    for (size_t i = 0; i < count; i++)
        visit(tally, rules[i].name, &rules[i].match);
}

static void visit_silences(const struct silence_list *silences, struct tally *tally)
{
    bool spent = silences->budget && silences->budget->left_us <= 0;
    for (size_t i = 0; i < silences->count; i++) {
        const struct match_list *matchers = &silences->silences[i].matchers;
        size_t before = tally->count;
        visit(tally, silences->silences[i].id, matchers);
        tally->count += spent && tally->count == before && match_has_pattern(matchers);
    }
}

void limited_emit(const struct settings *settings, const struct silence_list *silences,
                  struct metric_set *set)
{
    struct tally inhibit = { "inhibit", "no match", 0 };
    struct tally maintenance = { "maintenance", "no match", 0 };
    struct tally route = { "route", "match", 0 };
    struct tally rule = { "rule", "match", 0 };
    struct tally silence = { "silence", "no match", 0 };
    if (settings) {
        inhibit_each_matchers(settings->inhibits, visit, &inhibit);
        mute_windows_each_matchers(settings->windows, visit, &maintenance);
        if (settings->route)
            route_each_matchers(settings->route, visit, &route);
        visit_rules(settings, &rule);
    }
    if (silences)
        visit_silences(silences, &silence);
    const struct tally *const all[] = { &inhibit, &maintenance, &route, &rule, &silence };
    for (size_t i = 0; i < ARRAY_COUNT(all); i++)
        metric_add(set, &limited_matchers, (double)all[i]->count, METRIC_LABELS(all[i]->place));
}
