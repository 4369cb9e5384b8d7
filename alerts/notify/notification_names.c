#include "alerts/notify/notification_names.h"

#include <string.h>

#include "alerts/text/resource_type.h"
#include "alerts/text/text.h"
#include "collectors/baselines_explain.h"
#include "collectors/catalogue.h"
#include "collectors/secure_scores.h"
#include "collectors/subscriptions.h"

enum { LINK_BYTES = 4096 };

const char *notification_names_plain(const char *text, struct arena *arena)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    if (!strpbrk(text, ":.")) /* without them it is no link */
        return text;
    text_unlink(&out, text);
    return strcmp(buf_cstr(&out), text) != 0 ? arena_text(arena, buf_cstr(&out)) : text;
}

const char *notification_names_copy(const char *text, struct arena *arena)
{
    return notification_names_plain(arena_text(arena, text), arena);
}

/* A copy of the name, or the id when there is none. */
static const char *name_or(const char *name, const char *id, struct arena *arena)
{
    return name && *name ? notification_names_copy(name, arena) : id;
}

const char *notification_names_subscription(const struct notification_context *context,
                                            const char *id, struct arena *arena)
{
    const struct subscription *known = subscriptions_find(context->snapshot, id);
    return name_or(known ? known->name : NULL, id, arena);
}

const char *notification_names_assessment(const struct notification_context *context,
                                          const char *assessment_id, struct arena *arena)
{
    const struct catalogue_entry *known =
        *assessment_id ? catalogue_find(context->snapshot, NULL, assessment_id) : NULL;
    return name_or(known ? known->title : NULL, assessment_id, arena);
}

/* By the id of a control, or by what tells it apart from those of connectors. */
static const char *control_named(const struct notification_context *context, const char *id,
                                 bool by_subject, struct arena *arena)
{
    const struct snapshot *snapshot = context->snapshot;
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        size_t count;
        const struct secure_control *controls = secure_scores_controls(snapshot->parts[i], &count);
        for (size_t j = 0; j < count; j++)
            if (!strcmp(by_subject ? controls[j].subject : controls[j].id, id))
                return name_or(controls[j].title, controls[j].id, arena);
    }
    return id;
}

const char *notification_names_control(const struct notification_context *context, const char *id,
                                       struct arena *arena)
{
    return control_named(context, id, false, arena);
}

const char *notification_names_subject(const struct notification_context *context,
                                       const struct alert *alert, struct arena *arena)
{
    return control_named(context, alert_label_value(alert, "subject"), true, arena);
}

const char *notification_names_value(const struct notification_context *context, const char *label,
                                     const char *value, struct arena *arena)
{
    if (!strcmp(label, "subscription_id"))
        return notification_names_subscription(context, value, arena);
    if (!strcmp(label, "assessment_id"))
        return notification_names_assessment(context, value, arena);
    if (!strcmp(label, "control"))
        return notification_names_control(context, value, arena);
    if (!strcmp(label, "contextual"))
        return !strcmp(value, "true") ? "risk from context" : "risk from severity";
    if (!strcmp(label, "risk_level") && !strcmp(value, "not_evaluated"))
        return "risk not evaluated";
    if (!strcmp(label, "resource_type"))
        return notification_names_plain(resource_type_words(value), arena);
    if (!strcmp(label, "cloud")) {
        enum cloud_kind cloud = cloud_kind_of(value, "");
        return cloud == CLOUD_UNKNOWN ? value : cloud_kind_names[cloud];
    }
    return notification_names_plain(value, arena);
}

/* "Production (478c1d3e-...)". */
static const char *subscription_in_full(const struct notification_context *context, const char *id,
                                        struct arena *arena)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    const char *name = notification_names_subscription(context, id, arena);
    if (!strcmp(name, id))
        return id;
    buf_printf(&out, "%s (%s)", name, id);
    return arena_text(arena, buf_cstr(&out));
}

void notification_names_about(const struct notification_context *context, const struct alert *alert,
                              struct arena *arena, struct notification_block *block)
{
    bool by_id = *alert_label_value(alert, "subscription_id") != 0;
    bool by_subject = *alert_label_value(alert, "subject") != 0;
    for (size_t i = 0; i < alert->label_count; i++) {
        const char *name = alert->labels[i].name, *value = alert->labels[i].value;
        if (!strcmp(name, "alertname") || !strcmp(name, "initiative") ||
            (by_id && !strcmp(name, "subscription_name")) ||
            (by_subject && (!strcmp(name, "subject") || !strcmp(name, "source"))))
            continue;
        block->about[block->about_count++] =
            (struct match_label){ name,
                                  !strcmp(name, "subscription_id")
                                      ? subscription_in_full(context, value, arena)
                                      : notification_names_value(context, name, value, arena) };
    }
}

const char *notification_names_link(const struct notification_context *context,
                                    const struct finding *finding, struct arena *arena)
{
    char link[LINK_BYTES];
    struct finding linked = *finding;
    linked.assessment_id = baselines_explain_link(finding);
    if (!*finding->assessment_id || !*finding->resource_id || !*context->portal)
        return "";
    return arena_text(arena, finding_link(&linked, context->portal, link, sizeof link));
}

const char *notification_names_environment(const struct finding *view, struct arena *arena)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    if (!*view->account && !*view->connector)
        return cloud_kind_names[view->cloud];
    buf_text(&text, cloud_kind_names[view->cloud]);
    if (*view->account)
        buf_printf(&text, " %s %s", cloud_kind_account_words[view->cloud],
                   notification_names_plain(view->account, arena));
    if (*view->connector)
        buf_printf(&text, " through connector %s",
                   notification_names_plain(view->connector, arena));
    return arena_text(arena, buf_cstr(&text));
}

const char *notification_names_words(const char *before, const char *words, struct arena *arena)
{
    CLEANUP(buf_finish) struct buf all = { 0 };
    words = notification_names_plain(words, arena);
    if (!*words)
        return before;
    buf_text(&all, before);
    for (size_t length; *words; words += length) {
        words += strspn(words, ", ");
        length = strcspn(words, ",");
        size_t end = all.length;
        buf_text(&all, end ? ", " : "");
        size_t begin = all.length;
        text_words(&all, arena_copy(arena, words, length));
        const char *first = strstr(all.data, all.data + begin);
        if (!length || (size_t)(first - all.data) + all.length - begin <= end)
            all.data[all.length = end] = 0; /* it is in what stands before */
    }
    return arena_text(arena, buf_cstr(&all));
}
