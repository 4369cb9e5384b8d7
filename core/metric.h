#pragma once
/* Metrics: what a family is, a set of samples made for one exposition, and a store of live
 * counters, gauges and histograms. The sets are what encoders print and rules read. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/exponential.h"

enum { METRIC_LABELS_MAX = 8 };
enum metric_type { METRIC_GAUGE, METRIC_COUNTER, METRIC_HISTOGRAM, METRIC_INFO };

/* What becomes of samples with the same labels: of the same thing, told again by another, or of
 * things that several tenants have of their own. */
enum metric_same { METRIC_SAME_ONCE, METRIC_SAME_SUM };

/* clang-format off */
#define METRIC_FAMILY_MEMBERS \
    const char *name; /* as in the text format: counters end in _total, infos in _info */ \
    const char *help; /* one sentence with a full stop; source and "cached" where it is */ \
    const char *unit; /* "seconds", "bytes", "ratio" or NULL */ \
    enum metric_type type; \
    enum metric_same same; \
    int level;             /* 0, 1: on; 2, 3: opt-in */ \
    bool history;          /* its values are kept over time */ \
    bool made;             /* at run time: sources may know another of the name, or none */ \
    const double *buckets; /* histograms: upper bounds without +Inf */ \
    size_t bucket_count;

/* A row of the catalogue, static const but for those that are made; compared by address. */
struct family {
    METRIC_FAMILY_MEMBERS
    const char *labels[METRIC_LABELS_MAX + 1]; /* names, NULL-terminated */
};

/* struct family_2 is a family with two labels, struct metric_labels_2 what a sample of it has
 * there. Families are declared and sampled by these types: a wrong number does not compile.
 *   static const struct family_2 score_points = {
 *       .name = "defender_secure_score_points", .type = METRIC_GAUGE,
 *       .help = "Secure score points earned.", LABELS("subscription_id", "initiative"),
 *   };
 *   metric_add(set, &score_points, row->points, METRIC_LABELS(row->subscription_id, initiative));
 * Everywhere else a family is a struct family: &score_points.family. */
#define METRIC_FAMILY_OF(n) \
    struct metric_labels_##n { \
        const char *values[(n) + 1]; \
    }; \
    struct family_##n { \
        union { \
            struct family family; \
            struct { \
                METRIC_FAMILY_MEMBERS \
                const char *labels_##n[(n) + 1]; /* LABELS */ \
            }; \
            const struct metric_labels_##n *sample_labels; /* only its type is used */ \
        }; \
    };
METRIC_FAMILY_OF(0)
METRIC_FAMILY_OF(1)
METRIC_FAMILY_OF(2)
METRIC_FAMILY_OF(3)
METRIC_FAMILY_OF(4)
METRIC_FAMILY_OF(5)
METRIC_FAMILY_OF(6)
METRIC_FAMILY_OF(7)
METRIC_FAMILY_OF(8)

#define METRIC_COUNT_(_, _1, _2, _3, _4, _5, _6, _7, _8, count, ...) count
#define METRIC_COUNT(...) METRIC_COUNT_(_, ##__VA_ARGS__, 8, 7, 6, 5, 4, 3, 2, 1, 0, _)
#define METRIC_PASTE_(left, right) left##right
#define METRIC_PASTE(left, right) METRIC_PASTE_(left, right)

/* Label names of a family, label values of a sample in the same order; none: METRIC_LABELS(). */
#define LABELS(...) .METRIC_PASTE(labels_, METRIC_COUNT(__VA_ARGS__)) = { __VA_ARGS__ }
#define METRIC_LABELS(...) \
    (&(const struct METRIC_PASTE(metric_labels_, METRIC_COUNT(__VA_ARGS__))){ { __VA_ARGS__ } })

/* The values for the function behind a macro: no association fits another number of labels. */
#define METRIC_VALUES(family_n, sample) \
    _Generic((sample), __typeof__((family_n)->sample_labels + 0): (sample)->values)
/* clang-format on */

/* One observation as an example of a counter or of a bucket. */
struct metric_exemplar {
    const char *label, *text; /* the one label it has and its value; NULL = there is none */
    double value;
    double at; /* Unix seconds */
};

struct metric_histogram {
    double sum;
    uint64_t count;
    const uint64_t *buckets;          /* not cumulative; bucket_count + 1, the last is +Inf */
    const struct exponential *native; /* the same values once more; NULL = not known */
};

