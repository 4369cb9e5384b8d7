#include "alerts/receivers/pagerduty.h"

#include <string.h>

#include "alerts/receivers/layout.h"
#include "alerts/text/text.h"
#include "core/clock.h"

enum {
    BODY_BYTES = 512000,
    SUMMARY_POINTS = 1024,
    KEY_CHARACTERS = 32,
    FIELD_POINTS = 1024,
};

static const char *const regions[] = { "us", "eu", NULL };
static const char *const dedups[] = { "finding", "group", NULL };
static const char *const bases[] = { "https://events.pagerduty.com",
                                     "https://events.eu.pagerduty.com" };
static const char *const severities[] = { "critical", "error", "warning", "info", NULL };

static const char *check_key(const void *value)
{
    const char *text = secret_text(value);
    return text && strlen(text) != KEY_CHARACTERS ? "not 32 characters" : NULL;
}

/* clang-format off */
const struct option pagerduty_options[] = {
    { "routing_key", OPTION_SECRET(struct pagerduty_config, routing_key),
      .required = true, .check = check_key, .help = "Integration key, Events API v2." },
    { "region", OPTION_WORD(struct pagerduty_config, region), .otherwise = "us",
      .words = regions, .help = "Service region of the account." },
    { "url", OPTION_URL(struct pagerduty_config, url),
      OPTION_LINE(struct pagerduty_config, url_line),
      .help = "Base URL instead of the region's, for relays." },
    { "dedup", OPTION_WORD(struct pagerduty_config, dedup), .otherwise = "finding",
      .words = dedups, .help = "One incident for each finding (or other alert), or for each group "
      "of the route: there a new member wakes nobody." },
    { "change_events", OPTION_BOOL(struct pagerduty_config, change_events),
      .otherwise = "true",
      .help = "First-run summaries, changed recommendations and exemptions become change events." },
    { "severity_map", OPTION_TEXT_MAP(struct pagerduty_config, severity_map),
      .help = "Risk level to critical, error, warning or info." },
    { "http", OPTION_SECTION(struct pagerduty_config, http),
      .section = receiver_http_options, .help = "How to connect." },
    { 0 }
};
/* clang-format on */

static int index_of(const char *const *words, const char *text)
{
    for (int i = 0; words[i]; i++)
        if (!strcmp(words[i], text))
            return i;
    return -1;
}

/* Which of the severities a level is, a risk level or a word of PagerDuty's; -1 = neither. */
static int rank_of(const struct pagerduty_config *config, const char *level)
{
    static const int ranks[] = { 0, 1, 2, 3, 3 };
    for (size_t i = 0; i < config->severity_map.count; i++)
        if (!strcmp(config->severity_map.pairs[i].name, level))
            return index_of(severities, config->severity_map.pairs[i].value);
    int risk = index_of(finding_risk_words, level);
    return risk >= 0 ? ranks[risk] : index_of(severities, level);
}

/* By the risk level, also of an alert that is about no finding; where it has none, the worst label
 * severity of what fires. */
static const char *severity_of(const struct pagerduty_config *config,
                               const struct notification *notification)
{
    const char *not_evaluated = finding_risk_words[RISK_NOT_EVALUATED];
    int risk = rank_of(config, notification->risk_level);
    if (risk >= 0 &&
        (notification->resource_total || strcmp(notification->risk_level, not_evaluated) != 0))
        return severities[risk];
    int worst = rank_of(config, notification->severity);
    for (size_t i = 0; i < notification->alert_count; i++) {
        const struct alert *alert = &notification->alerts[i];
        int rank = rank_of(config, alert_label_value(alert, "severity"));
        if (alert->state != ALERT_RESOLVED && rank >= 0 && (worst < 0 || rank < worst))
            worst = rank;
    }
    return worst < 0 ? "warning" : severities[worst];
}

/* What is for the timeline and wakes nobody. The end of an exemption is none of it: the finding is
 * open again. */
static bool is_change(const struct pagerduty_config *config,
                      const struct notification *notification)
{
    static const char *const events[] = { "ruler.changed", "finding.exempted", NULL };
    bool first_run = !strcmp(notification->event, "digest") && !notification->count_count;
    return config->change_events && notification->status == NOTIFICATION_FIRING &&
           (first_run || index_of(events, notification->event) >= 0);
}

