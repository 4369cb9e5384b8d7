#include "core/metric.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/compiler.h"
#include "core/memory.h"

/* --- sets --------------------------------------------------------------------------------- */

static size_t label_count(const struct family *family)
{
    size_t count = 0;
    while (family->labels[count])
        count++;
    return count;
}

size_t metric_exemplar_count(const struct family *family)
{
    return family->type == METRIC_HISTOGRAM ? family->bucket_count + 1 : 1;
}

size_t metric_bucket(const struct family *family, double value)
{
    size_t bucket = 0;
    while (bucket < family->bucket_count && !(value <= family->buckets[bucket]))
        bucket++;
    return bucket;
}

static const char *label_value(const char *value)
{
    return value && *value ? value : "unknown";
}

bool metric_wanted(const struct metric_set *set, const struct family *family)
{
    if (family->level <= set->max_level)
        return true;
    for (const struct family *const *one = set->opted; one && *one; one++)
        if (*one == family)
            return true;
    return false;
}

/* Copies of the label values; a text equal to the one the previous sample has there is shared,
 * since neighbours mostly differ in one label. */
static const char **copy_values(struct metric_set *set, const struct family *family,
                                const char *const *values)
{
    size_t count = label_count(family);
    const struct sample *last = set->count ? &set->samples[set->count - 1] : NULL;
    size_t last_count = last ? label_count(last->family) : 0;
    const char **copies = arena_alloc(&set->arena, (count ? count : 1) * sizeof *copies);
    for (size_t i = 0; i < count; i++) {
        const char *value = label_value(values[i]);
        bool same = i < last_count && !strcmp(last->values[i], value);
        copies[i] = same ? last->values[i] : arena_text(&set->arena, value);
    }
    return copies;
}

static void append(struct metric_set *set, const struct sample *sample)
{
    MEMORY_GROW(set->samples, set->count, set->capacity);
    set->samples[set->count++] = *sample;
}

void metric_add_values(struct metric_set *set, const struct family *family, double value,
                       const char *const *values)
{
    if (!metric_wanted(set, family) || !isfinite(value))
        return;
    append(set, &(struct sample){
                    .family = family, .values = copy_values(set, family, values), .value = value });
}

static void *copy_bytes(struct metric_set *set, const void *from, size_t bytes)
{
    return memcpy(arena_alloc(&set->arena, bytes), from, bytes);
}

static const struct metric_histogram *copy_histogram(struct metric_set *set,
                                                     const struct family *family,
                                                     const struct metric_histogram *histogram)
{
    struct metric_histogram *copy = copy_bytes(set, histogram, sizeof *histogram);
    copy->buckets = copy_bytes(set, histogram->buckets,
                               (family->bucket_count + 1) * sizeof *histogram->buckets);
    if (histogram->native)
        copy->native = copy_bytes(set, histogram->native, sizeof *histogram->native);
    return copy;
}

static const struct metric_detail *copy_detail(struct metric_set *set, const struct family *family,
                                               const struct metric_detail *detail)
{
    struct metric_detail *copy = copy_bytes(set, detail, sizeof *detail);
    if (!detail->exemplars)
        return copy;
    size_t count = metric_exemplar_count(family);
    struct metric_exemplar *exemplars =
        copy_bytes(set, detail->exemplars, count * sizeof *exemplars);
    for (size_t i = 0; i < count; i++)
        if (exemplars[i].text)
            exemplars[i].text = arena_text(&set->arena, exemplars[i].text);
    copy->exemplars = exemplars;
    return copy;
}

void metric_add_sample(struct metric_set *set, const struct sample *sample)
{
    const struct family *family = sample->family;
    if (!metric_wanted(set, family) || !isfinite(sample->value))
        return;
    struct sample copy = { .family = family,
                           .values = copy_values(set, family, sample->values),
                           .value = sample->value };
    if (sample->histogram)
        copy.histogram = copy_histogram(set, family, sample->histogram);
    if (sample->detail)
        copy.detail = copy_detail(set, family, sample->detail);
    append(set, &copy);
}

static int compare_values(const struct family *family, const char *const *left,
                          const char *const *right)
{
    for (size_t i = 0; family->labels[i]; i++) {
        int order = left[i] == right[i] ? 0 : strcmp(left[i], right[i]);
        if (order)
            return order;
    }
    return 0;
}

/* Of equal label sets the one added first comes first. */
static int compare_samples(const void *left, const void *right)
{
    const struct sample *a = *(const struct sample *const *)left;
    const struct sample *b = *(const struct sample *const *)right;
    int order = compare_values(a->family, a->values, b->values);
    return order ? order : (a > b) - (a < b);
}

/* A family of a set and where its samples go. */
struct group {
    const struct family *family;
    size_t count, start;
};

