/* known: of what a page lists, what is not known is said. */
#include "exporter/pages/known.h"

#include "sources.h"
#include "test.h"

enum { NOW = 1700000000 };

/* How the source stands, and what it brought. */
struct situation {
    bool has_part, is_carried, is_empty, is_truncated, is_summary;
    int64_t age_s;
    struct source_status status;
};

static struct part *make_part(const struct situation *situation)
{
    struct part *part = part_create(SOURCE(compliance));
    part->collected_at = NOW - situation->age_s;
    part->truncated = situation->is_truncated;
    part->summary = situation->is_summary;
    part_add_cover(part, "s1", part->collected_at);
    if (situation->is_carried)
        part_add_carried(part, "s2", situation->is_empty ? 0 : 1, "denied", 2);
    part_seal(part);
    return part;
}

/* What is said of it; whether there is anything to list. */
static bool say(const struct situation *situation, struct buf *out)
{
    struct snapshot *snapshot = snapshot_create(test_sources());
    struct page page = { .out = out, .prefix = "", .now = NOW, .snapshot = snapshot, .filter = "" };
    size_t place = INDEX(compliance);
    snapshot->status[place] = situation->status;
    if (situation->has_part)
        snapshot->parts[place] = make_part(situation);
    bool any = known_say(&page, "compliance");
    snapshot_release(snapshot);
    return any;
}

#define WELL                                                                                       \
    {                                                                                              \
        .enabled = true, .attempted = true, .success = true, .interval_ms = 60000                  \
    }

TEST(what_is_not_known_is_never_none)
{
    /* clang-format off */
    static const struct {
        struct situation situation;
        bool any, warns;
        const char *said;
    } rows[] = {
        { { .status = { 0 } }, false, true, "collectors.compliance.enabled: true" },
        { { .status = { .enabled = true } }, false, true, "not been collected yet" },
        { { .status = { .enabled = true, .attempted = true,
                        .error = { .code = ERROR_FORBIDDEN, .message = "<refused>" } } },
          false, true, "could not be collected: &lt;refused&gt;" },
        { { .status = WELL }, false, true, "too old to be shown" },
        { { .has_part = true, .age_s = 60, .status = WELL }, true, false, ": 1 min old.</p>" },
        { { .has_part = true, .age_s = 600, .status = WELL }, true, true, ": 10 min old.</p>" },
        { { .has_part = true, .status = { .enabled = true, .attempted = true } }, true, true,
          "the last collection failed" },
        { { .has_part = true }, true, true, "not collected any more" },
        { { .has_part = true, .is_carried = true, .status = WELL }, true, true,
          "1 subscription could not be read: what was known is shown" },
        { { .has_part = true, .is_carried = true, .is_empty = true, .status = WELL }, true, true,
          "1 subscription could not be read: nothing is known" },
        { { .has_part = true, .is_truncated = true, .status = WELL }, true, true, "not all of it" },
        { { .has_part = true, .is_summary = true, .status = WELL }, true, true, "none is listed" },
    };
    /* clang-format on */
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        CLEANUP(buf_finish) struct buf out = { 0 };
        CHECK_INT(say(&rows[i].situation, &out), rows[i].any);
        CHECK_CONTAINS(buf_cstr(&out), rows[i].said);
        CHECK_CONTAINS(buf_cstr(&out),
                       rows[i].warns ? "<p class=\"known wait\">" : "<p class=\"known soft\">");
        CHECK_CONTAINS(buf_cstr(&out), "Compliance results");
    }
}
