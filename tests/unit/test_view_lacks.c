#include "alerts/view/view_lacks.h"

#include "ledger_world.h"

/* What lists lack of assessments: of this part, NULL = none, and of how its source stands. */
static const char *lacks(struct part *part, struct source_status status)
{
    static struct buf out;
    struct snapshot *snapshot = snapshot_create(test_sources());
    size_t index = INDEX(assessments);
    buf_reset(&out);
    if (part)
        part_seal(part);
    snapshot->parts[index] = part;
    snapshot->status[index] = status;
    view_lacks(snapshot, &out);
    snapshot_release(snapshot);
    return buf_cstr(&out);
}

static const struct source_status well = {
    .enabled = true, .attempted = true, .success = true, .last_success_at = 5
};

static struct part *covering(const char *subscription)
{
    struct part *part = part_create(SOURCE(assessments));
    part_add_cover(part, subscription, 1);
    return part;
}

TEST(what_was_looked_at_lacks_nothing)
{
    CHECK_TEXT(lacks(covering("s1"), well), "");
    CHECK_TEXT(lacks(NULL, (struct source_status){ .enabled = false }), "");
}

TEST(a_source_without_data_is_named)
{
    struct source_status status = { .enabled = true };
    CHECK_TEXT(lacks(NULL, status), "assessments (no answer yet)");
    status.attempted = true;
    CHECK_TEXT(lacks(NULL, status), "assessments (no answer)");
    status.last_success_at = 5;
    CHECK_TEXT(lacks(NULL, status), "assessments (its data are too old)");
}

TEST(a_part_says_what_it_lacks)
{
    struct part *unread = covering("s1"), *shown = covering("s1"), *counted = covering("s1"),
                *cut = covering("s1"), *odd = covering("s1"), *odd_in_one = covering("s1");
    part_add_carried(unread, "s2", 0, "denied", 2);
    CHECK_TEXT(lacks(unread, well), "assessments (of 1 subscription)");
    part_add_carried(shown, "s2", 1, "denied", 2);
    CHECK_TEXT(lacks(shown, well), "");
    counted->summary = true;
    CHECK_TEXT(lacks(counted, well), "assessments (it is only counted)");
    cut->truncated = true;
    CHECK_TEXT(lacks(cut, well), "assessments (there are more rows than Azure gives)");
    odd->gaps = true;
    CHECK_TEXT(lacks(odd, well), "assessments (some rows cannot be read)");
    odd_in_one->cover[0].gaps = true;
    CHECK_TEXT(lacks(odd_in_one, well), "assessments (some rows cannot be read)");
}

/* Scores tell of no finding: lists lack nothing without them. */
TEST(sources_that_tell_of_no_finding_are_not_missed)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    struct snapshot *snapshot = snapshot_create(test_sources());
    snapshot->status[INDEX(secure_scores)].enabled = true;
    view_lacks(snapshot, &out);
    CHECK_TEXT(buf_cstr(&out), "");
    snapshot_release(snapshot);
}

/* The same of one collector, at an instant. */
static const char *lacks_of(struct part *part, struct source_status status)
{
    static struct buf out;
    struct snapshot *snapshot = snapshot_create(test_sources());
    size_t index = INDEX(secure_scores);
    buf_reset(&out);
    if (part)
        part_seal(part);
    snapshot->parts[index] = part;
    snapshot->status[index] = status;
    view_lacks_of(snapshot, "secure_scores", 10000, &out);
    snapshot_release(snapshot);
    return buf_cstr(&out);
}

static struct part *collected(int64_t at)
{
    struct part *part = part_create(SOURCE(secure_scores));
    part->collected_at = at;
    return part;
}

TEST(one_collector_is_off_refused_or_old)
{
    struct source_status status = well;
    status.interval_ms = INT64_C(900) * 1000;
    CHECK_TEXT(lacks_of(collected(9500), status), "");
    CHECK_TEXT(lacks_of(collected(10000 - 3600), status), "secure_scores (1 h old)");
    CHECK_TEXT(lacks_of(NULL, (struct source_status){ .enabled = false }),
               "secure_scores (it is switched off)");
    status.success = false;
    error_set(&status.error, ERROR_FORBIDDEN, "no right");
    CHECK_TEXT(lacks_of(collected(9940), status), "secure_scores (1 min old: no right)");
    status.last_success_at = 0;
    CHECK_TEXT(lacks_of(NULL, status), "secure_scores (no answer: no right)");
    status.enabled = false;
    CHECK_TEXT(lacks_of(collected(9940), status),
               "secure_scores (1 min old, and not collected any more: no right)");
}
