/* What every control lost by findings that opened lately, resource by resource. */
#include "alerts/notify/notification_score.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/notify/notification_names.h"
#include "alerts/text/quantity.h"
#include "collectors/catalogue.h"
#include "collectors/collector.h"
#include "collectors/secure_scores.h"
#include "core/hash.h"
#include "core/intern.h"
#include "core/memory.h"

enum { WINDOW_S = 24 * 3600 };
#define NO_POINTS 0.005 /* Azure rounds points to hundredths */

/* --- whose it is ---------------------------------------------------------------------------------
 */

/* The score an alert is about, as it is now, or NULL. */
static const struct secure_score *score_of(const struct notification_context *context,
                                           const struct alert *alert)
{
    const struct snapshot *snapshot = context->snapshot;
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        size_t count;
        const struct secure_score *scores = secure_scores_all(snapshot->parts[i], &count);
        for (size_t j = 0; j < count; j++)
            if (!strcmp(scores[j].subscription_id, alert_label_value(alert, "subscription_id")) &&
                !strcmp(scores[j].subject, alert_label_value(alert, "subject")))
                return &scores[j];
    }
    return NULL;
}

/* --- what happened lately --------------------------------------------------------------------- */

/* What a finding did last within the window. */
struct turn {
    struct finding_id id;
    bool opened; /* else fixed */
    double points;
    uint64_t resource;
    const char *resource_id, *assessment_id, *title, *resource_name, *link; /* in the arena */
};

struct search {
    const struct notification_context *context;
    const struct alert *alert;
    struct arena *arena;
    struct notification_block *block;
    const char *subscription_id;      /* "" = any */
    const struct secure_score *score; /* that dropped; NULL = a control, or not known */
    struct intern ids;                /* number n is turns[n - 1] */
    struct turn *turns;
    size_t count, capacity;
};

static void finish_search(struct search *search)
{
    intern_finish(&search->ids);
    free(search->turns);
}

/* The turn of a finding, or NULL. */
static struct turn *turn_of(const struct search *search, const struct finding_id *id)
{
    uint32_t number = search->count
                          ? intern_find(&search->ids, (const char *)id->bytes, sizeof id->bytes)
                          : UINT32_MAX;
    return number == UINT32_MAX ? NULL : &search->turns[number - 1];
}

static uint64_t resource_of(const struct finding *finding)
{
    return hash_bytes(finding->resource_id, strlen(finding->resource_id));
}

static bool visit(void *context, const struct event *event, struct error *error)
{
    struct search *search = context;
    struct finding view;
    char scratch[PART_ID_BYTES];
    bool opened = event->kind == EVENT_OPENED || event->kind == EVENT_REOPENED;
    bool fixed = event->kind == EVENT_RESOLVED && event->reason == REASON_FIXED;
    (void)error;
    if ((!opened && !fixed) || !event_finding(event, &view, scratch) ||
        (*search->subscription_id && strcmp(search->subscription_id, view.subscription_id) != 0))
        return true;
    uint32_t number = intern_put(&search->ids, (const char *)view.id.bytes, sizeof view.id.bytes);
    if (number > search->count) {
        MEMORY_GROW(search->turns, search->count, search->capacity);
        search->turns[search->count++] = (struct turn){
            .id = view.id,
            .resource = resource_of(&view),
            .resource_id = arena_text(search->arena, view.resource_id),
            .assessment_id = arena_text(search->arena, view.assessment_id),
            .title = notification_names_copy(view.title, search->arena),
            .resource_name = notification_names_copy(view.resource_name, search->arena),
            .link = notification_names_link(search->context, &view, search->arena),
        };
    }
    search->turns[number - 1].opened = opened;
    return true;
}

/* --- what it cost ----------------------------------------------------------------------------- */

/* An open finding that holds a resource of a control back. */
struct hold {
    uint64_t resource;
    struct turn *turn; /* NULL = it was open before */
};

struct holds {
    struct hold *holds; /* sorted by resource */
    size_t count, capacity;
};

static int compare_holds(const void *left, const void *right)
{
    const struct hold *a = left, *b = right;
    if (a->resource != b->resource)
        return a->resource < b->resource ? -1 : 1;
    if (!a->turn != !b->turn)
        return a->turn ? 1 : -1; /* what was open before comes first */
    return a->turn ? finding_id_compare(&a->turn->id, &b->turn->id) : 0;
}

static void gather(const struct search *search, const struct secure_control *control,
                   const struct part *part, struct holds *holds)
{
    const char *id = control->subscription_id;
    uint32_t subscription = intern_find(&part->strings, id, strlen(id));
    bool *counts = MEMORY_ARRAY(bool, part->assessment_count + 1);
    for (size_t i = 0; i < part->assessment_count; i++) {
        const struct catalogue_entry *entry = NULL;
        counts[i] = secure_scores_holds(control, part->assessments[i].id);
        if (counts[i])
            entry = catalogue_find(search->context->snapshot, NULL, part->assessments[i].id);
        counts[i] = counts[i] && (!entry || !entry->preview);
    }
    for (size_t i = 0; i < part->finding_count; i++) {
        struct finding view;
        char scratch[PART_ID_BYTES];
        if (part->findings[i].subscription != subscription || !counts[part->findings[i].assessment])
            continue;
        part_view(part, i, &view, scratch);
        if (!secure_scores_counts(&control->scope, view.resource_id))
            continue;
        struct turn *turn = turn_of(search, &view.id);
        MEMORY_GROW(holds->holds, holds->count, holds->capacity);
        holds->holds[holds->count++] =
            (struct hold){ resource_of(&view), turn && turn->opened ? turn : NULL };
    }
    free(counts);
}

