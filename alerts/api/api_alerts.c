#include "alerts/api/api_alerts.h"

#include <stdlib.h>
#include <string.h>

#include "alerts/notify/notification_build.h"
#include "alerts/text/text.h"
#include "core/clock.h"
#include "core/memory.h"

enum { ENDS_AFTER_S = 300, DESCRIPTION_POINTS = 400 };

/* What is asked for. */
struct wish {
    struct match_list filters, receivers; /* receivers: one regular expression on label "" */
    bool active, silenced, inhibited, unprocessed;
};

/* One alert in one group, rendered. */
struct entry {
    const char *key, *receiver, *labels, *alert;
    size_t order;
};

/* While alerts are walked. */
struct walk {
    struct api_call *call;
    const struct wish *wish;
    const struct silence_list *silences;
    const struct inhibit_view *inhibits;
    const struct snapshot *snapshot;
    bool grouped;
    struct json_writer writer; /* of the list, not grouped */
    struct entry *entries;     /* grouped */
    size_t count, capacity;
};

static void wish_finish(struct wish *wish)
{
    match_finish(&wish->filters);
    match_finish(&wish->receivers);
}

/* --- one alert ------------------------------------------------------------------------------ */

static void append_instant(struct json_writer *writer, const char *name, int64_t at)
{
    char text[32];
    json_add_text(writer, name, clock_format_rfc3339_ms(at * 1000, text));
}

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
    json_open(writer, "status", '{');
    append_list_of_one(writer, "inhibitedBy", inhibitor);
    append_list_of_one(writer, "silencedBy", silence);
    append_list_of_one(writer, "mutedBy", NULL);
    json_add_text(writer, "state", silence || inhibitor ? "suppressed" : "active");
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

/* Add what a notification about this alert alone would say, where it says nothing of its own. */
static bool explain(const struct walk *walk, struct alert *alert, struct arena *arena,
                    struct error *error)
{
    const struct settings *settings = walk->call->context->settings;
    const struct rule *rule = rule_find(settings->rules, alert->rule);
    const struct notification_context context = {
        .snapshot = walk->snapshot,
        .database = walk->call->database,
        .rules = settings->rules,
        .tenant_id = settings->tenant_id,
        .portal = settings->portal,
        .external_url = settings->external_url,
        .config_file = settings->config_file,
        .now = walk->call->context->now,
    };
    const struct notification_subject subject = {
        .receiver = "",
        .group_key = "",
        .event = alert->event,
        .alerts = alert,
        .alert_count = 1,
        .firing_count = 1,
        .title = rule ? rule->title : NULL,
        .text = rule ? rule->text : NULL,
        .episode = alert->episode,
        .brief = !rule || !rule->text,
    };
    CLEANUP(buf_finish) struct buf description = { 0 };
    struct notification notification;
    if (!notification_build(&context, &subject, arena, &notification, error))
        return false;
    text_cut(&description, notification.text, DESCRIPTION_POINTS);
    if (!*alert_annotation_value(alert, "summary"))
        alert_annotate(alert, "summary", notification.title);
    if (!*alert_annotation_value(alert, "description"))
        alert_annotate(alert, "description", arena_text(arena, buf_cstr(&description)));
    return true;
}

/* A gettableAlert. source: Alertmanager api/v2/openapi.yaml. */
static void append_alert(const struct api_context *context, struct json_writer *writer,
                         const struct alert *alert, const struct route_leaf *const *leaves,
                         size_t leaf_count, const char *silence, const char *inhibitor)
{
    json_open(writer, NULL, '{');
    append_labels(writer, "annotations", alert->annotations, alert->annotation_count);
    append_instant(writer, "endsAt", alert->ends_at ? alert->ends_at : context->now + ENDS_AFTER_S);
    json_add_text(writer, "fingerprint", alert->fingerprint);
    json_open(writer, "receivers", '[');
    for (size_t i = 0; i < leaf_count; i++) {
        json_open(writer, NULL, '{');
        json_add_text(writer, "name", leaves[i]->receiver);
        json_close(writer, '}');
    }
    json_close(writer, ']');
    append_instant(writer, "startsAt", alert->starts_at);
    append_status(writer, silence, inhibitor);
    append_instant(writer, "updatedAt", alert->starts_at);
    append_generator(writer, context->settings->external_url, alert);
    append_labels(writer, "labels", alert->labels, alert->label_count);
    json_close(writer, '}');
}

static bool is_wanted(const struct wish *wish, bool silenced, bool inhibited)
{
    if (silenced && !wish->silenced)
        return false;
    if (inhibited && !wish->inhibited)
        return false;
    return silenced || inhibited || wish->active;
}

