#pragma once
/* A silence as it is typed into a form, and what is read from that. Pure. */
#include "alerts/notify/settings.h"
#include "alerts/notify/silence.h"

/* Texts as typed, never NULL. */
struct silence_draft {
    const char *id;       /* of the silence that it changes; "" = it makes a new one */
    const char *matchers; /* one a line, or with commas */
    const char *begins;   /* an instant; "" = now */
    const char *until;    /* so long, or an instant */
    const char *by, *comment;
    const char *seen; /* the matchers whose alerts were shown; "" = none */
};

/* As it would have been typed. like: only what it matches and why, for a new one. */
void silence_draft_of(const struct silence *silence, bool like, struct arena *arena,
                      struct silence_draft *draft);

/* Read what it matches; labels that no alert has are wrong. The list is to be finished. */
bool silence_draft_matchers(const struct silence_draft *draft, const struct settings *settings,
                            struct arena *arena, struct match_list *matchers,
                            struct error *error) MUST_USE;

/* Read the rest, and ask whether a silence may go that far. before: what it changes, NULL = it is
 * new; who made that made it, unless it matches something else now. silence->matchers: as read
 * before. */
bool silence_draft_read(const struct silence_draft *draft, const struct settings *settings,
                        const struct silence *before, int64_t now, struct arena *arena,
                        struct silence *silence, struct error *error) MUST_USE;

/* Append matchers a line each, as they are shown and compared with `seen`. */
void silence_draft_print(const struct match_list *matchers, struct buf *out);
