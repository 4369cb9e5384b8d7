#include "alerts/report_notice.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "alerts/text/text.h"
#include "core/clock.h"
#include "core/memory.h"

#define RULE "Report"

/* --- numbers ---------------------------------------------------------------------------------- */

static const struct notification_report_row *rows_of(const struct view_report *report,
                                                     struct arena *arena, size_t *count)
{
    *count = report->count < VIEW_REPORT_GROUPS_MAX ? report->count : VIEW_REPORT_GROUPS_MAX;
    struct notification_report_row *rows = arena_alloc(arena, (*count + 1) * sizeof *rows);
    for (size_t i = 0; i < *count; i++) {
        CLEANUP(buf_finish) struct buf name = { 0 };
        const struct report_numbers *numbers = &report->groups[i].numbers;
        text_unlink(&name, report->groups[i].name);
        rows[i] = (struct notification_report_row){
            .name = arena_text(arena, buf_cstr(&name)),
            .opened = (int64_t)numbers->opened,
            .fixed = (int64_t)numbers->fixed,
            .overdue = (int64_t)numbers->overdue,
            .open = (int64_t)numbers->open,
        };
    }
    return rows;
}

/* The page of a recommendation. */
static const char *link_to(const char *external_url, const char *assessment_id, struct arena *arena)
{
    CLEANUP(buf_finish) struct buf link = { 0 };
    size_t length = strlen(external_url);
    if (!length)
        return "";
    length -= external_url[length - 1] == '/';
    buf_printf(&link, "%.*s/recommendations/%s", (int)length, external_url, assessment_id);
    return arena_text(arena, buf_cstr(&link));
}

static const struct notification_report_gain *
gains_of(const struct view_report *report, const char *external_url, struct arena *arena)
{
    struct notification_report_gain *gains =
        arena_alloc(arena, (report->cheapest_count + 1) * sizeof *gains);
    for (size_t i = 0; i < report->cheapest_count; i++) {
        const struct view_recommendation *of = report->cheapest[i];
        gains[i] = (struct notification_report_gain){
            .assessment_id = arena_text(arena, of->assessment_id),
            .title = arena_text(arena, of->title),
            .risk_level = finding_risk_words[of->risk],
            .link = link_to(external_url, of->assessment_id, arena),
            .count = (int64_t)of->count,
            .points = of->points,
        };
    }
    return gains;
}

static const struct notification_report *numbers_of(const struct settings *settings,
                                                    const struct report_plan *plan,
                                                    const struct view_report *report,
                                                    struct arena *arena)
{
    struct notification_report *told = arena_alloc(arena, sizeof *told);
    *told = (struct notification_report){
        .name = plan->config->name,
        .by = report_plan_by_words[report->by],
        .since_at = report->since,
        .until_at = report->now,
        .seen = arena_text(arena, report->seen),
        .lacking = arena_text(arena, report->lacking),
        .old = arena_text(arena, report->old),
        .whole = report->whole,
        .opened = (int64_t)report->all.opened,
        .opened_critical = (int64_t)report->all.critical,
        .fixed = (int64_t)report->all.fixed,
        .ended = (int64_t)report->all.ended,
        .open = (int64_t)report->all.open,
        .open_critical = (int64_t)report->view->by_risk[RISK_CRITICAL],
        .overdue = (int64_t)report->all.overdue,
        .score = report->score,
        .score_before = report->score_before,
        .gains = gains_of(report, settings->external_url, arena),
        .gain_count = report->cheapest_count,
    };
    told->rows = rows_of(report, arena, &told->row_count);
    told->more_rows = (int64_t)(report->count - told->row_count);
    return told;
}

/* --- words ------------------------------------------------------------------------------------ */

/* "Report weekly: 12 new (2 critical), 8 fixed, 3 overdue, score 55.6 % (+1.2)". */
static const char *title_of(const struct notification_report *report, struct arena *arena)
{
    CLEANUP(buf_finish) struct buf title = { 0 };
    buf_printf(&title, "Report %s: %lld new (%lld critical), %lld fixed, %lld overdue",
               report->name, (long long)report->opened, (long long)report->opened_critical,
               (long long)report->fixed, (long long)report->overdue);
    if (!isnan(report->score))
        buf_printf(&title, ", score %.1f %%", 100 * report->score);
    if (!isnan(report->score) && !isnan(report->score_before))
        buf_printf(&title, " (%+.1f)", 100 * (report->score - report->score_before));
    if (!report->whole)
        buf_text(&title, "; not all was looked at");
    return arena_text(arena, buf_cstr(&title));
}

