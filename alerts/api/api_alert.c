#include "alerts/api/api_alert.h"

#include <string.h>

#include "alerts/notify/notification_alone.h"
#include "alerts/notify/notification_brief.h"
#include "alerts/text/text.h"
#include "core/clock.h"

enum { ENDS_AFTER_S = 300, DESCRIPTION_POINTS = 400 };

static void append_labels(struct json_writer *writer, const char *name,
                          const struct match_label *labels, size_t count)
{
    json_open(writer, name, '{');
    for (size_t i = 0; i < count; i++)
        json_add_text(writer, labels[i].name, labels[i].value);
    json_close(writer, '}');
}

/* Appended as it stands: no character of it needs an escape. Ends with NULL. */
static void put(struct buf *out, const char *const *texts)
{
    for (; *texts; texts++)
        buf_text(out, *texts);
}

static void quote(struct buf *out, const char *text)
{
    json_quote(out, text, strlen(text));
}

static void put_receivers(struct buf *out, const struct api_alert_place *place)
{
    for (size_t i = 0; i < place->leaf_count; i++) {
        buf_text(out, i ? ",{\"name\":" : "{\"name\":");
        quote(out, place->leaves[i]->receiver);
        buf_char(out, '}');
    }
}

/* silence, inhibitor: UUID and fingerprint, or NULL. */
static void put_status(struct buf *out, const char *silence, const char *inhibitor)
{
    if (!silence && !inhibitor) {
        buf_text(out, "{\"inhibitedBy\":[],\"silencedBy\":[],\"mutedBy\":[],\"state\":\"active\"}");
        return;
    }
    buf_text(out, "{\"inhibitedBy\":[");
    if (inhibitor)
        quote(out, inhibitor);
    buf_text(out, "],\"silencedBy\":[");
    if (silence)
        quote(out, silence);
    buf_text(out, "],\"mutedBy\":[],\"state\":\"suppressed\"}");
}

/* Leads to the portal by way of our own address, when that is known. url: for it. */
static void put_generator(struct buf *out, const char *external_url, const struct alert *alert,
                          struct buf *url)
{
    const char *id = *external_url ? alert_label_value(alert, "finding_id") : "";
    const char *const texts[] = { external_url, *id ? "/f/" : "", id, NULL };
    buf_reset(url);
    put(url, texts);
    quote(out, buf_cstr(url));
}

/* Work out the title and the text of a notification about this alert alone. */
static bool tell(const struct api_call *call, const struct snapshot *snapshot,
                 const struct alert *alert, struct notification_brief *brief, struct error *error)
{
    const struct notification_alone alone = { call->context->settings, snapshot, call->database,
                                              call->context->now };
    struct notification notification;
    if (notification_brief_fits(alone.settings->rules, alert))
        return notification_brief_tell(brief, &alone, alert, DESCRIPTION_POINTS, error);
    arena_reset(&brief->arena);
    if (!notification_alone(&alone, alert, &brief->arena, &notification, error))
        return false;
    buf_reset(&brief->title);
    buf_text(&brief->title, notification.title);
    buf_reset(&brief->text);
    text_cut(&brief->text, notification.text, DESCRIPTION_POINTS);
    return true;
}

/* Add what a notification about this alert alone would say, where it says nothing of its own. */
static bool explain(const struct api_call *call, const struct snapshot *snapshot,
                    struct alert *alert, struct notification_brief *brief, struct error *error)
{
    bool summary = *alert_annotation_value(alert, "summary"),
         description = *alert_annotation_value(alert, "description");
    if (summary && description)
        return true;
    if (!tell(call, snapshot, alert, brief, error))
        return false;
    if (!summary)
        alert_annotate(alert, "summary", buf_cstr(&brief->title));
    if (!description)
        alert_annotate(alert, "description", buf_cstr(&brief->text));
    return true;
}

/* A gettableAlert. source: Alertmanager api/v2/openapi.yaml. */
static void append(const struct api_context *context, const struct api_alert_place *place,
                   const struct alert *alert, struct buf *url, struct json_writer *writer)
{
    struct buf *out = writer->out;
    char starts[32], ends[32];
    clock_format_rfc3339_ms(alert->starts_at * 1000, starts);
    if (alert->ends_at)
        clock_format_rfc3339_ms(alert->ends_at * 1000, ends);
    json_open(writer, NULL, '{');
    append_labels(writer, "annotations", alert->annotations, alert->annotation_count);
    put(out, (const char *const[]){ ",\"endsAt\":\"", alert->ends_at ? ends : place->ends,
                                    "\",\"fingerprint\":", NULL });
    quote(out, alert->fingerprint);
    buf_text(out, ",\"receivers\":[");
    put_receivers(out, place);
    put(out, (const char *const[]){ "],\"startsAt\":\"", starts, "\",\"status\":", NULL });
    put_status(out, place->silence_id, place->inhibitor);
    put(out, (const char *const[]){ ",\"updatedAt\":\"", starts, "\",\"generatorURL\":", NULL });
    put_generator(out, context->settings->external_url, alert, url);
    if (place->labels)
        put(out, (const char *const[]){ ",\"labels\":", place->labels, NULL });
    else
        append_labels(writer, "labels", alert->labels, alert->label_count);
    json_close(writer, '}');
}

void api_alert_ends(int64_t now, char ends[32])
{
    clock_format_rfc3339_ms((now + ENDS_AFTER_S) * 1000, ends);
}

bool api_alert_append(const struct api_call *call, const struct snapshot *snapshot,
                      const struct api_alert_place *place, struct alert *alert,
                      struct notification_brief *brief, struct json_writer *writer,
                      struct error *error)
{
    if (!explain(call, snapshot, alert, brief, error))
        return false;
    append(call->context, place, alert, &brief->rendered, writer);
    return true;
}
