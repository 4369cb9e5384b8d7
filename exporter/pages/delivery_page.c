#include "exporter/pages/delivery_page.h"

#include <stdlib.h>
#include <string.h>

#include "alerts/text/text.h"
#include "core/memory.h"

enum { ROWS_A_PAGE = 50 };

const char *delivery_page_state(enum outbox_state state)
{
    static const char *const words[OUTBOX_STATE_COUNT] = {
        [OUTBOX_QUEUED] = "Waiting",
        [OUTBOX_INFLIGHT] = "On its way",
        [OUTBOX_SENT] = "Sent",
        [OUTBOX_DEAD] = "Given up",
    };
    return words[state];
}

/* --- lanes ------------------------------------------------------------------------------------ */

/* All lanes that are or were, gathered. */
struct lanes {
    struct page *page;
    const struct delivery_page *asked;
    struct page_table table;
    int64_t counts[OUTBOX_STATE_COUNT];
    struct outbox_message *open; /* that have messages, open_count of them */
    size_t open_count, capacity;
};

static void finish_lanes(struct lanes *lanes)
{
    free(lanes->open);
}

/* "tried 3 times, again in 5 min: connection refused" */
static void append_trouble(struct page *page, const struct outbox_list_lane *lane, bool gone)
{
    const struct outbox_message *oldest = &lane->oldest;
    if (gone)
        page_html(page, "is no receiver any more: what waits for it is given up when it expires");
    else if (!lane->waiting)
        page_html(page, lane->sent_at ? "nothing waits" : "nothing was accepted yet");
    else if (!oldest->attempts)
        page_html(page, "is told now");
    if (!lane->waiting || !oldest->attempts)
        return;
    buf_printf(page->out, "%stried %d time%s, ", gone ? "; " : "", oldest->attempts,
               oldest->attempts == 1 ? "" : "s");
    page_due(page, oldest->due_at > page->now ? oldest->due_at : page->now + 1);
    page_html(page, " again: <span class=\"error\">");
    page_text(page, *oldest->last_error ? oldest->last_error : oldest->last_reason);
    page_html(page, "</span>");
}

static void append_done_at(struct page *page, const struct outbox_list_lane *lane,
                           const struct receivers_config *receiver)
{
    const void *config;
    const struct receiver_kind *kind = receiver ? receivers_kind(receiver, &config) : NULL;
    CLEANUP(buf_finish) struct buf text = { 0 };
    if (!lane->waiting || !kind)
        return;
    double rate = receiver->rate > 0 ? receiver->rate : kind->rate;
    double burst = receiver->burst > 0 ? receiver->burst : kind->burst;
    text_instant(&text, outbox_list_done_at(lane, rate, burst, page->now), page->now);
    page_text(page, buf_cstr(&text));
    page_html(page, lane->oldest.attempts ? ", if it is accepted then" : "");
}

static void append_age(struct page *page, int64_t at)
{
    page_age(page, at);
    page_html(page, at ? " ago" : "");
}

static bool append_lane(struct lanes *lanes, const char *name, int target,
                        const struct receivers_config *receiver, struct error *error)
{
    struct page *page = lanes->page;
    const void *config;
    const struct receiver_kind *kind = receiver ? receivers_kind(receiver, &config) : NULL;
    struct outbox_list_lane lane;
    if (!outbox_list_lane(lanes->asked->database, name, target, page->arena, &lane, error))
        return false;
    lanes->counts[OUTBOX_QUEUED] += lane.waiting;
    lanes->counts[OUTBOX_DEAD] += lane.dead;
    lanes->counts[OUTBOX_SENT] += lane.sent;
    page_table_row(&lanes->table);
    page_table_cell(&lanes->table);
    page_text(page, name);
    if (receiver && receivers_targets(receiver) > 1)
        buf_printf(page->out, ", target %d", target + 1);
    page_table_cell(&lanes->table);
    page_text(page, kind ? kind->name : "");
    page_table_cell(&lanes->table);
    append_age(page, lane.sent_at);
    page_table_cell(&lanes->table);
    page_number(page, (uint64_t)lane.waiting);
    page_table_cell(&lanes->table);
    append_done_at(page, &lane, receiver);
    page_table_cell(&lanes->table);
    buf_text(page->out, lane.dead ? "<b class=\"bad\">" : "");
    page_number(page, (uint64_t)lane.dead);
    buf_text(page->out, lane.dead ? "</b>" : "");
    page_table_cell(&lanes->table);
    append_trouble(page, &lane, !receiver);
    return true;
}