/* All numbers in sentences, for receivers that show nothing else. */
static const char *text_of(const struct notification_report *report, struct arena *arena)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    char since[32], until[32];
    buf_printf(&text,
               "%.10s to %.10s: %lld new (%lld critical), %lld fixed, %lld ended for other "
               "reasons. Open now: %lld (%lld critical), overdue: %lld.",
               clock_format_rfc3339(report->since_at, since),
               clock_format_rfc3339(report->until_at, until), (long long)report->opened,
               (long long)report->opened_critical, (long long)report->fixed,
               (long long)report->ended, (long long)report->open, (long long)report->open_critical,
               (long long)report->overdue);
    if (isnan(report->score))
        buf_text(&text, " Secure score: not known.");
    else
        buf_printf(&text, " Secure score: %.1f %%.", 100 * report->score);
    buf_printf(&text, " Looked at: %s.", report->seen);
    if (*report->lacking)
        buf_printf(&text, " Not looked at, so that numbers may be short: %s.", report->lacking);
    if (*report->old)
        buf_printf(&text, " Not looked at lately, so that numbers may be old: %s.", report->old);
    return arena_text(arena, buf_cstr(&text));
}

static const struct alert *alert_of(const struct report_plan *plan, const char *title,
                                    int64_t due_at, int64_t now, struct arena *arena)
{
    char at[32];
    struct alert *alert = arena_zalloc(arena, sizeof *alert);
    *alert = (struct alert){
        .rule = RULE,
        .event = "report",
        .state = ALERT_FIRING,
        .risk = RISK_NOT_EVALUATED,
        .episode = 1,
        .starts_at = now,
        .opened_at = now,
        .reason = "",
    };
    alert_label(alert, "alertname", RULE);
    alert_label(alert, "report", plan->config->name);
    alert_label(alert, "due", arena_text(arena, clock_format_rfc3339(due_at, at)));
    alert_annotate(alert, "summary", title);
    alert_seal(alert);
    return alert;
}

void report_notice_make(const struct settings *settings, const struct report_plan *plan,
                        const char *receiver, const struct view_report *report, int64_t due_at,
                        struct arena *arena, struct notification *notification)
{
    char key[46];
    CLEANUP(buf_finish) struct buf group = { 0 };
    notification_init(notification);
    notification->reports = numbers_of(settings, plan, report, arena);
    notification->report_count = 1;
    notification->title = title_of(notification->reports, arena);
    notification->text = text_of(notification->reports, arena);
    notification->alerts = alert_of(plan, notification->title, due_at, report->now, arena);
    buf_printf(&group, "{}:{alertname=\"" RULE "\", report=\"%s\"}", plan->config->name);
    alert_dedup_key(settings->tenant_id, buf_cstr(&group), receiver, (uint32_t)due_at, key);
    notification->event = notification->alerts->event;
    notification->status = NOTIFICATION_FIRING;
    notification->risk_level = finding_risk_words[RISK_NOT_EVALUATED];
    notification->severity = finding_severity_words[SEVERITY_UNKNOWN];
    notification->receiver = receiver;
    notification->group_key = arena_text(arena, buf_cstr(&group));
    notification->dedup_key = arena_text(arena, key);
    notification->tenant_id = settings->tenant_id;
    notification->external_url = settings->external_url;
    notification->config_file = settings->config_file;
    notification->rule = RULE;
    notification->event_at = notification->made_at = report->now;
    notification->group_labels[0] = (struct match_label){ "alertname", RULE };
    notification->group_labels[1] = (struct match_label){ "report", plan->config->name };
    notification->group_label_count = 2;
    notification->alert_count = 1;
    notification->firing_count = 1;
    notification_derive(notification, arena);
}
