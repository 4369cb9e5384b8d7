#include "exporter/series.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "collectors/run/runner.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/memory.h"
#include "core/regex.h"

/* Append a list behind *count; all NULL: only count. */
static void append_families(const struct family **all, size_t *count,
                            const struct family *const *some)
{
    for (; *some; some++) {
        if (all)
            all[*count] = *some;
        ++*count;
    }
}

/* Whether a source before this one is of the same collector. */
static bool is_repeated(const struct source_list *sources, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (sources->sources[i].collector == sources->sources[index].collector)
            return true;
    return false;
}

static size_t list_families(const struct source_list *sources,
                            const struct family *const *const *more, const struct family **all)
{
    size_t count = 0;
    append_families(all, &count, runner_families);
    for (size_t i = 0; i < sources->count; i++)
        if (!is_repeated(sources, i))
            append_families(all, &count, sources->sources[i].collector->families);
    for (; *more; more++)
        append_families(all, &count, *more);
    return count;
}

const struct family *const *series_list_families(const struct source_list *sources,
                                                 const struct family *const *const *more,
                                                 struct arena *arena)
{
    size_t count = list_families(sources, more, NULL);
    const struct family **all = arena_alloc(arena, (count + 1) * sizeof *all);
    list_families(sources, more, all);
    all[count] = NULL;
    return all;
}

static const struct family_1 series_count = {
    .name = "defender_exporter_series",
    .type = METRIC_GAUGE,
    .help = "Series in this exposition, by level of the metric.",
    LABELS("level"),
};
static const struct family_2 series_dropped = {
    .name = "defender_exporter_series_dropped",
    .type = METRIC_GAUGE,
    .help = "Series left out of this exposition, by metric and reason.",
    LABELS("metric", "reason"),
};
const struct family *const series_families[] = { &series_count.family, &series_dropped.family,
                                                 NULL };

static const char *const reason_words[] = {
    [SERIES_LIMIT] = "limit",
    [SERIES_DENY] = "deny",
    [SERIES_DUPLICATE] = "duplicate",
};
static const char *const level_words[SERIES_LEVELS] = { "0", "1", "2", "3" };

/* --- rules ---------------------------------------------------------------------------------- */

struct patterns {
    struct regex **compiled;
    size_t count;
};

struct series_rules {
    atomic_int references;
    struct patterns allow, deny;
    const struct family **opted; /* ends with NULL */
    size_t max_series;
    struct arena arena;
};

static const char *pattern_problem(const char *pattern)
{
    struct error error;
    struct regex *regex = regex_create(pattern, &error);
    bool ok = regex != NULL;
    regex_destroy(regex);
    return ok ? NULL : "is no regular expression";
}

static const char *check_patterns(const void *value)
{
    const struct option_texts *list = value;
    const char *problem = NULL;
    for (size_t i = 0; i < list->count && !problem; i++)
        problem = pattern_problem(list->texts[i]);
    return problem;
}

/* clang-format off */
const struct option series_options[] = {
    { "allowlist", OPTION_TEXT_LIST(struct series_config, allow),
      .check = check_patterns,
      .help = "Regular expressions; only metrics whose whole name matches one are exposed." },
    { "denylist", OPTION_TEXT_LIST(struct series_config, deny), .check = check_patterns,
      .help = "Regular expressions; metrics whose whole name matches one are not exposed." },
    { "opt_in_list", OPTION_TEXT_LIST(struct series_config, opt_in),
      .check = check_patterns,
      .help = "Regular expressions; metrics of level 2 and 3 whose whole name matches one are "
              "exposed." },
    { "max_series", OPTION_INTEGER(struct series_config, max_series),
      .otherwise = "200000", .min = 0, .max = 10e6,
      .help = "Most series of an exposition; the highest levels are left out first. 0 means no "
              "limit." },
    { "created_lines", OPTION_BOOL(struct series_config, created_lines),
      .otherwise = "false",
      .help = "In OpenMetrics, say in a line each since when a counter or a histogram counts. A "
              "Prometheus that was not told to read them as times stores them as series." },
    { 0 }
};
/* clang-format on */

