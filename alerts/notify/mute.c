/* Reasons to be quiet, in the order they are asked. */
#include "alerts/notify/mute.h"

#include <string.h>

#include "core/clock.h"

const char *const mute_words[] = { "",         "maintenance", "silence",   "inhibit", "interval",
                                   "flapping", "governor",    "first_run", "waiver",  NULL };

struct window {
    const char *name;
    int64_t starts_at, ends_at; /* when there is no interval */
    const struct time_interval *interval;
    struct match_list matchers;
};
struct mute_windows {
    struct window *windows;
    size_t count;
};

/* clang-format off */
#define CONFIG struct mute_window_config
#define LINE(member) OPTION_LINE(CONFIG, line.member)
const struct option mute_window_options[] = {
    { "name", OPTION_TEXT(CONFIG, name), LINE(name), .required = true,
      .help = "Name of the window, for people." },
    { "starts", OPTION_TEXT(CONFIG, starts), LINE(starts),
      .help = "When it begins, such as 2026-12-24T18:00:00Z." },
    { "ends", OPTION_TEXT(CONFIG, ends), LINE(ends), .help = "When it ends." },
    { "time_interval", OPTION_TEXT(CONFIG, interval), LINE(interval),
      .help = "Instead: a time interval, in which nothing is sent." },
    { "matchers", OPTION_TEXT_LIST(CONFIG, matchers), LINE(matchers),
      .help = "Only alerts like this, such as 'subscription_id=\"...\"'." },
    { 0 }
};
const struct option mute_flap_options[] = {
    { "changes", OPTION_INTEGER(struct mute_flap_config, changes), .otherwise = "5",
      .min = 0, .max = 1e6,
      .help = "An alert that fires more often than this is flapping; 0 = never." },
    { "within", OPTION_DURATION(struct mute_flap_config, within_ms), .otherwise = "2h",
      .min = 1000, .max = 604800e3,
      .help = "Firings that follow each other within this time are counted together." },
    { "hold", OPTION_DURATION(struct mute_flap_config, hold_ms), .otherwise = "1h",
      .min = 1000, .max = 604800e3, .help = "It is sent again after being calm for so long." },
    { 0 }
};
/* clang-format on */

/* --- windows ---------------------------------------------------------------------------------- */

static void read_instant(const char *text, int line, const char *key, const char *file, int64_t *at,
                         struct option_report *report)
{
    if (!clock_parse_rfc3339(text, at) || !*at)
        options_complain(report, file, line, key,
                         "\"%s\" is no instant such as "
                         "2026-12-24T18:00:00Z",
                         text);
}

static void compile_window(const struct mute_window_config *config,
                           const struct time_interval *const *intervals, const char *file,
                           struct arena *arena, struct window *window, struct option_report *report)
{
    struct error error;
    size_t reasons = report->count;
    window->name = config->name;
    if (config->interval) {
        window->interval = time_interval_find(intervals, config->interval);
        if (!window->interval)
            options_complain(report, file, config->line.interval, "maintenance.time_interval",
                             "there is no time interval \"%s\"", config->interval);
        if (config->starts || config->ends)
            options_complain(report, file, config->line.name, "maintenance",
                             "has both an interval and instants");
    } else if (!config->starts || !config->ends) {
        options_complain(report, file, config->line.name, "maintenance",
                         "needs starts and ends, or time_interval");
    } else {
        read_instant(config->starts, config->line.starts, "maintenance.starts", file,
                     &window->starts_at, report);
        read_instant(config->ends, config->line.ends, "maintenance.ends", file, &window->ends_at,
                     report);
        if (report->count == reasons && window->ends_at <= window->starts_at)
            options_complain(report, file, config->line.ends, "maintenance.ends",
                             "must come after the start");
    }
    if (!match_parse_all(&config->matchers, &window->matchers, arena, &error))
        options_complain(report, file, config->line.matchers, "maintenance.matchers", "%s",
                         error.message);
}

