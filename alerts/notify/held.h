#pragma once
/* Why a notification comes now and not before: what held an alert back has ended. Pure. */
#include "alerts/notify/mute.h"

/* What ended, of an alert that was muted for this reason and is no longer: "the silence by alice
 * ended". Texts go to the arena. */
const char *held_ended(const struct mute_context *context, enum mute_reason before,
                       const struct alert *alert, struct arena *arena);

/* The same of all alerts of a notification that are news. Zeroed = none. */
struct held {
    const char *ended;
    size_t count;
    bool differs;
};

/* ended: "" = nothing held it back. */
void held_add(struct held *held, const char *ended);

/* "until the silence by alice ended"; "in part until ..." when that is not true of all; "" when
 * nothing was held back. */
const char *held_text(const struct held *held, struct arena *arena);
