#include "exporter/pages/alert_row.h"

#include <stdlib.h>
#include <string.h>

#include "alerts/notify/group_row.h"
#include "alerts/notify/notification_alone.h"
#include "alerts/notify/outbox_list.h"
#include "alerts/rules/active_row.h"
#include "alerts/text/quantity.h"

/* --- where it stands -------------------------------------------------------------------------- */

bool alert_row_find(const struct alert_row_context *context, const struct alert *alert, int64_t now,
                    struct alert_row *row, struct error *error)
{
    *row = (struct alert_row){ .alert = alert };
    row->silence = silence_find(context->silences, alert, now);
    if (context->budget && context->budget->left_us <= 0)
        return error_set(error, ERROR_LIMIT, "the regular expressions of silences take too long");
    row->inhibitor = context->inhibits ? inhibit_by(context->inhibits, alert) : NULL;
    if (alert->state == ALERT_PENDING)
        row->place = ALERT_ROW_PENDING;
    else if (row->silence)
        row->place = ALERT_ROW_SILENCED;
    else
        row->place = row->inhibitor ? ALERT_ROW_INHIBITED : ALERT_ROW_FIRING;
    return true;
}

/* --- what it says ----------------------------------------------------------------------------- */

static bool tell(struct page *page, const struct alert_row_context *context,
                 const struct alert *alert, struct notification *told, struct error *error)
{
    const struct notification_alone alone = { context->settings, page->snapshot, context->database,
                                              page->now };
    return notification_alone(&alone, alert, page->arena, told, error);
}

/* Of a finding its recommendation and resource in full, which a message has no room for. */
static void append_words(struct page *page, const struct notification *told)
{
    const struct notification_block *block = told->block_count ? &told->blocks[0] : NULL;
    if (!block || !*block->title || !block->resource_count) {
        page_text(page, told->title);
        return;
    }
    page_text(page, block->title);
    page_html(page, " on ");
    page_text(page, block->resources[0].name);
}

bool alert_row_title(struct page *page, const struct alert_row_context *context,
                     const struct alert *alert, struct error *error)
{
    struct notification told;
    const char *id = alert_label_value(alert, "finding_id");
    bool leads = alert->has_finding && *id;
    if (!tell(page, context, alert, &told, error))
        return false;
    if (leads) {
        page_risk(page, alert->risk);
        page_html(page, " <a href=\"");
        page_path(page, "/f/", id, false);
        page_html(page, "\">");
    }
    append_words(page, &told);
    page_html(page, leads ? "</a>" : "");
    return true;
}

/* --- why -------------------------------------------------------------------------------------- */

static void append_matchers(struct page *page, const struct match_list *matchers)
{
    for (size_t i = 0; i < matchers->count; i++) {
        CLEANUP(buf_finish) struct buf text = { 0 };
        match_print(&matchers->matches[i], &text);
        page_html(page, i ? ", <code>" : "<code>");
        page_text(page, buf_cstr(&text));
        page_html(page, "</code>");
    }
}

/* "defender_secure_score_ratio is 53.8 %, below 60 %" */
static void append_value(struct page *page, const struct rule *rule, const struct alert *alert)
{
    static const char *const between[] = {
        [RULE_ABOVE] = ", above ", [RULE_BELOW] = ", below ", [RULE_DROP] = ", was "
    };
    CLEANUP(buf_finish) struct buf text = { 0 };
    page_html(page, "<code>");
    page_text(page, rule->family->name);
    page_html(page, "</code> ");
    if (rule->kind == RULE_ABSENT) {
        page_html(page, "is not there");
        return;
    }
    const char *unit = quantity_unit(rule->family->name);
    buf_text(&text, "is ");
    double other = rule->kind == RULE_DROP
                       ? strtod(alert_annotation_value(alert, "value_before"), NULL)
                       : rule->bound;
    quantity_compare(&text, alert->value, between[rule->kind], other, unit);
    page_text(page, buf_cstr(&text));
}

/* "Rule NewCritical: finding.opened 13 d ago, with risk_level="critical"." */
static void append_rule(struct page *page, const struct rule *rule, const struct alert *alert)
{
    page_html(page, "Rule <b>");
    page_text(page, alert->rule);
    page_html(page, "</b>");
    if (!rule) {
        page_html(page, " is in no file any more. ");
        return;
    }
    page_html(page, ": ");
    if (rule->kind != RULE_EVENT)
        append_value(page, rule, alert);
    else
        page_text(page, alert->event);
    page_html(page, rule->kind == RULE_EVENT ? " " : " for ");
    page_age(page, alert->starts_at);
    page_html(page, rule->kind == RULE_EVENT ? " ago" : "");
    page_html(page, rule->match.count ? ", with " : "");
    append_matchers(page, &rule->match);
    page_html(page, ". ");
}

static void append_pending(struct page *page, const struct rule *rule, const struct alert *alert)
{
    int64_t for_s = rule ? rule->timing.for_s : 0;
    if (!strcmp(alert->event, ACTIVE_FIRST_RUN)) {
        page_html(page, "It waits until every collector has run once. ");
    } else if (for_s) {
        page_html(page, "It fires when that is still so ");
        page_instant(page, alert->starts_at + for_s);
        page_html(page, ". ");
    }
}