static bool is_held(const struct holds *holds, uint64_t resource)
{
    size_t low = 0, high = holds->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        *(holds->holds[middle].resource < resource ? &low : &high) =
            middle + (holds->holds[middle].resource < resource);
    }
    return low < holds->count && holds->holds[low].resource == resource;
}

/* Each resource that only new findings hold back costs one share; each that nothing holds back any
 * more gives one. */
static void charge(const struct search *search, const struct secure_control *control,
                   const struct holds *holds)
{
    double share = control->max_points / (control->healthy + control->unhealthy);
    if (!(share > 0) || !isfinite(share))
        return;
    for (size_t i = 0, end; i < holds->count; i = end) {
        for (end = i + 1;
             end < holds->count && holds->holds[end].resource == holds->holds[i].resource;)
            end++;
        if (holds->holds[i].turn)
            holds->holds[i].turn->points += share;
    }
    CLEANUP(intern_finish) struct intern freed = { 0 };
    for (size_t i = 0; i < search->count; i++) {
        struct turn *turn = &search->turns[i];
        uint32_t known = freed.count;
        if (turn->opened || is_held(holds, turn->resource) ||
            !secure_scores_holds(control, turn->assessment_id) ||
            !secure_scores_counts(&control->scope, turn->resource_id))
            continue;
        intern_put(&freed, (const char *)&turn->resource, sizeof turn->resource);
        turn->points -= freed.count > known ? share : 0;
    }
}

/* Whether the alert is about this control, or about a score it counts for. */
static bool is_meant(const struct search *search, const struct secure_control *control)
{
    bool one = !strcmp(search->alert->event, "control.regressed");
    return (!*search->subscription_id ||
            !strcmp(control->subscription_id, search->subscription_id)) &&
           (!one || !strcmp(control->subject, alert_label_value(search->alert, "subject"))) &&
           (!search->score || !strcmp(control->scope.id, search->score->scope.id));
}

static void charge_all(struct search *search)
{
    const struct snapshot *snapshot = search->context->snapshot;
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        size_t count;
        const struct secure_control *controls = secure_scores_controls(snapshot->parts[i], &count);
        for (size_t j = 0; j < count; j++) {
            struct holds holds = { 0 };
            if (!is_meant(search, &controls[j]))
                continue;
            for (size_t k = 0; k < snapshot->sources->count; k++)
                if (snapshot->parts[k] &&
                    snapshot->parts[k]->source->collector->rows == COLLECTOR_ALL_ROWS)
                    gather(search, &controls[j], snapshot->parts[k], &holds);
            if (holds.count)
                qsort(holds.holds, holds.count, sizeof *holds.holds, compare_holds);
            charge(search, &controls[j], &holds);
            free(holds.holds);
        }
    }
}

/* --- the causes ------------------------------------------------------------------------------- */

static int compare_turns(const void *left, const void *right)
{
    const struct turn *a = left, *b = right;
    if (a->points != b->points)
        return a->points > b->points ? -1 : 1;
    return finding_id_compare(&a->id, &b->id);
}

static void put_sum(struct search *search, struct notification_cause *causes, size_t count,
                    double points, const char *one, const char *many)
{
    CLEANUP(buf_finish) struct buf title = { 0 };
    if (!count)
        return;
    buf_printf(&title, "%zu %s", count, count == 1 ? one : many);
    causes[search->block->cause_count++] = (struct notification_cause){
        .finding_id = "",
        .title = arena_text(search->arena, buf_cstr(&title)),
        .resource_name = "",
        .link = "",
        .points = points,
    };
}

/* Name the dearest; returns what all of them explain. */
static double put_causes(struct search *search)
{
    size_t others = 0, fixed = 0;
    double other_points = 0, fixed_points = 0, all = 0;
    struct notification_cause *causes =
        arena_zalloc(search->arena, (NOTIFICATION_CAUSES_MAX + 2) * sizeof *causes);
    if (search->count)
        qsort(search->turns, search->count, sizeof *search->turns, compare_turns);
    search->block->causes = causes;
    for (size_t i = 0; i < search->count; i++) {
        const struct turn *turn = &search->turns[i];
        char id[17];
        all += turn->points;
        if (turn->points < 0) {
            fixed++;
            fixed_points += turn->points;
        } else if (turn->points > 0 && search->block->cause_count == NOTIFICATION_CAUSES_MAX) {
            others++;
            other_points += turn->points;
        } else if (turn->points > 0) {
            causes[search->block->cause_count++] = (struct notification_cause){
                .finding_id = arena_text(search->arena, finding_id_text(&turn->id, id)),
                .title = turn->title,
                .resource_name = turn->resource_name,
                .link = turn->link,
                .points = turn->points,
            };
        }
    }
    put_sum(search, causes, others, other_points, "more finding", "more findings");
    put_sum(search, causes, fixed, fixed_points, "finding fixed meanwhile",
            "findings fixed meanwhile");
    return all;
}

