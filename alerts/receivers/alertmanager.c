#include "alerts/receivers/alertmanager.h"

#include <stdio.h>
#include <string.h>

#include "alerts/receivers/layout_number.h"
#include "alerts/rules/notification_silence.h"
#include "alerts/rules/notification_words.h"
#include "alerts/text/text.h"
#include "core/clock.h"

enum {
    BODY_BYTES = 256 * 1024,
    LONG_POINTS = 4000, /* description and remediation of a single alert ... */
    SHORT_POINTS = 400, /* ... and of each of several; a quarter of it for reasons */
    REFRESH_S = 60,
};

/* clang-format off */
const struct option alertmanager_options[] = {
    { "urls", OPTION_TEXT_LIST(struct alertmanager_config, urls), .required = true,
      .help = "Base URL of every replica, not of a load balancer." },
    { "http", OPTION_SECTION(struct alertmanager_config, http),
      .section = receiver_http_options, .help = "How to connect." },
    { 0 }
};
/* clang-format on */

/* --- an alert as Alertmanager shows it -------------------------------------------------------- */
static const struct notification_resource *resource_of(const struct notification *notification,
                                                       const struct alert *alert)
{
    const char *id = alert_label_value(alert, "finding_id");
    for (size_t i = 0; i < notification->resource_count; i++)
        if (*id && !strcmp(notification->resources[i].finding_id, id))
            return &notification->resources[i];
    return NULL;
}

/* The block that tells of an alert: its finding's, its recommendation's, its own; else the first.
 */
static const struct notification_block *block_of(const struct notification *notification,
                                                 const struct alert *alert)
{
    static const struct notification_block none = {
        .rule = "",
        .fingerprint = "",
        .title = "",
        .what = "",
        .description = "",
        .remediation = "",
        .threats = "",
        .risk_factors = "",
        .attack_path_names = "",
        .found = "",
        .expected = "",
        .careful = "",
        .metric = "",
    };
    const char *key = alert_label_value(alert, "assessment_id");
    for (size_t i = 0; i < notification->block_count; i++) {
        const struct notification_block *block = &notification->blocks[i];
        if (alert->has_finding ? *key && !strcmp(block->assessment_id, key)
                               : !strcmp(block->fingerprint, alert->fingerprint))
            return block;
    }
    return notification->block_count ? notification->blocks : &none;
}

/* An alert's own finding in the portal; "" when it has none, or its resource is not named. */
static const char *portal_of(const struct notification *notification, const struct alert *alert)
{
    const struct notification_resource *resource = resource_of(notification, alert);
    return resource ? resource->link : "";
}

/* The same, or this program. */
static const char *link_of(const struct notification *notification, const struct alert *alert)
{
    const char *portal = portal_of(notification, alert);
    return *portal ? portal : notification->external_url;
}

/* The id of an alert's resource: its native one, else that of Azure; "" = not known. */
static const char *resource_id_of(const struct notification *notification,
                                  const struct alert *alert)
{
    const struct notification_resource *resource = resource_of(notification, alert);
    return !resource ? "" : *resource->native_id ? resource->native_id : resource->id;
}

/* Who changed an alert's resource around then. */
static const char *changed(const struct notification *notification, const struct alert *alert,
                           struct arena *arena)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    const struct notification_resource *resource = resource_of(notification, alert);
    if (resource)
        notification_words_changes(resource, 0, &text);
    return arena_text(arena, buf_cstr(&text));
}

static const char *instant(int64_t at, struct arena *arena)
{
    char text[32] = "";
    if (at)
        clock_format_rfc3339(at, text);
    return arena_text(arena, text);
}

static const char *cut(const char *text, size_t points, struct arena *arena)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    text_cut(&out, text, points);
    return arena_text(arena, buf_cstr(&out));
}

/* A set of labels under which Alertmanager was told of an alert before. */
static bool is_relabelled(const struct alert *alert)
{
    return !strcmp(alert->reason, ALERT_RELABELLED);
}

/* Whether the notification is about one alert. */
static bool is_alone(const struct notification *notification)
{
    size_t count = 0;
    for (size_t i = 0; i < notification->alert_count; i++)
        count += !is_relabelled(&notification->alerts[i]);
    return count == 1;
}

