/* Findings below recommendations: what Azure counted in, samples out, and what a message names. */
#include "collectors/subassessments.h"

#include <math.h>

#include "collectors_world.h"

enum { SEVERITIES, IMAGES, REGISTRIES, MACHINES, CVES };

#define COUNTED(sub, key, severity, numbers)                                                       \
    "{\"id\":\"" sub "|" key "|" severity "\",\"subscriptionId\":\"" sub                           \
    "\",\"assessmentKey\":\"" key "\",\"severity\":\"" severity "\"," numbers "}"
#define NUMBERS(findings, fix_told, patchable, exploit_told, exploitable)                          \
    "\"findings\":" findings ",\"fixTold\":" fix_told ",\"patchable\":" patchable                  \
    ",\"exploitTold\":" exploit_told ",\"exploitable\":" exploitable
#define MOST(sub, kind, resource, critical, high, medium, low, findings)                           \
    "{\"id\":\"" sub "|" kind "|" resource "\",\"subscriptionId\":\"" sub                          \
    "\",\"resourceKind\":\"" kind "\",\"resource\":\"" resource "\",\"critical\":" critical        \
    ",\"high\":" high ",\"medium\":" medium ",\"low\":" low ",\"findings\":" findings "}"
#define VM(sub, name)                                                                              \
    "/subscriptions/" sub "/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/" name
#define BELOW(sub, name, key, count, named)                                                        \
    "{\"id\":\"" VM(sub, name) "/providers/Microsoft.Security/assessments/" key                    \
                               "\",\"subscriptionId\":\"" sub "\",\"vulnerabilities\":" count      \
                               ",\"named\":[" named "]}"

struct rows {
    const char *severities, *images, *registries, *machines, *cves;
};

static struct part *collect(struct world *world, struct rows rows)
{
    struct part *part = part_create(SOURCE(subassessments));
    const char *all[] = { rows.severities, rows.images, rows.registries, rows.machines, rows.cves };
    for (size_t query = 0; query < ARRAY_COUNT(all); query++)
        if (all[query])
            world_try(world, part, 0, query, all[query]);
    return world_conclude(world, part);
}

static void check_domain(struct world *world, const char *wanted, const char *file, int line)
{
    CLEANUP(buf_finish) struct buf got = { 0 };
    static const char head[] = "defender_subassessment_";
    buf_text(&got, "");
    for (const char *at = world_text(world, 3); *at; at += strcspn(at, "\n") + 1)
        if (!strncmp(at, head, sizeof head - 1))
            buf_append(&got, at + sizeof head - 1, strcspn(at, "\n") + 2 - sizeof head);
    test_check_text(buf_cstr(&got), wanted, file, line, "exposition");
}
#define CHECK_DOMAIN(world, wanted) check_domain(world, wanted, __FILE__, __LINE__)

static const char one[] = "[" COUNTED("s-1", "k-1", "high", NUMBERS("3", "3", "1", "3", "0")) "]";
static const char one_told[] = "findings{s-1,k-1,high} 3\npatchable_findings{s-1,high} 1\n"
                               "exploitable_findings{s-1,high} 0\n";

TEST(what_azure_counts_is_told)
{
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    collect(
        &world,
        (struct rows){
            .severities =
                "[" COUNTED("s-1", "K-1", "critical", NUMBERS("2", "2", "1", "2", "2")) "," COUNTED(
                    "s-1", "k-1", "high",
                    NUMBERS(
                        "5", "3", "0", "0",
                        "0")) "," COUNTED("s-1", "k-2", "High",
                                          NUMBERS(
                                              "4", "1", "1", "0",
                                              "0")) "," COUNTED("s-2", "k-2", "medium",
                                                                NUMBERS(
                                                                    "7", "0", "0", "0",
                                                                    "0")) "," COUNTED("s-2", "k-2",
                                                                                      "low",
                                                                                      NUMBERS(
                                                                                          "1", "0",
                                                                                          "0", "1",
                                                                                          "0")) "]",
            .images =
                "[" MOST("s-1", "image", "a.azurecr.io/shop@sha256:1", "1", "2", "0", "0", "4") "]",
            .registries = "[" MOST("s-1", "registry", "a.azurecr.io", "1", "2", "3", "0", "6") "]",
            .machines = "[" MOST("s-1", "machine", "/vm/A", "0", "0", "0", "1", "1") "," MOST(
                "s-2", "database", "/db/b", "0", "1", "0", "0", "1") "]",
        });
    CHECK_DOMAIN(&world, "findings{s-1,k-1,critical} 2\n"
                         "findings{s-1,k-1,high} 5\n"
                         "findings{s-1,k-2,high} 4\n"
                         "findings{s-2,k-2,low} 1\n"
                         "findings{s-2,k-2,medium} 7\n"
                         "patchable_findings{s-1,critical} 1\n"
                         "patchable_findings{s-1,high} 1\n"
                         "exploitable_findings{s-1,critical} 2\n"
                         "exploitable_findings{s-2,low} 0\n"
                         "resource_findings{s-1,image,a.azurecr.io/shop@sha256:1,critical} 1\n"
                         "resource_findings{s-1,image,a.azurecr.io/shop@sha256:1,high} 2\n"
                         "resource_findings{s-1,image,a.azurecr.io/shop@sha256:1,unknown} 1\n"
                         "resource_findings{s-1,machine,/vm/a,low} 1\n"
                         "resource_findings{s-1,registry,a.azurecr.io,critical} 1\n"
                         "resource_findings{s-1,registry,a.azurecr.io,high} 2\n"
                         "resource_findings{s-1,registry,a.azurecr.io,medium} 3\n"
                         "resource_findings{s-2,database,/db/b,high} 1\n");
}

