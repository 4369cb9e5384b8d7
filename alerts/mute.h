#pragma once
/* Why an alert is not told right now: one reason for each, the first that applies. Pure: what it
 * needs was loaded before. What is muted stays in its group and is told when the reason ends, if it
 * is still true; each alert and reason is counted once. */
#include "alerts/inhibit.h"
#include "alerts/route.h"
#include "alerts/silence.h"

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
/* Words of defender_exporter_notifications_suppressed_total. */
extern const char *const mute_words[];

/* A planned window: nothing about these subscriptions, or matching these labels, is told in it. */
struct mute_window_config {
    const char *name, *starts, *ends; /* RFC 3339; or ... */
    const char *interval;             /* ... a time interval */
    struct option_texts matchers;     /* none = everything */
    int line;
};
extern const struct option mute_window_options[];

struct mute_flap_config {
    int64_t changes, within_ms, hold_ms; /* more than `changes` firings within: held until calm */
};
extern const struct option mute_flap_options[];

struct mute_windows; /* compiled, in the arena */
const struct mute_windows *mute_windows_compile(const struct option_items *configs,
                                                const struct interval *const *intervals,
                                                const char *file, struct arena *arena,
                                                struct option_report *report);

struct mute_context {
    const struct mute_windows *windows;
    const struct silence_list *silences;
    const struct inhibit_view *inhibits; /* NULL = no rules */
    struct mute_flap_config flap;
    int64_t now;
};

/* flaps, flapped_at: of the active_alert row. A resolved alert whose firing was accepted is never
 * muted by inhibit or flapping. */
enum mute_reason mute_check(const struct mute_context *context, const struct route_leaf *leaf,
                            const struct alert *alert, int64_t flaps, int64_t flapped_at);

/* The next instant an answer can change by time alone; 0 = none. */
int64_t mute_next_at(const struct mute_context *context, const struct route *root);