static const char *summary(const struct notification *notification, const struct alert *alert,
                           const struct notification_block *block, struct arena *arena)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    const char *resource = alert_label_value(alert, "resource_name");
    if (is_alone(notification) || !*block->title)
        return notification->title;
    buf_text(&out, notification->test ? "[TEST] " : "");
    if (alert->has_finding)
        buf_printf(&out, "%s: ",
                   alert->state == ALERT_RESOLVED
                       ? notification_words_ended(alert->reason)
                       : notification_words_risk(finding_risk_words[alert->risk]));
    buf_text(&out, block->title);
    if (*resource)
        buf_printf(&out, " on %s", resource);
    return arena_text(arena, buf_cstr(&out));
}

/* How this alert alone is silenced; what silences the message may cover others. */
static const char *silence(const struct notification *notification, const struct alert *alert,
                           struct arena *arena)
{
    CLEANUP(buf_finish) struct buf program = { 0 };
    CLEANUP(buf_finish) struct buf command = { 0 };
    if (alert->state == ALERT_RESOLVED)
        return "";
    if (is_alone(notification))
        return notification->silence_command;
    if (notification->silences_limited)
        return ""; /* which alerts may be silenced is not known here */
    notification_silence_own(notification->config_file, &program);
    notification_silence(buf_cstr(&program), NULL, NULL, alert, 1, &command);
    return arena_text(arena, buf_cstr(&command));
}

/* What is wrong; of what ended, what that means. */
static const char *description(const struct notification *notification, const struct alert *alert,
                               const struct notification_block *block)
{
    const char *meaning = notification_words_meaning(alert->reason);
    if (alert->state == ALERT_RESOLVED)
        return is_alone(notification) ? notification->text : meaning;
    return *block->description ? block->description
           : *block->what      ? block->what
                               : notification->text;
}

static const char *why(const struct notification_block *block, struct arena *arena)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    layout_why(block, &out);
    return arena_text(arena, buf_cstr(&out));
}

/* What is behind a number, a line each. */
static const char *behind(const struct notification *notification,
                          const struct notification_block *block, struct arena *arena)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    struct layout *layout = arena_zalloc(arena, sizeof *layout);
    if (*block->metric)
        layout_number_sections(block, notification->made_at, arena, layout);
    for (size_t i = 0; i < layout->section_count; i++) {
        const struct layout_section *section = &layout->sections[i];
        buf_printf(&out, "%s%s", i ? "\n" : "", section->title);
        for (size_t j = 0; j < section->item_count; j++)
            buf_printf(&out, "\n- %s %s", section->items[j].text, section->items[j].link);
    }
    return arena_text(arena, buf_cstr(&out));
}

/* The alert with everything the notification knows as annotations; its own win. */
static struct alert explained(const struct notification *notification, const struct alert *alert,
                              struct arena *arena)
{
    struct alert out = *alert;
    char number[32];
    size_t points = is_alone(notification) ? LONG_POINTS : SHORT_POINTS;
    const struct notification_block *block = block_of(notification, alert);
    bool open = alert->state != ALERT_RESOLVED;
    snprintf(number, sizeof number, "%.2f", block->points);
    const struct match_label known[] = {
        { "summary", summary(notification, alert, block, arena) },
        { "description", cut(description(notification, alert, block), points, arena) },
        { "why", open ? cut(why(block, arena), points / 4, arena) : "" },
        { "threats", open ? cut(block->threats, points / 4, arena) : "" },
        { "findings", open ? behind(notification, block, arena) : "" },
        { "recommendation", alert->has_finding ? block->title : "" },
        { "remediation", open ? cut(block->remediation, points, arena) : "" },
        { "resource_id", resource_id_of(notification, alert) },
        { "portal_url", portal_of(notification, alert) },
        { "runbook_url", notification->runbook_url },
        { "held_back", notification->held_back },
        { "risk_factors", cut(block->risk_factors, points / 4, arena) },
        { "changed", changed(notification, alert, arena) },
        { "found", block->found },
        { "expected", block->expected },
        { "careful", open ? block->careful : "" },
        { "points_to_gain", open && block->points > 0 ? arena_text(arena, number) : "" },
        { "opened_at", instant(alert->opened_at, arena) },
        { "due_at", open ? instant(alert->due_at, arena) : "" },
        { "reason", open ? "" : notification_words_ending(alert->reason) },
        { "silence", silence(notification, alert, arena) },
    };
    for (size_t i = 0; i < ARRAY_COUNT(known); i++)
        if (!*alert_annotation_value(alert, known[i].name))
            alert_annotate(&out, known[i].name, known[i].value);
    return out;
}

