#include "alerts/api/api_listing.h"

#include <stdlib.h>
#include <string.h>

#include "alerts/api/api_alert.h"
#include "core/intern.h"
#include "core/memory.h"

enum { PIECE_BYTES = 64 * 1024 };

/* What is asked for. */
struct wish {
    struct match_list filters, receivers; /* receivers: one regular expression on label "" */
    bool active, silenced, inhibited, unprocessed;
};

/* One alert in one group. */
struct entry {
    const struct route_leaf *leaf;
    const char *key, *silence_id, *inhibitor;
    char fingerprint[ALERT_FINGERPRINT_BYTES];
    uint32_t order;
};

struct api_listing {
    struct api_context context; /* its settings are held */
    struct api_call call;
    struct wish wish;
    struct silence_list silences;
    struct inhibit_view *inhibits;
    struct json_writer writer;
    struct notification_brief brief;
    char ends[32];
    bool grouped, begun;
    struct active_walk walk;
    struct entry *entries; /* grouped: count of them, sorted; next: the one to append */
    size_t count, capacity, next;
    struct intern keys;
    bool in_group;     /* one is begun */
    struct buf labels; /* of it */
};

static void wish_finish(struct wish *wish)
{
    match_finish(&wish->filters);
    match_finish(&wish->receivers);
}

bool api_listing_is(const struct api_request *request)
{
    return !strcmp(request->method, "GET") &&
           (!strcmp(request->path, "alerts") || !strcmp(request->path, "alerts/groups"));
}

/* --- one alert ------------------------------------------------------------------------------ */

static bool is_wanted(const struct wish *wish, bool silenced, bool inhibited)
{
    if (silenced && !wish->silenced)
        return false;
    if (inhibited && !wish->inhibited)
        return false;
    return silenced || inhibited || wish->active;
}

/* Keep the leaves whose receiver is asked for; false when that cannot be told. */
static bool wanted_leaves(struct api_listing *listing, const struct route_leaf **leaves,
                          size_t count, size_t *kept, struct error *error)
{
    const struct match_list *receivers = &listing->wish.receivers;
    *kept = 0;
    for (size_t i = 0; i < count; i++) {
        enum match_answer answer =
            receivers->count
                ? match_value(receivers->matches, leaves[i]->receiver, &listing->call.budget)
                : MATCH_YES;
        if (answer == MATCH_LIMIT)
            return api_call_too_expensive(error);
        if (answer == MATCH_YES)
            leaves[(*kept)++] = leaves[i];
    }
    return true;
}

/* Where an alert stands, and whether it is asked for. */
static bool place_alert(struct api_listing *listing, const struct alert *alert,
                        struct api_alert_place *place, bool *wanted, struct error *error)
{
    const struct wish *wish = &listing->wish;
    const struct settings *settings = listing->context.settings;
    enum match_answer answer =
        match_ask(&wish->filters, alert->labels, alert->label_count, &listing->call.budget);
    *wanted = false;
    if (answer != MATCH_YES)
        return answer == MATCH_NO || api_call_too_expensive(error);
    size_t count =
        settings->route ? route_find(settings->route, alert, place->leaves, ROUTE_LEAVES_MAX) : 0;
    if (!wanted_leaves(listing, place->leaves, count, &place->leaf_count, error))
        return false;
    const struct silence *silence = silence_find(&listing->silences, alert, listing->context.now);
    place->silence_id = silence ? silence->id : NULL;
    place->ends = listing->ends;
    if (listing->call.budget.left_us <= 0)
        return api_call_too_expensive(error);
    place->inhibitor = listing->inhibits ? inhibit_by(listing->inhibits, alert) : NULL;
    *wanted = (place->leaf_count || !count) && is_wanted(wish, silence, place->inhibitor);
    return true;
}

static bool append(struct api_listing *listing, const struct snapshot *snapshot,
                   const struct api_alert_place *place, struct alert *alert, struct error *error)
{
    return api_alert_append(&listing->call, snapshot, place, alert, &listing->brief,
                            &listing->writer, error);
}

/* --- all of them ---------------------------------------------------------------------------- */

