/* The route tree: built once, walked for every alert that changes. */
#include "alerts/notify/route.h"
#include "core/near.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GROUP_INTERVAL_S = 300, REPEAT_INTERVAL_S = 86400 };

struct route {
    struct route_leaf leaf;
    struct match_list matchers;
    bool continues;
    struct route *children;
    size_t count;
};

static const char *const default_group_by[] = { "alertname", "assessment_id", "subscription_id" };
static const struct time_interval *const no_intervals[] = { NULL };

/* --- rows ------------------------------------------------------------------------------------- */

/* clang-format off */
#define CONFIG struct route_config
#define LINE(member) OPTION_LINE(CONFIG, line.member)
#define ROWS                                                                                       \
    { "receiver", OPTION_TEXT(CONFIG, receiver), LINE(receiver), .help = "Name of the receiver." },\
    { "matchers", OPTION_TEXT_LIST(CONFIG, matchers), LINE(matchers),                              \
      .help = "Such as 'team=\"cloud\"'; all must match." },                                       \
    { "continue", OPTION_BOOL(CONFIG, continues), .otherwise = "false",                            \
      .help = "Look at the routes after this one too." },                                          \
    { "group_by", OPTION_TEXT_LIST(CONFIG, group_by), LINE(group_by),                              \
      .help = "Labels of one message; '...' = each alert alone. "                                  \
              "Root: alertname, assessment_id, subscription_id." },                                \
    { "group_wait", OPTION_DURATION(CONFIG, group_wait_ms), LINE(group_wait),                      \
      .help = "Wait before the first message of a new group. Root: 0s." },                         \
    { "group_interval", OPTION_DURATION(CONFIG, group_interval_ms), LINE(group_interval),          \
      .help = "Least time between two messages of a group. Root: 5m." },                           \
    { "repeat_interval", OPTION_DURATION(CONFIG, repeat_interval_ms), LINE(repeat_interval),       \
      .help = "Send what still fires again after this; 0 = never. Root: 24h." },                   \
    { "mute_time_intervals", OPTION_TEXT_LIST(CONFIG, mute_time_intervals), LINE(mute),            \
      .help = "Time intervals in which nothing is sent." },                                        \
    { "active_time_intervals", OPTION_TEXT_LIST(CONFIG, active_time_intervals), LINE(active),      \
      .help = "Time intervals outside of which nothing is sent." }
#define CHILDREN(rows)                                                                             \
    { "routes", OPTION_ITEMS(CONFIG, routes, struct route_config), .section = rows,                \
      .help = "Routes below; the first match wins." }

static const struct option route_options_4[] = { ROWS, { 0 } };
static const struct option route_options_3[] = { ROWS, CHILDREN(route_options_4), { 0 } };
static const struct option route_options_2[] = { ROWS, CHILDREN(route_options_3), { 0 } };
static const struct option route_options_1[] = { ROWS, CHILDREN(route_options_2), { 0 } };
const struct option route_options[] = { ROWS, CHILDREN(route_options_1), { 0 } };
/* clang-format on */

/* --- building --------------------------------------------------------------------------------- */

struct builder {
    const struct route_known *known;
    const char *file;
    struct arena *arena;
    struct option_report *report;
};

static void build_receiver(const struct builder *builder, const struct route_config *config,
                           bool is_root, struct route_leaf *leaf)
{
    const char *const *known = builder->known->receivers;
    size_t count = 0;
    while (known && known[count])
        count++;
    if (config->receiver)
        leaf->receiver = config->receiver;
    if (!known)
        return;
    if (config->receiver) {
        for (size_t i = 0; i < count; i++)
            if (!strcmp(known[i], config->receiver))
                return;
        CLEANUP(buf_finish) struct buf near = { 0 };
        near_append(config->receiver, known, &near);
        options_complain(builder->report, builder->file, config->line.receiver, "route.receiver",
                         "there is no receiver \"%s\"%s", config->receiver, buf_cstr(&near));
    } else if (is_root && count > 1) {
        options_complain(builder->report, builder->file, config->line.receiver, "route.receiver",
                         "is required when there are several receivers");
    } else if (is_root) {
        leaf->receiver = count ? known[0] : "";
    }
}

static const struct time_interval *const *
build_intervals(const struct builder *builder, const struct option_texts *names, const char *key)
{
    const struct time_interval **found =
        arena_zalloc(builder->arena, (names->count + 1) * sizeof *found);
    size_t count = 0;
    for (size_t i = 0; i < names->count; i++) {
        found[count] = time_interval_find(builder->known->intervals, names->texts[i]);
        if (found[count])
            count++;
        else
            options_complain(builder->report, builder->file, options_line(names, i), key,
                             "there is no time interval \"%s\"", names->texts[i]);
    }
    return found;
}

