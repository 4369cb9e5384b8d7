#include "alerts/notify/audit_notice.h"

#include <stdio.h>

#include "alerts/notify/notice.h"
#include "alerts/notify/notification_names.h"
#include "core/clock.h"
#include "core/hash.h"

#define RULE "Audit"

enum { LINES_MAX = 20 };

/* One line, of which no client makes a link: people choose what stands in it. */
static const char *sentence(const struct audit_event *event, struct arena *arena)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    audit_print(event, &text);
    for (size_t i = 0; i < text.length; i++)
        if ((unsigned char)text.data[i] < ' ')
            text.data[i] = ' ';
    return notification_names_copy(buf_cstr(&text), arena);
}

static const char *title_of(const struct audit_list *list, struct arena *arena)
{
    CLEANUP(buf_finish) struct buf title = { 0 };
    if (list->count == 1)
        buf_printf(&title, "Audit: %s", sentence(list->events, arena));
    else
        buf_printf(&title, "Audit: people changed %zu things", list->count);
    return arena_text(arena, buf_cstr(&title));
}

static const char *text_of(const struct audit_list *list, struct arena *arena)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    for (size_t i = 0; i < list->count && i < LINES_MAX; i++) {
        char at[32];
        buf_printf(&text, "%s%s %s", i ? "\n" : "", clock_format_rfc3339(list->events[i].at, at),
                   sentence(&list->events[i], arena));
    }
    if (list->count > LINES_MAX)
        buf_printf(&text, "\nand %zu more, which the log names", list->count - LINES_MAX);
    return arena_text(arena, buf_cstr(&text));
}

/* A number for these acts: each message is an incident of its own. */
static uint32_t number_of(const struct audit_list *list)
{
    uint64_t hash = 0;
    for (size_t i = 0; i < list->count; i++) {
        CLEANUP(buf_finish) struct buf text = { 0 };
        buf_printf(&text, "%lld %s ", (long long)list->events[i].at, list->events[i].subject);
        audit_print(&list->events[i], &text);
        hash = options_hash_join(hash, hash_bytes(text.data, text.length));
    }
    return (uint32_t)hash;
}

void audit_notice_make(const struct settings *settings, const struct audit_list *list, int64_t now,
                       struct arena *arena, struct notification *notification)
{
    char key[46];
    const char *receiver = settings->config->audit.receiver;
    uint32_t number = number_of(list);
    struct alert *alert = arena_zalloc(arena, sizeof *alert);
    *alert = (struct alert){
        .rule = RULE,
        .event = "audit",
        .state = ALERT_FIRING,
        .risk = RISK_NOT_EVALUATED,
        .episode = number,
        .starts_at = list->events[0].at,
        .opened_at = list->events[0].at,
        .reason = "",
    };
    notification_init(notification);
    notification->title = title_of(list, arena);
    notification->text = text_of(list, arena);
    snprintf(key, sizeof key, "%u", number);
    alert_label(alert, "alertname", RULE);
    alert_label(alert, "audit", arena_text(arena, key));
    alert_annotate(alert, "summary", notification->title);
    alert_seal(alert);
    alert_dedup_key(settings->tenant_id, RULE, receiver, number, key);
    notification->event = alert->event;
    notification->status = NOTIFICATION_FIRING;
    notification->risk_level = finding_risk_words[RISK_NOT_EVALUATED];
    notification->severity = finding_severity_words[SEVERITY_UNKNOWN];
    notification->receiver = receiver;
    notification->group_key = "{}:{alertname=\"" RULE "\"}";
    notification->dedup_key = arena_text(arena, key);
    notification->tenant_id = settings->tenant_id;
    notification->external_url = settings->external_url;
    notification->config_file = settings->config_file;
    notification->rule = RULE;
    notification->event_at = list->events[list->count - 1].at;
    notification->made_at = now;
    notification->opened_at = alert->opened_at;
    notification->group_labels[0] = (struct match_label){ "alertname", RULE };
    notification->group_label_count = 1;
    notification->alerts = alert;
    notification->alert_count = 1;
    notification->firing_count = 1;
    notification_derive(notification, arena);
}

bool audit_notice(const struct group_context *context, const struct audit_list *list,
                  struct error *error)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct notification notification;
    const char *name = context->settings->config->audit.receiver;
    const struct receivers_config *receiver =
        name ? settings_receiver(context->settings, name) : NULL;
    if (!receiver || !list->count)
        return true;
    audit_notice_make(context->settings, list, context->now, &arena, &notification);
    return notice_queue(context, receiver, &notification, error);
}