static bool compile_all(const struct option_texts *texts, const char *key, struct arena *arena,
                        struct patterns *out, struct error *error)
{
    struct error reason;
    out->compiled = arena_alloc(arena, (texts->count + 1) * sizeof *out->compiled);
    for (; out->count < texts->count; out->count++)
        if (!(out->compiled[out->count] = regex_create(texts->texts[out->count], &reason)))
            return error_set(error, ERROR_CONFIG,
                             "metrics.%s: \"%.256s\" is no regular expression: %s", key,
                             texts->texts[out->count], reason.message);
    return true;
}

static bool matches(const struct patterns *patterns, const char *name)
{
    for (size_t i = 0; i < patterns->count; i++)
        if (regex_match(patterns->compiled[i], name) == REGEX_YES)
            return true;
    return false;
}

static void patterns_finish(struct patterns *patterns)
{
    for (size_t i = 0; i < patterns->count; i++)
        regex_destroy(patterns->compiled[i]);
}

static const struct family **find_opted(const struct patterns *opt_in,
                                        const struct family *const *known, struct arena *arena)
{
    size_t count = 0, kept = 0;
    while (known[count])
        count++;
    const struct family **opted = arena_alloc(arena, (count + 1) * sizeof *opted);
    for (size_t i = 0; i < count; i++)
        if (known[i]->level > SERIES_DEFAULT_LEVEL && matches(opt_in, known[i]->name))
            opted[kept++] = known[i];
    opted[kept] = NULL;
    return opted;
}

struct series_rules *series_rules_create(const struct series_config *config,
                                         const struct family *const *known, struct error *error)
{
    struct arena arena = { 0 };
    struct series_rules *rules = arena_zalloc(&arena, sizeof *rules);
    struct patterns opt_in = { 0 };
    bool ok = compile_all(&config->allow, "allowlist", &arena, &rules->allow, error) &&
              compile_all(&config->deny, "denylist", &arena, &rules->deny, error) &&
              compile_all(&config->opt_in, "opt_in_list", &arena, &opt_in, error);
    if (ok)
        rules->opted = find_opted(&opt_in, known, &arena);
    patterns_finish(&opt_in);
    atomic_init(&rules->references, 1);
    rules->max_series = (size_t)config->max_series;
    rules->arena = arena;
    if (ok)
        return rules;
    series_rules_release(rules);
    return NULL;
}

void series_rules_acquire(struct series_rules *rules)
{
    atomic_fetch_add(&rules->references, 1);
}

void series_rules_release(struct series_rules *rules)
{
    if (!rules || atomic_fetch_sub(&rules->references, 1) > 1)
        return;
    patterns_finish(&rules->allow);
    patterns_finish(&rules->deny);
    struct arena arena = rules->arena; /* the rules live in it */
    arena_finish(&arena);
}

void series_begin(const struct series_rules *rules, struct metric_set *set)
{
    *set = (struct metric_set){ .max_level = SERIES_DEFAULT_LEVEL, .opted = rules->opted };
}

/* --- a set ---------------------------------------------------------------------------------- */

static struct series_tally *reach(struct series_report *report, const struct family *family)
{
    for (size_t i = report->count; i-- > 0;)
        if (report->tallies[i].family == family)
            return &report->tallies[i];
    MEMORY_GROW(report->tallies, report->count, report->capacity);
    report->tallies[report->count] = (struct series_tally){ .family = family };
    return &report->tallies[report->count++];
}

/* Count the samples of each family, as added (before sorting) or as kept. */
static void tally(const struct metric_set *set, struct series_report *report, bool kept)
{
    struct series_tally *current = NULL;
    for (size_t i = 0; i < set->count; i++) {
        if (!current || current->family != set->samples[i].family)
            current = reach(report, set->samples[i].family);
        current->added += !kept;
        current->kept += kept;
    }
}