static void add_labels(struct json_writer *writer, const char *name,
                       const struct match_label *labels, size_t count)
{
    json_open(writer, name, '{');
    for (size_t i = 0; i < count; i++)
        json_add_text(writer, labels[i].name, labels[i].value);
    json_close(writer, '}');
}

static void add_instant(struct json_writer *writer, const char *name, int64_t at)
{
    char text[32];
    json_add_text(writer, name, at ? clock_format_rfc3339(at, text) : "0001-01-01T00:00:00Z");
}

static void add_alert(struct json_writer *writer, const struct notification *notification,
                      const struct alert *alert, int64_t ends_at)
{
    add_labels(writer, "labels", alert->labels, alert->label_count);
    add_labels(writer, "annotations", alert->annotations, alert->annotation_count);
    add_instant(writer, "startsAt", alert->starts_at);
    add_instant(writer, "endsAt", ends_at);
    json_add_text(writer, "generatorURL", link_of(notification, alert));
}

/* --- POST /api/v2/alerts ---------------------------------------------------------------------- */
static void write_alert(const struct receiver_context *context,
                        const struct notification *notification, const struct alert *alert,
                        struct json_writer *writer)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct alert whole = is_relabelled(alert) ? *alert : explained(notification, alert, &arena);
    int64_t ends_at = whole.state == ALERT_RESOLVED ? whole.ends_at : context->ends_at;
    if (ends_at < whole.starts_at) /* refused: the clock stepped back */
        ends_at = whole.starts_at;
    json_open(writer, NULL, '{');
    add_alert(writer, notification, &whole, ends_at);
    json_close(writer, '}');
}

/* What ends because its labels are others now comes before what they are. */
static void write_alerts(const void *config, const struct receiver_context *context,
                         const struct notification *notification, struct buf *out)
{
    struct json_writer writer = { .out = out };
    (void)config;
    json_open(&writer, NULL, '[');
    for (int relabelled = 1; relabelled >= 0; relabelled--)
        for (size_t i = 0; i < notification->alert_count; i++)
            if (is_relabelled(&notification->alerts[i]) == relabelled)
                write_alert(context, notification, &notification->alerts[i], &writer);
    json_close(&writer, ']');
}

static bool build(const void *config, const struct receiver_context *context,
                  struct notification *notification, struct receiver_request *request,
                  struct error *error)
{
    const struct alertmanager_config *alertmanager = config;
    if (context->target < 0 || (size_t)context->target >= alertmanager->urls.count)
        return error_set(error, ERROR_CONFIG, "replica %d is not configured any more",
                         context->target + 1);
    CLEANUP(buf_finish) struct buf url = { 0 };
    const char *base = alertmanager->urls.texts[context->target];
    size_t length = strlen(base);
    while (length && base[length - 1] == '/')
        length--;
    buf_append(&url, base, length);
    buf_text(&url, "/api/v2/alerts");
    receiver_prepare(request, &alertmanager->http, buf_cstr(&url), "application/json");
    return receiver_fit(config, context, notification, write_alerts, NULL, BODY_BYTES, request,
                        error) &&
           receiver_seal(request);
}

static struct receiver_verdict classify(const struct http_response *response,
                                        const struct error *error)
{
    static const struct receiver_answers answers = { .reads_body = true };
    return receiver_judge(&answers, response, error);
}

static size_t targets(const void *config)
{
    const struct alertmanager_config *alertmanager = config;
    return alertmanager->urls.count;
}

static void check(const void *config, const char *file, int line, struct option_report *report)
{
    const struct alertmanager_config *alertmanager = config;
    receiver_check(&alertmanager->http, file, line, report);
    if (!alertmanager->urls.count || alertmanager->urls.count > RECEIVER_TARGETS_MAX)
        options_complain(report, file, line, "urls", "needs one to %d", RECEIVER_TARGETS_MAX);
    for (size_t i = 0; i < alertmanager->urls.count; i++)
        receiver_check_url(&alertmanager->http, "urls", alertmanager->urls.texts[i], file,
                           options_line(&alertmanager->urls, i), report);
}

