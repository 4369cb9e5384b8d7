/* How a notification is made from alerts, the snapshot, the ledger and the rule's templates. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/notify/incident.h"
#include "alerts/notify/notification_blocks.h"
#include "alerts/notify/notification_names.h"
#include "alerts/rules/notification_silence.h"
#include "alerts/rules/notification_words.h"
#include "alerts/text/text.h"
#include "core/memory.h"
#include "core/utf8.h"

enum { TEXT_POINTS = 4000 };

struct build {
    const struct notification_context *context;
    const struct notification_subject *subject;
    struct arena *arena;
    struct notification *notification;
};

/* --- what all alerts share ------------------------------------------------------------------- */
static const char *common_label(const struct notification_subject *subject, const char *name)
{
    const char *value = subject->alert_count ? alert_label_value(&subject->alerts[0], name) : "";
    for (size_t i = 1; i < subject->alert_count; i++)
        if (strcmp(alert_label_value(&subject->alerts[i], name), value) != 0)
            return "";
    return value;
}

/* Why all of it resolved. Of alerts that are left out nobody knows, but that some are no fix. */
static const char *reason_of(const struct notification_subject *subject)
{
    const char *reason = subject->alert_count ? subject->alerts[0].reason : "";
    for (size_t i = 1; i < subject->alert_count; i++)
        reason = notification_reason_of_both(reason, subject->alerts[i].reason);
    return subject->left_out_count ? notification_reason_of_both(reason, "") : reason;
}

static void add_common(struct build *build)
{
    struct notification *notification = build->notification;
    const struct notification_subject *subject = build->subject;
    notification->subscription_id = common_label(subject, "subscription_id");
    notification->subscription_name = notification_names_subscription(
        build->context, notification->subscription_id, build->arena);
    notification->assessment_id = common_label(subject, "assessment_id");
    notification->rule = common_label(subject, "alertname");
    notification->severity = common_label(subject, "severity");
    notification->reason = notification->status == NOTIFICATION_RESOLVED ? reason_of(subject) : "";
    if (!subject->alert_count)
        return;
    const struct alert *first = &subject->alerts[0];
    const char *before = alert_annotation_value(first, "value_before");
    notification->runbook_url = alert_annotation_value(first, "runbook_url");
    notification->value = first->value;
    notification->value_before = *before ? strtod(before, NULL) : 0;
}

/* Worst risk and the clocks: of the firing alerts, or of all when none fires. */
static void add_times(struct build *build)
{
    struct notification *notification = build->notification;
    int worst = RISK_NOT_EVALUATED;
    for (size_t i = 0; i < build->subject->alert_count; i++) {
        const struct alert *alert = &build->subject->alerts[i];
        int64_t at = alert->state == ALERT_RESOLVED ? alert->ends_at : alert->starts_at;
        if (notification->event_at < at)
            notification->event_at = at;
        if (alert->state == ALERT_RESOLVED && notification->status == NOTIFICATION_FIRING)
            continue;
        if ((int)alert->risk < worst)
            worst = (int)alert->risk;
        if (alert->opened_at &&
            (!notification->opened_at || alert->opened_at < notification->opened_at))
            notification->opened_at = alert->opened_at;
        if (alert->due_at && (!notification->due_at || alert->due_at < notification->due_at))
            notification->due_at = alert->due_at;
    }
    notification->risk_level = finding_risk_words[worst];
    if (!notification->event_at)
        notification->event_at = build->context->now;
    int64_t until = notification->status == NOTIFICATION_RESOLVED ? notification->event_at
                                                                  : build->context->now;
    if (notification->opened_at && until > notification->opened_at)
        notification->age_s = until - notification->opened_at;
}

static const char *dedup_key(const struct build *build)
{
    const struct notification_subject *subject = build->subject;
    char key[46];
    if (subject->dedup_key)
        return subject->dedup_key;
    return arena_text(build->arena,
                      incident_group_key(build->context->snapshot, build->context->tenant_id,
                                         subject->group_labels, subject->group_label_count,
                                         subject->group_key, subject->episode, key));
}

/* --- names that somebody chose -----------------------------------------------------------------
 */
