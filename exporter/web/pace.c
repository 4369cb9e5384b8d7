#include "exporter/web/pace.h"

void pace_begin(struct pace *pace, uint64_t taken, int64_t now_ms)
{
    *pace = (struct pace){ now_ms, now_ms, taken, taken };
}

/* Since when it would wait if it had taken all that it took at a fair pace. */
static int64_t excused_until(const struct pace *pace)
{
    return pace->since_ms + (int64_t)((pace->taken - pace->before) / PACE_BYTES_PER_MS);
}

static int64_t waits_since(const struct pace *pace)
{
    int64_t excused = excused_until(pace);
    return excused < pace->moved_ms ? excused : pace->moved_ms;
}

bool pace_look(struct pace *pace, uint64_t taken, bool all, int64_t now_ms)
{
    const struct pace before = *pace;
    if (all) {
        pace_begin(pace, taken, now_ms + 1);
    } else if (taken > pace->taken) {
        pace->taken = taken;
        pace->moved_ms = now_ms;
    }
    return waits_since(pace) > waits_since(&before);
}

bool pace_is_slower(const struct pace *pace, const struct pace *other)
{
    int64_t ours = waits_since(pace), theirs = waits_since(other);
    return ours != theirs ? ours < theirs : excused_until(pace) < excused_until(other);
}
