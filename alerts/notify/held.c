#include "alerts/notify/held.h"

#include <string.h>

#include "alerts/notify/notification_names.h"

const char *held_ended(const struct mute_context *context, enum mute_reason before,
                       const struct alert *alert, struct arena *arena)
{
    static const char *const ended[MUTE_REASON_COUNT] = {
        [MUTE_MAINTENANCE] = "a maintenance window ended",
        [MUTE_SILENCE] = "no silence covered it any more",
        [MUTE_INHIBIT] = "the alert that inhibited it ended",
        [MUTE_INTERVAL] = "the time interval that mutes it ended",
        [MUTE_FLAPPING] = "it was calm again",
    };
    const struct silence *silence = before == MUTE_SILENCE && context->silences
                                        ? silence_ended(context->silences, alert, context->now)
                                        : NULL;
    if (!silence)
        return ended[before] ? ended[before] : "";
    CLEANUP(buf_finish) struct buf text = { 0 };
    buf_printf(&text, "the silence by %s ended",
               *silence->created_by ? silence->created_by : "nobody");
    for (size_t i = 0; i < text.length; i++)
        if ((unsigned char)text.data[i] < ' ')
            text.data[i] = ' ';
    return notification_names_copy(buf_cstr(&text), arena);
}

void held_add(struct held *held, const char *ended)
{
    const char *before = held->ended ? held->ended : "";
    held->differs = held->differs || (held->count && strcmp(before, ended) != 0);
    held->ended = *before ? before : ended;
    held->count++;
}

const char *held_text(const struct held *held, struct arena *arena)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    if (!held->count || !*held->ended)
        return "";
    buf_printf(&text, "%suntil %s", held->differs ? "in part " : "", held->ended);
    return arena_text(arena, buf_cstr(&text));
}
