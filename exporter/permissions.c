#include "exporter/permissions.h"

#include <stdlib.h>
#include <string.h>

#include "collectors/subscriptions.h"
#include "core/json.h"
#include "core/memory.h"

const char *const permissions_words[] = { "works",  "partly denied", "denied", "not proven",
                                          "failed", "not asked",     NULL };

/* What one query came to. */
struct told {
    const struct query *query; /* NULL = none */
    size_t rows, answered, denied, failed;
};

/* What one source came to. */
struct hearing {
    struct told told[COLLECTOR_QUERIES_MAX];
    struct buf missing;          /* "A, B": actions that Azure named */
    struct error denied, failed; /* the first of each */
};

struct permissions {
    size_t count;
    struct hearing hearings[]; /* one a source, by its index */
};

struct permissions *permissions_create(const struct source_list *sources)
{
    struct permissions *permissions =
        memory_array(1, sizeof *permissions + sources->count * sizeof *permissions->hearings);
    permissions->count = sources->count;
    return permissions;
}

void permissions_destroy(struct permissions *permissions)
{
    for (size_t i = 0; permissions && i < permissions->count; i++)
        buf_finish(&permissions->hearings[i].missing);
    free(permissions);
}

/* --- hearing -------------------------------------------------------------------------------- */

bool permissions_action(const char *message, struct buf *out)
{
    /* source: Microsoft Learn, Troubleshoot Azure RBAC: AuthorizationFailed */
    static const char before[] = "perform action '";
    const char *at = strstr(message, before);
    size_t length = at ? strcspn(at + sizeof before - 1, "'") : 0;
    if (!length || at[sizeof before - 1 + length] != '\'')
        return false;
    buf_append(out, at + sizeof before - 1, length);
    return true;
}

static void add_missing(struct buf *missing, const char *message)
{
    CLEANUP(buf_finish) struct buf action = { 0 };
    if (!permissions_action(message, &action) || strstr(buf_cstr(missing), buf_cstr(&action)))
        return;
    buf_printf(missing, "%s%s", missing->length ? ", " : "", buf_cstr(&action));
}

static struct told *told_of(struct hearing *hearing, const struct query *query)
{
    struct told *told = hearing->told;
    while (told->query && told->query != query)
        told++; /* there are not more than a variant has */
    told->query = query;
    return told;
}

void permissions_hear(void *context, const struct source *source,
                      const struct collect_outcome *outcome)
{
    struct permissions *permissions = context;
    struct hearing *hearing = &permissions->hearings[source->index];
    struct told *told = told_of(hearing, outcome->query);
    const struct error *error = outcome->error;
    told->rows += outcome->rows;
    if (!error) {
        told->answered++;
    } else if (error->code == ERROR_FORBIDDEN) {
        hearing->denied = told->denied++ || hearing->denied.code ? hearing->denied : *error;
        add_missing(&hearing->missing, error->message);
    } else {
        hearing->failed = told->failed++ || hearing->failed.code ? hearing->failed : *error;
    }
}

/* --- judging -------------------------------------------------------------------------------- */

/* Of the subscriptions of a tenant: which are denied, which can be read, of which rows came. */
struct reach {
    size_t visible, with_rows, denied;
    struct buf denied_ids;
};

static void reach_finish(struct reach *reach)
{
    buf_finish(&reach->denied_ids);
}

static void measure(const struct snapshot *snapshot, const struct source *source,
                    struct reach *reach)
{
    size_t count;
    const struct part *part = snapshot_part(snapshot, source);
    const struct subscription *known = subscriptions_known(snapshot, source->tenant, &count);
    for (size_t i = 0; i < count; i++) {
        const struct part_cover *cover = part ? part_cover_find(part, known[i].id) : NULL;
        bool denied = known[i].state == SUBSCRIPTION_DENIED;
        reach->visible += known[i].state == SUBSCRIPTION_VISIBLE;
        reach->with_rows += cover && !cover->empty && !cover->carried;
        reach->denied += denied;
        if (denied)
            buf_printf(&reach->denied_ids, "%s%s", reach->denied > 1 ? ", " : "", known[i].id);
    }
}