static struct group *find_group(struct group *groups, size_t count, const struct family *family)
{
    for (size_t i = count; i-- > 0;)
        if (groups[i].family == family)
            return &groups[i];
    return NULL;
}

/* The families in order of first appearance with their sample counts. Freed by the caller. */
static struct group *group_samples(const struct metric_set *set, size_t *group_count)
{
    struct group *groups = NULL, *current = NULL;
    size_t count = 0, capacity = 0;
    for (size_t i = 0; i < set->count; i++) {
        const struct family *family = set->samples[i].family;
        if (!current || current->family != family)
            current = find_group(groups, count, family);
        if (!current) {
            MEMORY_GROW(groups, count, capacity);
            current = &groups[count++];
            *current = (struct group){ .family = family };
        }
        current->count++;
    }
    for (size_t i = 1; i < count; i++)
        groups[i].start = groups[i - 1].start + groups[i - 1].count;
    *group_count = count;
    return groups;
}

/* Pointers to the samples, families contiguous, otherwise in the order they were added. */
static void place(const struct metric_set *set, struct group *groups, size_t group_count,
                  const struct sample **order)
{
    struct group *current = NULL;
    for (size_t i = 0; i < group_count; i++)
        groups[i].count = 0;
    for (size_t i = 0; i < set->count; i++) {
        const struct sample *sample = &set->samples[i];
        if (!current || current->family != sample->family)
            current = find_group(groups, group_count, sample->family);
        order[current->start + current->count++] = sample;
    }
}

static bool is_sorted(const struct sample **order, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (compare_samples(&order[i - 1], &order[i]) > 0)
            return false;
    return true;
}

/* Another sample with the labels of one that stays. */
static void join(struct metric_set *set, struct sample *stays, const struct sample *other)
{
    if (stays->family->same == METRIC_SAME_SUM)
        stays->value += other->value;
    else
        set->duplicates++;
}

void metric_set_sort(struct metric_set *set)
{
    if (!set->count)
        return;
    size_t group_count;
    struct group *groups = group_samples(set, &group_count);
    const struct sample **order = MEMORY_ARRAY(const struct sample *, set->count);
    place(set, groups, group_count, order);
    for (size_t i = 0; i < group_count; i++)
        if (!is_sorted(order + groups[i].start, groups[i].count))
            qsort(order + groups[i].start, groups[i].count, sizeof *order, compare_samples);

    struct sample *sorted = MEMORY_ARRAY(struct sample, set->count);
    size_t kept = 0;
    for (size_t i = 0; i < set->count; i++) {
        const struct sample *last = kept ? &sorted[kept - 1] : NULL;
        if (last && last->family == order[i]->family &&
            !compare_values(last->family, last->values, order[i]->values))
            join(set, &sorted[kept - 1], order[i]);
        else
            sorted[kept++] = *order[i];
    }
    free(set->samples);
    set->samples = sorted;
    set->capacity = set->count;
    set->count = kept;
    free(order);
    free(groups);
}

void metric_set_finish(struct metric_set *set)
{
    free(set->samples);
    arena_finish(&set->arena);
    *set = (struct metric_set){ 0 };
}

/* --- stores ------------------------------------------------------------------------------- */

struct series {
    const struct family *family;
    char **values; /* as many as the family has labels */
    double value;
    double sum;
    uint64_t count;
    uint64_t *buckets;          /* bucket_count + 1; NULL unless a histogram */
    struct exponential *native; /* NULL unless a histogram */
    double created_at;          /* 0 of what can go down */
};

struct metric_store {
    pthread_mutex_t lock;
    struct series **series; /* by family name, then label values */
    size_t count, capacity;
};

struct metric_store *metric_store_create(void)
{
    struct metric_store *store = MEMORY_NEW(struct metric_store);
    pthread_mutex_init(&store->lock, NULL);
    return store;
}

static void series_destroy(struct series *series)
{
    for (size_t i = 0; i < label_count(series->family); i++)
        free(series->values[i]);
    free(series->values);
    free(series->buckets);
    free(series->native);
    free(series);
}

void metric_store_destroy(struct metric_store *store)
{
    if (!store)
        return;
    for (size_t i = 0; i < store->count; i++)
        series_destroy(store->series[i]);
    free(store->series);
    pthread_mutex_destroy(&store->lock);
    free(store);
}

static int compare_series(const struct series *series, const struct family *family,
                          const char *const *values)
{
    if (series->family != family) {
        int order = strcmp(series->family->name, family->name);
        return order ? order : (series->family > family) - (series->family < family);
    }
    for (size_t i = 0; family->labels[i]; i++) {
        int order = strcmp(series->values[i], label_value(values[i]));
        if (order)
            return order;
    }
    return 0;
}

