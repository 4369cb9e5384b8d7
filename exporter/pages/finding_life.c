#include "exporter/pages/finding_life.h"

#include <stdlib.h>
#include <string.h>

#include "alerts/notify/outbox_list.h"
#include "alerts/rules/active.h"
#include "alerts/rules/notification_silence.h"
#include "core/memory.h"
#include "exporter/pages/delivery_page.h"

enum { ALERTS_MAX = 32, MESSAGES_MAX = 20 };

/* --- its alerts ------------------------------------------------------------------------------- */

static bool note_alert(void *context, const struct alert *alert, struct error *error)
{
    struct finding_life *life = context;
    struct alert *copy = &life->alerts[life->alert_count];
    (void)error;
    if (life->alert_count == ALERTS_MAX || alert->state == ALERT_RESOLVED)
        return true;
    *copy = *alert; /* its texts are in the arena */
    life->alert_count++;
    return true;
}

/* The alert that a rule has about it is known by these labels. */
static const char *fingerprint_of(const struct finding_life *life, const char *rule)
{
    struct alert alert = { .rule = rule };
    char id[17];
    alert_label(&alert, "alertname", rule);
    alert_label(&alert, "finding_id", finding_id_text(&life->id, id));
    alert_identify(&alert, alert_finding_identity);
    return arena_text(life->page->arena, alert.fingerprint);
}

bool finding_life_read(struct finding_life *life, struct error *error)
{
    size_t rules, count = 0;
    const struct rule *all = rule_all(life->rows->settings->rules, &rules);
    struct arena *arena = life->page->arena;
    life->alerts = arena_zalloc(arena, ALERTS_MAX * sizeof *life->alerts);
    if (!active_of(life->rows->database, &life->id, arena, note_alert, life, error))
        return false;
    const char **prints = arena_zalloc(arena, (rules + ALERTS_MAX) * sizeof *prints);
    for (size_t i = 0; i < rules; i++)
        if (all[i].kind == RULE_EVENT)
            prints[count++] = fingerprint_of(life, all[i].name);
    for (size_t i = 0; i < life->alert_count; i++) /* of rules that are gone */
        if (!rule_find(life->rows->settings->rules, life->alerts[i].rule))
            prints[count++] = life->alerts[i].fingerprint;
    life->fingerprints = prints;
    life->fingerprint_count = count;
    return true;
}

bool finding_life_alerts(const struct finding_life *life, struct error *error)
{
    struct page *page = life->page;
    if (!life->alert_count)
        return true;
    page_heading(page, "Its alerts");
    page_html(page, "<div class=\"card\"><ul class=\"life\">\n");
    for (size_t i = 0; i < life->alert_count; i++) {
        struct alert_row row;
        page_html(page,
                  life->alerts[i].state == ALERT_PENDING ? "<li>Waits to fire. " : "<li>Fires. ");
        if (!alert_row_find(life->rows, &life->alerts[i], page->now, &row, error) ||
            !alert_row_why(page, life->rows, &row, error))
            return false;
        page_html(page, "</li>\n");
    }
    page_html(page, "</ul></div>\n");
    return true;
}

/* Matchers of its only alert, or of all it has; "" = no silence may cover it. */
static const char *matchers_of(const struct finding_life *life)
{
    const struct settings *settings = life->rows->settings;
    CLEANUP(buf_finish) struct buf out = { 0 };
    char id[17];
    buf_printf(&out, "finding_id=\"%s\"", finding_id_text(&life->id, id));
    if (!life->alert_count)
        return arena_text(life->page->arena, buf_cstr(&out));
    buf_reset(&out);
    if (!notification_silence_matchers(settings->rules,
                                       silence_limits_never(settings->silence_limits),
                                       &life->alerts[0], &out))
        return "";
    const char *text = buf_cstr(&out), *rest = strchr(text, '\n'); /* the first names the rule */
    return arena_text(life->page->arena, life->alert_count > 1 && rest ? rest + 1 : text);
}

void finding_life_silence(const struct finding_life *life, const struct page_forms *forms)
{
    struct page *page = life->page;
    const char *matchers = matchers_of(life);
    if (forms->denied) {
        page_form_denied(page, forms);
        return;
    }
    if (!*matchers) {
        page_paragraph(page, "No silence may cover it: alerts.silences.never.");
        return;
    }
    page_html(page, "<p><a class=\"button\" href=\"");
    page_path(page, "/silences/new?matchers=", matchers, true);
    page_html(page, "\">Silence it</a></p>\n");
}

/* --- the line of time ------------------------------------------------------------------------- */

/* Something at an instant, as HTML. */
struct moment {
    int64_t at;
    size_t order; /* of those at the same instant */
    const char *html;
    char message[OUTBOX_ID_BYTES]; /* it is about; "" = about none */
};
struct line {
    struct finding_life *life;
    struct moment *moments;
    size_t count, capacity;
    bool recorded; /* some of them are events */
};

static void finish_line(struct line *line)
{
    free(line->moments);
}