static bool note_open(void *context, const struct outbox_message *message, struct error *error)
{
    struct lanes *lanes = context;
    (void)error;
    MEMORY_GROW(lanes->open, lanes->open_count, lanes->capacity);
    lanes->open[lanes->open_count] = *message;
    lanes->open[lanes->open_count++].receiver = arena_text(lanes->page->arena, message->receiver);
    return true;
}

/* Those that are no receivers any more, but have messages. */
static bool append_gone(struct lanes *lanes, struct error *error)
{
    const struct settings *settings = lanes->asked->settings;
    if (!outbox_list_open(lanes->asked->database, note_open, lanes, error))
        return false;
    for (size_t i = 0; i < lanes->open_count; i++) {
        const struct outbox_message *one = &lanes->open[i];
        const struct receivers_config *receiver = settings_receiver(settings, one->receiver);
        if (receiver && (size_t)one->target < receivers_targets(receiver))
            continue;
        if (!append_lane(lanes, one->receiver, one->target, NULL, error))
            return false;
    }
    return true;
}

static bool append_lanes(struct lanes *lanes, struct error *error)
{
    const struct settings *settings = lanes->asked->settings;
    page_table_begin(&lanes->table, "Receivers");
    for (size_t i = 0; i < settings->receiver_count; i++) {
        const struct receivers_config *receiver = &settings->receivers[i];
        for (size_t target = 0; target < receivers_targets(receiver); target++)
            if (!append_lane(lanes, receiver->name, (int)target, receiver, error))
                return false;
    }
    if (!append_gone(lanes, error))
        return false;
    page_table_end(&lanes->table);
    return true;
}

/* --- messages --------------------------------------------------------------------------------- */

void delivery_page_fate(struct page *page, const struct outbox_message *message)
{
    switch (message->state) {
    case OUTBOX_SENT:
        page_html(page, "was accepted ");
        append_age(page, message->sent_at);
        break;
    case OUTBOX_DEAD:
        page_html(page, "was <b class=\"bad\">given up</b> ");
        append_age(page, message->sent_at);
        break;
    default:
        page_html(page, message->attempts ? "waits, is tried " : "waits");
        if (message->attempts)
            page_due(page, message->due_at > page->now ? message->due_at : page->now + 1);
        page_html(page, message->attempts ? " again" : "");
    }
    if (message->state == OUTBOX_SENT)
        return;
    const char *why = *message->last_error ? message->last_error : message->last_reason;
    page_html(page, *why ? ": <span class=\"error\">" : "");
    if (*why && message->last_status)
        buf_printf(page->out, "%d ", message->last_status);
    page_text(page, why);
    page_html(page, *why ? "</span>" : "");
}

void delivery_page_acts(struct page *page, const struct page_forms *forms,
                        const struct outbox_message *message)
{
    if (forms->denied || message->state == OUTBOX_SENT)
        return;
    page_form_begin(page, forms, "buttons", "/delivery/", message->id);
    if (message->state == OUTBOX_DEAD)
        page_form_button(page, "retry", "Try again", message->receiver, true);
    page_form_button(page, "drop", message->state == OUTBOX_DEAD ? "Forget it" : "Give it up",
                     message->receiver, true);
    page_form_end(page);
}

/* A list of messages. */
struct listing {
    const struct page_forms *forms;
    struct database *database;
    struct page_table table;
    int64_t count;
    char last[OUTBOX_ID_BYTES];
};

static bool append_message(void *context, const struct outbox_message *message, struct error *error)
{
    struct listing *listing = context;
    struct page_table *table = &listing->table;
    struct page *page = table->page;
    const char *title;
    if (listing->count++ == ROWS_A_PAGE)
        return true;
    if (!outbox_list_title(listing->database, message->id, page->arena, &title, error))
        return false;
    memcpy(listing->last, message->id, sizeof listing->last);
    page_table_row(table);
    page_table_cell(table);
    page_html(page, "<a href=\"");
    page_path(page, "/delivery/", message->id, true);
    page_html(page, "\">");
    page_text(page, *title ? title : message->event);
    page_html(page, "</a> <span class=\"soft\">");
    page_text(page, message->event);
    page_html(page, ", ");
    page_text(page, message->status);
    page_html(page, "</span>");
    page_table_cell(table);
    page_text(page, message->receiver);
    page_table_cell(table);
    append_age(page, message->created_at);
    page_table_cell(table);
    delivery_page_fate(page, message);
    if (listing->forms->denied || message->state == OUTBOX_SENT)
        return true;
    page_table_cell(table);
    delivery_page_acts(page, listing->forms, message);
    return true;
}

