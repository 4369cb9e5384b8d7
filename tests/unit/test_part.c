/* finding, part, snapshot: what readers see of what collectors found. */
#include <stdio.h>
#include <stdlib.h>

#include "collectors/snapshot/part_resource.h"
#include "collectors/snapshot/snapshot.h"
#include "core/buf.h"
#include "part_rows.h"
#include "sources.h"
#include "test.h"

TEST(words_of_azure_become_ours)
{
    CHECK_INT(finding_risk("Critical"), RISK_CRITICAL);
    CHECK_INT(finding_risk("None"), RISK_NOT_EVALUATED);
    CHECK_INT(finding_risk(""), RISK_NOT_EVALUATED);
    CHECK_INT(finding_severity("LOW"), SEVERITY_LOW);
    CHECK_INT(finding_severity("Informational"), SEVERITY_UNKNOWN);
    CHECK_INT(finding_status("Healthy", ""), STATUS_HEALTHY);
    CHECK_INT(finding_status("Healthy", "exempt"), STATUS_EXEMPT);
    CHECK_INT(finding_status("NotApplicable", "OffByPolicy"), STATUS_NOT_APPLICABLE);
    CHECK_INT(finding_status("Sideways", "Exempt"), STATUS_COUNT);
}

TEST(identity_ignores_case_and_tells_collectors_apart)
{
    static const char upper[] = "/Subscriptions/ABC/Resourcegroups/[Z]@`{z}/Providers/X";
    static const char lower[] = "/subscriptions/abc/resourcegroups/[z]@`{z}/providers/x";
    struct finding_id a = finding_id(SOURCE(assessments), upper, sizeof upper - 1);
    struct finding_id b = finding_id(SOURCE(assessments), lower, sizeof lower - 1);
    struct finding_id c = finding_id(SOURCE(baselines), lower, sizeof lower - 1);
    char text[17];
    CHECK(!finding_id_compare(&a, &b));
    CHECK(finding_id_compare(&a, &c));
    CHECK_INT(strlen(finding_id_text(&a, text)), 16);
    CLEANUP(buf_finish) struct buf longest = { 0 };
    for (int i = 0; i < 5000; i++)
        buf_char(&longest, i % 2 ? 'A' : 'a');
    a = finding_id(SOURCE(assessments), buf_cstr(&longest), longest.length);
    b = finding_id(SOURCE(assessments), buf_cstr(&longest), longest.length - 1);
    CHECK(finding_id_compare(&a, &b));
}

