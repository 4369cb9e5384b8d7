#include "exporter/storage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alerts/alerting.h"
#include "core/buf.h"

static bool is_absolute(const char *path)
{
    return path && *path == '/';
}

/* As much of a text, and what comes behind it. */
static const char *join(const char *text, size_t length, const char *rest, struct arena *arena)
{
    CLEANUP(buf_finish) struct buf path = { 0 };
    buf_append(&path, text, length);
    buf_text(&path, rest);
    return arena_text(arena, buf_cstr(&path));
}

static bool has_database(const char *folder)
{
    CLEANUP(buf_finish) struct buf path = { 0 };
    buf_printf(&path, "%s/" ALERTING_DATABASE, folder);
    return !access(buf_cstr(&path), R_OK);
}

static const char *where_it_may_be(const struct storage_facts *facts, struct arena *arena)
{
    const char *service = facts->state_directory;
    if (is_absolute(service))
        return join(service, strcspn(service, ":"), "", arena); /* the first of several */
    if (facts->root || !access(facts->system, W_OK | X_OK))
        return facts->system;
    if (is_absolute(facts->state_home))
        return join(facts->state_home, strlen(facts->state_home), "/defender_exporter", arena);
    if (is_absolute(facts->home))
        return join(facts->home, strlen(facts->home), "/.local/state/defender_exporter", arena);
    return facts->system;
}

const char *storage_choose(const struct storage_facts *facts, struct arena *arena)
{
    const char *chosen = where_it_may_be(facts, arena);
    return has_database(facts->system) && !has_database(chosen) ? facts->system : chosen;
}

const char *storage_default(struct arena *arena)
{
    const struct storage_facts facts = {
        .state_directory = getenv("STATE_DIRECTORY"),
        .state_home = getenv("XDG_STATE_HOME"),
        .home = getenv("HOME"),
        .system = STORAGE_SYSTEM,
        .root = !geteuid(),
    };
    return storage_choose(&facts, arena);
}

bool storage_make(const char *path)
{
    CLEANUP(buf_finish) struct buf above = { 0 };
    for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        buf_reset(&above);
        buf_append(&above, path, (size_t)(slash - path));
        if (mkdir(buf_cstr(&above), 0700) && errno != EEXIST)
            return false;
    }
    return (!mkdir(path, 0750) || errno == EEXIST) && !access(path, W_OK | X_OK);
}