TEST(unknown_severities_are_one_together)
{
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    collect(&world,
            (struct rows){ .severities = ROWS(
                               COUNTED("s-1", "k", "", NUMBERS("1", "1", "0", "0", "0")),
                               COUNTED("s-1", "k", "grave", NUMBERS("2", "1", "1", "0", "0"))) });
    CHECK_DOMAIN(&world, "findings{s-1,k,unknown} 3\npatchable_findings{s-1,unknown} 1\n");
}

TEST(of_a_row_that_came_twice_the_larger_count_holds)
{
    static const char few[] = COUNTED("s-1", "k", "low", NUMBERS("1", "1", "0", "1", "0"));
    static const char many[] = COUNTED("s-1", "K", "Low", NUMBERS("2", "2", "1", "2", "1"));
    static const char small[] = MOST("s-1", "image", "a/b@c", "0", "0", "0", "1", "1");
    static const char large[] = MOST("s-1", "image", "A/b@c", "0", "0", "0", "2", "2");
    for (int turn = 0; turn < 2; turn++) {
        WORLD(world);
        world_discover(&world, WORLD_BOTH);
        struct part *part = part_create(SOURCE(subassessments));
        world_feed(&world, part, 0, SEVERITIES, ROWS(turn ? few : many, turn ? many : few));
        world_feed(&world, part, 0, IMAGES, ROWS(turn ? small : large, turn ? large : small));
        world_conclude(&world, part);
        CHECK_DOMAIN(&world, "findings{s-1,k,low} 2\npatchable_findings{s-1,low} 1\n"
                             "exploitable_findings{s-1,low} 1\n"
                             "resource_findings{s-1,image,a/b@c,low} 2\n");
    }
}

TEST(what_is_not_told_is_absent)
{
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    collect(&world, (struct rows){
                        .severities = "[" COUNTED(
                            "s-1", "k", "low", NUMBERS("1", "null", "null", "null", "null")) "]" });
    CHECK_DOMAIN(&world, "findings{s-1,k,low} 1\n");
}

TEST(odd_rows_are_counted_and_the_others_kept)
{
    static const struct {
        size_t query;
        const char *row;
    } cases[] = {
        { SEVERITIES, COUNTED("s-1", "k", "low", NUMBERS("null", "0", "0", "0", "0")) },
        { SEVERITIES, COUNTED("s-1", "k", "low", NUMBERS("-1", "0", "0", "0", "0")) },
        { SEVERITIES, COUNTED("s-1", "k", "low", NUMBERS("\"many\"", "0", "0", "0", "0")) },
        { SEVERITIES, "{\"id\":\"x\",\"subscriptionId\":\"s-1\",\"findings\":1}" },
        { SEVERITIES, "{\"id\":\"x\",\"assessmentKey\":\"k\",\"findings\":1}" },
        { IMAGES, MOST("s-1", "house", "r", "0", "0", "0", "1", "1") },
        { REGISTRIES, MOST("s-1", "registry", "r", "0", "0", "0", "null", "1") },
        { MACHINES, MOST("s-1", "machine", "r", "0", "0", "0", "1", "null") },
        { CVES, BELOW("s-1", "a", "k", "null", "\"CVE-1||\"") },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        WORLD(world);
        CLEANUP(buf_finish) struct buf rows = { 0 };
        world_discover(&world, WORLD_BOTH);
        struct part *part = part_create(SOURCE(subassessments));
        world_feed(&world, part, 0, SEVERITIES, one);
        buf_printf(&rows, "[%s]", cases[i].row);
        CHECK(!world_try(&world, part, 0, cases[i].query, buf_cstr(&rows)));
        CHECK(*world.error.message);
        CHECK_INT(odd_count(&part->odd), 1);
        world_conclude(&world, part);
        CHECK_DOMAIN(&world, one_told);
    }
}