static void unlink_text(struct build *build, const char **text)
{
    *text = notification_names_plain(*text, build->arena);
}

/* What templates show is never a link, but for the links themselves: everybody who may name a
 * resource could send our people anywhere. Labels of the alerts stay as they are. */
static void unlink_names(struct build *build)
{
    struct notification *notification = build->notification;
    for (size_t i = 0; i < notification->label_count; i++)
        unlink_text(build, &notification->labels[i].value);
    for (size_t i = 0; i < notification->annotation_count; i++)
        if (!strcmp(notification->annotations[i].name, "detail"))
            unlink_text(build, &notification->annotations[i].value);
}

/* --- how to silence it ----------------------------------------------------------------------- */
/* The command of one program; "" when none is exact. */
static const char *silence_with(const struct build *build, const struct buf *program)
{
    CLEANUP(buf_finish) struct buf command = { 0 };
    const struct notification_subject *subject = build->subject;
    if (build->notification->left_out_count)
        notification_silence_group(buf_cstr(program), build->context->never, subject->group_labels,
                                   subject->group_label_count, &command);
    else
        notification_silence(buf_cstr(program), build->context->rules, build->context->never,
                             subject->alerts, subject->alert_count, &command);
    return arena_text(build->arena, buf_cstr(&command));
}

/* Only while something fires; a summary of what was there before is nothing to silence. */
static void add_silences(struct build *build)
{
    CLEANUP(buf_finish) struct buf own = { 0 };
    CLEANUP(buf_finish) struct buf amtool = { 0 };
    struct notification *notification = build->notification;
    if (notification->status != NOTIFICATION_FIRING || !strcmp(notification->event, "digest"))
        return;
    notification->silences_limited = build->context->never != NULL;
    notification_silence_own(notification->config_file, &own);
    notification->silence_command = silence_with(build, &own);
    if (!*notification->external_url)
        return;
    notification_silence_amtool(notification->external_url, &amtool);
    notification->silence_amtool = silence_with(build, &amtool);
}

/* --- title and text --------------------------------------------------------------------------- */
static bool is_blank(const struct buf *text)
{
    return strspn(buf_cstr(text), " \t\r\n") == text->length;
}

/* Render the rule's template; false when there is none or nothing came of it. */
static bool render(struct build *build, const struct template *compiled, struct buf *out)
{
    if (!compiled)
        return false;
    template_render(compiled, build->notification, out);
    bool blank = is_blank(out);
    if (blank)
        buf_reset(out);
    return !blank;
}

/* What stands before an own title of what is over, which cannot say it: how it ended. */
static void put_ending(struct buf *out, const struct notification *notification)
{
    if (notification->status != NOTIFICATION_RESOLVED)
        return;
    buf_char(out, '[');
    for (const char *word = notification_words_ended(notification->reason); *word; word++)
        buf_char(out, (char)toupper((unsigned char)*word));
    buf_text(out, "] ");
}

void notification_build_line(struct buf *title)
{
    size_t plain = title->length ? utf8_plain_length(title->data, title->length) : 0;
    for (size_t i = plain; i < title->length; i++)
        if ((unsigned char)title->data[i] < ' ' || title->data[i] == 0x7f)
            title->data[i] = ' ';
}

void notification_build_end(struct buf *text)
{
    while (text->length && (unsigned char)text->data[text->length - 1] <= ' ')
        text->data[--text->length] = 0;
}

static const char *title(struct build *build, const struct template *compiled)
{
    CLEANUP(buf_finish) struct buf rendered = { 0 };
    CLEANUP(buf_finish) struct buf whole = { 0 };
    CLEANUP(buf_finish) struct buf cut = { 0 };
    buf_text(&whole, build->notification->test ? "[TEST] " : "");
    if (render(build, compiled, &rendered))
        put_ending(&whole, build->notification);
    else
        notification_words_title(build->notification, &rendered);
    notification_build_line(&rendered);
    buf_text(&whole, buf_cstr(&rendered));
    build->notification->truncated |=
        text_cut(&cut, buf_cstr(&whole), NOTIFICATION_BUILD_TITLE_POINTS);
    return arena_text(build->arena, buf_cstr(&cut));
}

