/* How sources are run, as it is written: the rows, and what follows from them. */
#include <string.h>

#include "collectors/run/runner.h"

enum { TIMEOUT_MIN_MS = 60000, TIMEOUT_MAX_MS = 600000 };

static const char *const risk_words[] = { "not_evaluated", "severity", NULL };

/* clang-format off */
const struct option runner_common_options[] = {
    { "max_staleness", OPTION_DURATION(struct runner_common, max_staleness_ms),
      .otherwise = "0s", .min = 0, .max = 30 * 86400e3,
      .help = "How old the data of a collector may become before they are no longer shown; 0s, or "
              "less than the collector's interval, means three intervals." },
    { "disable_defaults", OPTION_BOOL(struct runner_common, disable_defaults),
      .otherwise = "false", .help = "Run only the collectors that are enabled by name." },
    { "risk_when_missing", OPTION_WORD(struct runner_common, risk_when_missing),
      .otherwise = "not_evaluated", .words = risk_words,
      .help = "The risk level of a recommendation where Azure tells none: `not_evaluated`, or "
              "that of its `severity`." },
    { 0 }
};

/* The rows of one collector but for its source, whose words each has of its own. */
static const struct option source_options[] = {
    { "enabled", OPTION_BOOL(struct runner_source, enabled), .otherwise = "true",
      .help = "Whether it runs." },
    { "interval", OPTION_DURATION(struct runner_source, interval_ms),
      .min = 1000, .max = 30 * 86400e3, .help = "Time between two collections." },
    { "timeout", OPTION_DURATION(struct runner_source, timeout_ms),
      .min = 100, .max = 86400e3,
      .help = "Longest time of a collection. Default: the interval, between 1m and 10m." },
    { "share", OPTION_NUMBER(struct runner_source, share), .otherwise = "1", .min = 0.01,
      .max = 1,
      .help = "How much of the requests Resource Graph allows in 5 seconds it may use while others "
              "have to wait, one at least; 1 = all." },
    { "source", OPTION_WORD(struct runner_source, variant),
      .help = "Where the rows come from." },
};

/* Those of one with a fast lane, behind them. */
static const struct option fast_options[] = {
    { "fast", OPTION_BOOL(struct runner_source, fast), .otherwise = "true",
      .help = "Whether, between two collections, rows whose status changed are looked at: they may "
              "open, reopen, re-rate and end findings; nothing is concluded from what is missing."
    },
    { "fast_interval", OPTION_DURATION(struct runner_source, fast_interval_ms),
      .otherwise = "0s", .min = 0, .max = 86400e3,
      .help = "Time between two such looks; 0s means 1m, and 30s where there are more than 100,000 "
              "rows." },
    { "fast_overlap", OPTION_DURATION(struct runner_source, fast_overlap_ms),
      .otherwise = "10m", .min = 0, .max = 86400e3,
      .help = "How far a look goes back behind the one before: longer than Azure's index may be "
              "behind, and than the clocks may differ." },
};
/* clang-format on */

static const struct option waivers = {
    "waivers", OPTION_ITEMS(struct runner_source, waivers, struct waiver),
    .section = waivers_options,
    .help = "Rules that do not count on some machines, for a time: their findings are exempted.",
};

static const char *const detail_words[] = { "rows", "summary", NULL };
static const struct option detail = {
    "detail", OPTION_WORD(struct runner_source, detail), .otherwise = "rows",
    .words = detail_words,
    .help = "Whether it reads row by row or what Azure counts: the same metrics with few requests, "
            "but no findings, so nothing is told of them. A summary comes from Resource Graph, "
            "whatever the source.",
};

/* Which variant is counted by Azure; -1 = none. */
static int summary_of(const struct collector *collector)
{
    int found = -1;
    for (int i = 0; i < COLLECTOR_VARIANTS_MAX; i++)
        if (collector->variants[i].summary)
            found = i;
    return found;
}

static bool has_fast_lane(const struct collector *collector)
{
    bool has = false;
    for (size_t i = 0; i < COLLECTOR_VARIANTS_MAX; i++)
        has = has || collector->variants[i].changed.name;
    return has;
}

const struct option *runner_source_options(const struct collector *collector, struct arena *arena)
{
    enum { ROWS = ARRAY_COUNT(source_options), FAST_ROWS = ARRAY_COUNT(fast_options) };
    struct option *rows = arena_zalloc(arena, (ROWS + FAST_ROWS + 3) * sizeof *rows);
    struct option *more = rows + ROWS;
    memcpy(rows, source_options, sizeof source_options);
    if (collector->baseline_rules)
        *more++ = waivers;
    if (summary_of(collector) >= 0)
        *more++ = detail;
    if (has_fast_lane(collector))
        memcpy(more, fast_options, sizeof fast_options);
    const char **words = arena_zalloc(arena, (COLLECTOR_VARIANTS_MAX + 1) * sizeof *words);
    for (size_t i = 0; i < COLLECTOR_VARIANTS_MAX; i++)
        words[i] = collector->variants[i].summary ? NULL : collector->variants[i].name;
    for (size_t i = 0; i < ROWS; i++) {
        if (rows[i].type == OPTION_TYPE_WORD)
            rows[i].words = words;
        if (rows[i].offset == offsetof(struct runner_source, enabled) && collector->off)
            rows[i].otherwise = "false";
        if (rows[i].offset == offsetof(struct runner_source, interval_ms))
            rows[i].otherwise = collector->default_interval;
    }
    return rows;
}

int runner_variant(const struct runner_source *settings, const struct source *source)
{
    return settings->detail ? summary_of(source->collector) : settings->variant;
}

void runner_complete(struct runner_source *sources, size_t count)
{
    for (struct runner_source *one = sources; one < sources + count; one++)
        if (!one->timeout_ms)
            one->timeout_ms = one->interval_ms < TIMEOUT_MIN_MS   ? TIMEOUT_MIN_MS
                              : one->interval_ms > TIMEOUT_MAX_MS ? TIMEOUT_MAX_MS
                                                                  : one->interval_ms;
}
