#include "alerts/text/match_index.h"

#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/memory.h"

/* An equality matcher of a list. */
struct pair {
    uint64_t hash;
    const char *name, *value;
    size_t place;
};

/* Lists that are found by the same name and value: a part of `places`, ascending. */
struct run {
    uint64_t hash;
    const char *name, *value;
    size_t first, count;
};

struct match_index {
    const struct match_list **lists;
    struct run *runs;
    size_t *slots; /* open addressing by hash: number of the run + 1; 0 = free */
    size_t slot_mask;
    uint64_t names; /* bits of the names in the runs: what has none of these has no run */
    size_t *places;
    struct run others; /* lists that have no equality matcher */
};

static uint64_t hash_pair(const char *name, const char *value)
{
    return hash_bytes(name, strlen(name)) * 31 + hash_bytes(value, strlen(value));
}

/* Names that are others seldom have the same bit. */
static uint64_t name_bit(const char *name)
{
    return (uint64_t)1 << (((unsigned char)*name + strlen(name)) % 64);
}

/* --- making --------------------------------------------------------------------------------- */

/* An absent label is the empty value: by that nothing is found. */
static bool is_key(const struct match *match)
{
    return match->operator== MATCH_EQUAL && * match->value;
}

static struct pair *collect_pairs(const struct match_list *const *lists, size_t count,
                                  size_t *pair_count)
{
    struct pair *pairs = NULL;
    size_t capacity = 0;
    *pair_count = 0;
    for (size_t place = 0; place < count; place++)
        for (size_t i = 0; i < lists[place]->count; i++) {
            const struct match *match = &lists[place]->matches[i];
            if (!is_key(match))
                continue;
            MEMORY_GROW(pairs, *pair_count, capacity);
            pairs[(*pair_count)++] = (struct pair){ hash_pair(match->name, match->value),
                                                    match->name, match->value, place };
        }
    return pairs;
}

static int compare_keys(const struct pair *a, const struct pair *b)
{
    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    int order = strcmp(a->name, b->name);
    return order ? order : strcmp(a->value, b->value);
}

static int compare(const void *left, const void *right)
{
    const struct pair *a = left, *b = right;
    int order = compare_keys(a, b);
    return order ? order : (a->place > b->place) - (a->place < b->place);
}

static size_t end_of_run(const struct pair *pairs, size_t count, size_t begin)
{
    size_t end = begin + 1;
    while (end < count && !compare_keys(&pairs[begin], &pairs[end]))
        end++;
    return end;
}

/* Where the shortest run of each list begins: it is found by its rarest matcher. SIZE_MAX = the
 * list has no equality matcher. */
static size_t *choose(const struct pair *pairs, size_t pair_count, size_t count)
{
    size_t *chosen = MEMORY_ARRAY(size_t, count), *lengths = MEMORY_ARRAY(size_t, count);
    for (size_t place = 0; place < count; place++)
        chosen[place] = lengths[place] = SIZE_MAX;
    for (size_t begin = 0, end; begin < pair_count; begin = end) {
        end = end_of_run(pairs, pair_count, begin);
        for (size_t i = begin; i < end; i++)
            if (end - begin < lengths[pairs[i].place]) {
                lengths[pairs[i].place] = end - begin;
                chosen[pairs[i].place] = begin;
            }
    }
    free(lengths);
    return chosen;
}

static void add_run(struct match_index *index, size_t number)
{
    size_t slot = index->runs[number].hash & index->slot_mask;
    while (index->slots[slot])
        slot = (slot + 1) & index->slot_mask;
    index->slots[slot] = number + 1;
    index->names |= name_bit(index->runs[number].name);
}

/* Each list once, below the pair it is found by. */
static void fill(struct match_index *index, const struct pair *pairs, size_t pair_count,
                 const size_t *chosen, size_t count)
{
    size_t runs = 0, places = 0;
    for (size_t begin = 0, end; begin < pair_count; begin = end) {
        struct run run = { pairs[begin].hash, pairs[begin].name, pairs[begin].value, places, 0 };
        end = end_of_run(pairs, pair_count, begin);
        for (size_t i = begin; i < end; i++)
            if (chosen[pairs[i].place] == begin &&
                (i == begin || pairs[i - 1].place != pairs[i].place))
                index->places[places++] = pairs[i].place;
        run.count = places - run.first;
        if (!run.count)
            continue;
        index->runs[runs] = run;
        add_run(index, runs++);
    }
    index->others.first = places;
    for (size_t place = 0; place < count; place++)
        if (chosen[place] == SIZE_MAX)
            index->places[places++] = place;
    index->others.count = places - index->others.first;
}

struct match_index *match_index_create(const struct match_list *const *lists, size_t count)
{
    struct match_index *index = MEMORY_NEW(struct match_index);
    size_t pair_count, slots = 1;
    struct pair *pairs = collect_pairs(lists, count, &pair_count);
    if (pair_count)
        qsort(pairs, pair_count, sizeof *pairs, compare);
    while (slots < 2 * (count + 1))
        slots *= 2;
    index->lists = MEMORY_ARRAY(const struct match_list *, count);
    for (size_t place = 0; place < count; place++)
        index->lists[place] = lists[place];
    index->runs = MEMORY_ARRAY(struct run, count); /* each has a list of its own */
    index->places = MEMORY_ARRAY(size_t, count);
    index->slots = MEMORY_ARRAY(size_t, slots);
    index->slot_mask = slots - 1;
    size_t *chosen = choose(pairs, pair_count, count);
    fill(index, pairs, pair_count, chosen, count);
    free(chosen);
    free(pairs);
    return index;
}

void match_index_destroy(struct match_index *index)
{
    if (!index)
        return;
    free(index->lists);
    free(index->runs);
    free(index->places);
    free(index->slots);
    free(index);
}

/* --- asking --------------------------------------------------------------------------------- */

static const struct run *find_run(const struct match_index *index, const struct match_label *label)
{
    if (!(index->names & name_bit(label->name)))
        return NULL;
    uint64_t hash = hash_pair(label->name, label->value);
    for (size_t slot = hash & index->slot_mask; index->slots[slot];
         slot = (slot + 1) & index->slot_mask) {
        const struct run *run = &index->runs[index->slots[slot] - 1];
        if (run->hash == hash && !strcmp(run->name, label->name) &&
            !strcmp(run->value, label->value))
            return run;
    }
    return NULL;
}

/* What is asked for. */
struct question {
    const struct match_label *labels;
    size_t count;
    match_index_wanted *wanted;
    const void *context;
    struct match_budget *budget;
};

/* The first of the run that fits, when it comes before this place. */
static size_t find_before(const struct match_index *index, const struct run *run,
                          const struct question *question, size_t before)
{
    for (size_t i = run->first; i < run->first + run->count; i++) {
        size_t place = index->places[i];
        if (place >= before)
            break;
        if (question->wanted(question->context, place) &&
            match_ask(index->lists[place], question->labels, question->count, question->budget) ==
                MATCH_YES)
            return place;
    }
    return before;
}

size_t match_index_find(const struct match_index *index, const struct match_label *labels,
                        size_t count, match_index_wanted *wanted, const void *context,
                        struct match_budget *budget)
{
    const struct question question = { labels, count, wanted, context, budget };
    size_t found = MATCH_INDEX_NONE;
    for (size_t i = 0; i < count; i++) {
        const struct run *run = find_run(index, &labels[i]);
        if (run)
            found = find_before(index, run, &question, found);
    }
    return find_before(index, &index->others, &question, found);
}
