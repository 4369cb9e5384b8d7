#pragma once
/* Why nobody is notified of an alert right now: one reason, the first that applies. Pure: silences
 * and inhibitions were loaded before. A muted alert stays in its group and is sent when the reason
 * ends, if it still fires; each alert and reason is counted once. */
#include "alerts/notify/inhibit.h"
#include "alerts/notify/route.h"
#include "alerts/notify/silence.h"

enum mute_reason {
    MUTE_NONE,
    MUTE_MAINTENANCE,
    MUTE_SILENCE,
    MUTE_INHIBIT,
    MUTE_INTERVAL,
    MUTE_FLAPPING,
    MUTE_GOVERNOR,
    MUTE_FIRST_RUN,
    MUTE_WAIVER,
    MUTE_REASON_COUNT
};
/* Words of defender_exporter_notifications_suppressed_total; MUTE_NONE is "". */
extern const char *const mute_words[];

/* A planned window: nothing that matches is sent in it. */
struct mute_window_config {
    const char *name, *starts, *ends; /* RFC 3339; or ... */
    const char *interval;             /* ... a time interval */
    struct option_texts matchers;     /* none = everything */
    struct {
        int name, starts, ends, interval, matchers;
    } line;
};
extern const struct option mute_window_options[];

struct mute_flap_config {
    int64_t changes, within_ms, hold_ms; /* more than `changes` firings within: muted until calm */
};
extern const struct option mute_flap_options[];

struct mute_windows; /* compiled, in the arena */

/* Compile all windows. Every mistake is a line of the report; NULL then. */
const struct mute_windows *mute_windows_compile(const struct option_items *configs,
                                                const struct time_interval *const *intervals,
                                                const char *file, struct arena *arena,
                                                struct option_report *report);

/* Free what the arena does not: compiled patterns. NULL is fine. */
void mute_windows_finish(const struct mute_windows *windows);

/* Show the matchers of every window by its name. windows: NULL is fine. */
void mute_windows_each_matchers(const struct mute_windows *windows, match_visit *visit,
                                void *context);

struct mute_context {
    const struct mute_windows *windows; /* NULL = none, as silences and inhibits */
    const struct silence_list *silences;
    const struct inhibit_view *inhibits;
    struct mute_flap_config flap;
    int64_t now;
};

/* Whether labels matter at all: false when there is neither window, silence nor inhibition. */
bool mute_asks_labels(const struct mute_context *context);

/* Why an alert of this leaf is muted. With no labels to ask, alert->state is all that is read of
 * it. flaps, flapped_at: of the active_alert row. A resolved alert is never muted by inhibition or
 * flapping: it is in a group only when its receiver was notified that it fires. */
enum mute_reason mute_check(const struct mute_context *context, const struct route_leaf *leaf,
                            const struct alert *alert, int64_t flaps, int64_t flapped_at);

/* The next instant an answer can change by time alone, flapping excepted; 0 = none. root: NULL =
 * no routes. */
int64_t mute_next_at(const struct mute_context *context, const struct route *root);
