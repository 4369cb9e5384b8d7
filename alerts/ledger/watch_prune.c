#include "alerts/ledger/watch_prune.h"

#include <stdio.h>
#include <string.h>

#include "alerts/store/rows.h"
#include "collectors/remediations.h"

#define SUBSCRIPTIONS "/subscriptions/"

static bool is_task(const char *key, const char *task_id)
{
    size_t length = strlen(task_id);
    return !strncmp(task_id, key, length) && key[length] == ' ';
}

/* Of a task of a management group. */
static bool is_listed_by_group(const struct part *part, const char *key)
{
    const struct remediation_group *group;
    size_t place = 0;
    while ((group = remediations_group(part, place)) && !remediations_is_of(key, group->id))
        place++;
    bool listed = !group || !group->is_read || part->gaps;
    for (size_t i = 0; !listed && i < group->task_count; i++)
        listed = is_task(key, group->tasks[i]);
    return listed;
}

/* Whether a failure that was told, "<task> <resource>", is of a task that Azure lists, or nobody
 * can say that it does not. */
static bool is_listed(const struct part *part, const char *key)
{
    char subscription[64];
    size_t count;
    if (strncmp(key, SUBSCRIPTIONS, strlen(SUBSCRIPTIONS)) != 0)
        return is_listed_by_group(part, key);
    const struct remediation_task *tasks = remediations_tasks(part, &count);
    const char *id = key + strlen(SUBSCRIPTIONS);
    snprintf(subscription, sizeof subscription, "%.*s", (int)strcspn(id, "/"), id);
    const struct part_cover *cover = part_cover_find(part, subscription);
    bool listed =
        part->truncated || !cover || !cover->collected_at || cover->carried || cover->gaps;
    for (size_t i = 0; i < count && !listed; i++)
        listed = is_task(key, tasks[i].id);
    return listed;
}

bool watch_prune_remediations(struct database *database, const struct part *part,
                              struct error *error)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct rows_keys told;
    const char *tenant = part->source->tenant;
    struct database_statement *statement = database_prepare(
        database, "SELECT key FROM watch_value WHERE kind = 'remediation' AND tenant = $1"
                  " AND key LIKE '/%' ORDER BY key");
    database_bind(statement, tenant);
    if (!rows_read_keys(statement, &arena, &told, error))
        return error_wrap(error, "reading failed remediations");
    for (size_t i = 0; i < told.count; i++) {
        if (is_listed(part, told.keys[i]))
            continue;
        statement = database_prepare(
            database,
            "DELETE FROM watch_value WHERE kind = 'remediation' AND tenant = $1 AND key = $2");
        database_bind(statement, tenant, told.keys[i]);
        if (!database_run(statement, error))
            return error_wrap(error, "forgetting a failed remediation");
    }
    return true;
}
