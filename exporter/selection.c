#include "exporter/selection.h"

#include <string.h>

#include "collectors/collector.h"

bool selection_read(const struct web_request *request, const struct source_list *sources,
                    struct arena *arena, struct selection *selection, struct error *error)
{
    bool collecting = false, excluding = false;
    bool *named = arena_zalloc(arena, sources->count + 1);
    for (size_t i = 0; i < request->query_count; i++) {
        const struct web_pair *query = &request->queries[i];
        bool collect = !strcmp(query->name, "collect[]");
        bool exclude = !strcmp(query->name, "exclude[]");
        if (!collect && !exclude)
            continue;
        const struct source *source = source_list_named(sources, query->value);
        if (!source)
            return error_set(error, ERROR_REQUEST, "%s names no collector: \"%.64s\"", query->name,
                             query->value);
        named[source->index] = true;
        collecting = collecting || collect;
        excluding = excluding || exclude;
    }
    if (collecting && excluding)
        return error_set(error, ERROR_REQUEST, "collect[] and exclude[] cannot be combined");
    *selection = (struct selection){ collecting || excluding, sources, named };
    for (size_t i = 0; i < sources->count; i++)
        selection->wanted[i] = excluding ? !named[i] : !collecting || named[i];
    return true;
}

static bool has_family(const struct source *source, const struct family *family)
{
    for (const struct family *const *one = source->collector->families; *one; one++)
        if (*one == family)
            return true;
    return false;
}

/* Whether a family stays: a source that is wanted has it, or none has. */
static bool is_wanted(const struct selection *selection, const struct family *family)
{
    bool owned = false;
    for (size_t i = 0; i < selection->sources->count; i++) {
        bool has = has_family(&selection->sources->sources[i], family);
        if (has && selection->wanted[i])
            return true;
        owned = owned || has;
    }
    return !owned;
}

/* Whether a status sample speaks of a source that is not wanted. */
static bool speaks_of_other(const struct selection *selection, const struct sample *sample)
{
    for (size_t i = 0; sample->family->labels[i]; i++)
        if (!strcmp(sample->family->labels[i], "collector")) {
            const struct source *source = source_list_named(selection->sources, sample->values[i]);
            return source && !selection->wanted[source->index];
        }
    return false;
}

void selection_apply(const struct selection *selection, struct metric_set *set)
{
    const struct family *current = NULL;
    bool wanted = true;
    size_t kept = 0;
    for (size_t i = 0; i < set->count; i++) {
        const struct sample *sample = &set->samples[i];
        if (sample->family != current)
            wanted = is_wanted(selection, sample->family);
        current = sample->family;
        if (wanted && !speaks_of_other(selection, sample))
            set->samples[kept++] = *sample;
    }
    set->count = kept;
}