static void add_cut(struct json_writer *writer, const char *name, const char *text, size_t points)
{
    CLEANUP(buf_finish) struct buf cut = { 0 };
    if (!*text)
        return;
    text_cut(&cut, text, points);
    json_add_text(writer, name, buf_cstr(&cut));
}

/* --- details ---------------------------------------------------------------------------------- */
static void add_section(struct json_writer *writer, const struct layout_section *section)
{
    CLEANUP(buf_finish) struct buf lines = { 0 };
    for (size_t i = 0; i < section->item_count; i++) {
        buf_printf(&lines, "%s%s", i ? "\n" : "", section->items[i].text);
        if (*section->items[i].link)
            buf_printf(&lines, " %s", section->items[i].link);
    }
    json_add_text(writer, section->title, section->item_count ? buf_cstr(&lines) : section->text);
}

static void add_details(struct json_writer *writer, const struct notification *notification)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct layout layout;
    layout_make(notification, &arena, &layout);
    json_open(writer, "custom_details", '{');
    json_add_integer(writer, "firing", notification->firing_count);
    json_add_integer(writer, "resolved", notification->resolved_count);
    if (*layout.text)
        json_add_text(writer, "text", layout.text);
    for (size_t i = 0; i < layout.fact_count; i++)
        json_add_text(writer, layout.facts[i].name, layout.facts[i].text);
    for (size_t i = 0; i < layout.section_count; i++)
        add_section(writer, &layout.sections[i]);
    if (*notification->silence_command)
        json_add_text(writer, "silence", notification->silence_command);
    if (*notification->silence_amtool)
        json_add_text(writer, "silence_amtool", notification->silence_amtool);
    if (notification->truncated)
        json_add_bool(writer, "truncated", true);
    if (notification->test)
        json_add_bool(writer, "test", true);
    json_close(writer, '}');
}

/* How it ended. */
static void add_reason(struct json_writer *writer, const struct notification *notification)
{
    json_open(writer, "custom_details", '{');
    if (*notification->reason)
        json_add_text(writer, "Closed because", notification->reason);
    if (*notification->held_back)
        json_add_text(writer, "Held back", notification->held_back);
    json_add_integer(writer, "resolved", notification->resolved_count);
    json_close(writer, '}');
}

/* --- body ------------------------------------------------------------------------------------- */
static const char *source_of(const struct notification *notification)
{
    const char *names[] = { notification->resource_name, notification->subscription_name,
                            notification->tenant_id };
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        if (*names[i])
            return names[i];
    return "Microsoft Defender for Cloud";
}

/* The group the alert belongs to, in names: what incidents can be grouped by. */
static void add_group(struct json_writer *writer, const struct notification *notification)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    for (size_t i = 0; i < notification->group_label_count; i++) {
        const char *value = notification->group_labels[i].value;
        if (!strcmp(value, notification->subscription_id))
            value = notification->subscription_name;
        else if (!strcmp(value, notification->assessment_id))
            value = notification->assessment_title;
        if (*value)
            buf_printf(&text, "%s%s", text.length ? ", " : "", value);
    }
    add_cut(writer, "group", text.length ? buf_cstr(&text) : notification->subscription_name,
            FIELD_POINTS);
}

static void add_payload(struct json_writer *writer, const struct pagerduty_config *config,
                        const struct notification *notification)
{
    char at[32];
    json_open(writer, "payload", '{');
    add_cut(writer, "summary", notification->title, SUMMARY_POINTS);
    add_cut(writer, "source", source_of(notification), FIELD_POINTS);
    json_add_text(writer, "timestamp", clock_format_rfc3339(notification->event_at, at));
    if (!is_change(config, notification)) {
        json_add_text(writer, "severity", severity_of(config, notification));
        add_cut(writer, "component", notification->resource_type, FIELD_POINTS);
        add_group(writer, notification);
        add_cut(writer, "class", notification->category, FIELD_POINTS);
    }
    if (notification->status == NOTIFICATION_RESOLVED)
        add_reason(writer, notification);
    else
        add_details(writer, notification);
    json_close(writer, '}');
}

