#include "alerts/notify/notification_causes.h"

#include <math.h>
#include <string.h>

#include "alerts/notify/notification_build.h"
#include "alerts/text/text.h"
#include "collectors/secure_scores.h"

enum { WINDOW_S = 24 * 3600, LINK_BYTES = 4096 };

struct causes {
    const struct notification_context *context;
    struct arena *arena;
    struct notification_block *block;
    const char *subscription_id;       /* "" = any */
    struct notification_cause *causes; /* NOTIFICATION_CAUSES_MAX, most points first */
};

/* True when key stands in a list joined with ",". */
static bool names(const char *list, const char *key)
{
    size_t length = strlen(key);
    for (const char *found = list; length && (found = strstr(found, key)); found += length)
        if ((found == list || found[-1] == ',') && (!found[length] || found[length] == ','))
            return true;
    return false;
}

/* The points one more unhealthy resource costs: the control's maximum over its resources. */
static double cost(const struct part *scores, const struct finding *finding)
{
    size_t count;
    const struct secure_control *controls = secure_scores_controls(scores, &count);
    for (size_t i = 0; i < count; i++) {
        double resources = controls[i].healthy + controls[i].unhealthy;
        if (resources > 0 && !strcmp(controls[i].subscription_id, finding->subscription_id) &&
            secure_scores_counts(&controls[i].scope, finding->resource_id) &&
            names(controls[i].assessments, finding->assessment_id))
            return isfinite(controls[i].max_points) ? controls[i].max_points / resources : 0;
    }
    return 0;
}

static bool is_known(const struct causes *causes, const char *finding_id)
{
    for (size_t i = 0; i < causes->block->cause_count; i++)
        if (!strcmp(causes->causes[i].finding_id, finding_id))
            return true;
    return false;
}

static void add_cause(struct causes *causes, const struct finding *finding, double points)
{
    struct notification_block *block = causes->block;
    CLEANUP(buf_finish) struct buf title = { 0 };
    CLEANUP(buf_finish) struct buf name = { 0 };
    char id[17], link[LINK_BYTES];
    size_t place = block->cause_count;
    while (place && causes->causes[place - 1].points < points)
        place--;
    if (place == NOTIFICATION_CAUSES_MAX || is_known(causes, finding_id_text(&finding->id, id)))
        return;
    size_t behind = block->cause_count - place;
    if (block->cause_count == NOTIFICATION_CAUSES_MAX)
        behind--;
    else
        block->cause_count++;
    memmove(causes->causes + place + 1, causes->causes + place, behind * sizeof *causes->causes);
    finding_link(finding, causes->context->portal, link, sizeof link);
    text_unlink(&title, finding->title);
    text_unlink(&name, finding->resource_name);
    causes->causes[place] = (struct notification_cause){
        .finding_id = arena_text(causes->arena, id),
        .title = arena_text(causes->arena, buf_cstr(&title)),
        .resource_name = arena_text(causes->arena, buf_cstr(&name)),
        .link = arena_text(causes->arena, *causes->context->portal ? link : ""),
        .points = points,
    };
}

static bool visit(void *context, const struct event *event, struct error *error)
{
    struct causes *causes = context;
    struct finding finding;
    char scratch[PART_ID_BYTES];
    (void)error;
    if ((event->kind != EVENT_OPENED && event->kind != EVENT_REOPENED) ||
        !event_finding(event, &finding, scratch))
        return true;
    if (*causes->subscription_id && strcmp(causes->subscription_id, finding.subscription_id) != 0)
        return true;
    double points = 0;
    const struct snapshot *snapshot = causes->context->snapshot;
    for (size_t i = 0; i < snapshot->sources->count && !(points > 0); i++)
        points = cost(snapshot->parts[i], &finding);
    if (points > 0)
        add_cause(causes, &finding, points);
    return true;
}

bool notification_causes(const struct notification_context *context, const char *subscription_id,
                         struct arena *arena, struct notification_block *block, struct error *error)
{
    struct causes causes = { context, arena, block, subscription_id, NULL };
    if (!context->database)
        return true;
    causes.causes = arena_zalloc(arena, NOTIFICATION_CAUSES_MAX * sizeof *causes.causes);
    block->causes = causes.causes;
    if (!ledger_history(context->database, context->snapshot->sources, context->now - WINDOW_S,
                        NULL, visit, &causes, error))
        return error_wrap(error, "findings behind a score");
    return true;
}
