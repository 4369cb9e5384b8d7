#include "exporter/pages/told.h"

#include <string.h>

#include "alerts/notify/notification_settings.h"
#include "alerts/rules/attribute.h"
#include "alerts/rules/notification_words.h"
#include "alerts/text/html.h"
#include "collectors/attack_paths_across.h"
#include "collectors/baselines_explain.h"
#include "collectors/catalogue.h"
#include "collectors/governance.h"
#include "collectors/secure_scores.h"
#include "collectors/subscriptions.h"

/* --- what a message would say ----------------------------------------------------------------- */

static void make_alert(const struct told_finding *told, struct attribute_names *names,
                       struct alert *alert, struct arena *arena)
{
    *alert = (struct alert){
        .rule = "",
        .event = told->open ? "finding.opened" : "finding.resolved",
        .state = told->open ? ALERT_FIRING : ALERT_RESOLVED,
        .risk = told->finding.risk,
        .has_finding = true,
        .finding_id = told->finding.id,
        .episode = 1,
        .starts_at = told->opened_at,
        .ends_at = told->ended_at,
        .opened_at = told->opened_at,
        .due_at = told->due_at,
        .reason = told->reason,
    };
    alert_label_finding(alert, &told->finding, arena);
    attribute_put(names, &told->finding, alert);
}

const struct notification_block *told_block(const struct page *page,
                                            const struct told_context *context,
                                            const struct told_finding *findings, size_t count,
                                            struct error *error)
{
    const struct settings *settings = context->settings;
    struct notification_context building = notification_settings(settings);
    building.snapshot = context->view->snapshot;
    building.database = context->database;
    building.external_url = ""; /* links lead to us */
    building.now = page->now;
    struct alert *alerts = arena_zalloc(page->arena, count * sizeof *alerts);
    struct notification *notification = arena_zalloc(page->arena, sizeof *notification);
    struct attribute_names names = { .snapshot = building.snapshot };
    size_t firing = 0;
    for (size_t i = 0; i < count; i++) {
        make_alert(&findings[i], &names, &alerts[i], page->arena);
        firing += findings[i].open;
    }
    const struct notification_subject subject = {
        .receiver = "",
        .group_key = "",
        .event = firing ? "finding.opened" : "finding.resolved",
        .alerts = alerts,
        .alert_count = count,
        .firing_count = (int64_t)firing,
        .resolved_count = (int64_t)(count - firing),
        .dedup_key = "",
        .episode = 1,
    };
    if (!notification_build(&building, &subject, page->arena, notification, error))
        return NULL;
    if (notification->block_count)
        return &notification->blocks[0];
    error_set(error, ERROR_NOT_FOUND, "nothing is known of it");
    return NULL;
}

/* --- on a page -------------------------------------------------------------------------------- */

void told_fact(struct page *page, const char *name, const char *text)
{
    if (!*text)
        return;
    buf_printf(page->out, "<dt>%s</dt><dd>", name);
    page_text(page, text);
    page_html(page, "</dd>\n");
}

/* The control of a finding, leading to its page. */
static void append_control(struct page *page, const struct finding *finding, const char *text)
{
    const struct secure_control *control = secure_scores_control_of(page->snapshot, finding);
    if (!control || !*text) {
        told_fact(page, "Control", text);
        return;
    }
    page_html(page, "<dt>Control</dt><dd>");
    page_link(page, "/controls?id=", control->id, true, text);
    page_html(page, "</dd>\n");
}

void told_facts(struct page *page, const struct finding *finding,
                const struct notification_block *block)
{
    const struct {
        const char *name, *text;
    } facts[] = {
        { "Benchmark", block->benchmark },
        { "Category", block->category },
        { "Risk factors", block->risk_factors },
        { "Attack paths", block->attack_path_names },
        { "Effort", block->effort },
        { "Impact on users", block->user_impact },
        { "Found", block->found },
        { "Expected", block->expected },
        { "Vulnerabilities", block->vulnerabilities },
    };
    append_control(page, finding, block->control);
    for (size_t i = 0; i < ARRAY_COUNT(facts); i++)
        told_fact(page, facts[i].name, facts[i].text);
}

/* HTML as Azure writes it; "" = nothing is known. */
struct texts {
    const char *description, *remediation;
};

static struct texts texts_of(const struct snapshot *snapshot, const struct finding *finding,
                             struct arena *arena)
{
    struct baselines_explained rule;
    const struct catalogue_entry *known = catalogue_find(snapshot, NULL, finding->assessment_id);
    const struct attack_path *path = attack_paths_across_find(snapshot, &finding->id);
    if (baselines_explain(snapshot, finding, arena, &rule))
        return (struct texts){ rule.description, rule.remediation };
    if (path)
        return (struct texts){ path->description, path->remediation };
    return known ? (struct texts){ known->description, known->remediation }
                 : (struct texts){ "", "" };
}