/* Keep the leaves whose receiver is asked for; false when that cannot be told. */
static bool wanted_leaves(const struct walk *walk, const struct route_leaf **leaves, size_t count,
                          size_t *kept, struct error *error)
{
    const struct match_list *receivers = &walk->wish->receivers;
    *kept = 0;
    for (size_t i = 0; i < count; i++) {
        enum match_answer answer =
            receivers->count
                ? match_value(receivers->matches, leaves[i]->receiver, &walk->call->budget)
                : MATCH_YES;
        if (answer == MATCH_LIMIT)
            return api_call_too_expensive(error);
        if (answer == MATCH_YES)
            leaves[(*kept)++] = leaves[i];
    }
    return true;
}

/* --- groups --------------------------------------------------------------------------------- */

static bool is_grouped_by(const struct route_leaf *leaf, const char *label)
{
    for (size_t i = 0; i < leaf->group_by_count; i++)
        if (!strcmp(leaf->group_by[i], label))
            return true;
    return leaf->by_all;
}

static const char *group_labels(struct arena *arena, const struct route_leaf *leaf,
                                const struct alert *alert)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    struct json_writer writer = { .out = &text };
    json_open(&writer, NULL, '{');
    for (size_t i = 0; i < alert->label_count; i++)
        if (is_grouped_by(leaf, alert->labels[i].name))
            json_add_text(&writer, alert->labels[i].name, alert->labels[i].value);
    json_close(&writer, '}');
    return arena_text(arena, buf_cstr(&text));
}

static void add_entry(struct walk *walk, const struct route_leaf *leaf, const struct alert *alert,
                      const char *rendered)
{
    CLEANUP(buf_finish) struct buf key = { 0 };
    struct arena *arena = &walk->call->arena;
    MEMORY_GROW(walk->entries, walk->count, walk->capacity);
    route_group_key(leaf, alert, &key);
    walk->entries[walk->count] = (struct entry){
        .key = arena_text(arena, buf_cstr(&key)),
        .receiver = leaf->receiver,
        .labels = group_labels(arena, leaf, alert),
        .alert = rendered,
        .order = walk->count,
    };
    walk->count++;
}

static int compare_entries(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    int order = strcmp(a->receiver, b->receiver);
    if (!order)
        order = strcmp(a->key, b->key);
    return order ? order : (a->order > b->order) - (a->order < b->order);
}

static bool is_same_group(const struct entry *a, const struct entry *b)
{
    return !strcmp(a->receiver, b->receiver) && !strcmp(a->key, b->key);
}

static void append_groups(struct walk *walk)
{
    struct json_writer *writer = &walk->writer;
    if (walk->count)
        qsort(walk->entries, walk->count, sizeof *walk->entries, compare_entries);
    json_open(writer, NULL, '[');
    for (size_t i = 0; i < walk->count;) {
        const struct entry *first = &walk->entries[i];
        json_open(writer, NULL, '{');
        json_open(writer, "alerts", '[');
        for (; i < walk->count && is_same_group(first, &walk->entries[i]); i++)
            json_add_raw(writer, NULL, walk->entries[i].alert);
        json_close(writer, ']');
        json_add_raw(writer, "labels", first->labels);
        json_open(writer, "receiver", '{');
        json_add_text(writer, "name", first->receiver);
        json_close(writer, '}');
        json_close(writer, '}');
    }
    json_close(writer, ']');
}

/* --- all of them ---------------------------------------------------------------------------- */

static bool visit(void *context, const struct alert *alert, struct error *error)
{
    struct walk *walk = context;
    const struct wish *wish = walk->wish;
    const struct settings *settings = walk->call->context->settings;
    const struct route_leaf *leaves[ROUTE_LEAVES_MAX];
    enum match_answer answer =
        match_ask(&wish->filters, alert->labels, alert->label_count, &walk->call->budget);
    if (answer != MATCH_YES)
        return answer == MATCH_NO || api_call_too_expensive(error);
    size_t count =
        settings->route ? route_find(settings->route, alert, leaves, ROUTE_LEAVES_MAX) : 0;
    size_t wanted;
    if (!wanted_leaves(walk, leaves, count, &wanted, error))
        return false;
    const struct silence *silence = silence_find(walk->silences, alert, walk->call->context->now);
    const char *silence_id = silence ? silence->id : NULL;
    if (walk->call->budget.left_us <= 0)
        return api_call_too_expensive(error);
    const char *inhibitor = walk->inhibits ? inhibit_by(walk->inhibits, alert) : NULL;
    if (wanted < count && !wanted)
        return true;
    if (!is_wanted(wish, silence, inhibitor))
        return true;
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct alert explained = *alert;
    if (!explain(walk, &explained, &arena, error))
        return false;
    if (!walk->grouped) {
        append_alert(walk->call->context, &walk->writer, &explained, leaves, wanted, silence_id,
                     inhibitor);
        return true;
    }
    CLEANUP(buf_finish) struct buf text = { 0 };
    struct json_writer writer = { .out = &text };
    append_alert(walk->call->context, &writer, &explained, leaves, wanted, silence_id, inhibitor);
    const char *rendered = arena_text(&walk->call->arena, buf_cstr(&text));
    for (size_t i = 0; i < wanted; i++)
        add_entry(walk, leaves[i], alert, rendered);
    return true;
}

