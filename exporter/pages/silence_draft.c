#include "exporter/pages/silence_draft.h"

#include <string.h>

#include "alerts/rules/rule.h"
#include "core/clock.h"

/* As the API has them. */
enum { MATCHERS_MAX = 64, MATCHER_BYTES_MAX = 16 * 1024, DURATION_MAX_S = 50 * 365 * 86400 };

void silence_draft_print(const struct match_list *matchers, struct buf *out)
{
    for (size_t i = 0; i < matchers->count; i++) {
        buf_text(out, i ? "\n" : "");
        match_print(&matchers->matches[i], out);
    }
}

void silence_draft_of(const struct silence *silence, bool like, struct arena *arena,
                      struct silence_draft *draft)
{
    CLEANUP(buf_finish) struct buf matchers = { 0 };
    char begins[32], until[32];
    silence_draft_print(&silence->matchers, &matchers);
    *draft = (struct silence_draft){
        .id = like ? "" : silence->id,
        .matchers = arena_text(arena, buf_cstr(&matchers)),
        .begins = "",
        .until = "4h",
        .by = like ? "" : silence->created_by,
        .comment = silence->comment,
        .seen = "",
    };
    if (like)
        return;
    draft->begins = arena_text(arena, clock_format_rfc3339(silence->starts_at, begins));
    draft->until = arena_text(arena, clock_format_rfc3339(silence->ends_at, until));
}

/* --- what it matches -------------------------------------------------------------------------- */

/* Each line that is not empty. */
static bool parse_lines(char *text, struct match_list *matchers, struct arena *arena,
                        struct error *error)
{
    for (int number = 1; *text; number++) {
        size_t length = strcspn(text, "\n");
        bool last = !text[length];
        text[length] = 0;
        if (text[strspn(text, " \t\r")] && !match_parse(text, matchers, arena, error))
            return error_wrap(error, "line %d of the matchers", number);
        text += length + !last;
    }
    return matchers->count <= MATCHERS_MAX ||
           error_set(error, ERROR_LIMIT, "more than %d matchers", MATCHERS_MAX);
}

bool silence_draft_matchers(const struct silence_draft *draft, const struct settings *settings,
                            struct arena *arena, struct match_list *matchers, struct error *error)
{
    if (strlen(draft->matchers) > MATCHER_BYTES_MAX)
        return error_set(error, ERROR_LIMIT, "more than %d bytes of matchers", MATCHER_BYTES_MAX);
    if (!parse_lines(arena_text(arena, draft->matchers), matchers, arena, error))
        return false;
    if (!matchers->count)
        return error_set(error, ERROR_REQUEST, "a silence needs a matcher");
    return match_all_known(matchers, rule_labels(settings->rules), error);
}

/* --- when ------------------------------------------------------------------------------------- */

/* "2026-11-28 08:00" and "2026-11-28 08:00 UTC" beside what RFC 3339 has. */
static bool read_instant(const char *text, int64_t *at)
{
    char instant[40] = "";
    size_t length = strlen(text);
    if (length >= sizeof instant - sizeof ":00Z")
        return false;
    memcpy(instant, text, length);
    if (length > 4 && !strcmp(instant + length - 4, " UTC"))
        instant[length -= 4] = 0;
    if (length > 10 && instant[10] == ' ')
        instant[10] = 'T';
    if (length == sizeof "2026-11-28T08:00" - 1)
        strcat(instant, ":00Z");
    else if (length == sizeof "2026-11-28T08:00:00" - 1)
        strcat(instant, "Z");
    return clock_parse_rfc3339(instant, at) && *at;
}

static bool read_times(const struct silence_draft *draft, int64_t now, struct silence *silence,
                       struct error *error)
{
    int64_t duration_ms;
    struct error ignored;
    silence->starts_at = now;
    if (*draft->begins && !read_instant(draft->begins, &silence->starts_at))
        return error_set(error, ERROR_REQUEST,
                         "it begins at an instant such as 2026-11-28 08:00, in UTC");
    int64_t from = silence->starts_at > now ? silence->starts_at : now;
    if (clock_parse_duration(draft->until, &duration_ms, &ignored)) {
        if (duration_ms < 1000 || duration_ms / 1000 > DURATION_MAX_S)
            return error_set(error, ERROR_REQUEST, "it lasts a second at least, 50 years at most");
        silence->ends_at = from + duration_ms / 1000;
        return true;
    }
    return read_instant(draft->until, &silence->ends_at) ||
           error_set(error, ERROR_REQUEST,
                     "it ends after a time such as 4h or 2d, or at an instant such as"
                     " 2026-11-28 08:00, in UTC");
}

/* --- the rest --------------------------------------------------------------------------------- */

static bool same_matchers(const struct silence *left, const struct silence *right)
{
    CLEANUP(buf_finish) struct buf a = { 0 };
    CLEANUP(buf_finish) struct buf b = { 0 };
    silence_draft_print(&left->matchers, &a);
    silence_draft_print(&right->matchers, &b);
    return !strcmp(buf_cstr(&a), buf_cstr(&b));
}

bool silence_draft_read(const struct silence_draft *draft, const struct settings *settings,
                        const struct silence *before, int64_t now, struct arena *arena,
                        struct silence *silence, struct error *error)
{
    if (before)
        memcpy(silence->id, before->id, sizeof silence->id);
    silence->created_by = before && same_matchers(before, silence) ? before->created_by
                                                                   : arena_text(arena, draft->by);
    silence->comment = arena_text(arena, draft->comment);
    if (!*silence->created_by)
        return error_set(error, ERROR_REQUEST, "say who makes it, so that others can ask");
    if (!*silence->comment)
        return error_set(error, ERROR_REQUEST, "say why, in a comment");
    return read_times(draft, now, silence, error) && silence_check(silence, now, error) &&
           silence_limits_allow(settings->silence_limits, silence, now, error);
}
