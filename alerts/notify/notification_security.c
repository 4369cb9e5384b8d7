#include "alerts/notify/notification_security.h"

#include <string.h>

#include "alerts/notify/notification_names.h"
#include "core/buf.h"

enum { RESOURCES_MAX = 5 }; /* in one line */

/* "in progress; an incident of several alerts; also names /subscriptions/..., 3 more". */
static const char *found_of(const struct security_alert *alert, struct arena *arena)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    int64_t more = alert->more_resources;
    size_t told = 0;
    if (!alert->active)
        buf_text(&out, "somebody is at work on it");
    if (alert->incident)
        buf_printf(&out, "%san incident of several alerts", out.length ? "; " : "");
    for (const char *at = alert->resources; *at;) {
        size_t length = strcspn(at, ",");
        if (told < RESOURCES_MAX)
            buf_printf(&out, "%s%.*s",
                       told         ? ", "
                       : out.length ? "; also names "
                                    : "also names ",
                       (int)length, at);
        else
            more++;
        told++;
        at += length + (at[length] == ',');
    }
    if (more)
        buf_printf(&out, ", %lld more", (long long)more);
    return notification_names_copy(buf_cstr(&out), arena);
}

/* The text as HTML: its lines stay. */
static const char *html_of(const char *text, struct arena *arena)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    for (; *text; text++) {
        const char *entity = *text == '&'    ? "&amp;"
                             : *text == '<'  ? "&lt;"
                             : *text == '>'  ? "&gt;"
                             : *text == '\n' ? "<br>"
                                             : NULL;
        if (entity)
            buf_text(&out, entity);
        else if (*text != '\r')
            buf_char(&out, *text);
    }
    return arena_text(arena, buf_cstr(&out));
}

/* Add the tactics that the block does not have yet. */
static void add_tactics(const struct security_alert *alert, struct arena *arena,
                        struct notification_block *block)
{
    CLEANUP(buf_finish) struct buf all = { 0 };
    buf_text(&all, block->threats);
    for (const char *at = alert->tactics; *at;) {
        size_t length = strcspn(at, ",");
        const char *tactic = arena_copy(arena, at, length);
        if (!strstr(buf_cstr(&all), tactic))
            buf_printf(&all, "%s%s", all.length ? ", " : "", tactic);
        at += length + strspn(at + length, ", ");
    }
    block->threats = arena_text(arena, buf_cstr(&all));
}

void notification_security(const struct snapshot *snapshot, const struct finding *finding,
                           struct arena *arena, struct notification_block *block,
                           struct baselines_explained *rule)
{
    const struct security_alert *alert = security_alerts_find(snapshot, &finding->id);
    struct notification_resource *resource = &block->resources[block->resource_count - 1];
    if (!alert)
        return;
    *rule = (struct baselines_explained){
        .description = html_of(alert->description, arena),
        .remediation = html_of(alert->remediation, arena),
        .parent_id = FINDING_SECURITY_ALERT,
    };
    add_tactics(alert, arena, block);
    if (resource->resolved)
        return;
    const char *found = found_of(alert, arena);
    if (!*block->found)
        block->found = found;
    else if (strcmp(found, block->found) != 0)
        resource->found = found;
}
