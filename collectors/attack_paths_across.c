#include "collectors/attack_paths_across.h"

#include <string.h>

#include "collectors/assessments.h"

const struct attack_path *attack_paths_across_find(const struct snapshot *snapshot,
                                                   const struct finding_id *id)
{
    const struct attack_path *found = NULL;
    for (size_t i = 0; i < snapshot->sources->count && !found; i++)
        found = part_row_of(snapshot->parts[i], &attack_paths_kept, id);
    return found;
}

/* Of an id, or of the last segment of it, the first path that is called so. */
static const struct attack_path *find_in(const struct part *part, const char *id, size_t length)
{
    const char *slash = memrchr(id, '/', length);
    const char *last = slash ? slash + 1 : id;
    size_t last_length = length - (size_t)(last - id), count;
    const struct attack_path_name *names = part_rows(part, &attack_paths_names, &count);
    if (!last_length || !count)
        return NULL;
    const struct finding_id name = finding_id(part->source, last, last_length);
    const uint32_t *places = part_places_of(part, &attack_paths_names, &name, &count);
    return places ? part_row_of(part, &attack_paths_kept, &names[places[0]].finding) : NULL;
}

static const struct attack_path *find_by_id(const struct snapshot *snapshot, const char *id,
                                            size_t length)
{
    const struct attack_path *found = NULL;
    for (size_t i = 0; i < snapshot->sources->count && !found; i++)
        found = find_in(snapshot->parts[i], id, length);
    return found;
}

void attack_paths_across(const struct snapshot *snapshot, const struct finding_id *id,
                         attack_paths_across_visit *visit, void *context)
{
    for (size_t i = 0; i < snapshot->sources->count; i++)
        for (const char *at = assessments_attack_paths(snapshot->parts[i], id); *at;) {
            size_t length = strcspn(at, ",");
            const struct attack_path *path = find_by_id(snapshot, at, length);
            if (path)
                visit(path, context);
            at += length + (at[length] == ',');
        }
}