/* One source, and what is said of it. */
struct verdict {
    const struct source *source;
    const struct hearing *hearing;
    const struct source_status *status;
    struct reach reach;
    enum permission permission;
    struct buf missing, reason;
};

static void verdict_finish(struct verdict *verdict)
{
    reach_finish(&verdict->reach);
    buf_finish(&verdict->missing);
    buf_finish(&verdict->reason);
}

/* Append the names of queries of Resource Graph that brought no row, unless others were asked in
 * their place. */
static void name_silent(const struct hearing *hearing, struct buf *out)
{
    bool replaced = false;
    for (const struct told *told = hearing->told; told->query; told++)
        replaced = replaced || (told->query->only_if_empty && told->answered);
    for (const struct told *told = hearing->told; told->query && !replaced; told++)
        if (told->query->kql && told->answered && !told->rows)
            buf_printf(out, "%s%s", out->length ? ", " : "", told->query->name);
}

static bool is_denied(const struct hearing *hearing, bool wholly)
{
    bool denied = false;
    for (const struct told *told = hearing->told; told->query; told++)
        denied =
            denied || (told->denied && (!wholly || (!told->answered && !told->query->optional)));
    return denied;
}

/* Whether it was Resource Graph that answered: a list of a subscription refuses who may not read
 * it, so an empty one is none. */
static bool is_silent_kind(const struct hearing *hearing)
{
    bool graph = false;
    for (const struct told *told = hearing->told; told->query; told++)
        graph = graph || (told->query->kql && !told->query->optional);
    return graph;
}

/* "A B" as "A, B". */
static void add_list(struct buf *out, const char *words)
{
    for (; words && *words; words++)
        buf_text(out, *words == ' ' ? ", " : (char[]){ *words, '\0' });
}

static enum permission refused(struct verdict *verdict, enum permission permission)
{
    const struct rights *rights = &verdict->source->collector->rights;
    bool named = verdict->hearing->missing.length;
    buf_printf(&verdict->reason, "%s%s", verdict->hearing->denied.message,
               named ? "" : "; Azure names no action");
    if (!named && rights->actions)
        add_list(&verdict->missing, rights->actions);
    else
        buf_text(&verdict->missing, named ? buf_cstr(&verdict->hearing->missing) : rights->reads);
    return permission;
}

static enum permission failed(struct verdict *verdict, const struct error *error)
{
    buf_text(&verdict->reason, error->message);
    return PERMISSION_FAILED;
}

/* Nothing was refused. */
static enum permission proved(struct verdict *verdict)
{
    const struct reach *reach = &verdict->reach;
    const struct collector *collector = verdict->source->collector;
    name_silent(verdict->hearing, &verdict->reason);
    if (verdict->reason.length) {
        buf_text(&verdict->reason, ": no rows, which is what Azure answers where there is nothing "
                                   "and where nothing may be read");
        return PERMISSION_UNPROVEN;
    }
    if (collector->role == COLLECTOR_DATA && is_silent_kind(verdict->hearing) &&
        reach->with_rows < reach->visible)
        buf_printf(&verdict->reason,
                   "rows of %zu of %zu subscriptions; that the others have none is not proven",
                   reach->with_rows, reach->visible);
    return PERMISSION_WORKS;
}

static enum permission judge(struct verdict *verdict)
{
    const struct hearing *hearing = verdict->hearing;
    enum collector_role role = verdict->source->collector->role;
    const struct reach *reach = &verdict->reach;
    if (role == COLLECTOR_ANSWERS || !verdict->status->attempted) {
        buf_text(&verdict->reason, role == COLLECTOR_ANSWERS
                                       ? "it asks about what others find, when they find it"
                                       : "nobody answered");
        return PERMISSION_NOT_ASKED;
    }
    if (is_denied(hearing, false))
        return refused(verdict, is_denied(hearing, true) ? PERMISSION_DENIED : PERMISSION_PARTLY);
    if (hearing->failed.code)
        return failed(verdict, &hearing->failed);
    if (verdict->status->error.code)
        return failed(verdict, &verdict->status->error);
    if (role == COLLECTOR_DISCOVERY && reach->denied) {
        buf_printf(&verdict->reason, "%zu of %zu subscriptions may not be read: %s", reach->denied,
                   reach->denied + reach->visible, buf_cstr(&reach->denied_ids));
        buf_text(&verdict->missing, "read access to subscriptions");
        return PERMISSION_PARTLY;
    }
    return proved(verdict);
}

