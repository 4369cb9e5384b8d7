#include "exporter/selection.h"

#include <string.h>

#include "collectors/collector.h"

static int find_collector(const char *name)
{
    for (int i = 0; i < COLLECTOR_COUNT; i++)
        if (!strcmp(collectors[i]->name, name))
            return i;
    return -1;
}

bool selection_read(const struct web_request *request, struct selection *selection,
                    struct error *error)
{
    bool collecting = false, excluding = false, named[COLLECTOR_COUNT] = { false };
    for (size_t i = 0; i < request->query_count; i++) {
        const struct web_pair *query = &request->queries[i];
        bool collect = !strcmp(query->name, "collect[]");
        bool exclude = !strcmp(query->name, "exclude[]");
        if (!collect && !exclude)
            continue;
        int collector = find_collector(query->value);
        if (collector < 0)
            return error_set(error, ERROR_REQUEST, "%s names no collector: \"%.64s\"", query->name,
                             query->value);
        named[collector] = true;
        collecting = collecting || collect;
        excluding = excluding || exclude;
    }
    if (collecting && excluding)
        return error_set(error, ERROR_REQUEST, "collect[] and exclude[] cannot be combined");
    selection->narrow = collecting || excluding;
    for (size_t i = 0; i < COLLECTOR_COUNT; i++)
        selection->wanted[i] = excluding ? !named[i] : !collecting || named[i];
    return true;
}

/* The collector a family belongs to, or -1. */
static int owner_of(const struct family *family)
{
    for (int i = 0; i < COLLECTOR_COUNT; i++)
        for (const struct family *const *one = collectors[i]->families; *one; one++)
            if (*one == family)
                return i;
    return -1;
}

/* The collector a status sample speaks of, or -1. */
static int subject_of(const struct sample *sample)
{
    for (size_t i = 0; sample->family->labels[i]; i++)
        if (!strcmp(sample->family->labels[i], "collector"))
            return find_collector(sample->values[i]);
    return -1;
}

void selection_apply(const struct selection *selection, struct metric_set *set)
{
    const struct family *current = NULL;
    int owner = -1;
    size_t kept = 0;
    for (size_t i = 0; i < set->count; i++) {
        const struct sample *sample = &set->samples[i];
        if (sample->family != current)
            owner = owner_of(sample->family);
        current = sample->family;
        int collector = owner >= 0 ? owner : subject_of(sample);
        if (collector < 0 || selection->wanted[collector])
            set->samples[kept++] = *sample;
    }
    set->count = kept;
}