void alert_row_silence(struct page *page, const struct silence *silence)
{
    page_html(page, "<a href=\"");
    page_path(page, "/silences/", silence->id, true);
    page_html(page, "\">by ");
    page_text(page, *silence->created_by ? silence->created_by : "nobody");
    page_html(page, "</a> until ");
    page_instant(page, silence->ends_at);
    page_html(page, *silence->comment ? ": " : "");
    page_text(page, silence->comment);
}

static bool append_inhibitor(struct page *page, const struct alert_row_context *context,
                             const char *fingerprint, struct error *error)
{
    struct alert other;
    bool found;
    if (!active_find(context->database, fingerprint, page->arena, &other, &found, error))
        return false;
    page_html(page, "Inhibited while this fires: ");
    if (found && !alert_row_title(page, context, &other, error))
        return false;
    page_text(page, found ? "" : fingerprint);
    page_html(page, " (rule <b>");
    page_text(page, found ? other.rule : "?");
    page_html(page, "</b>). ");
    return true;
}

/* The last message about an alert. */
struct last {
    struct outbox_message message;
    bool found;
};

static bool note_last(void *context, const struct outbox_message *message, struct error *error)
{
    struct last *last = context;
    (void)error;
    last->message = *message; /* its texts are not read */
    last->found = true;
    return true;
}

/* "team was told 3 h ago", leading to the message. */
static bool append_told(struct page *page, const struct alert_row_context *context,
                        const struct alert *alert, const char *receiver, bool *found,
                        struct error *error)
{
    static const char *const words[OUTBOX_STATE_COUNT] = {
        [OUTBOX_QUEUED] = "is to be told: a message waits",
        [OUTBOX_INFLIGHT] = "is told now",
        [OUTBOX_SENT] = "was told ",
        [OUTBOX_DEAD] = "was not told: <b class=\"bad\">given up</b> ",
    };
    struct last last = { 0 };
    if (!outbox_list_about(context->database, alert->fingerprint, receiver, 1, note_last, &last,
                           error))
        return false;
    *found = last.found;
    if (!last.found)
        return true;
    const struct outbox_message *message = &last.message;
    page_html(page, "<a href=\"");
    page_path(page, "/delivery/", message->id, true);
    page_html(page, "\">");
    page_text(page, receiver);
    buf_printf(page->out, "</a> %s", words[message->state]);
    if (message->state == OUTBOX_SENT || message->state == OUTBOX_DEAD) {
        page_age(page, message->sent_at);
        page_html(page, " ago");
    }
    page_html(page, ". ");
    return true;
}

/* How it is with one receiver that was not told, or not all of it. */
static const char *words_of(const struct group_place *place)
{
    static const char *const muted[MUTE_REASON_COUNT] = {
        [MUTE_MAINTENANCE] = "waits: a maintenance window is open",
        [MUTE_SILENCE] = "waits: it was silenced",
        [MUTE_INHIBIT] = "waits: it was inhibited",
        [MUTE_INTERVAL] = "waits: its route is not told at this time",
        [MUTE_FLAPPING] = "waits: it comes and goes, and is told of when it is calm",
        [MUTE_GOVERNOR] = "waits for a digest: more than the governor lets through",
        [MUTE_FIRST_RUN] = "waits: it was there when the program first looked",
        [MUTE_WAIVER] = "waits: it is waived",
    };
    static const char *const told[] = {
        [GROUP_TOLD_NOTHING] = "is told with the next message of its group",
        [GROUP_TOLD_FIRING] = "",
        [GROUP_TOLD_BEFORE] = "is told the news with the next message of its group",
        [GROUP_TOLD_FOLDED] = "is told in a digest",
    };
    return muted[place->muted_by] ? muted[place->muted_by] : told[place->is.told];
}

/* Which receivers know of it. */
static bool append_receivers(struct page *page, const struct alert_row_context *context,
                             const struct alert_row *row, struct error *error)
{
    struct group_places places;
    if (!group_row_places(context->database, row->alert->fingerprint, page->arena, &places, error))
        return false;
    if (!context->settings->receiver_count && row->place != ALERT_ROW_PENDING)
        page_html(page, "There is no receiver: nobody is told. ");
    for (size_t i = 0; i < places.count; i++) {
        const struct group_place *place = &places.places[i];
        bool found = false, said = (row->silence && place->muted_by == MUTE_SILENCE) ||
                                   (row->inhibitor && place->muted_by == MUTE_INHIBIT);
        if (place->is.state != GROUP_FIRING)
            continue;
        if (place->is.told != GROUP_TOLD_NOTHING &&
            !append_told(page, context, row->alert, place->receiver, &found, error))
            return false;
        if (said || !*words_of(place))
            continue;
        page_html(page, "<b>");
        page_text(page, place->receiver);
        buf_printf(page->out, "</b> %s. ", words_of(place));
    }
    return true;
}

bool alert_row_why(struct page *page, const struct alert_row_context *context,
                   const struct alert_row *row, struct error *error)
{
    const struct rule *rule = rule_find(context->settings->rules, row->alert->rule);
    append_rule(page, rule, row->alert);
    if (row->place == ALERT_ROW_PENDING)
        append_pending(page, rule, row->alert);
    if (row->silence) {
        page_html(page, "Silenced ");
        alert_row_silence(page, row->silence);
        page_html(page, ". ");
    }
    if (row->inhibitor && !append_inhibitor(page, context, row->inhibitor, error))
        return false;
    return append_receivers(page, context, row, error);
}