static const char *no_reports(const void *config)
{
    (void)config;
    return "an Alertmanager takes alerts, and a report is none";
}

const struct receiver_kind alertmanager_kind = {
    .name = "alertmanager",
    .help = "Prometheus Alertmanager, every replica.",
    .options = alertmanager_options,
    .config_bytes = sizeof(struct alertmanager_config),
    .alerts_max = ALERTMANAGER_ALERTS_MAX,
    .refresh_s = REFRESH_S,
    .expires_s = RECEIVER_PAGER_EXPIRES_S,
    .rate = 20,
    .burst = 100,
    .targets = targets,
    .no_reports = no_reports,
    .check = check,
    .build = build,
    .classify = classify,
};

/* --- webhook body, version 4 ------------------------------------------------------------------ */
/* Keep of `common` what the other list has alike. */
static void intersect(struct match_label *common, size_t *count, const struct match_label *other,
                      size_t other_count)
{
    size_t kept = 0;
    for (size_t i = 0; i < *count; i++)
        for (size_t j = 0; j < other_count; j++)
            if (!strcmp(common[i].name, other[j].name) && !strcmp(common[i].value, other[j].value))
                common[kept++] = common[i];
    *count = kept;
}

static void add_common(struct json_writer *writer, const struct alert *alerts, size_t count)
{
    struct alert common = count ? alerts[0] : (struct alert){ 0 };
    for (size_t i = 1; i < count; i++) {
        intersect(common.labels, &common.label_count, alerts[i].labels, alerts[i].label_count);
        intersect(common.annotations, &common.annotation_count, alerts[i].annotations,
                  alerts[i].annotation_count);
    }
    add_labels(writer, "commonLabels", common.labels, common.label_count);
    add_labels(writer, "commonAnnotations", common.annotations, common.annotation_count);
}

/* Alertmanager's words for why it notifies; source: its version 0.33. */
static const char *reason_of(const struct notification *notification)
{
    if (notification->status == NOTIFICATION_RESOLVED)
        return "all alerts resolved";
    if (notification->repeat)
        return "repeat interval elapsed";
    return notification->resolved_count ? "some alerts resolved" : "new alerts added";
}

void alertmanager_write_group(const struct notification *notification, const char *receiver,
                              size_t max_alerts, struct buf *out)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    size_t count = max_alerts && max_alerts < notification->alert_count ? max_alerts
                                                                        : notification->alert_count;
    struct alert *alerts = arena_zalloc(&arena, (notification->alert_count + 1) * sizeof *alerts);
    struct json_writer writer = { .out = out };
    for (size_t i = 0; i < notification->alert_count; i++)
        alerts[i] = explained(notification, &notification->alerts[i], &arena);
    json_open(&writer, NULL, '{');
    json_add_text(&writer, "version", "4");
    json_add_text(&writer, "groupKey", notification->group_key);
    json_add_integer(&writer, "truncatedAlerts",
                     (int64_t)(notification->alert_count - count) + notification->left_out_count);
    json_add_text(&writer, "status", notification_status_words[notification->status]);
    json_add_text(&writer, "receiver", receiver);
    json_add_text(&writer, "notification_reason", reason_of(notification));
    add_labels(&writer, "groupLabels", notification->group_labels, notification->group_label_count);
    add_common(&writer, alerts, notification->alert_count);
    json_open(&writer, "routeLabels", '{');
    json_close(&writer, '}');
    json_add_text(&writer, "externalURL", notification->external_url);
    json_open(&writer, "alerts", '[');
    for (size_t i = 0; i < count; i++) {
        json_open(&writer, NULL, '{');
        json_add_text(&writer, "status", alert_state_words[alerts[i].state]);
        add_alert(&writer, notification, &alerts[i], alerts[i].ends_at);
        json_add_text(&writer, "fingerprint", alerts[i].fingerprint);
        json_close(&writer, '}');
    }
    json_close(&writer, ']');
    if (notification->test)
        json_add_bool(&writer, "test", true);
    json_close(&writer, '}');
}