const struct mute_windows *mute_windows_compile(const struct option_items *configs,
                                                const struct time_interval *const *intervals,
                                                const char *file, struct arena *arena,
                                                struct option_report *report)
{
    size_t reasons = report->count;
    struct mute_windows *windows = arena_zalloc(arena, sizeof *windows);
    windows->windows = arena_zalloc(arena, (configs->count + 1) * sizeof *windows->windows);
    windows->count = configs->count;
    for (size_t i = 0; i < configs->count; i++)
        compile_window((const struct mute_window_config *)configs->items + i, intervals, file,
                       arena, &windows->windows[i], report);
    if (report->count == reasons)
        return windows;
    mute_windows_finish(windows);
    return NULL;
}

void mute_windows_finish(const struct mute_windows *windows)
{
    for (size_t i = 0; windows && i < windows->count; i++)
        match_finish(&windows->windows[i].matchers);
}

void mute_windows_each_matchers(const struct mute_windows *windows, match_visit *visit,
                                void *context)
{
    for (size_t i = 0; windows && i < windows->count; i++)
        visit(context, windows->windows[i].name, &windows->windows[i].matchers);
}

static bool window_is_open(const struct window *window, int64_t now)
{
    if (window->interval)
        return time_interval_contains(window->interval, now);
    return now >= window->starts_at && now < window->ends_at;
}

static bool in_window(const struct mute_windows *windows, const struct alert *alert, int64_t now)
{
    for (size_t i = 0; windows && i < windows->count; i++)
        if (window_is_open(&windows->windows[i], now) &&
            match_surely(&windows->windows[i].matchers, alert->labels, alert->label_count))
            return true;
    return false;
}

/* --- asking ----------------------------------------------------------------------------------- */

static bool in_one(const struct time_interval *const *intervals, int64_t now)
{
    for (; *intervals; intervals++)
        if (time_interval_contains(*intervals, now))
            return true;
    return false;
}

static bool is_flapping(const struct mute_context *context, int64_t flaps, int64_t flapped_at)
{
    return context->flap.changes && flaps > context->flap.changes &&
           context->now - flapped_at < context->flap.hold_ms / 1000;
}

bool mute_asks_labels(const struct mute_context *context)
{
    return (context->windows && context->windows->count) ||
           (context->silences && context->silences->count) || context->inhibits;
}

enum mute_reason mute_check(const struct mute_context *context, const struct route_leaf *leaf,
                            const struct alert *alert, int64_t flaps, int64_t flapped_at)
{
    bool firing = alert->state != ALERT_RESOLVED;
    if (in_window(context->windows, alert, context->now))
        return MUTE_MAINTENANCE;
    if (context->silences && silence_find(context->silences, alert, context->now))
        return MUTE_SILENCE;
    if (firing && context->inhibits && inhibit_by(context->inhibits, alert))
        return MUTE_INHIBIT;
    if (in_one(leaf->mute, context->now) || (*leaf->active && !in_one(leaf->active, context->now)))
        return MUTE_INTERVAL;
    if (firing && is_flapping(context, flaps, flapped_at))
        return MUTE_FLAPPING;
    return MUTE_NONE;
}

/* --- when to ask again ------------------------------------------------------------------------ */

struct search {
    int64_t now, next; /* the earliest after now; 0 = none */
};

static void consider(struct search *search, int64_t at)
{
    if (at > search->now && (!search->next || at < search->next))
        search->next = at;
}

static void consider_leaf(void *context, const struct route_leaf *leaf)
{
    struct search *search = context;
    for (const struct time_interval *const *one = leaf->mute; *one; one++)
        consider(search, time_interval_next_at(*one, search->now));
    for (const struct time_interval *const *one = leaf->active; *one; one++)
        consider(search, time_interval_next_at(*one, search->now));
}

int64_t mute_next_at(const struct mute_context *context, const struct route *root)
{
    struct search search = { .now = context->now };
    for (size_t i = 0; context->windows && i < context->windows->count; i++) {
        const struct window *window = &context->windows->windows[i];
        if (window->interval)
            consider(&search, time_interval_next_at(window->interval, context->now));
        consider(&search, window->starts_at);
        consider(&search, window->ends_at);
    }
    if (context->silences)
        consider(&search, silence_next_at(context->silences, context->now));
    if (root)
        route_each(root, consider_leaf, &search);
    return search.next;
}
