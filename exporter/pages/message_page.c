#include "exporter/pages/message_page.h"

#include <string.h>

#include "alerts/receivers/email_body.h"
#include "alerts/text/text.h"
#include "core/log.h"

enum { MEMBERS_MAX = 50 };

/* --- what it says ----------------------------------------------------------------------------- */

void message_page_text(struct page *page, const struct notification *notification)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    struct layout layout;
    layout_make(notification, page->arena, &layout);
    email_body_text(&layout, &text);
    page_html(page, "<pre class=\"card\">\n");
    page_text(page, buf_cstr(&text));
    page_html(page, "</pre>\n");
}

/* What is posted: as it is, without secrets. Of a mail it is the text above, coded. */
static void append_body(struct page *page, const struct message_page *shown,
                        struct notification *notification)
{
    CLEANUP(receiver_request_finish) struct receiver_request request = { 0 };
    const struct outbox_message *message = shown->message;
    const struct receivers_config *receiver = settings_receiver(shown->settings, message->receiver);
    const void *config;
    const struct receiver_kind *kind = receiver ? receivers_kind(receiver, &config) : NULL;
    const struct receiver_context context = {
        .target = message->target,
        .now = message->state == OUTBOX_SENT ? message->sent_at : page->now,
        .ends_at = page->now,
        .name = message->receiver,
    };
    struct error error;
    notification->id = message->id;
    if (!kind) {
        page_paragraph(page, "Its receiver is gone: how it was told is not known.");
        return;
    }
    if (!kind->build(config, &context, notification, &request, &error)) {
        page_paragraph(page, error.message);
        return;
    }
    if (request.is_mail)
        return;
    unsigned bytes = (unsigned)(2 * request.body.length + 64);
    char *clean = arena_alloc(page->arena, bytes);
    page_html(page, "<details><summary>The body of the request, as it is made now for a receiver "
                    "of the kind ");
    page_text(page, kind->name);
    page_html(page, "</summary><pre class=\"card\">\n");
    page_text(page, log_redacted(buf_cstr(&request.body), clean, bytes));
    page_html(page, "</pre></details>\n");
}

/* --- what it is about ------------------------------------------------------------------------- */

struct members {
    struct page *page;
    size_t count;
};

static bool append_member(void *context, const struct outbox_member *member, struct error *error)
{
    struct members *members = context;
    struct page *page = members->page;
    char id[17];
    (void)error;
    if (!member->has_finding || members->count++ >= MEMBERS_MAX)
        return true;
    page_html(page, members->count == 1 ? "<p>It is about " : ", ");
    page_html(page, "<a href=\"");
    page_path(page, "/f/", finding_id_text(&member->finding_id, id), true);
    buf_printf(page->out, "\">%s</a> (%s)", id, member->event);
    return true;
}

static bool append_members(struct page *page, const struct message_page *shown, struct error *error)
{
    struct members members = { page, 0 };
    if (!outbox_list_members(shown->database, shown->message->id, MEMBERS_MAX + 1, append_member,
                             &members, error))
        return false;
    if (members.count > MEMBERS_MAX)
        page_html(page, " and more");
    page_html(page, members.count ? ".</p>\n" : "");
    return true;
}

/* --- the page --------------------------------------------------------------------------------- */

static void append_instant(struct page *page, const char *name, int64_t at)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    if (!at)
        return;
    text_instant(&text, at, page->now);
    buf_printf(page->out, "<dt>%s</dt><dd>%s</dd>\n", name, buf_cstr(&text));
}

static void append_facts(struct page *page, const struct outbox_message *message)
{
    page_html(page, "<div class=\"card\"><dl>\n<dt>Receiver</dt><dd>");
    page_text(page, message->receiver);
    page_html(page, "</dd>\n<dt>State</dt><dd>");
    delivery_page_fate(page, message);
    page_html(page, "</dd>\n<dt>About</dt><dd>");
    page_text(page, message->event);
    page_html(page, ", ");
    page_text(page, message->status);
    page_html(page, "</dd>\n");
    append_instant(page, "Happened", message->event_at);
    append_instant(page, "Decided", message->created_at);
    append_instant(page, "Accepted", message->state == OUTBOX_SENT ? message->sent_at : 0);
    append_instant(page, "Given up", message->state == OUTBOX_DEAD ? message->sent_at : 0);
    append_instant(page, "Expires", message->state == OUTBOX_QUEUED ? message->expires_at : 0);
    if (message->attempts)
        buf_printf(page->out, "<dt>Tried</dt><dd>%d time%s</dd>\n", message->attempts,
                   message->attempts == 1 ? "" : "s");
    page_html(page, "<dt>Id</dt><dd>");
    page_text(page, message->id);
    page_html(page, "</dd>\n</dl></div>\n");
}

bool message_page(struct page *page, const struct page_forms *forms,
                  const struct message_page *shown, struct error *error)
{
    const struct outbox_message *message = shown->message;
    struct notification notification;
    struct error unreadable;
    bool readable = notification_read(message->notification, strlen(message->notification),
                                      page->arena, &notification, &unreadable);
    page_begin(page, PAGE_DELIVERY, readable ? notification.title : "A message");
    if (*shown->wrong)
        page_form_wrong(page, shown->wrong);
    page_form_denied(page, forms);
    append_facts(page, message);
    delivery_page_acts(page, forms, message);
    if (!append_members(page, shown, error))
        return false;
    page_heading(page, "What it says");
    if (readable) {
        message_page_text(page, &notification);
        append_body(page, shown, &notification);
    } else {
        page_paragraph(page, unreadable.message);
    }
    page_end(page);
    return true;
}