TEST(resource_ids_come_out_as_they_went_in)
{
    static const struct {
        const char *id, *group, *type, *name;
    } cases[] = {
        { "/subscriptions/aaaa-1/resourcegroups/rg/providers/microsoft.compute/virtualmachines/vm1",
          "rg", "microsoft.compute/virtualmachines", "vm1" },
        { "/subscriptions/aaaa-1/resourcegroups/rg/providers/microsoft.sql/servers/s/databases/d",
          "rg", "microsoft.sql/servers/databases", "d" },
        { "/subscriptions/aaaa-1", "", "microsoft.resources/subscriptions", "aaaa-1" },
        { "/subscriptions/aaaa-1/resourcegroups/rg", "rg", "microsoft.resources/resourcegroups",
          "rg" },
        { "/subscriptions/aaaa-1/providers/microsoft.x/y/z", "", "microsoft.x/y", "z" },
        { "/subscriptions/other/resourcegroups/rg/providers/microsoft.x/y/z", "", "microsoft.x/y",
          "z" },
        { "arn:aws:s3:::bucket", "", "unknown", "arn:aws:s3:::bucket" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct part *part = part_create(SOURCE(assessments));
        struct part_row row = plain;
        struct finding view;
        char scratch[PART_ID_BYTES];
        row.resource_id = cases[i].id;
        part_add_open(part, &row);
        part_view(part, 0, &view, scratch);
        CHECK_TEXT(view.resource_id, cases[i].id);
        CHECK_TEXT(view.resource_group, cases[i].group);
        CHECK_TEXT(view.resource_type, cases[i].type);
        CHECK_TEXT(view.resource_name, cases[i].name);
        CHECK_TEXT(view.subscription_id, "aaaa-1");
        CHECK_TEXT(view.assessment_id, "key-1");
        part_release(part);
    }
}

/* What is carried over from an older part, too. */
static void open_below(struct part *part, const char *row_id, const char *connector)
{
    struct part_row row = plain;
    char id[256];
    snprintf(id, sizeof id, "/subscriptions/%s/securitydata/i-1", connector);
    row.row_id = row_id;
    row.resource_id = id;
    row.cloud = CLOUD_AWS;
    part_add_open(part, &row);
}

/* The connectors of the open findings, in the order of their row ids. */
static const char *connectors(const struct part *part, size_t count, char out[256])
{
    *out = 0;
    for (size_t i = 0; i < count; i++) {
        char row_id[2] = { (char)('a' + i), 0 }, scratch[PART_ID_BYTES];
        struct finding view;
        struct finding_id id = finding_id(part->source, row_id, 1);
        part_view(part, (size_t)part_find(part, &id), &view, scratch);
        snprintf(out + strlen(out), 256 - strlen(out), "%s ", view.connector);
    }
    return out;
}

#define BELOW(subscription, group, name)                                                           \
    subscription "/resourceGroups/" group "/providers/Microsoft.Security/securityConnectors/" name

TEST(connectors_of_one_name_are_told_apart)
{
    char names[256];
    struct part *older = part_create(SOURCE(assessments));
    open_below(older, "a", BELOW("aaaa-1", "One", "Prod"));
    open_below(older, "b", BELOW("aaaa-1", "one", "lab"));
    open_below(older, "c", BELOW("bbbb-2", "two", "prod")); /* of another subscription */
    part_add_cover(older, "aaaa-1", 5);
    part_seal(older);
    CHECK_TEXT(connectors(older, 3, names), "prod lab prod ");
    part_release(older);
    older = part_create(SOURCE(assessments));
    open_below(older, "a", BELOW("aaaa-1", "One", "Prod"));
    open_below(older, "b", BELOW("aaaa-1", "one", "lab"));
    open_below(older, "c", BELOW("bbbb-2", "two", "prod"));
    /* all is well below the other: it is there all the same */
    part_add_closed(older, "aaaa-1",
                    "/subscriptions/" BELOW("AAAA-1", "TWO", "prod") "/x/providers/y",
                    REASON_FIXED);
    part_add_cover(older, "aaaa-1", 5);
    part_seal(older);
    CHECK_TEXT(connectors(older, 3, names), "one/prod lab prod ");
    struct part *part = part_create(SOURCE(assessments)); /* and what is carried keeps its name */
    part_add_carried(part, "aaaa-1", 5, "denied", 6);
    part_carry(part, older, "aaaa-1");
    part_seal(part);
    CHECK_TEXT(connectors(part, 2, names), "one/prod lab ");
    part_release(older);
    part_release(part);
}

TEST(resources_of_other_clouds_keep_their_names)
{
    struct part *older = part_create(SOURCE(assessments));
    struct part_row row = plain;
    struct finding view;
    char scratch[PART_ID_BYTES];
    row.resource_id =
        "/subscriptions/aaaa-1/resourcegroups/rg/providers/microsoft.compute/virtualmachines/vm1";
    part_add_cover(older, "aaaa-1", 5);
    part_add_open(older, &row);
    row.row_id = "/other";
    row.resource_id = "/subscriptions/aaaa-1/resourceGroups/rg/providers/Microsoft.Security/"
                      "securityConnectors/Prod/securityentitydata/aws-ec2-instance-i-1";
    row.cloud = CLOUD_AWS;
    row.account = "123456789012";
    row.location = "eu-west-2";
    row.native_id = "arn:aws:ec2:eu-west-2:123456789012:instance/i-1";
    row.resource_name = "Web-1";
    row.resource_type = "ec2-instance";
    part_add_open(older, &row);
    part_seal(older);
    struct part *part = part_create(SOURCE(assessments));
    part_carry(part, older, "aaaa-1");
    part_release(older);
    for (size_t i = 0; i < 2; i++) {
        part_view(part, i, &view, scratch);
        bool outside = view.cloud == CLOUD_AWS;
        CHECK_INT(part_resource_cloud(part, &part->findings[i]), view.cloud);
        CHECK_TEXT(view.connector, outside ? "prod" : "");
        CHECK_TEXT(view.account, outside ? "123456789012" : "");
        CHECK_TEXT(view.location, outside ? "eu-west-2" : "");
        CHECK_TEXT(view.native_id, outside ? row.native_id : "");
        CHECK_TEXT(view.resource_name, outside ? "Web-1" : "vm1");
        CHECK_TEXT(view.resource_type,
                   outside ? "ec2-instance" : "microsoft.compute/virtualmachines");
    }
    CHECK_INT(part->origin_count, 1);
    CHECK_INT(part->finding_count, 2);
    part_release(part);
}

TEST(a_slash_behind_an_id_makes_nothing_else_of_it)
{
    static const char *const ids[] = {
        "/subscriptions/aaaa-1/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm1",
        "/subscriptions/aaaa-1/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm1/",
        "/subscriptions/aaaa-1/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm1//",
    };
    static const char *const row_ids[] = { "/Row/Id", "/row/id/", "/row/ID//" };
    struct part *part = part_create(SOURCE(assessments));
    struct finding_id first = { 0 };
    for (size_t i = 0; i < ARRAY_COUNT(ids); i++) {
        struct part_row row = plain;
        struct finding view;
        char scratch[PART_ID_BYTES];
        row.row_id = row_ids[i];
        row.resource_id = ids[i];
        part_add_open(part, &row);
        part_view(part, i, &view, scratch);
        CHECK_TEXT(view.resource_type, "microsoft.compute/virtualmachines");
        CHECK_TEXT(view.resource_name, "vm1");
        if (!i)
            first = view.id;
        CHECK_INT(finding_id_compare(&view.id, &first), 0);
        row.resource_id = "arn:x/";
        row.resource_type = "Microsoft.X/Y/";
        part_add_open(part, &row);
        part_view(part, part->finding_count - 1, &view, scratch);
        CHECK_TEXT(view.resource_type, "microsoft.x/y");
        part->finding_count = i + 1;
    }
    part_release(part);
}

TEST(facts_survive_the_compact_form)
{
    struct part *part = part_create(SOURCE(assessments));
    struct part_row row = plain;
    struct finding view;
    char scratch[PART_ID_BYTES];
    row.risk_factors = "Lateral movement,Internet exposure";
    row.contextual = true;
    row.attack_paths = 100000;
    row.first_seen_at = 1700000000;
    row.changed_at = -5;
    part_add_open(part, &row);
    part_view(part, 0, &view, scratch);
    CHECK_INT(view.attack_paths, UINT16_MAX);
    CHECK(view.internet_exposed && view.contextual);
    CHECK_INT(view.first_seen_at, 1700000000);
    CHECK_INT(view.changed_at, 0);
    CHECK_INT(view.risk, RISK_HIGH);
    CHECK_TEXT(view.title, "Title");
    part_release(part);
}

TEST(of_an_id_that_stands_twice_the_worse_holds)
{
    static const enum risk_level risks[] = { RISK_HIGH, RISK_CRITICAL, RISK_LOW };
    struct part *part = part_create(SOURCE(assessments));
    struct part_row row = plain;
    part_add_closed(part, "s", "R1", REASON_FIXED);
    for (size_t i = 0; i < ARRAY_COUNT(risks); i++) {
        row.row_id = i % 2 ? "R1" : "r1/";
        row.risk = risks[i];
        part_add_open(part, &row);
    }
    part_add_closed(part, "s", "r1", REASON_EXEMPTED);
    part_add_closed(part, "s", "r2", REASON_NOT_APPLICABLE);
    part_add_closed(part, "s", "R2", REASON_EXEMPTED);
    part_seal(part);
    CHECK_INT(part->finding_count, 1);
    CHECK_INT(part->findings[0].risk, RISK_CRITICAL);
    CHECK_INT(part->closed_count, 1);
    CHECK_INT(part->closed[0].reason, REASON_EXEMPTED);
    part_release(part);
}

static struct finding_id id_of(const char *row_id)
{
    return finding_id(SOURCE(assessments), row_id, strlen(row_id));
}

TEST(what_is_frozen_is_as_it_was)
{
    struct part *older = part_create(SOURCE(assessments));
    struct part *part = part_create(SOURCE(assessments));
    struct part_row row = plain;
    part_add_open(older, &row);
    part_add_closed(older, "s", "r2", REASON_EXEMPTED);
    part_add_closed(older, "s", "r3", REASON_FIXED);
    part_seal(older);
    part_freeze(part, "aaaa-1", "R1");
    part_freeze(part, "aaaa-1", "r1");
    part_freeze(part, "", "r2");
    part_freeze(part, "s", "r3");
    part_freeze(part, "s", "r4");
    row.row_id = "r3"; /* another row tells of it */
    part_add_open(part, &row);
    struct part_mark mark = part_mark(part);
    part_freeze(part, "s", "r5");
    part_add_gap(part, "");
    part_add_gap(part, "s");
    odd_add(&part->odd, ODD_TYPE, "r5", "why");
    part_rewind(part, mark);
    part_settle(part, older);
    part_seal(part);
    CHECK_INT(part->finding_count, 2);
    struct finding_id id = id_of("r1");
    CHECK(part_find(part, &id) >= 0 && part_is_frozen(part, &id));
    CHECK_INT(part->closed_count, 1);
    CHECK_INT(part->closed[0].reason, REASON_EXEMPTED);
    CHECK_TEXT(part->cover[part->closed[0].place].subscription_id, "s");
    CHECK_INT(part->frozen_count, 3);
    id = id_of("r3");
    CHECK(!part_is_frozen(part, &id));
    id = id_of("r4");
    CHECK(part_is_frozen(part, &id));
    id = id_of("r5");
    CHECK(!part_is_frozen(part, &id));
    CHECK(!part_has_gap(part, part_see(part, "s")) && !odd_count(&part->odd));
    part_release(part);
    part_release(older);
}

TEST(sealed_findings_are_found_by_id)
{
    struct part *part = part_create(SOURCE(assessments));
    char id[16];
    for (int i = 0; i < 1000; i++) {
        struct part_row row = plain;
        row.row_id = id;
        snprintf(id, sizeof id, "row %d", i);
        part_add_open(part, &row);
    }
    part_seal(part);
    for (int i = 0; i < 1000; i++) {
        int length = snprintf(id, sizeof id, "row %d", i);
        struct finding_id wanted = finding_id(SOURCE(assessments), id, (size_t)length);
        ptrdiff_t at = part_find(part, &wanted);
        CHECK(at >= 0 && !finding_id_compare(&part->findings[at].id, &wanted));
    }
    struct finding_id absent = finding_id(SOURCE(assessments), "absent", 6);
    CHECK_INT(part_find(part, &absent), -1);
    part_release(part);
}

TEST(rewind_forgets_a_broken_list)
{
    struct part *part = part_create(SOURCE(assessments));
    part_add_open(part, &plain);
    struct part_mark mark = part_mark(part);
    part_add_open(part, &plain);
    part_add_closed(part, "", "x", REASON_FIXED);
    part_rewind(part, mark);
    CHECK_INT(part->finding_count, 1);
    CHECK_INT(part->closed_count, 0);
    part_release(part);
}

struct count {
    int64_t rows;
};
static const struct kept_kind counts = { KEPT_COUNTS(struct count) };

static int64_t counted(const struct part *part, size_t place)
{
    return ((const struct count *)part_counted(part, &counts, place))->rows;
}

static void count_one(struct part *part, const char *subscription_id)
{
    struct count *count = part_count(part, &counts, subscription_id);
    count->rows++;
}

TEST(counts_go_back_to_what_they_were_at_each_mark)
{
    struct part *part = part_create(SOURCE(assessments));
    count_one(part, "s-0");
    struct part_mark outer = part_mark(part);
    struct part_mark inner = part_mark(part);
    for (int i = 0; i < 100; i++) {
        char id[16];
        snprintf(id, sizeof id, "S-%d", i); /* the array moves meanwhile */
        count_one(part, id);
        count_one(part, "s-0");
    }
    CHECK_INT(counted(part, 0), 102);
    CHECK_INT(counted(part, 99), 1);
    CHECK(part_is_seen(part, 99));
    part_rewind(part, inner);
    CHECK_INT(counted(part, 0), 1);
    CHECK_INT(counted(part, 99), 0);
    CHECK_INT(counted(part, 100), 0);
    CHECK(part_is_seen(part, 0) && !part_is_seen(part, 99));
    count_one(part, "s-0");
    count_one(part, "s-1");
    part_rewind(part, outer);
    CHECK_INT(counted(part, 0), 1);
    CHECK_INT(counted(part, 1), 0);
    part_release(part);
}

TEST(carried_findings_keep_their_identity)
{
    struct part *older = part_create(SOURCE(assessments));
    struct part *part = part_create(SOURCE(assessments));
    struct part_row row = plain;
    row.resource_id = "/subscriptions/aaaa-1/resourcegroups/rg/providers/a.b/c/d";
    part_add_open(older, &row);
    row.subscription_id = "other";
    row.row_id = "r2";
    part_add_open(older, &row);
    part_seal(older);
    part_carry(part, older, "aaaa-1");
    part_seal(part);
    CHECK_INT(part->finding_count, 1);
    struct finding_id id = finding_id(SOURCE(assessments), "r1", 2);
    CHECK_INT(part_find(part, &id), 0);
    struct finding view;
    char scratch[PART_ID_BYTES];
    part_view(part, 0, &view, scratch);
    CHECK_TEXT(view.resource_id, "/subscriptions/aaaa-1/resourcegroups/rg/providers/a.b/c/d");
    part_release(part);
    part_release(older);
}

struct fact {
    const char *subscription_id;
    struct finding_id id;
    int64_t number;
};
static const struct kept_kind facts = { KEPT_ROWS(struct fact), KEPT_BY(struct fact, id) };

static void add_fact(struct part *part, int name, int64_t number)
{
    char id[16];
    int length = snprintf(id, sizeof id, "fact %d", name);
    part_add_row(
        part, &facts, name % 2 ? "odd" : "even",
        &(struct fact){ .id = finding_id(part->source, id, (size_t)length), .number = number });
}

/* -1 = no row is found. */
static int64_t fact_of(const struct part *part, int name)
{
    char id[16];
    int length = snprintf(id, sizeof id, "fact %d", name);
    struct finding_id wanted = finding_id(SOURCE(assessments), id, (size_t)length);
    const struct fact *fact = part_row_of(part, &facts, &wanted);
    return fact ? fact->number : -1;
}

TEST(rows_are_found_by_what_they_are_about)
{
    struct part *older = part_create(SOURCE(assessments));
    struct part *part = part_create(SOURCE(assessments));
    CHECK_INT(fact_of(NULL, 1), -1);
    for (int i = 0; i < 1000; i++)
        add_fact(older, i, i);
    add_fact(older, 7, 1007); /* of two the one that came last */
    part_add_cover(older, "even", 1);
    part_seal(older);
    for (int i = 0; i < 1000; i++)
        CHECK_INT(fact_of(older, i), i == 7 ? 1007 : i);
    CHECK_INT(fact_of(older, 1000), -1);
    add_fact(part, 1, 5);
    part_carry(part, older, "even"); /* and rows that were carried over */
    part_seal(part);
    CHECK_INT(fact_of(part, 1), 5);
    CHECK_INT(fact_of(part, 8), 8);
    CHECK_INT(fact_of(part, 7), -1);
    part_release(part);
    part_release(older);
}

TEST(rows_of_one_id_are_found_in_the_order_they_came)
{
    struct part *part = part_create(SOURCE(assessments));
    const struct finding_id wanted = finding_id(part->source, "fact 7", 6);
    const struct finding_id other = finding_id(part->source, "fact 3", 6);
    size_t count = 9, all_count;
    for (int i = 0; i < 100; i++)
        add_fact(part, i % 10 == 3 ? 4 : i % 10, i);
    CHECK(!part_places_of(part, &facts, &wanted, &count)); /* not sealed yet */
    CHECK_INT(count, 0);
    part_seal(part);
    const struct fact *all = part_rows(part, &facts, &all_count);
    const uint32_t *places = part_places_of(part, &facts, &wanted, &count);
    CHECK_INT(count, 10);
    for (size_t i = 0; i < count; i++)
        CHECK_INT(all[places[i]].number, 10 * (int64_t)i + 7);
    CHECK(!part_places_of(part, &facts, &other, &count));
    CHECK_INT(count, 0);
    count = 9;
    CHECK(!part_places_of(NULL, &facts, &wanted, &count));
    CHECK_INT(count, 0);
    part_release(part);
}

TEST(cover_speaks_only_for_what_was_read)
{
    struct part *part = part_create(SOURCE(assessments));
    CHECK_INT(part_see(part, "S-1"), 0);
    CHECK_INT(part_see(part, "s-2"), 1);
    CHECK_INT(part_see(part, "s-1"), 0);
    CHECK(!part_cover_find(part, "s-1"));
    part_add_cover(part, "s-1", 100);
    part_add_carried(part, "s-3", 50, "denied", 60);
    CHECK_INT(part_cover_find(part, "s-1")->collected_at, 100);
    CHECK(part_cover_find(part, "s-3")->carried);
    CHECK_TEXT(part_cover_find(part, "s-3")->reason, "denied");
    CHECK(!part_cover_find(part, "s-2"));
    part_add_cover(part, "s-1", 0);
    CHECK(!part_cover_find(part, "s-1"));
    part_release(part);
}

TEST(one_failing_collector_keeps_nobody_from_being_ready)
{
    struct snapshot *snapshot = snapshot_create(test_sources());
    struct part *part = part_create(SOURCE(assessments));
    snapshot->status[INDEX(assessments)].enabled = true;
    snapshot->status[INDEX(baselines)].enabled = true;
    CHECK(!snapshot_is_ready(snapshot));
    snapshot->status[INDEX(assessments)].attempted = true;
    snapshot->status[INDEX(baselines)].attempted = true;
    CHECK(!snapshot_is_ready(snapshot));
    snapshot->parts[INDEX(assessments)] = part;
    CHECK(snapshot_is_ready(snapshot));
    snapshot->status[INDEX(baselines)].attempted = false;
    CHECK(!snapshot_is_ready(snapshot));
    snapshot_release(snapshot);
}

TEST(snapshots_change_whole_and_outlive_their_store)
{
    struct snapshot_store *store = snapshot_store_create(test_sources());
    struct source_status status = { .enabled = true };
    struct snapshot *empty = snapshot_acquire(store, 0);
    CHECK(snapshot_is_ready(empty));
    snapshot_publish(store, SOURCE(assessments), NULL, &status);
    struct snapshot *waiting = snapshot_acquire(store, 0);
    CHECK(!snapshot_is_ready(waiting));
    struct part *part = part_create(SOURCE(assessments));
    part_add_open(part, &plain);
    status.success = true;
    snapshot_publish(store, SOURCE(assessments), part, &status);
    struct snapshot *full = snapshot_acquire(store, 0);
    CHECK(snapshot_is_ready(full));
    CHECK(!waiting->parts[INDEX(assessments)]);
    CHECK_INT(full->parts[INDEX(assessments)]->generation, full->generation);
    /* A failed run keeps the last good part and changes the status. */
    status.success = false;
    snapshot_publish(store, SOURCE(assessments), NULL, &status);
    struct snapshot *failed = snapshot_acquire(store, 0);
    CHECK(failed->parts[INDEX(assessments)] == full->parts[INDEX(assessments)]);
    CHECK(!failed->status[INDEX(assessments)].success);
    CHECK_INT(snapshot_wait(store, full->generation, 0), failed->generation);
    CHECK_INT(snapshot_wait(store, failed->generation, 1), failed->generation);
    snapshot_drop(store, SOURCE(assessments));
    snapshot_store_destroy(store);
    CHECK_INT(full->parts[INDEX(assessments)]->finding_count, 1);
    snapshot_release(empty);
    snapshot_release(waiting);
    snapshot_release(failed);
    snapshot_release(full);
}