/* The alerts of a piece; *more false when these were the last. */
static bool append_alerts(struct api_listing *listing, const struct snapshot *snapshot, bool *more,
                          struct error *error)
{
    const struct buf *out = listing->writer.out;
    for (size_t begin = out->length; *more && out->length - begin < PIECE_BYTES;) {
        struct alert alert;
        struct api_alert_place place;
        bool wanted;
        if (!active_walk_next(&listing->walk, &alert, more, error))
            return false;
        place.labels = listing->walk.labels;
        if (*more && (!place_alert(listing, &alert, &place, &wanted, error) ||
                      (wanted && !append(listing, snapshot, &place, &alert, error))))
            return false;
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

static void append_group_labels(struct json_writer *writer, const struct route_leaf *leaf,
                                const struct alert *alert)
{
    json_open(writer, NULL, '{');
    for (size_t i = 0; i < alert->label_count; i++)
        if (is_grouped_by(leaf, alert->labels[i].name))
            json_add_text(writer, alert->labels[i].name, alert->labels[i].value);
    json_close(writer, '}');
}

static void add_entry(struct api_listing *listing, const struct route_leaf *leaf,
                      const struct api_alert_place *place, const struct alert *alert)
{
    CLEANUP(buf_finish) struct buf key = { 0 };
    MEMORY_GROW(listing->entries, listing->count, listing->capacity);
    route_group_key(leaf, alert, &key);
    struct entry *entry = &listing->entries[listing->count];
    *entry = (struct entry){
        .leaf = leaf,
        .key = intern_text(&listing->keys, intern_put(&listing->keys, buf_cstr(&key), key.length)),
        .silence_id = place->silence_id,
        .inhibitor = place->inhibitor,
        .order = (uint32_t)listing->count++,
    };
    memcpy(entry->fingerprint, alert->fingerprint, sizeof entry->fingerprint);
}

static int compare_groups(const struct entry *a, const struct entry *b)
{
    int order = strcmp(a->leaf->receiver, b->leaf->receiver);
    return order ? order : strcmp(a->key, b->key);
}

static int compare_entries(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    int order = compare_groups(a, b);
    return order ? order : (a->order > b->order) - (a->order < b->order);
}

/* Which alerts are in which group: known before the first is told. */
static bool sort_groups(struct api_listing *listing, struct error *error)
{
    for (;;) {
        struct alert alert;
        struct api_alert_place place;
        bool found, wanted;
        if (!active_walk_next(&listing->walk, &alert, &found, error))
            return false;
        if (!found)
            break;
        if (!place_alert(listing, &alert, &place, &wanted, error))
            return false;
        for (size_t i = 0; wanted && i < place.leaf_count; i++)
            add_entry(listing, place.leaves[i], &place, &alert);
    }
    if (listing->count)
        qsort(listing->entries, listing->count, sizeof *listing->entries, compare_entries);
    active_walk_pause(&listing->walk);
    return true;
}

/* The alert of an entry as it is now; not found when it has ended meanwhile. */
static bool find_alert(struct api_listing *listing, const struct entry *entry, struct arena *arena,
                       struct alert *alert, bool *found, struct error *error)
{
    if (!active_find(listing->call.database, entry->fingerprint, arena, alert, found, error))
        return false;
    *found = *found && alert->state == ALERT_FIRING;
    return true;
}

static bool append_entry(struct api_listing *listing, const struct snapshot *snapshot,
                         const struct entry *entry, struct alert *alert, struct error *error)
{
    struct api_alert_place place = { .silence_id = entry->silence_id,
                                     .inhibitor = entry->inhibitor,
                                     .ends = listing->ends };
    size_t count =
        route_find(listing->context.settings->route, alert, place.leaves, ROUTE_LEAVES_MAX);
    return wanted_leaves(listing, place.leaves, count, &place.leaf_count, error) &&
           append(listing, snapshot, &place, alert, error);
}

static void open_group(struct api_listing *listing, const struct entry *entry,
                       const struct alert *alert)
{
    struct json_writer labels = { .out = &listing->labels };
    buf_reset(&listing->labels);
    append_group_labels(&labels, entry->leaf, alert);
    json_open(&listing->writer, NULL, '{');
    json_open(&listing->writer, "alerts", '[');
    listing->in_group = true;
}

static void close_group(struct api_listing *listing, const struct entry *entry)
{
    struct json_writer *writer = &listing->writer;
    json_close(writer, ']');
    json_add_raw(writer, "labels", buf_cstr(&listing->labels));
    json_open(writer, "receiver", '{');
    json_add_text(writer, "name", entry->leaf->receiver);
    json_close(writer, '}');
    json_close(writer, '}');
    listing->in_group = false;
}

static bool append_groups(struct api_listing *listing, const struct snapshot *snapshot, bool *more,
                          struct error *error)
{
    const struct buf *out = listing->writer.out;
    for (size_t begin = out->length;
         listing->next < listing->count && out->length - begin < PIECE_BYTES;) {
        CLEANUP(arena_finish) struct arena arena = { 0 };
        const struct entry *entry = &listing->entries[listing->next++];
        struct alert alert;
        bool found;
        if (!find_alert(listing, entry, &arena, &alert, &found, error))
            return false;
        if (found && !listing->in_group)
            open_group(listing, entry, &alert);
        if (found && !append_entry(listing, snapshot, entry, &alert, error))
            return false;
        bool last = listing->next == listing->count || compare_groups(entry, entry + 1) != 0;
        if (last && listing->in_group)
            close_group(listing, entry);
    }
    *more = listing->next < listing->count;
    return true;
}

/* --- pieces --------------------------------------------------------------------------------- */

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

static bool prepare(struct api_listing *listing, struct error *error)
{
    struct api_call *call = &listing->call;
    const struct inhibit_rules *rules = listing->context.settings->inhibits;
    if (!api_call_silences(call, &listing->silences, error))
        return false;
    if (rules && !(listing->inhibits = inhibit_view_create(rules, call->database, error)))
        return false;
    active_walk_init(&listing->walk, call->database, ALERT_FIRING);
    return !listing->grouped || sort_groups(listing, error);
}

static bool open_listing(struct api_listing *listing, int *status)
{
    struct error error;
    if (!api_call_open(&listing->call, true, &error)) {
        *status = api_call_error(&listing->call, &error);
        return false;
    }
    if (!read_wish(&listing->call, &listing->wish, status))
        return false;
    if (prepare(listing, &error))
        return true;
    *status = api_call_error(&listing->call, &error);
    return false;
}

struct api_listing *api_listing_open(const struct api_context *context,
                                     const struct api_request *request, struct buf *out,
                                     int *status)
{
    struct api_listing *listing = MEMORY_NEW(struct api_listing);
    listing->context = *context;
    settings_acquire(listing->context.settings);
    listing->call = (struct api_call){ &listing->context, request, .out = out };
    listing->grouped = strcmp(request->path, "alerts") != 0;
    notification_brief_init(&listing->brief);
    api_alert_ends(context->now, listing->ends);
    bool ok = open_listing(listing, status);
    listing->call.request = NULL; /* borrowed */
    listing->call.out = NULL;
    if (ok)
        return listing;
    api_listing_close(listing);
    return NULL;
}

static void let_go(struct snapshot **snapshot)
{
    snapshot_release(*snapshot);
}

bool api_listing_next(struct api_listing *listing, struct buf *out, bool *more, struct error *error)
{
    CLEANUP(let_go)
    struct snapshot *snapshot = snapshot_acquire(listing->context.snapshots, listing->context.now);
    listing->writer.out = out;
    if (!listing->begun)
        json_open(&listing->writer, NULL, '[');
    listing->begun = *more = true;
    bool ok = listing->grouped ? append_groups(listing, snapshot, more, error)
                               : append_alerts(listing, snapshot, more, error);
    active_walk_pause(&listing->walk);
    if (ok && !*more)
        json_close(&listing->writer, ']');
    return ok;
}

int api_listing_begin(struct api_listing *listing, struct buf *out, bool *more)
{
    struct error error;
    if (api_listing_next(listing, out, more, &error))
        return 200;
    *more = false;
    listing->call.out = out;
    return api_call_error(&listing->call, &error);
}

void api_listing_close(struct api_listing *listing)
{
    if (!listing)
        return;
    active_walk_finish(&listing->walk);
    notification_brief_finish(&listing->brief);
    inhibit_view_destroy(listing->inhibits);
    silence_list_finish(&listing->silences);
    wish_finish(&listing->wish);
    free(listing->entries);
    intern_finish(&listing->keys);
    buf_finish(&listing->labels);
    api_call_finish(&listing->call);
    settings_release(listing->context.settings);
    free(listing);
}