TEST(a_subscription_that_was_not_read_stays_as_it_was)
{
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    collect(&world, (struct rows){ .severities = one });
    world.broken[0] = true;
    collect(&world, (struct rows){ .severities = "[]" });
    CHECK_DOMAIN(&world, one_told);
    world.broken[0] = false;
    collect(&world, (struct rows){ .severities = "[]" });
    CHECK_DOMAIN(&world, one_told); /* it may be the role that is lost */
    world.context.now += 60;
    world_discover(&world, WORLD_BOTH);
    collect(&world, (struct rows){ .severities = "[]" });
    CHECK_DOMAIN(&world, "");
}

static const char *named(struct world *world, const char *name, const char *key,
                         struct arena *arena)
{
    CLEANUP(buf_finish) struct buf id = { 0 };
    buf_printf(&id, VM("s-1", "%s"), name);
    return subassessments_of(
        world->snapshot, &(struct finding){ .resource_id = buf_cstr(&id), .assessment_id = key },
        arena);
}

/* "CVE-2026-1 9.8 2.1;CVE-2026-2 - -": the same as a list. */
static void check_list(struct world *world, const char *name, const char *want)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(buf_finish) struct buf id = { 0 }, text = { 0 };
    const struct subassessment *list;
    buf_printf(&id, VM("s-1", "%s"), name);
    const struct finding finding = { .resource_id = buf_cstr(&id), .assessment_id = "k-1" };
    size_t count = subassessments_list(world->snapshot, &finding, &arena, &list);
    for (size_t i = 0; i < count; i++) {
        buf_printf(&text, "%s%s ", i ? ";" : "", list[i].cve);
        if (isnan(list[i].score))
            buf_char(&text, '-');
        else
            buf_number(&text, list[i].score);
        buf_printf(&text, " %s", *list[i].fixed_in ? list[i].fixed_in : "-");
    }
    CHECK_TEXT(buf_cstr(&text), want);
}

TEST(a_message_names_the_gravest)
{
    static const struct {
        const char *count, *list, *text, *each;
    } cases[] = {
        { "14", "\"CVE-2026-1|9.8|2.1\",\"CVE-2026-2|7.5|\",\"CVE-2026-3||1.0-2\"",
          "CVE-2026-1 (CVSS 9.8, fixed in 2.1), CVE-2026-2 (CVSS 7.5), CVE-2026-3 (fixed in "
          "1.0-2), "
          "11 more",
          "CVE-2026-1 9.8 2.1;CVE-2026-2 7.5 -;CVE-2026-3 - 1.0-2" },
        { "1", "\"CVE-2026-1||\"", "CVE-2026-1", "CVE-2026-1 - -" },
        { "1", "\"CVE-2026-1\"", "CVE-2026-1", "CVE-2026-1 - -" },
        { "2", "\"CVE-2026-1|9|\",\"\"", "CVE-2026-1 (CVSS 9), 1 more", "CVE-2026-1 9 -" },
        { "3", "", "", "" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        WORLD(world);
        CLEANUP(arena_finish) struct arena arena = { 0 };
        CLEANUP(buf_finish) struct buf rows = { 0 };
        world_discover(&world, WORLD_BOTH);
        buf_printf(&rows, "[" BELOW("s-1", "Web", "K-1", "%s", "%s") "]", cases[i].count,
                   cases[i].list);
        collect(&world, (struct rows){ .cves = buf_cstr(&rows) });
        CHECK_TEXT(named(&world, "web", "k-1", &arena), cases[i].text);
        check_list(&world, "web", cases[i].each);
        check_list(&world, "other", "");
        CHECK_TEXT(named(&world, "web", "k-2", &arena), "");
        CHECK_TEXT(named(&world, "other", "k-1", &arena), "");
    }
}
