#include "alerts/notify/notification_paths.h"

#include <string.h>

#include "alerts/notify/notification_names.h"

enum { NAMES_MAX = 5 }; /* in one line */

/* --- a path ----------------------------------------------------------------------------------- */

/* What it leads through, and "; choke point vm-web, on 4 paths". */
static const char *way_of(const struct attack_path *path, struct arena *arena)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    buf_text(&out, path->chain);
    if (*path->choke)
        buf_printf(&out, "%schoke point %s, on %lld paths", out.length ? "; " : "", path->choke,
                   (long long)path->choke_paths);
    return notification_names_copy(buf_cstr(&out), arena);
}

static void tell_path(const struct attack_path *path, struct arena *arena,
                      struct notification_block *block, struct baselines_explained *rule)
{
    struct notification_resource *resource = &block->resources[block->resource_count - 1];
    const char *way = way_of(path, arena);
    *rule = (struct baselines_explained){
        .description = path->description,
        .remediation = path->remediation,
        .parent_id = FINDING_ATTACK_PATH,
    };
    if (resource->resolved)
        return;
    if (!*block->found)
        block->found = way;
    else if (strcmp(way, block->found) != 0)
        resource->found = way;
}

/* --- paths across a finding ------------------------------------------------------------------- */

struct naming {
    struct notification_paths *paths;
    struct arena *arena;
};

static bool is_named(const struct notification_paths *paths, const struct attack_path *path)
{
    for (const struct notification_path *at = paths->last; at; at = at->before)
        if (at->path == path)
            return true;
    return false;
}

static void name_path(const struct attack_path *path, void *context)
{
    CLEANUP(buf_finish) struct buf names = { 0 };
    const struct naming *naming = context;
    struct notification_paths *paths = naming->paths;
    if (is_named(paths, path))
        return;
    struct notification_path *named = arena_zalloc(naming->arena, sizeof *named);
    *named = (struct notification_path){ path, paths->last };
    paths->last = named;
    if (paths->count++ >= NAMES_MAX)
        return;
    if (paths->names)
        buf_printf(&names, "%s; ", paths->names);
    buf_text(&names, path->name);
    if (*path->entry && *path->target)
        buf_printf(&names, " (%s to %s)", path->entry, path->target);
    paths->names = arena_text(naming->arena, buf_cstr(&names));
}

void notification_paths(struct notification_paths *paths, const struct snapshot *snapshot,
                        const struct finding *finding, struct arena *arena,
                        struct notification_block *block)
{
    CLEANUP(buf_finish) struct buf names = { 0 };
    struct naming naming = { paths, arena };
    const struct attack_path *path = attack_paths_across_find(snapshot, &finding->id);
    if (path)
        tell_path(path, arena, block, paths->rule);
    else if (finding->attack_paths)
        attack_paths_across(snapshot, &finding->id, name_path, &naming);
    if (!paths->names)
        return;
    buf_text(&names, paths->names);
    if (paths->count > NAMES_MAX)
        buf_printf(&names, "; %zu more", paths->count - NAMES_MAX);
    block->attack_path_names = notification_names_copy(buf_cstr(&names), arena);
    if (block->attack_paths < (int64_t)paths->count)
        block->attack_paths = (int64_t)paths->count;
}
