#include "exporter/pages/finding_page.h"

#include <string.h>

#include "alerts/notify/notification_names.h"
#include "alerts/rules/notification_words.h"
#include "alerts/text/resource_type.h"
#include "core/clock.h"
#include "exporter/pages/finding_life.h"
#include "exporter/pages/message_page.h"

/* --- the page --------------------------------------------------------------------------------- */

/* When an open finding is due, as the view has it. */
static int64_t due_at(const struct view *view, const struct finding_id *id)
{
    for (size_t i = 0; i < view->count; i++) {
        const struct view_finding *at = &view->findings[i];
        const struct part *part = view->snapshot->parts[at->source];
        if (!finding_id_compare(&part->findings[at->index].id, id))
            return at->due_at;
    }
    return 0;
}

static void append_facts(struct page *page, const struct told_context *context,
                         const struct told_finding *told, const struct notification_block *block)
{
    const struct notification_context names = { .snapshot = context->view->snapshot };
    const struct finding *finding = &told->finding;
    page_html(page, "<div class=\"card\"><dl>\n<dt>State</dt><dd>");
    page_html(page, told->open ? "<b class=\"bad\">open</b> for " : "<b class=\"good\">over</b>: ");
    if (told->open)
        page_age(page, told->opened_at);
    else
        page_text(page, notification_words_ended(told->reason));
    page_html(page, "</dd>\n<dt>Risk</dt><dd>");
    page_risk(page, finding->risk);
    page_html(page, "</dd>\n");
    if (told->due_at) {
        page_html(page, "<dt>Due</dt><dd>");
        page_due(page, told->due_at);
        page_html(page, "</dd>\n");
    }
    page_html(page, "<dt>Recommendation</dt><dd><a href=\"");
    page_path(page, "/recommendations/", finding->assessment_id, false);
    page_html(page, "\">");
    page_text(page, *block->title ? block->title : finding->assessment_id);
    page_html(page, "</a></dd>\n");
    told_fact(page, "Type", resource_type_words(finding->resource_type));
    told_fact(page, "Resource group", finding->resource_group);
    told_fact(page, "Subscription",
              notification_names_subscription(&names, finding->subscription_id, page->arena));
    page_html(page, "<dt>Resource</dt><dd>");
    page_link(page, "/resource?id=", finding->resource_id, false, finding->resource_id);
    page_html(page, "</dd>\n");
    told_fact(page, "Owner", told_owner(context, finding));
    if (block->resource_count)
        told_fact(page, "Exemption", block->resources[0].exemption);
    told_facts(page, &told->finding, block);
    page_html(page, "</dl></div>\n");
}

/* The newest message about it, as it was decided. */
static bool append_message(struct page *page, struct database *database, const char *id,
                           struct error *error)
{
    struct outbox_message message;
    struct notification notification;
    struct error unreadable;
    bool found = false;
    if (*id && !outbox_find(database, id, page->arena, &message, &found, error))
        return false;
    if (!found || !notification_read(message.notification, strlen(message.notification),
                                     page->arena, &notification, &unreadable))
        return true;
    page_html(page, "<details><summary>The last message about it, to ");
    page_text(page, message.receiver);
    page_html(page, "</summary>\n");
    message_page_text(page, &notification);
    page_html(page, "</details>\n");
    return true;
}

bool finding_page(struct page *page, const struct page_forms *forms,
                  const struct told_context *context, const struct alert_row_context *rows,
                  const char *finding_id, struct error *error)
{
    struct ledger_entry entry;
    bool found;
    if (!ledger_find(context->database, context->view->snapshot->sources, finding_id, page->arena,
                     &entry, &found, error))
        return false;
    if (!found)
        return error_set(
            error, ERROR_NOT_FOUND,
            "no such finding is known: it never was here, or it ended so long ago that "
            "it is forgotten");
    const struct told_finding told = {
        .finding = entry.finding,
        .open = entry.open,
        .opened_at = entry.opened_at,
        .due_at = entry.open ? due_at(context->view, &entry.finding.id) : 0,
        .ended_at = entry.resolved_at,
        .reason = entry.reason >= 0 ? finding_reason_words[entry.reason] : "",
    };
    const struct notification_block *block = told_block(page, context, &told, 1, error);
    struct finding_life life = { .page = page,
                                 .sources = context->view->snapshot->sources,
                                 .rows = rows,
                                 .id = entry.finding.id };
    if (!block || !finding_life_read(&life, error))
        return false;
    page_begin(page, PAGE_NOWHERE, told_finding_name(page, &entry.finding));
    page_paragraph(page, *block->title ? block->title : entry.finding.title);
    told_links(page, block);
    if (told.open)
        finding_life_silence(&life, forms);
    append_facts(page, context, &told, block);
    if (!finding_life_alerts(&life, error) || !finding_life_line(&life, entry.opened_at, error) ||
        !append_message(page, rows->database, life.last_message, error))
        return false;
    told_sections(page, context, &entry.finding, block);
    page_end(page);
    return true;
}
