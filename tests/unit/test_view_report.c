#include "alerts/view/view_report.h"

#include "ledger_world.h"

/* Before: nothing. Then x, y and a hostile z; x is fixed, y was exempted. */
static void live(struct world *world, const char *name)
{
    static const char *const hostile = "<b>|z";
    world_begin(world, name);
    struct part *part = world_part(A, BOTH);
    world_open(part, "x", "key", "s1", RISK_CRITICAL);
    world_open(part, "y", "key", "s2", RISK_HIGH);
    world->now += 60;
    world_publish(world, part);
    world_advance(world);
    part = world_part(A, BOTH);
    part_add_closed(part, "s1", "x", REASON_FIXED);
    part_add_closed(part, "s2", "y", REASON_EXEMPTED);
    world_open(part, "z", "key", hostile, RISK_LOW);
    part_add_cover(part, hostile, 1);
    world->now += 60;
    world_publish(world, part);
    world_advance(world);
    part = world_part(A, BOTH);
    world_open(part, "z", "key", hostile, RISK_LOW);
    world_open(part, "w", "key", "s1", RISK_LOW);
    part_add_cover(part, hostile, 1);
    world->now += 60;
    world_publish(world, part);
    world_advance(world);
}

static void report(struct world *world, int64_t since_s, enum report_format format, struct buf *out)
{
    struct view *view = view_create(world->snapshot, world->ledger, NULL, 0, world->now);
    view_arrange(view);
    CLEANUP(view_report_finish) struct view_report report = { 0 };
    struct error error = { 0 };
    buf_reset(out);
    CHECK(view_report_make(view, world->database, world->now - since_s, world->now,
                           REPORT_BY_SUBSCRIPTION, &report, &error));
    CHECK_TEXT(error.message, "");
    view_report_write(&report, format, out);
    view_release(view);
}

TEST(what_happened_is_counted_and_no_more)
{
    struct world world;
    CLEANUP(buf_finish) struct buf out = { 0 };
    live(&world, "report");
    report(&world, 3600, REPORT_TEXT, &out);
    CHECK_CONTAINS(buf_cstr(&out), "Defender for Cloud, 2023-11-14 to 2023-11-14\n\n");
    CHECK_CONTAINS(buf_cstr(&out), "Secure score: not known\n");
    CHECK_CONTAINS(buf_cstr(&out), "New: 3, of them critical: 1\n");
    CHECK_CONTAINS(buf_cstr(&out), "Fixed: 1; ended for other reasons, such as an exemption: 1\n");
    CHECK_CONTAINS(buf_cstr(&out), "Open now: 2, critical: 0, overdue: 0\n");
    CHECK_CONTAINS(buf_cstr(&out), "s1: new 2, fixed 1, overdue 0, open 1\n");
    CHECK_CONTAINS(buf_cstr(&out), "s2: new 1, fixed 0, overdue 0, open 0\n");
    CHECK(!strstr(buf_cstr(&out), "Not looked at"));
    struct source_status *status = world.snapshot->status;
    status[SOURCE(security_alerts)->index].enabled = true;
    status[A->index].interval_ms = 900 * 1000;
    status[A->index].last_success_at = world.now - 7200;
    report(&world, 30, REPORT_TEXT, &out);
    CHECK_CONTAINS(buf_cstr(&out), "New: 1, of them critical: 0\n");
    CHECK_CONTAINS(
        buf_cstr(&out),
        "Not looked at, so that numbers may be short: security_alerts (no answer yet)\n");
    CHECK_CONTAINS(buf_cstr(&out), "Not looked at lately, so that numbers may be old: assessments "
                                   "(of 2023-11-14 20:18 UTC, 2 h ago)\n");
    CHECK_CONTAINS(buf_cstr(&out), "no subscription seen yet\n");
    world_finish(&world);
}

TEST(names_are_text_in_every_form)
{
    struct world world;
    CLEANUP(buf_finish) struct buf out = { 0 };
    live(&world, "forms");
    report(&world, 3600, REPORT_HTML, &out);
    CHECK(!strstr(buf_cstr(&out), "<b>"));
    CHECK_CONTAINS(buf_cstr(&out), "<tr><td>&#60;b&#62;|z</td><td>0</td>");
    report(&world, 3600, REPORT_MARKDOWN, &out);
    CHECK_CONTAINS(buf_cstr(&out), "| name | new | fixed | overdue | open |\n"
                                   "|---|---:|---:|---:|---:|\n");
    CHECK_CONTAINS(buf_cstr(&out), "| \\<b\\>\\|z | 0 | 0 | 0 | 1 |\n");
    world_finish(&world);
}