/* False and *status when the request is wrong. */
static bool read_wish(struct api_call *call, struct wish *wish, int *status)
{
    struct error error;
    const char *receiver = api_call_query(call, "receiver");
    bool flags = api_call_flag(call, "active", true, &wish->active) &&
                 api_call_flag(call, "silenced", true, &wish->silenced) &&
                 api_call_flag(call, "inhibited", true, &wish->inhibited) &&
                 api_call_flag(call, "unprocessed", true, &wish->unprocessed);
    if (!flags) {
        *status = api_call_fail(call, 400,
                                "active, silenced, inhibited and unprocessed must be"
                                " true or false");
        return false;
    }
    if (receiver && *receiver &&
        !match_add(&wish->receivers, "receiver", MATCH_REGEX, receiver, &call->arena, &error)) {
        *status = api_call_fail(call, 400, error.message);
        return false;
    }
    return api_call_filters(call, &wish->filters, status);
}

static void view_finish(struct inhibit_view **view)
{
    if (*view)
        inhibit_view_destroy(*view);
}

static void let_go(struct snapshot **snapshot)
{
    snapshot_release(*snapshot);
}

static bool walk_firing(struct walk *walk, struct error *error)
{
    CLEANUP(silence_list_finish) struct silence_list silences = { 0 };
    CLEANUP(view_finish) struct inhibit_view *view = NULL;
    struct api_call *call = walk->call;
    CLEANUP(let_go)
    struct snapshot *snapshot = snapshot_acquire(call->context->snapshots, call->context->now);
    const struct inhibit_rules *rules = call->context->settings->inhibits;
    if (!api_call_silences(call, &silences, error))
        return false;
    if (rules && !(view = inhibit_view_create(rules, call->database, error)))
        return false;
    walk->silences = &silences;
    walk->inhibits = view;
    walk->snapshot = snapshot;
    return active_each(call->database, ALERT_FIRING, visit, walk, error);
}

int api_alerts_answer(struct api_call *call, bool grouped)
{
    CLEANUP(wish_finish) struct wish wish = { 0 };
    struct walk walk = {
        .call = call,
        .wish = &wish,
        .grouped = grouped,
        .writer = { .out = call->out },
    };
    struct error error;
    int status;
    if (!read_wish(call, &wish, &status))
        return status;
    if (!grouped)
        json_open(&walk.writer, NULL, '[');
    bool ok = walk_firing(&walk, &error);
    if (ok && grouped)
        append_groups(&walk);
    else if (ok)
        json_close(&walk.writer, ']');
    free(walk.entries);
    return ok ? 200 : api_call_error(call, &error);
}

/* --- our own -------------------------------------------------------------------------------- */

struct own_walk {
    struct json_writer writer;
    const char *after; /* fingerprint to skip up to; NULL = it is passed */
    int64_t limit;
    char last[ALERT_FINGERPRINT_BYTES];
};

static bool visit_own(void *context, const struct alert *alert, struct error *error)
{
    struct own_walk *walk = context;
    if (walk->after) {
        if (!strcmp(walk->after, alert->fingerprint))
            walk->after = NULL;
        return true;
    }
    if (!walk->limit)
        return error_set(error, ERROR_LIMIT, "more");
    walk->limit--;
    memcpy(walk->last, alert->fingerprint, sizeof walk->last);
    alert_write(alert, &walk->writer, NULL);
    return true;
}

int api_alerts_answer_own(struct api_call *call)
{
    struct error error;
    struct own_walk walk = {
        .writer = { .out = call->out },
        .after = api_call_query(call, "after"),
        .limit = api_call_limit(call),
    };
    if (!walk.limit)
        return api_call_fail(call, 400, "limit must be a number from 1 on");
    json_open(&walk.writer, NULL, '{');
    json_open(&walk.writer, "alerts", '[');
    bool all = active_each(call->database, ALERT_STATE_COUNT, visit_own, &walk, &error);
    if (!all && error.code != ERROR_LIMIT)
        return api_call_error(call, &error);
    json_close(&walk.writer, ']');
    json_add_text(&walk.writer, "next", all ? NULL : walk.last);
    json_close(&walk.writer, '}');
    return 200;
}
