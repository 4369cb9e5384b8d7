/* Silences as they are typed. */
#include "exporter/pages/silence_draft.h"

#include "alerts_world.h"
#include "core/clock.h"

enum { NOW = 1796495200 }; /* 2026-12-05T18:26:40Z */

#define LIMITS "silences: { max_duration: 7d, never: ['risk_level=\"critical\"'] }\n"

/* What is typed; NULL = what all have. */
struct typed {
    const char *matchers, *begins, *until, *by, *comment;
};

static struct silence_draft draft_of(const struct typed *typed)
{
    return (struct silence_draft){
        .id = "",
        .matchers = typed->matchers ? typed->matchers : "alertname=\"A\"\r\nrisk_level=\"low\"",
        .begins = typed->begins ? typed->begins : "",
        .until = typed->until ? typed->until : "4h",
        .by = typed->by ? typed->by : "alice",
        .comment = typed->comment ? typed->comment : "works",
        .seen = "",
    };
}

static void finish(struct silence *silence)
{
    match_finish(&silence->matchers);
}

/* "begins until by", or what is wrong. */
static const char *read_draft(struct scene *scene, const struct silence_draft *draft,
                              const struct silence *before)
{
    CLEANUP(finish) struct silence silence = { 0 };
    CLEANUP(buf_finish) struct buf out = { 0 };
    struct error error;
    char begins[32], until[32];
    if (!silence_draft_matchers(draft, scene->settings, &scene->arena, &silence.matchers, &error) ||
        !silence_draft_read(draft, scene->settings, before, NOW, &scene->arena, &silence, &error))
        return arena_text(&scene->arena, error.message);
    buf_printf(&out, "%s %s %s", clock_format_rfc3339(silence.starts_at, begins),
               clock_format_rfc3339(silence.ends_at, until), silence.created_by);
    return arena_text(&scene->arena, buf_cstr(&out));
}

TEST(drafts_are_read)
{
    static const struct {
        struct typed typed;
        const char *wanted;
    } cases[] = {
        { { 0 }, "2026-12-05T18:26:40Z 2026-12-05T22:26:40Z alice" },
        { { .until = "2026-12-06 08:00" }, "2026-12-05T18:26:40Z 2026-12-06T08:00:00Z alice" },
        { { .until = "2026-12-06 08:00 UTC" }, "2026-12-05T18:26:40Z 2026-12-06T08:00:00Z alice" },
        { { .until = "2026-12-06T08:00:00+02:00" },
          "2026-12-05T18:26:40Z 2026-12-06T06:00:00Z alice" },
        { { .begins = "2026-12-06 08:00:30", .until = "1d" },
          "2026-12-06T08:00:30Z 2026-12-07T08:00:30Z alice" },
        { { .begins = "2026-12-01 08:00" }, "2026-12-01T08:00:00Z 2026-12-05T22:26:40Z alice" },
        { { .until = "8d" }, "a silence may last 1w at most: alerts.silences.max_duration" },
        { { .until = "soon" },
          "it ends after a time such as 4h or 2d, or at an instant such as"
          " 2026-11-28 08:00, in UTC" },
        { { .until = "" },
          "it ends after a time such as 4h or 2d, or at an instant such as"
          " 2026-11-28 08:00, in UTC" },
        { { .until = "0s" }, "it lasts a second at least, 50 years at most" },
        { { .until = "2026-12-01 08:00" }, "the silence ends before it starts" },
        { { .begins = "tomorrow" }, "it begins at an instant such as 2026-11-28 08:00, in UTC" },
        { { .by = "" }, "say who makes it, so that others can ask" },
        { { .comment = "" }, "say why, in a comment" },
        { { .matchers = " \r\n" }, "a silence needs a matcher" },
        { { .matchers = "alertname=\"A\"" },
          "the silence could cover alerts that are never silenced: {risk_level=\"critical\"} of"
          " alerts.silences.never; narrow it, for example with risk_level!=\"critical\"" },
        { { .matchers = "alertname=\"A\"\nrisk_level=~\"low|\"" },
          "2026-12-05T18:26:40Z 2026-12-05T22:26:40Z alice" },
    };
    struct scene scene;
    struct silence_draft draft;
    scene_init(&scene, "drafts", SCENE_ALONE LIMITS, SCENE_OPENED);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        draft = draft_of(&cases[i].typed);
        CHECK_TEXT(read_draft(&scene, &draft, NULL), cases[i].wanted);
    }
    const struct typed typo = { .matchers = "alertname=\"A\"\n\nrisk_lvel=\"low\"" };
    draft = draft_of(&typo);
    CHECK_CONTAINS(read_draft(&scene, &draft, NULL), "did you mean risk_level");
    const struct typed broken = { .matchers = "alertname=\"A\"\n\nrisk_level" };
    draft = draft_of(&broken);
    CHECK_CONTAINS(read_draft(&scene, &draft, NULL), "line 3 of the matchers");
    scene_finish(&scene);
}

TEST(who_made_it_stays_unless_it_is_another_silence)
{
    struct scene scene;
    struct error error;
    scene_init(&scene, "changed", SCENE_ALONE, SCENE_OPENED);
    CLEANUP(arena_finish) struct arena arena = { 0 }; /* has the matchers: finished after them */
    CLEANUP(finish)
    struct silence before = { .id = "00000000-0000-4000-8000-000000000000",
                              .starts_at = NOW - 60,
                              .ends_at = NOW + 60,
                              .created_by = "bob",
                              .comment = "c" };
    CHECK(match_parse("alertname=\"A\"", &before.matchers, &arena, &error));
    struct silence_draft draft;
    silence_draft_of(&before, false, &scene.arena, &draft);
    CHECK_TEXT(draft.matchers, "alertname=\"A\"");
    draft.by = "alice";
    CHECK_TEXT(read_draft(&scene, &draft, &before),
               "2026-12-05T18:25:40Z 2026-12-05T18:27:40Z bob");
    draft.matchers = "alertname=\"B\"";
    CHECK_TEXT(read_draft(&scene, &draft, &before),
               "2026-12-05T18:25:40Z 2026-12-05T18:27:40Z alice");
    silence_draft_of(&before, true, &scene.arena, &draft); /* one like it begins anew */
    CHECK_TEXT(draft.id, "");
    CHECK_TEXT(draft.begins, "");
    scene_finish(&scene);
}
