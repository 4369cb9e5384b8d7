#pragma once
/* Which samples leave the program: lists of names, opt-in families, a limit on their number, and
 * an account of what was left out. */
#include <stdbool.h>
#include <stddef.h>

#include "collectors/snapshot/source.h"
#include "core/error.h"
#include "core/metric.h"
#include "core/options.h"

enum { SERIES_LEVELS = 4, SERIES_DEFAULT_LEVEL = 1 };

/* `metrics` of the configuration; lists of regular expressions (RE2) that must match a
 * whole metric name. */
struct series_config {
    struct option_texts allow;  /* when not empty, only these */
    struct option_texts deny;   /* never these */
    struct option_texts opt_in; /* families above the default level to have all the same */
    int64_t max_series;         /* of the domain part; 0 = no limit */
    bool created_lines;         /* no rule, but of the same section: as in encoding.h */
};
extern const struct option series_options[];

struct series_rules;

/* known: families opt_in may name, ends with NULL; borrowed. ERROR_CONFIG names the bad pattern. */
struct series_rules *series_rules_create(const struct series_config *config,
                                         const struct family *const *known,
                                         struct error *error) MUST_USE;
void series_rules_acquire(struct series_rules *rules);
void series_rules_release(struct series_rules *rules); /* NULL is fine */

/* Every family of the runner, the sources and these lists (the last list is NULL), in one list
 * that ends with NULL, in the arena. */
const struct family *const *series_list_families(const struct source_list *sources,
                                                 const struct family *const *const *more,
                                                 struct arena *arena);

/* A set that accepts what the rules want. */
void series_begin(const struct series_rules *rules, struct metric_set *set);

enum series_reason { SERIES_LIMIT, SERIES_DENY, SERIES_DUPLICATE, SERIES_REASONS };

/* What became of one family. */
struct series_tally {
    const struct family *family;
    size_t added, kept, dropped[SERIES_REASONS];
};
struct series_report {
    struct series_tally *tallies; /* in the order of the set */
    size_t count, capacity;
    size_t levels[SERIES_LEVELS]; /* series kept; a histogram is several */
};

/* Sort the set and remove what the rules do not want: denied names, and what is above the limit,
 * the highest levels first. limit: false for the program's own few. report: zeroed. */
void series_apply(const struct series_rules *rules, bool limit, struct metric_set *set,
                  struct series_report *report);
void series_report_finish(struct series_report *report);

/* Add defender_exporter_series and _series_dropped for both parts of an exposition; these samples
 * count themselves. */
void series_emit(const struct series_report *domain, const struct series_report *own,
                 struct metric_set *set);

extern const struct family *const series_families[];