/* fell: points, NAN = not known. */
static bool add_causes(const struct notification_context *context, const struct alert *alert,
                       double fell, struct arena *arena, struct notification_block *block,
                       struct error *error)
{
    CLEANUP(finish_search)
    struct search search = {
        .context = context,
        .alert = alert,
        .arena = arena,
        .block = block,
        .subscription_id = alert_label_value(alert, "subscription_id"),
        .score = score_of(context, alert),
    };
    if (!context->database)
        return true;
    if (!ledger_history(context->database, context->snapshot->sources, context->now - WINDOW_S,
                        NULL, visit, &search, error))
        return error_wrap(error, "findings behind a score");
    charge_all(&search);
    double rest = fell - put_causes(&search);
    block->unexplained = isfinite(rest) && fabs(rest) >= NO_POINTS ? rest : 0;
    return true;
}

/* --- titles ----------------------------------------------------------------------------------- */

/* " of GCP connector lab", " of Production" */
static void put_where(const struct notification_context *context, const struct alert *alert,
                      struct arena *arena, struct buf *out)
{
    const char *id = alert_label_value(alert, "subscription_id");
    const char *connector = alert_label_value(alert, "connector");
    enum cloud_kind cloud = cloud_kind_of(alert_label_value(alert, "cloud"), "");
    if (*connector)
        buf_printf(out, " of %s connector %s", cloud_kind_names[cloud],
                   notification_names_plain(connector, arena));
    else if (*id)
        buf_printf(out, " of %s", notification_names_subscription(context, id, arena));
}

/* " is back at 70.9 %, had fallen to 62.0 %" */
static void put_recovered(const struct secure_score *score, const struct notification_block *block,
                          struct buf *out)
{
    buf_text(out, " is back");
    if (score && isfinite(score->ratio)) {
        buf_text(out, " at ");
        quantity_write(out, score->ratio, "percent", -1);
    }
    buf_text(out, ", had fallen to ");
    quantity_write(out, block->value, "percent", -1);
}

/* The value is that of now, and not what the sentence was about. */
static void say_recovered(const struct secure_score *score, struct notification_block *block)
{
    block->what = "";
    if (!score || !isfinite(score->ratio))
        return;
    block->comparison = "recovered";
    block->value_before = block->value;
    block->value = score->ratio;
}

/* "Secure score of Production fell 1.80 points of 58 (55.6 % -> 52.5 %)". */
static double title_score(const struct notification_context *context, const struct alert *alert,
                          struct arena *arena, struct notification_block *block)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    const struct secure_score *score = score_of(context, alert);
    bool over = alert->state == ALERT_RESOLVED || !strcmp(alert->event, "score.recovered");
    double maximum = score ? score->max_points : NAN;
    double fell = (block->value_before - block->value) * maximum;
    block->metric = "secure score";
    block->unit = "percent";
    block->comparison = "fell";
    buf_text(&out, "Secure score");
    put_where(context, alert, arena, &out);
    if (over) {
        put_recovered(score, block, &out);
        say_recovered(score, block);
    } else {
        buf_text(&out, " fell");
        if (isfinite(fell)) {
            buf_char(&out, ' ');
            quantity_write(&out, fell, "points", -1);
            buf_text(&out, " points of ");
            buf_number(&out, maximum);
        }
        buf_text(&out, " (");
        buf_printf(&out, "%.1f -> %.1f %%)", 100 * block->value_before, 100 * block->value);
    }
    block->title = arena_text(arena, buf_cstr(&out));
    return fell;
}

/* "Control Restrict network access of Production lost 0.50 of 4.00 points". */
static double title_control(const struct notification_context *context, const struct alert *alert,
                            struct arena *arena, struct notification_block *block)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    double fell = block->value_before - block->value;
    block->metric = "control points";
    block->unit = "points";
    block->comparison = "fell";
    block->control = notification_names_subject(context, alert, arena);
    buf_printf(&out, "Control %s", block->control);
    put_where(context, alert, arena, &out);
    buf_text(&out, " lost ");
    quantity_compare(&out, fell, " of ", block->value_before, "points");
    buf_text(&out, " points");
    block->title = arena_text(arena, buf_cstr(&out));
    return fell;
}

bool notification_score(const struct notification_context *context, const struct alert *alert,
                        struct arena *arena, struct notification_block *block, struct error *error)
{
    bool control = !strcmp(alert->event, "control.regressed");
    double fell = control ? title_control(context, alert, arena, block)
                          : title_score(context, alert, arena, block);
    if (alert->state == ALERT_RESOLVED || !strcmp(alert->event, "score.recovered"))
        return true;
    return add_causes(context, alert, fell, arena, block, error);
}
