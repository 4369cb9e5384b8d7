#include "collectors/attack_paths_across.h"

#include <string.h>
#include <strings.h>

#include "collectors/assessments.h"

const struct attack_path *attack_paths_across_find(const struct snapshot *snapshot,
                                                   const struct finding_id *id)
{
    const struct attack_path *found = NULL;
    for (size_t i = 0; i < snapshot->sources->count && !found; i++)
        found = part_row_of(snapshot->parts[i], &attack_paths_kept, id);
    return found;
}

/* Whether an id, or the last segment of it, is that of the path: how recommendations write it is
 * not documented. */
static bool is_of(const struct attack_path *path, const char *id, size_t length)
{
    const char *slash = memrchr(id, '/', length);
    const char *last = slash ? slash + 1 : id;
    size_t last_length = length - (size_t)(last - id);
    const char *own = strrchr(path->id, '/');
    const char *const names[] = { own ? own + 1 : path->id, path->alias };
    for (size_t i = 0; i < ARRAY_COUNT(names) && last_length; i++)
        if (strlen(names[i]) == last_length && !strncasecmp(names[i], last, last_length))
            return true;
    return false;
}

static const struct attack_path *find_by_id(const struct snapshot *snapshot, const char *id,
                                            size_t length)
{
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        size_t count;
        const struct attack_path *path = attack_paths_of(snapshot->parts[i], &count);
        for (size_t j = 0; j < count; j++)
            if (is_of(&path[j], id, length))
                return &path[j];
    }
    return NULL;
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
