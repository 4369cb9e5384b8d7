#pragma once
/* Metrics: what a family is, a set of samples made for one exposition, and a store of live
 * counters, gauges and histograms. The sets are what encoders print and rules read. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"

enum { METRIC_LABELS_MAX = 8 };
enum metric_type { METRIC_GAUGE, METRIC_COUNTER, METRIC_HISTOGRAM, METRIC_INFO };

/* A row of the catalogue; always static const, compared by address. */
struct family {
    const char *name; /* as in the text format: counters end in _total, infos in _info */
    const char *help; /* one sentence with a full stop; source and "cached" where it is */
    const char *unit; /* "seconds", "bytes", "ratio" or NULL */
    enum metric_type type;
    int level;                                 /* 0, 1: on; 2, 3: opt-in */
    const char *labels[METRIC_LABELS_MAX + 1]; /* names, NULL-terminated */
    const double *buckets;                     /* histograms: upper bounds without +Inf */
    size_t bucket_count;
};

/* Label names of a family, or label values of a sample in the same order. */
/* clang-format off */
#define LABELS(...) { __VA_ARGS__ }
#define METRIC_LABELS(...) (const char *const[METRIC_LABELS_MAX]){ __VA_ARGS__ }
/* clang-format on */

struct metric_histogram {
    double sum;
    uint64_t count;
    const uint64_t *buckets; /* not cumulative; bucket_count + 1, the last is +Inf */
};

struct sample {
    const struct family *family;
    const char *const *values; /* as many as the family has labels; never NULL, never "" */
    double value;
    const struct metric_histogram *histogram; /* only for histograms */
};

/* Samples of one moment, in the order of their families' first appearance and, inside a family,
 * by label values once sorted. One thread. Zeroed = ready; max_level says which families count. */
struct metric_set {
    struct arena arena;
    struct sample *samples;
    size_t count, capacity;
    int max_level;
    const struct family *const *opted; /* families above max_level wanted all the same, ends with
                                          NULL; NULL = none; borrowed */
    size_t duplicates;                 /* merged away by metric_set_sort */
};

/* Add a sample; label values are copied; NULL or "" becomes "unknown". A family that is not wanted
 * is ignored. */
void metric_add(struct metric_set *set, const struct family *family, double value,
                const char *const *values);

/* Add a histogram; its buckets are copied. */
void metric_add_histogram(struct metric_set *set, const struct family *family,
                          const struct metric_histogram *histogram, const char *const *values);

/* Whether adding to this family has any effect: ask before an expensive loop. */
bool metric_wanted(const struct metric_set *set, const struct family *family);

/* Make families contiguous and label sets ordered and unique (of two equals the first stays). */
void metric_set_sort(struct metric_set *set);

void metric_set_finish(struct metric_set *set);

/* Live values, any thread: one lock, held for a few instructions. */
struct metric_store;
struct metric_store *metric_store_create(void);
void metric_store_destroy(struct metric_store *store);

/* Create the series at 0 when it is not there: counters exist from the first scrape. */
void metric_declare(struct metric_store *store, const struct family *family,
                    const char *const *values);
void metric_count(struct metric_store *store, const struct family *family, double delta,
                  const char *const *values);
void metric_put(struct metric_store *store, const struct family *family, double value,
                const char *const *values);
void metric_observe(struct metric_store *store, const struct family *family, double value,
                    const char *const *values);

/* Remove every series of a family (before putting the current ones). */
void metric_clear(struct metric_store *store, const struct family *family);

/* Read one series (of a histogram: its count); 0 when it is not there. For tests and pages. */
double metric_read(struct metric_store *store, const struct family *family,
                   const char *const *values);

/* Copy everything into a set, families in the order of their names. */
void metric_store_emit(struct metric_store *store, struct metric_set *set);