static int compare_texts(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static void build_group_by(const struct builder *builder, const struct route_config *config,
                           struct route_leaf *leaf)
{
    const struct option_texts *names = &config->group_by;
    if (!config->line.group_by && !names->count)
        return;
    bool all = names->count == 1 && !strcmp(names->texts[0], "...");
    const char **sorted = arena_alloc(builder->arena, (names->count + 1) * sizeof *sorted);
    memcpy(sorted, names->texts ? names->texts : sorted, names->count * sizeof *sorted);
    qsort(sorted, names->count, sizeof *sorted, compare_texts);
    for (size_t i = 0; i < names->count && !all; i++) {
        struct error error;
        const char *wrong = NULL;
        if (!match_is_name(sorted[i]))
            wrong = !strcmp(sorted[i], "...") ? "must stand alone" : "is no label name";
        else if (i && !strcmp(sorted[i], sorted[i - 1]))
            wrong = "is there twice";
        if (wrong)
            options_complain(builder->report, builder->file, config->line.group_by,
                             "route.group_by", "\"%s\" %s", sorted[i], wrong);
        else if (!match_known(sorted[i], builder->known->labels, &error))
            options_complain(builder->report, builder->file, config->line.group_by,
                             "route.group_by", "%s", error.message);
    }
    leaf->by_all = all;
    leaf->group_by = sorted;
    leaf->group_by_count = all ? 0 : names->count;
}

static void build_matchers(const struct builder *builder, const struct route_config *config,
                           const char *parent_key, struct route *route)
{
    struct error error;
    if (!match_parse_all(&config->matchers, &route->matchers, builder->arena, &error) ||
        !match_all_known(&route->matchers, builder->known->labels, &error))
        options_complain(builder->report, builder->file, config->line.matchers, "route.matchers",
                         "%s", error.message);
    CLEANUP(buf_finish) struct buf key = { 0 };
    buf_printf(&key, "%s%s{", parent_key, *parent_key ? "/" : "");
    for (size_t i = 0; i < route->matchers.count; i++) {
        buf_text(&key, i ? "," : "");
        match_print(&route->matchers.matches[i], &key);
    }
    buf_char(&key, '}');
    route->leaf.key = arena_text(builder->arena, buf_cstr(&key));
}

/* The root must match every alert at any time, or one could get lost. */
static void check_root(const struct builder *builder, const struct route_config *config)
{
    const struct {
        const struct option_texts *texts;
        int line;
        const char *key;
    } rows[] = {
        { &config->matchers, config->line.matchers, "route.matchers" },
        { &config->mute_time_intervals, config->line.mute, "route.mute_time_intervals" },
        { &config->active_time_intervals, config->line.active, "route.active_time_intervals" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        if (rows[i].texts->count)
            options_complain(builder->report, builder->file, rows[i].line, rows[i].key,
                             "is not possible in the first route, which takes every alert");
}

static void build(const struct builder *builder, const struct route_config *config,
                  const struct route_leaf *parent, const char *path, struct route *route)
{
    struct route_leaf *leaf = &route->leaf;
    *leaf = *parent;
    leaf->path = path;
    route->continues = config->continues;
    build_receiver(builder, config, !*parent->key, leaf);
    build_matchers(builder, config, parent->key, route);
    build_group_by(builder, config, leaf);
    if (config->line.group_wait)
        leaf->group_wait_s = (config->group_wait_ms + 999) / 1000;
    if (config->line.group_interval)
        leaf->group_interval_s = (config->group_interval_ms + 999) / 1000;
    if (config->line.repeat_interval)
        leaf->repeat_interval_s = (config->repeat_interval_ms + 999) / 1000;
    leaf->mute =
        build_intervals(builder, &config->mute_time_intervals, "route.mute_time_intervals");
    leaf->active =
        build_intervals(builder, &config->active_time_intervals, "route.active_time_intervals");
    route->count = config->routes.count;
    route->children = arena_zalloc(builder->arena, (route->count + 1) * sizeof *route->children);
    for (size_t i = 0; i < route->count; i++) {
        CLEANUP(buf_finish) struct buf below = { 0 };
        buf_printf(&below, "%s/%zu", path, i);
        build(builder, (const struct route_config *)config->routes.items + i, leaf,
              arena_text(builder->arena, buf_cstr(&below)), &route->children[i]);
    }
}

const struct route *route_build(const struct route_config *config, const struct route_known *known,
                                const char *file, struct arena *arena, struct option_report *report)
{
    const struct builder builder = { known, file, arena, report };
    const struct route_leaf defaults = {
        .key = "",
        .receiver = "",
        .group_by = default_group_by,
        .group_by_count = ARRAY_COUNT(default_group_by),
        .group_interval_s = GROUP_INTERVAL_S,
        .repeat_interval_s = REPEAT_INTERVAL_S,
        .mute = no_intervals,
        .active = no_intervals,
    };
    size_t reasons = report->count;
    struct route *root = arena_zalloc(arena, sizeof *root);
    check_root(&builder, config);
    build(&builder, config, &defaults, "0", root);
    if (report->count == reasons)
        return root;
    route_finish(root);
    return NULL;
}

void route_finish(const struct route *root)
{
    if (!root)
        return;
    struct match_list matchers = root->matchers;
    match_finish(&matchers);
    for (size_t i = 0; i < root->count; i++)
        route_finish(&root->children[i]);
}

/* --- asking ----------------------------------------------------------------------------------- */

/* Add the leaves below a route that matched; itself when no child took the alert. */
static size_t find(const struct route *route, const struct alert *alert,
                   const struct route_leaf **leaves, size_t count, size_t max)
{
    bool taken = false;
    for (size_t i = 0; i < route->count; i++) {
        const struct route *child = &route->children[i];
        if (!match_maybe(&child->matchers, alert->labels, alert->label_count))
            continue;
        taken = true;
        count = find(child, alert, leaves, count, max);
        if (!child->continues)
            break;
    }
    if (!taken && count < max)
        leaves[count++] = &route->leaf;
    return count;
}

size_t route_find(const struct route *root, const struct alert *alert,
                  const struct route_leaf **leaves, size_t max)
{
    return find(root, alert, leaves, 0, max);
}

const struct route_leaf *route_leaf_find(const struct route *root, const char *path)
{
    if (!strcmp(root->leaf.path, path))
        return &root->leaf;
    for (size_t i = 0; i < root->count; i++) {
        const struct route_leaf *leaf = route_leaf_find(&root->children[i], path);
        if (leaf)
            return leaf;
    }
    return NULL;
}

void route_each(const struct route *root,
                void (*visit)(void *context, const struct route_leaf *leaf), void *context)
{
    visit(context, &root->leaf);
    for (size_t i = 0; i < root->count; i++)
        route_each(&root->children[i], visit, context);
}

void route_each_matchers(const struct route *root, match_visit *visit, void *context)
{
    visit(context, root->leaf.key, &root->matchers);
    for (size_t i = 0; i < root->count; i++)
        route_each_matchers(&root->children[i], visit, context);
}

size_t route_receivers(const struct route *root, const struct alert *alert, const char **names,
                       size_t max)
{
    const struct route_leaf *leaves[ROUTE_LEAVES_MAX];
    size_t found = route_find(root, alert, leaves, max < ROUTE_LEAVES_MAX ? max : ROUTE_LEAVES_MAX);
    size_t count = 0;
    for (size_t i = 0; i < found; i++) {
        bool again = false;
        for (size_t j = 0; j < count && !again; j++)
            again = !strcmp(names[j], leaves[i]->receiver);
        if (!again)
            names[count++] = leaves[i]->receiver;
    }
    return count;
}

size_t route_group_labels(const struct route_leaf *leaf, const struct alert *alert,
                          struct match_label *out)
{
    size_t count = 0;
    for (size_t i = 0; i < alert->label_count; i++) {
        const char *name = alert->labels[i].name;
        bool wanted = leaf->by_all;
        for (size_t n = 0; n < leaf->group_by_count && !wanted; n++)
            wanted = !strcmp(leaf->group_by[n], name);
        if (wanted)
            out[count++] = alert->labels[i];
    }
    return count;
}

/* What keeps an alert's own group the same while its other labels change. */
static size_t own_labels(const struct alert *alert, struct match_label *out)
{
    const char *finding = alert_label_value(alert, "finding_id");
    out[0] = (struct match_label){ "alertname", alert_label_value(alert, "alertname") };
    out[1] = *finding ? (struct match_label){ "finding_id", finding }
                      : (struct match_label){ "fingerprint", alert->fingerprint };
    return 2;
}

void route_group_key(const struct route_leaf *leaf, const struct alert *alert, struct buf *out)
{
    struct match_label labels[ALERT_LABELS_MAX];
    size_t count =
        leaf->by_all ? own_labels(alert, labels) : route_group_labels(leaf, alert, labels);
    buf_printf(out, "%s:{", leaf->key);
    for (size_t i = 0; i < count; i++) {
        const struct match match = { .name = labels[i].name, .value = labels[i].value };
        buf_text(out, i ? ", " : "");
        match_print(&match, out);
    }
    buf_char(out, '}');
}