static size_t lines(const struct family *family)
{
    return family->type == METRIC_HISTOGRAM ? family->bucket_count + 3 : 1;
}

static size_t level_of(const struct family *family)
{
    return family->level < SERIES_LEVELS ? (size_t)family->level : SERIES_LEVELS - 1;
}

static bool is_denied(const struct series_rules *rules, const struct family *family)
{
    return (rules->allow.count && !matches(&rules->allow, family->name)) ||
           matches(&rules->deny, family->name);
}

static void drop_denied(const struct series_rules *rules, struct metric_set *set,
                        struct series_report *report)
{
    size_t kept = 0;
    struct series_tally *current = NULL;
    bool denied = false;
    if (!rules->allow.count && !rules->deny.count)
        return;
    for (size_t i = 0; i < set->count; i++) {
        const struct sample *sample = &set->samples[i];
        if (!current || current->family != sample->family) {
            current = reach(report, sample->family);
            denied = is_denied(rules, sample->family);
        }
        if (denied)
            current->dropped[SERIES_DENY]++;
        else
            set->samples[kept++] = *sample;
    }
    set->count = kept;
}

/* Level by level, in the order of the set, as many as there is room for. */
static void drop_above(size_t limit, struct metric_set *set, struct series_report *report)
{
    size_t wanted[SERIES_LEVELS] = { 0 }, room[SERIES_LEVELS] = { 0 };
    for (size_t i = 0; i < set->count; i++)
        wanted[level_of(set->samples[i].family)] += lines(set->samples[i].family);
    for (size_t level = 0; level < SERIES_LEVELS; level++) {
        room[level] = wanted[level] < limit ? wanted[level] : limit;
        limit -= room[level];
    }
    size_t kept = 0;
    for (size_t i = 0; i < set->count; i++) {
        const struct family *family = set->samples[i].family;
        size_t level = level_of(family), need = lines(family);
        if (need > room[level]) {
            room[level] = 0; /* what follows is dropped too: the cut is in one place */
            reach(report, family)->dropped[SERIES_LIMIT] += need;
            continue;
        }
        room[level] -= need;
        set->samples[kept++] = set->samples[i];
    }
    set->count = kept;
}

void series_apply(const struct series_rules *rules, bool limit, struct metric_set *set,
                  struct series_report *report)
{
    tally(set, report, false);
    metric_set_sort(set);
    tally(set, report, true);
    for (size_t i = 0; i < report->count; i++)
        report->tallies[i].dropped[SERIES_DUPLICATE] =
            report->tallies[i].added - report->tallies[i].kept;
    drop_denied(rules, set, report);
    if (limit && rules->max_series)
        drop_above(rules->max_series, set, report);
    for (size_t i = 0; i < set->count; i++)
        report->levels[level_of(set->samples[i].family)] += lines(set->samples[i].family);
}

void series_report_finish(struct series_report *report)
{
    free(report->tallies);
    *report = (struct series_report){ 0 };
}

static void emit_dropped(const struct series_report *report, struct metric_set *set)
{
    for (size_t i = 0; i < report->count; i++)
        for (size_t reason = 0; reason < SERIES_REASONS; reason++)
            if (report->tallies[i].dropped[reason])
                metric_add(set, &series_dropped, (double)report->tallies[i].dropped[reason],
                           METRIC_LABELS(report->tallies[i].family->name, reason_words[reason]));
}

void series_emit(const struct series_report *domain, const struct series_report *own,
                 struct metric_set *set)
{
    size_t before = set->count;
    emit_dropped(domain, set);
    emit_dropped(own, set);
    size_t themselves = set->count - before + SERIES_LEVELS;
    for (size_t level = 0; level < SERIES_LEVELS; level++) {
        size_t count = domain->levels[level] + own->levels[level] + (level ? 0 : themselves);
        metric_add(set, &series_count, (double)count, METRIC_LABELS(level_words[level]));
    }
}