/* Position of the series, or where it belongs. */
static size_t search(const struct metric_store *store, const struct family *family,
                     const char *const *values, bool *found)
{
    size_t low = 0, high = store->count;
    *found = false;
    while (low < high && !*found) {
        size_t middle = low + (high - low) / 2;
        int order = compare_series(store->series[middle], family, values);
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
        *found = order == 0;
    }
    return *found ? high : low;
}

static struct series *series_create(const struct family *family, const char *const *values)
{
    struct series *series = MEMORY_NEW(struct series);
    size_t labels = label_count(family);
    series->family = family;
    series->values = MEMORY_ARRAY(char *, labels);
    for (size_t i = 0; i < labels; i++)
        series->values[i] = memory_copy(label_value(values[i]));
    if (family->type == METRIC_HISTOGRAM) {
        series->buckets = MEMORY_ARRAY(uint64_t, family->bucket_count + 1);
        series->native = MEMORY_NEW(struct exponential);
    }
    if (family->type == METRIC_HISTOGRAM || family->type == METRIC_COUNTER)
        series->created_at = (double)clock_now_ms() / 1000;
    return series;
}

/* The series, made when it is not there. The lock is held. */
static struct series *reach(struct metric_store *store, const struct family *family,
                            const char *const *values)
{
    bool found;
    size_t at = search(store, family, values, &found);
    if (found)
        return store->series[at];
    MEMORY_GROW(store->series, store->count, store->capacity);
    memmove(store->series + at + 1, store->series + at,
            (store->count - at) * sizeof *store->series);
    store->count++;
    return store->series[at] = series_create(family, values);
}

void metric_declare_values(struct metric_store *store, const struct family *family,
                           const char *const *values)
{
    metric_count_values(store, family, 0, values);
}

void metric_count_values(struct metric_store *store, const struct family *family, double delta,
                         const char *const *values)
{
    pthread_mutex_lock(&store->lock);
    reach(store, family, values)->value += delta;
    pthread_mutex_unlock(&store->lock);
}

void metric_put_values(struct metric_store *store, const struct family *family, double value,
                       const char *const *values)
{
    pthread_mutex_lock(&store->lock);
    reach(store, family, values)->value = value;
    pthread_mutex_unlock(&store->lock);
}

void metric_observe_values(struct metric_store *store, const struct family *family, double value,
                           const char *const *values)
{
    if (!isfinite(value))
        return;
    size_t bucket = metric_bucket(family, value);
    pthread_mutex_lock(&store->lock);
    struct series *series = reach(store, family, values);
    series->buckets[bucket]++;
    series->count++;
    series->sum += value;
    exponential_add(series->native, value, 1);
    pthread_mutex_unlock(&store->lock);
}

/* Whether a label of a series has one of these values. */
static bool is_one_of(const struct series *series, const char *label, const char *const *values)
{
    size_t at = 0;
    while (series->family->labels[at] && strcmp(series->family->labels[at], label) != 0)
        at++;
    for (; series->family->labels[at] && *values; values++)
        if (!strcmp(series->values[at], *values))
            return true;
    return false;
}

void metric_keep(struct metric_store *store, const struct family *family, const char *label,
                 const char *const *values)
{
    pthread_mutex_lock(&store->lock);
    size_t kept = 0;
    for (size_t i = 0; i < store->count; i++) {
        if (store->series[i]->family == family && !is_one_of(store->series[i], label, values))
            series_destroy(store->series[i]);
        else
            store->series[kept++] = store->series[i];
    }
    store->count = kept;
    pthread_mutex_unlock(&store->lock);
}

void metric_clear(struct metric_store *store, const struct family *family)
{
    static const char *const none[] = { NULL };
    metric_keep(store, family, "", none);
}

double metric_read_values(struct metric_store *store, const struct family *family,
                          const char *const *values)
{
    bool found;
    pthread_mutex_lock(&store->lock);
    size_t at = search(store, family, values, &found);
    double value = 0;
    if (found && family->type == METRIC_HISTOGRAM)
        value = (double)store->series[at]->count;
    else if (found)
        value = store->series[at]->value;
    pthread_mutex_unlock(&store->lock);
    return value;
}

void metric_store_emit(struct metric_store *store, struct metric_set *set)
{
    pthread_mutex_lock(&store->lock);
    for (size_t i = 0; i < store->count; i++) {
        const struct series *series = store->series[i];
        const struct metric_histogram histogram = { series->sum, series->count, series->buckets,
                                                    series->native };
        const struct metric_detail detail = { series->created_at, NULL };
        metric_add_sample(set,
                          &(struct sample){ .family = series->family,
                                            .values = (const char *const *)series->values,
                                            .value = series->value,
                                            .histogram = series->buckets ? &histogram : NULL,
                                            .detail = series->created_at > 0 ? &detail : NULL });
    }
    pthread_mutex_unlock(&store->lock);
}
