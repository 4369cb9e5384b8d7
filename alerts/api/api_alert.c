#include "alerts/api/api_alert.h"

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

static void append_list_of_one(struct json_writer *writer, const char *name, const char *value)
{
    json_open(writer, name, '[');
    if (value)
        json_add_text(writer, NULL, value);
    json_close(writer, ']');
}

static void append_status(struct json_writer *writer, const char *silence, const char *inhibitor)
{
    static const char of_most[] =
        "{\"inhibitedBy\":[],\"silencedBy\":[],\"mutedBy\":[],\"state\":\"active\"}";
    if (!silence && !inhibitor) {
        json_add_raw(writer, "status", of_most);
        return;
    }
    json_open(writer, "status", '{');
    append_list_of_one(writer, "inhibitedBy", inhibitor);
    append_list_of_one(writer, "silencedBy", silence);
    append_list_of_one(writer, "mutedBy", NULL);
    json_add_text(writer, "state", "suppressed");
    json_close(writer, '}');
}

/* Leads to the portal by way of our own address, when that is known. */
static void append_generator(struct json_writer *writer, const char *external_url,
                             const struct alert *alert)
{
    CLEANUP(buf_finish) struct buf url = { 0 };
    const char *id = alert_label_value(alert, "finding_id");
    buf_text(&url, external_url);
    if (*external_url && *id)
        buf_printf(&url, "/f/%s", id);
    json_add_text(writer, "generatorURL", buf_cstr(&url));
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
                   const struct alert *alert, struct json_writer *writer)
{
    int64_t ends_at = alert->ends_at ? alert->ends_at : context->now + ENDS_AFTER_S;
    char starts[32], ends[32];
    clock_format_rfc3339_ms(alert->starts_at * 1000, starts);
    json_open(writer, NULL, '{');
    append_labels(writer, "annotations", alert->annotations, alert->annotation_count);
    json_add_text(writer, "endsAt", clock_format_rfc3339_ms(ends_at * 1000, ends));
    json_add_text(writer, "fingerprint", alert->fingerprint);
    json_open(writer, "receivers", '[');
    for (size_t i = 0; i < place->leaf_count; i++) {
        json_open(writer, NULL, '{');
        json_add_text(writer, "name", place->leaves[i]->receiver);
        json_close(writer, '}');
    }
    json_close(writer, ']');
    json_add_text(writer, "startsAt", starts);
    append_status(writer, place->silence_id, place->inhibitor);
    json_add_text(writer, "updatedAt", starts);
    append_generator(writer, context->settings->external_url, alert);
    if (place->labels)
        json_add_raw(writer, "labels", place->labels);
    else
        append_labels(writer, "labels", alert->labels, alert->label_count);
    json_close(writer, '}');
}

bool api_alert_append(const struct api_call *call, const struct snapshot *snapshot,
                      const struct api_alert_place *place, struct alert *alert,
                      struct notification_brief *brief, struct json_writer *writer,
                      struct error *error)
{
    if (!explain(call, snapshot, alert, brief, error))
        return false;
    append(call->context, place, alert, writer);
    return true;
}