/* --- saying --------------------------------------------------------------------------------- */

static const struct view_column columns[] = {
    { "tenant", VIEW_TEXT, "its name in the configuration", true },
    { "tenant_id", VIEW_TEXT, "its id, where the configuration knows it", false },
    { "collector", VIEW_TEXT, "who asks", true },
    { "role", VIEW_TEXT, "a built-in role that is enough", true },
    { "actions", VIEW_TEXT, "of Resource Manager that it needs", false },
    { "result", VIEW_TEXT, "works, partly denied, denied, not proven, failed or not asked", true },
    { "missing", VIEW_TEXT,
      "the actions that Azure says are missing; where it names none, those that it needs", true },
    { "rows", VIEW_INTEGER, "that came", false },
    { "subscriptions", VIEW_INTEGER, "that can be read", false },
    { "with_rows", VIEW_INTEGER, "subscriptions of which rows came", false },
    { "reason", VIEW_TEXT, "why, in words", false },
    { NULL, VIEW_TEXT, NULL, false },
};
const struct view_table permissions_table = { .name = "permissions",
                                              .help =
                                                  "A source that is on, and whether it may read.",
                                              .columns = columns };

static void write_line(const struct verdict *verdict, const char *tenant, struct buf *out)
{
    const struct source *source = verdict->source;
    const struct rights *rights = &source->collector->rights;
    CLEANUP(buf_finish) struct buf actions = { 0 };
    struct json_writer writer = { .out = out };
    add_list(&actions, rights->actions);
    json_open(&writer, NULL, '{');
    json_add_text(&writer, "tenant", tenant);
    json_add_text(&writer, "tenant_id", source->tenant_id);
    json_add_text(&writer, "collector", source->collector->name);
    json_add_text(&writer, "role", rights->role);
    json_add_text(&writer, "actions", buf_cstr(&actions));
    json_add_text(&writer, "result", permissions_words[verdict->permission]);
    json_add_text(&writer, "missing", buf_cstr(&verdict->missing));
    json_add_integer(&writer, "rows", (int64_t)verdict->status->rows);
    json_add_integer(&writer, "subscriptions", (int64_t)verdict->reach.visible);
    json_add_integer(&writer, "with_rows", (int64_t)verdict->reach.with_rows);
    json_add_text(&writer, "reason", buf_cstr(&verdict->reason));
    json_close(&writer, '}');
    buf_char(out, '\n');
}

bool permissions_write(const struct permissions *permissions, const struct config *config,
                       const struct snapshot *snapshot, struct buf *lines, struct buf *reasons)
{
    bool fine = true;
    for (size_t i = 0; i < permissions->count; i++) {
        CLEANUP(verdict_finish)
        struct verdict verdict = {
            .source = &config->sources->sources[i],
            .hearing = &permissions->hearings[i],
            .status = &snapshot->status[i],
        };
        if (!config->run[i].enabled)
            continue;
        const char *tenant = config_tenant(config, config_tenant_of(config, verdict.source))->name;
        measure(snapshot, verdict.source, &verdict.reach);
        enum permission permission = verdict.permission = judge(&verdict);
        bool asked = permission != PERMISSION_NOT_ASKED ||
                     verdict.source->collector->role == COLLECTOR_ANSWERS;
        fine = fine && asked && permission != PERMISSION_DENIED &&
               permission != PERMISSION_PARTLY && permission != PERMISSION_FAILED;
        write_line(&verdict, tenant ? tenant : "azure", lines);
        if (verdict.reason.length)
            buf_printf(reasons, "%s: %s: %s\n", verdict.source->name, permissions_words[permission],
                       buf_cstr(&verdict.reason));
    }
    return fine;
}