/* A section: HTML of others made clean, or where there is none a text. */
static void append_section(struct page *page, const char *title, const char *html, const char *text)
{
    if (!*html && !*text)
        return;
    page_heading(page, title);
    page_html(page, *html ? "<div class=\"prose\">\n" : "<p class=\"prose\">");
    if (*html)
        html_convert(html, strlen(html), HTML_TO_CLEAN, page->out);
    else
        page_text(page, text);
    page_html(page, *html ? "</div>\n" : "</p>\n");
}

void told_sections(struct page *page, const struct told_context *context,
                   const struct finding *finding, const struct notification_block *block)
{
    const struct texts texts = texts_of(context->view->snapshot, finding, page->arena);
    append_section(page, "What is wrong", *block->what ? "" : texts.description,
                   *block->what ? block->what : block->description);
    append_section(page, "Why it matters", "", block->threats);
    append_section(page, "How to fix it", texts.remediation, block->remediation);
    append_section(page, "With care", "", block->careful);
}

const char *told_owner(const struct told_context *context, const struct finding *finding)
{
    struct governance found = { .owner = "" };
    bool known;
    if (context->settings->config->governance_owner)
        governance_find(context->view->snapshot, finding->subscription_id, &finding->id, &found,
                        &known);
    return found.owner;
}

void told_links(struct page *page, const struct notification_block *block)
{
    for (size_t i = 0; i < block->link_count; i++) {
        page_html(page, i ? " \u00b7 <a href=\"" : "<p><a href=\"");
        page_text(page, block->links[i].url);
        page_html(page, "\">");
        page_text(page, block->links[i].text);
        page_html(page, "</a>");
    }
    page_html(page, block->link_count ? "</p>\n" : "");
}

void told_recommendation(struct page *page, const struct view_recommendation *recommendation)
{
    page_link(page, "/recommendations/", recommendation->assessment_id, true,
              *recommendation->title ? recommendation->title : recommendation->assessment_id);
}

const char *told_resource_name(const struct page *page, const char *resource_id)
{
    static const char head[] = "/subscriptions/";
    const char *slash = strrchr(resource_id, '/');
    const struct subscription *known =
        strncmp(resource_id, head, sizeof head - 1)
            ? NULL
            : subscriptions_find(page->snapshot, resource_id + sizeof head - 1);
    if (known && *known->name)
        return known->name;
    return slash && slash[1] ? slash + 1 : resource_id;
}

void told_resource(struct page *page, const char *resource_id)
{
    page_link(page, "/resource?id=", resource_id, true, told_resource_name(page, resource_id));
}

void told_subscription(struct page *page, const char *subscription_id)
{
    const struct subscription *known = subscriptions_find(page->snapshot, subscription_id);
    page_link(page, "/recommendations?by=subscription&group=", subscription_id, true,
              known && *known->name ? known->name : subscription_id);
}

const char *told_finding_name(const struct page *page, const struct finding *finding)
{
    const struct subscription *known = subscriptions_find(page->snapshot, finding->resource_name);
    const struct attack_path *path = attack_paths_across_find(page->snapshot, &finding->id);
    if (known && *known->name)
        return known->name;
    if (path && *path->chain &&
        strstr(finding->resource_id, "/providers/microsoft.security/attackpaths/"))
        return path->chain; /* Azure does not tell the resource at its end */
    return *finding->resource_name ? finding->resource_name : finding->resource_id;
}

void told_finding_link(struct page *page, const struct finding *finding)
{
    char id[17];
    page_link(page, "/f/", finding_id_text(&finding->id, id), false,
              told_finding_name(page, finding));
}

void told_event(struct page *page, const struct event *event)
{
    switch (event->kind) {
    case EVENT_OPENED:
        page_html(page, event->quiet ? "Open when first seen" : "Opened");
        break;
    case EVENT_REOPENED:
        page_html(page, "Open again");
        break;
    case EVENT_RISK_CHANGED:
        page_html(page, "Risk changed from ");
        page_risk(page, event->risk_before);
        page_html(page, " to ");
        break;
    case EVENT_RESOLVED:
        page_html(page, "Ended: ");
        page_text(page, event->reason >= 0
                            ? notification_words_ended(finding_reason_words[event->reason])
                            : "nobody knows why");
        return;
    case EVENT_OVERDUE:
        page_html(page, "Overdue");
        return;
    case EVENT_NO_LONGER_OVERDUE:
        page_html(page, "No longer overdue");
        return;
    default: /* about no single finding */
        page_text(page, event->headline && *event->headline ? event->headline : event->detail);
        return;
    }
    page_html(page, event->kind == EVENT_RISK_CHANGED ? "" : ", ");
    page_risk(page, event->risk);
}