static void append_path(struct page *page, const struct outbox_list *list, enum outbox_state state,
                        const char *before)
{
    CLEANUP(buf_finish) struct buf path = { 0 };
    buf_printf(&path, "/delivery?state=%s%s%s%s", outbox_state_words[state],
               before ? "&before=" : "", before ? before : "", list->receiver ? "&receiver=" : "");
    page_path(page, buf_cstr(&path), list->receiver, true);
}

static void append_states(struct page *page, const struct outbox_list *list, const int64_t counts[])
{
    static const enum outbox_state states[] = { OUTBOX_DEAD, OUTBOX_QUEUED, OUTBOX_SENT };
    page_html(page, "<ul class=\"tiles\">\n");
    for (size_t i = 0; i < ARRAY_COUNT(states); i++) {
        page_html(page, "<li><a href=\"");
        append_path(page, list, states[i], NULL);
        buf_printf(page->out, "\"%s>%s</a> <b>",
                   states[i] == list->state ? " aria-current=\"true\"" : "",
                   delivery_page_state(states[i]));
        page_number(page, (uint64_t)counts[states[i]]);
        page_html(page, "</b></li>\n");
    }
    page_html(page, "</ul>\n");
}

/* Why there is none. */
static void append_none(struct page *page, enum outbox_state state)
{
    static const char *const none[OUTBOX_STATE_COUNT] = {
        [OUTBOX_QUEUED] = "No message waits: all that was decided is sent or given up.",
        [OUTBOX_INFLIGHT] = "",
        [OUTBOX_SENT] = "No message is remembered that was accepted.",
        [OUTBOX_DEAD] = "No message was given up in the last 90 days.",
    };
    page_paragraph(page, none[state]);
}

static bool append_messages(struct page *page, const struct page_forms *forms,
                            const struct delivery_page *asked, struct error *error)
{
    static const struct page_column columns[] = {
        { "Message", false }, { "Receiver", false }, { "Decided", true },
        { "State", false },   { "Act", false },      { NULL, false },
    };
    static const struct page_column no_acts[] = {
        { "Message", false }, { "Receiver", false }, { "Decided", true },
        { "State", false },   { NULL, false },
    };
    CLEANUP(buf_finish) struct buf rows = { 0 };
    struct page inner = *page;
    bool acts = !forms->denied && asked->list.state != OUTBOX_SENT;
    struct listing listing = { .forms = forms,
                               .database = asked->database,
                               .table = { &inner, acts ? columns : no_acts } };
    struct outbox_list list = asked->list;
    list.limit = ROWS_A_PAGE + 1;
    inner.out = &rows;
    page_table_begin(&listing.table, "Newest first");
    if (!outbox_list_each(asked->database, &list, append_message, &listing, error))
        return false;
    page_table_end(&listing.table);
    if (listing.count)
        page_html(page, buf_cstr(&rows));
    else
        append_none(page, list.state);
    if (listing.count > ROWS_A_PAGE) {
        page_html(page, "<p><a href=\"");
        append_path(page, &list, list.state, listing.last);
        page_html(page, "\">The next</a></p>\n");
    }
    return true;
}

/* --- the page --------------------------------------------------------------------------------- */

bool delivery_page(struct page *page, const struct page_forms *forms,
                   const struct delivery_page *asked, struct error *error)
{
    static const struct page_column columns[] = {
        { "Receiver", false },      { "Kind", false },
        { "Last success", true },   { "Waiting", true },
        { "Done at about", false }, { "Given up", true },
        { "How it stands", false }, { NULL, false },
    };
    CLEANUP(finish_lanes) struct lanes lanes = { page, asked, .table = { page, columns } };
    page_begin(page, PAGE_DELIVERY, "Delivery");
    if (*asked->done)
        page_form_done(page, asked->done);
    page_form_denied(page, forms);
    if (!asked->settings->receiver_count)
        page_paragraph(page, "There is no receiver: nobody is told of anything.");
    if (!append_lanes(&lanes, error))
        return false;
    page_heading(page, "Messages");
    append_states(page, &asked->list, lanes.counts);
    if (!append_messages(page, forms, asked, error))
        return false;
    page_end(page);
    return true;
}