/* What is told of counters and histograms besides their value. */
struct metric_detail {
    double created_at;                       /* when it was 0, Unix seconds; 0 = not known */
    const struct metric_exemplar *exemplars; /* NULL = none; a histogram's as its buckets */
};

struct sample {
    const struct family *family;
    const char *const *values; /* as many as the family has labels; never NULL, never "" */
    double value;
    const struct metric_histogram *histogram; /* only for histograms */
    const struct metric_detail *detail;       /* NULL = nothing is told */
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
 * is ignored, and a value that is not finite: what is not known is absent. */
void metric_add_values(struct metric_set *set, const struct family *family, double value,
                       const char *const *values);

/* Add a sample with everything that is known of it; all but its family is copied. As above. */
void metric_add_sample(struct metric_set *set, const struct sample *sample);

/* Whether adding to this family has any effect: ask before an expensive loop. */
bool metric_wanted(const struct metric_set *set, const struct family *family);

/* How many exemplars a sample of a family has room for: one, a histogram's one a bucket. */
size_t metric_exemplar_count(const struct family *family);

/* The bucket of a histogram that a value belongs into. */
size_t metric_bucket(const struct family *family, double value);

/* Make families contiguous and label sets ordered and unique: of two equals one stays, or what the
 * family says of them. */
void metric_set_sort(struct metric_set *set);

void metric_set_finish(struct metric_set *set);

/* Live values, any thread: one lock, held for a few instructions. */
struct metric_store;
struct metric_store *metric_store_create(void);
void metric_store_destroy(struct metric_store *store);

/* Create the series at 0 when it is not there: counters exist from the first scrape. */
void metric_declare_values(struct metric_store *store, const struct family *family,
                           const char *const *values);
void metric_count_values(struct metric_store *store, const struct family *family, double delta,
                         const char *const *values);
void metric_put_values(struct metric_store *store, const struct family *family, double value,
                       const char *const *values);
void metric_observe_values(struct metric_store *store, const struct family *family, double value,
                           const char *const *values);

/* Remove every series of a family (before putting the current ones). */
void metric_clear(struct metric_store *store, const struct family *family);

/* Remove the series of a family that have another value of a label than these, which end with
 * NULL. */
void metric_keep(struct metric_store *store, const struct family *family, const char *label,
                 const char *const *values);

/* Read one series (of a histogram: its count); 0 when it is not there. For tests and pages. */
double metric_read_values(struct metric_store *store, const struct family *family,
                          const char *const *values);

/* Copy everything into a set, families in the order of their names. */
void metric_store_emit(struct metric_store *store, struct metric_set *set);

/* The functions above take any family and trust their caller; these take a family by its own type
 * and METRIC_LABELS, and do not compile when their numbers differ. */
/* clang-format off */
#define metric_add(set, family_n, value, sample) \
    metric_add_values(set, &(family_n)->family, value, METRIC_VALUES(family_n, sample))
#define metric_add_counter(set, family_n, value_now, details, sample_labels) \
    metric_add_sample(set, &(struct sample){ .family = &(family_n)->family, \
                                             .values = METRIC_VALUES(family_n, sample_labels), \
                                             .value = (value_now), \
                                             .detail = (details) })
#define metric_add_histogram(set, family_n, values_of, details, sample_labels) \
    metric_add_sample(set, &(struct sample){ .family = &(family_n)->family, \
                                             .values = METRIC_VALUES(family_n, sample_labels), \
                                             .histogram = (values_of), \
                                             .detail = (details) })
#define metric_declare(store, family_n, sample) \
    metric_declare_values(store, &(family_n)->family, METRIC_VALUES(family_n, sample))
#define metric_count(store, family_n, delta, sample) \
    metric_count_values(store, &(family_n)->family, delta, METRIC_VALUES(family_n, sample))
#define metric_put(store, family_n, value, sample) \
    metric_put_values(store, &(family_n)->family, value, METRIC_VALUES(family_n, sample))
#define metric_observe(store, family_n, value, sample) \
    metric_observe_values(store, &(family_n)->family, value, METRIC_VALUES(family_n, sample))
#define metric_read(store, family_n, sample) \
    metric_read_values(store, &(family_n)->family, METRIC_VALUES(family_n, sample))
/* clang-format on */