static void add_texts(struct build *build)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    CLEANUP(buf_finish) struct buf cut = { 0 };
    struct notification *notification = build->notification;
    notification->title = title(build, build->subject->title);
    if (!render(build, build->subject->text, &text))
        notification_words_text(notification, &text);
    notification_build_end(&text);
    notification->truncated |= text_cut(&cut, buf_cstr(&text), TEXT_POINTS);
    notification->text = arena_text(build->arena, buf_cstr(&cut));
}

/* --- all of it -------------------------------------------------------------------------------- */
static void start(struct build *build)
{
    const struct notification_subject *subject = build->subject;
    const struct notification_context *context = build->context;
    struct notification *notification = build->notification;
    notification_init(notification);
    notification->event = subject->event;
    notification->status = subject->firing_count || !subject->resolved_count
                               ? NOTIFICATION_FIRING
                               : NOTIFICATION_RESOLVED;
    notification->test = context->test;
    notification->repeat = subject->repeat;
    notification->held_back = subject->held_back ? subject->held_back : "";
    notification->receiver = subject->receiver;
    notification->group_key = subject->group_key;
    notification->tenant_id = context->tenant_id;
    notification->external_url = context->external_url;
    notification->config_file = context->config_file ? context->config_file : "";
    notification->alerts = subject->alerts;
    notification->alert_count = subject->alert_count < NOTIFICATION_ALERTS_MAX
                                    ? subject->alert_count
                                    : NOTIFICATION_ALERTS_MAX;
    notification->firing_count = subject->firing_count;
    notification->resolved_count = subject->resolved_count;
    notification->left_out_count =
        subject->left_out_count + (int64_t)(subject->alert_count - notification->alert_count);
    notification->made_at = context->now;
    notification->counts = subject->counts;
    notification->count_count = subject->count_count;
    notification->table = subject->table;
    notification->table_count = subject->table_count;
    notification->span_s = subject->span_s;
    for (size_t i = 0; i < subject->group_label_count && i < ALERT_LABELS_MAX; i++)
        notification->group_labels[notification->group_label_count++] = subject->group_labels[i];
}

/* What follows from the blocks. */
static void add_sums(struct build *build)
{
    struct notification *notification = build->notification;
    for (size_t i = 0; i < notification->block_count; i++)
        notification->points += notification->blocks[i].points;
    if (notification->resource_total)
        notification->severity = notification->blocks[0].severity;
}

/* The alerts with the dates of their findings as they are now: Azure may have corrected them, or
 * the operator the SLA, which is no event. */
static struct notification_subject date_subject(const struct notification_context *context,
                                                const struct notification_subject *subject,
                                                struct arena *arena)
{
    struct notification_subject dated = *subject;
    if (!context->ledger || !subject->alert_count)
        return dated;
    struct alert *alerts = arena_alloc(arena, subject->alert_count * sizeof *alerts);
    memcpy(alerts, subject->alerts, subject->alert_count * sizeof *alerts);
    for (size_t i = 0; i < subject->alert_count; i++)
        if (alerts[i].has_finding && alerts[i].state == ALERT_FIRING)
            ledger_times(context->ledger, &alerts[i].finding_id, &alerts[i].opened_at,
                         &alerts[i].due_at);
    dated.alerts = alerts;
    return dated;
}

bool notification_build(const struct notification_context *context,
                        const struct notification_subject *subject, struct arena *arena,
                        struct notification *notification, struct error *error)
{
    const struct notification_subject dated = date_subject(context, subject, arena);
    subject = &dated;
    struct build build = { context, subject, arena, notification };
    start(&build);
    add_common(&build);
    add_times(&build);
    if (!subject->words)
        notification->dedup_key = dedup_key(&build);
    if (!notification_blocks(context, subject, arena, notification, error))
        return false;
    add_sums(&build);
    if (!subject->words)
        add_silences(&build);
    notification_derive_new(notification, arena);
    if (!subject->words)
        unlink_names(&build);
    add_texts(&build);
    return true;
}