static struct moment *add(struct line *line, int64_t at, const struct buf *html)
{
    MEMORY_GROW(line->moments, line->count, line->capacity);
    struct moment *moment = &line->moments[line->count];
    *moment = (struct moment){ .at = at,
                               .order = line->count++,
                               .html = arena_text(line->life->page->arena, buf_cstr(html)) };
    return moment;
}

static bool add_event(void *context, const struct event *event, struct error *error)
{
    struct line *line = context;
    CLEANUP(buf_finish) struct buf html = { 0 };
    struct page inner = *line->life->page;
    (void)error;
    inner.out = &html;
    told_event(&inner, event);
    add(line, event->at, &html);
    line->recorded = true;
    return true;
}

static bool is_known(const struct line *line, const char *message)
{
    for (size_t i = 0; i < line->count; i++)
        if (!strcmp(line->moments[i].message, message))
            return true;
    return false;
}

static bool add_message(void *context, const struct outbox_message *message, struct error *error)
{
    struct line *line = context;
    struct finding_life *life = line->life;
    CLEANUP(buf_finish) struct buf html = { 0 };
    struct page inner = *life->page;
    (void)error;
    if (is_known(line, message->id))
        return true; /* it is about several of its alerts */
    inner.out = &html;
    page_html(&inner, "Message to <a href=\"");
    page_path(&inner, "/delivery/", message->id, true);
    page_html(&inner, "\">");
    page_text(&inner, message->receiver);
    page_html(&inner, "</a> (");
    page_text(&inner, message->event);
    page_html(&inner, "): ");
    delivery_page_fate(&inner, message);
    bool over = message->state == OUTBOX_SENT || message->state == OUTBOX_DEAD;
    struct moment *moment = add(line, over ? message->sent_at : message->created_at, &html);
    memcpy(moment->message, message->id, sizeof moment->message);
    if (strcmp(message->id, life->last_message) > 0)
        memcpy(life->last_message, message->id, sizeof life->last_message);
    return true;
}

static bool add_messages(struct line *line, struct error *error)
{
    const struct finding_life *life = line->life;
    for (size_t i = 0; i < life->fingerprint_count; i++)
        if (!outbox_list_about(life->rows->database, life->fingerprints[i], NULL, MESSAGES_MAX,
                               add_message, line, error))
            return false;
    return true;
}

/* Whether it covers one of the alerts there are. */
static bool covers(const struct finding_life *life, const struct silence *silence)
{
    for (size_t i = 0; i < life->alert_count; i++)
        if (match_ask(&silence->matchers, life->alerts[i].labels, life->alerts[i].label_count,
                      life->rows->budget) == MATCH_YES)
            return true;
    return false;
}

static void add_silences(struct line *line)
{
    static const char *const words[] = { [SILENCE_PENDING] = "Will be silenced ",
                                         [SILENCE_ACTIVE] = "Silenced ",
                                         [SILENCE_EXPIRED] = "Was silenced " };
    const struct finding_life *life = line->life;
    const struct silence_list *list = life->rows->silences;
    for (size_t i = 0; i < list->count && life->alert_count; i++) {
        const struct silence *silence = &list->silences[i];
        CLEANUP(buf_finish) struct buf html = { 0 };
        struct page inner = *life->page;
        inner.out = &html;
        if (!covers(life, silence))
            continue;
        page_html(&inner, words[silence_state(silence, inner.now)]);
        alert_row_silence(&inner, silence);
        add(line, silence->starts_at, &html);
    }
}

static int compare(const void *left, const void *right)
{
    const struct moment *a = left, *b = right;
    if (a->at != b->at)
        return a->at < b->at ? -1 : 1;
    return (a->order > b->order) - (a->order < b->order);
}

static void append_moments(struct page *page, const struct line *line)
{
    page_html(page, "<ol class=\"life\">\n");
    for (size_t i = 0; i < line->count; i++) {
        page_html(page, "<li>");
        page_instant(page, line->moments[i].at);
        page_html(page, " \u00b7 ");
        page_html(page, line->moments[i].html);
        page_html(page, "</li>\n");
    }
    page_html(page, "</ol>\n");
}

bool finding_life_line(struct finding_life *life, int64_t opened_at, struct error *error)
{
    CLEANUP(finish_line) struct line line = { .life = life };
    struct page *page = life->page;
    page_heading(page, "Its life");
    page_html(page, "<div class=\"card\">");
    if (!ledger_history(life->rows->database, life->sources, 0, &life->id, add_event, &line,
                        error) ||
        !add_messages(&line, error))
        return false;
    add_silences(&line);
    if (line.count > 1)
        qsort(line.moments, line.count, sizeof *line.moments, compare);
    if (!line.recorded) {
        page_html(page, "<p>It was there when this program first looked: open since ");
        page_instant(page, opened_at);
        page_html(page, ".</p>");
    }
    if (line.count)
        append_moments(page, &line);
    if (!*life->last_message)
        page_html(page, "<p class=\"soft\">No message about it is remembered of the rules there "
                        "are now.</p>");
    page_html(page, "</div>\n");
    return true;
}