static void add_links(struct json_writer *writer, const struct notification *notification)
{
    const struct layout_item links[] = { { "Open in the Azure portal", notification->link },
                                         { "Runbook", notification->runbook_url } };
    json_open(writer, "links", '[');
    for (size_t i = 0; i < ARRAY_COUNT(links); i++) {
        if (!*links[i].link)
            continue;
        json_open(writer, NULL, '{');
        json_add_text(writer, "href", links[i].link);
        json_add_text(writer, "text", links[i].text);
        json_close(writer, '}');
    }
    json_close(writer, ']');
}

static void write_body(const void *kind_config, const struct receiver_context *context,
                       const struct notification *notification, struct buf *out)
{
    const struct pagerduty_config *config = kind_config;
    struct json_writer writer = { .out = out };
    bool change = is_change(config, notification),
         resolved = notification->status == NOTIFICATION_RESOLVED;
    (void)context;
    json_open(&writer, NULL, '{');
    json_add_text(&writer, "routing_key", secret_text(&config->routing_key));
    if (!change) {
        json_add_text(&writer, "event_action", resolved ? "resolve" : "trigger");
        json_add_text(&writer, "dedup_key", notification->dedup_key);
    }
    add_payload(&writer, config, notification);
    if (!resolved)
        add_links(&writer, notification);
    if (!resolved && !change) {
        json_add_text(&writer, "client", "defender_exporter");
        if (*notification->external_url)
            json_add_text(&writer, "client_url", notification->external_url);
    }
    json_close(&writer, '}');
}

static bool build(const void *config, const struct receiver_context *context,
                  struct notification *notification, struct receiver_request *request,
                  struct error *error)
{
    const struct pagerduty_config *pagerduty = config;
    CLEANUP(buf_finish) struct buf url = { 0 };
    buf_text(&url, pagerduty->url ? pagerduty->url : bases[pagerduty->region]);
    buf_text(&url, is_change(pagerduty, notification) ? "/v2/change/enqueue" : "/v2/enqueue");
    receiver_prepare(request, &pagerduty->http, buf_cstr(&url), "application/json");
    return receiver_fit(config, context, notification, write_body, NULL, BODY_BYTES, request,
                        error) &&
           receiver_seal(request);
}

static struct receiver_verdict classify(const struct http_response *response,
                                        const struct error *error)
{
    static const struct receiver_answers answers = { .reads_body = true };
    return receiver_judge(&answers, response, error);
}

static void check(const void *config, const char *file, int line, struct option_report *report)
{
    const struct pagerduty_config *pagerduty = config;
    receiver_check(&pagerduty->http, file, line, report);
    receiver_check_url(&pagerduty->http, "url", pagerduty->url, file, pagerduty->url_line, report);
    for (size_t i = 0; i < pagerduty->severity_map.count; i++) {
        const struct option_pair *pair = &pagerduty->severity_map.pairs[i];
        if (index_of(finding_risk_words, pair->name) < 0)
            options_complain(report, file, pair->line, "severity_map", "no risk level: %s",
                             pair->name);
        if (index_of(severities, pair->value) < 0)
            options_complain(report, file, pair->line, "severity_map",
                             "%s is not critical, error, warning or info", pair->value);
    }
}

static enum receiver_incidents incidents(const void *config)
{
    const struct pagerduty_config *pagerduty = config;
    return pagerduty->dedup == PAGERDUTY_BY_GROUP ? RECEIVER_GROUP_INCIDENTS
                                                  : RECEIVER_ALERT_INCIDENTS;
}

static const char *no_reports(const void *config)
{
    (void)config;
    return "PagerDuty pages people, and a report is no incident";
}

/* source of the rate: PagerDuty, Events API limits: 120 a minute for each integration key. */
const struct receiver_kind pagerduty_kind = {
    .name = "pagerduty",
    .help = "PagerDuty, Events API v2.",
    .options = pagerduty_options,
    .config_bytes = sizeof(struct pagerduty_config),
    .expires_s = RECEIVER_PAGER_EXPIRES_S,
    .rate = 1.5,
    .burst = 20,
    .incidents = incidents,
    .no_reports = no_reports,
    .check = check,
    .build = build,
    .classify = classify,
};
