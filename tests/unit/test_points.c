/* points: what finishing a recommendation gains. */
#include "alerts/ledger/points.h"
#include "sources.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "collectors/collector.h"
#include "core/json.h"

/* Secure score controls from rows as Resource Graph tells them. */
static struct part *scores(const char *rows)
{
    const struct collector *collector = SOURCE(secure_scores)->collector;
    struct part *part = part_create(SOURCE(secure_scores));
    struct collect_context context = { .now = 1 };
    struct error error = { 0 };
    struct arena scratch = { 0 };
    struct json *document = json_parse(rows, strlen(rows), &error);
    for (const struct json *row = json_first(document); row; row = json_next(row)) {
        _Alignas(max_align_t) char bound[512] = { 0 };
        CHECK(!columns_bind(collector->variants[0].queries[1].columns, row, bound, &scratch,
                            &error) &&
              !collector->fold(part, 1, bound, &context, &error));
    }
    CHECK_TEXT(error.message, "");
    json_free(document);
    arena_finish(&scratch);
    return part;
}

static struct part *catalogue(const char *list)
{
    struct part *part = part_create(SOURCE(catalogue));
    struct error error = { 0 };
    struct json *document = json_parse(list, strlen(list), &error);
    CHECK(SOURCE(catalogue)->collector->load(part, document, &error));
    json_free(document);
    return part;
}

static void open_finding(struct part *part, const char *key, const char *subscription,
                         const char *resource)
{
    char row[128], id[256];
    snprintf(row, sizeof row, "%s %s %s", key, subscription, resource);
    snprintf(id, sizeof id, "/subscriptions/%s/resourcegroups/g/providers/a.b/c/%s", subscription,
             resource);
    part_add_open(part, &(struct part_row){ row, key, "", "", "", subscription, id, "", "",
                                            RISK_HIGH, SEVERITY_HIGH, false, 0, 0, 0 });
}

#define CONTROL(sub, name, max, healthy, unhealthy, keys)                                      \
    "{\"id\":\"/x/" name "\",\"subscriptionId\":\"" sub "\",\"controlId\":\"" name             \
    "\",\"max\":" max ",\"healthy\":" healthy ",\"unhealthy\":" unhealthy                      \
    ",\"assessments\":[" keys "]}"
#define KEY(key) "\"/providers/Microsoft.Security/assessmentMetadata/" key "\""

TEST(points_are_shared_by_what_only_one_holds_back)
{
    struct snapshot *snapshot = snapshot_create(test_sources());
    struct part *part = part_create(SOURCE(assessments));
    /* Control c1 in s1: vm1 by a and b, vm2 and vm3 by a only, vm4 by b only. */
    open_finding(part, "a", "s1", "vm1");
    open_finding(part, "b", "s1", "vm1");
    open_finding(part, "a", "s1", "vm2");
    open_finding(part, "a", "s1", "vm3");
    open_finding(part, "b", "s1", "vm4");
    open_finding(part, "stranger", "s1", "vm4"); /* in no control */
    open_finding(part, "preview", "s1", "vm4");
    open_finding(part, "a", "s2", "vm1");
    part_seal(part);
    snapshot->parts[INDEX(assessments)] = part;
    snapshot->parts[INDEX(secure_scores)] = scores("["
        CONTROL("S1", "c1", "8", "6", "4", KEY("A") "," KEY("b") "," KEY("preview") ","
                KEY("a") "," KEY("none")) ","
        CONTROL("s1", "c2", "3", "0", "1", KEY("b")) ","
        CONTROL("s2", "c1", "10", "4", "1", KEY("a") "," KEY("b")) ","
        CONTROL("s2", "c3", "10", "0", "0", KEY("a")) ","
        CONTROL("s3", "c1", "10", "0", "5", KEY("a")) ","
        CONTROL("s2", "c4", "10", "0", "5", "") "]");
    snapshot->parts[INDEX(catalogue)] =
        catalogue("[{\"name\":\"preview\",\"properties\":{\"preview\":true}}]");

    struct points *points = points_create(snapshot);
    CHECK_NUMBER(points_in(points, "a", "s1"), 8 * 2 / 10.0);
    CHECK_NUMBER(points_in(points, "b", "s1"), 8 * 1 / 10.0 + 3); /* c2: 2 held back, 1 told */
    CHECK_NUMBER(points_in(points, "a", "s2"), 10 * 1 / 5.0);
    CHECK_NUMBER(points_of(points, "a"), 1.6 + 2);
    CHECK_NUMBER(points_of(points, "b"), 3.8);
    CHECK_NUMBER(points_in(points, "a", "s3"), 0);
    CHECK_NUMBER(points_of(points, "preview"), 0);
    CHECK_NUMBER(points_of(points, "stranger"), 0);
    CHECK_NUMBER(points_of(points, "zzz"), 0);

    CLEANUP(metric_set_finish) struct metric_set set = { .max_level = 1 };
    points_emit(points, &set);
    CHECK_INT(set.count, 2);
    CHECK_TEXT(set.samples[0].values[0], "a");
    CHECK_NUMBER(set.samples[0].value, 3.6);
    CHECK_TEXT(set.samples[1].values[0], "b");
    points_destroy(points);
    snapshot_release(snapshot);
}

/* A connector has controls of the same keys; what is below it counts there and not in those of the
 * subscription. */
TEST(connectors_have_controls_of_their_own)
{
#define AT "/subscriptions/s1/resourcegroups/g/providers/microsoft.security/securityconnectors/aws"
    static const char *const ids[] = { "/subscriptions/s1/providers/a.b/c/vm", AT "/x/bucket1",
                                       AT "/x/bucket2", AT "2/x/bucket" };
    struct snapshot *snapshot = snapshot_create(test_sources());
    struct part *part = part_create(SOURCE(assessments));
    for (size_t i = 0; i < ARRAY_COUNT(ids); i++)
        part_add_open(part, &(struct part_row){ ids[i], "a", "", "", "", "s1", ids[i], "", "",
                                                RISK_HIGH, SEVERITY_HIGH, false, 0, 0, 0,
                                                i ? CLOUD_AWS : CLOUD_AZURE, NULL, NULL, NULL,
                                                NULL });
    part_seal(part);
    snapshot->parts[INDEX(assessments)] = part;
    snapshot->parts[INDEX(secure_scores)] = scores("["
        CONTROL("s1", "c1", "8", "3", "1", KEY("a")) ","
        "{\"id\":\"" AT "/providers/Microsoft.Security/secureScores/ascScore/secureScoreControls/c1"
        "\",\"subscriptionId\":\"s1\",\"controlId\":\"c1\",\"max\":10,\"healthy\":3,"
        "\"unhealthy\":2,\"assessments\":[" KEY("a") "]}]");
    struct points *points = points_create(snapshot);
    CHECK_NUMBER(points_in(points, "a", "s1"), 8 * 1 / 4.0 + 10 * 2 / 5.0);
    points_destroy(points);
    snapshot_release(snapshot);
#undef AT
}

TEST(without_scores_or_findings_nothing_is_to_gain)
{
    struct snapshot *snapshot = snapshot_create(test_sources());
    struct points *points = points_create(snapshot);
    CHECK_NUMBER(points_of(points, "a"), 0);
    points_destroy(points);
    points_destroy(NULL);
    snapshot->parts[INDEX(secure_scores)] =
        scores("[" CONTROL("s1", "c1", "8", "6", "4", KEY("a")) "]");
    points = points_create(snapshot);
    CHECK_NUMBER(points_of(points, "a"), 0);
    points_destroy(points);
    snapshot->parts[INDEX(assessments)] = part_create(SOURCE(assessments));
    points = points_create(snapshot);
    CHECK_NUMBER(points_of(points, "a"), 0);
    points_destroy(points);
    snapshot_release(snapshot);
}

/* --- drawn at random, and counted anew ------------------------------------------------------ */
enum { STEPS = 10000, DRAWN_KEYS = 4, DRAWN_PLACES = 2, DRAWN_RESOURCES = 4 };

/* What is open of which key, in which subscription, on which resource. */
typedef bool drawn[DRAWN_KEYS][DRAWN_PLACES][DRAWN_RESOURCES];

static const struct {
    const char *keys; /* one letter each */
    double max, healthy, unhealthy;
} drawn_controls[] = { { "ab", 8, 6, 3 }, { "bcd", 5, 1, 4 }, { "d", 2, 0, 2 } };

/* What a key gains in a subscription, or what several do, by looking at each resource. */
static double recount(drawn open, int place, const char *chosen, bool alone)
{
    double gain = 0;
    for (size_t c = 0; c < ARRAY_COUNT(drawn_controls); c++) {
        double resources = 0, unhealthy = drawn_controls[c].unhealthy;
        for (int r = 0; r < DRAWN_RESOURCES; r++) {
            bool fails = false, else_too = false;
            for (const char *key = drawn_controls[c].keys; *key; key++) {
                bool is_open = open[*key - 'a'][place][r];
                fails |= is_open && strchr(chosen, *key);
                else_too |= is_open && !strchr(chosen, *key);
            }
            resources += fails && !else_too;
        }
        resources = resources > unhealthy ? unhealthy : resources;
        if (alone && !strchr(drawn_controls[c].keys, *chosen))
            continue;
        gain += drawn_controls[c].max * resources / (drawn_controls[c].healthy + unhealthy);
    }
    return gain;
}

static struct part *draw_part(drawn open)
{
    struct part *part = part_create(SOURCE(assessments));
    for (int i = 0; i < DRAWN_KEYS * DRAWN_PLACES * DRAWN_RESOURCES; i++) {
        int k = i % DRAWN_KEYS, s = i / DRAWN_KEYS % DRAWN_PLACES;
        int r = i / DRAWN_KEYS / DRAWN_PLACES;
        const char key[2] = { (char)('a' + k), 0 }, subscription[3] = { 's', (char)('1' + s), 0 };
        const char resource[3] = { 'v', (char)('0' + r), 0 };
        if (open[k][s][r])
            open_finding(part, key, subscription, resource);
    }
    part_seal(part);
    return part;
}

TEST(ten_thousand_steps_are_what_a_recount_says)
{
    drawn open = { { { false } } };
    struct snapshot *snapshot = snapshot_create(test_sources());
    snapshot->parts[INDEX(secure_scores)] = scores(
        "[" CONTROL("s1", "c1", "8", "6", "3", KEY("a") "," KEY("b")) ","
        CONTROL("s1", "c2", "5", "1", "4", KEY("b") "," KEY("c") "," KEY("d")) ","
        CONTROL("s1", "c3", "2", "0", "2", KEY("d")) ","
        CONTROL("s2", "c1", "8", "6", "3", KEY("a") "," KEY("b")) ","
        CONTROL("s2", "c2", "5", "1", "4", KEY("b") "," KEY("c") "," KEY("d")) ","
        CONTROL("s2", "c3", "2", "0", "2", KEY("d")) "]");
    srand(1);
    for (int step = 0; step < STEPS; step++) {
        int key = rand() % DRAWN_KEYS, place = rand() % DRAWN_PLACES;
        bool *one = &open[key][place][rand() % DRAWN_RESOURCES];
        *one = !*one;
        part_release(snapshot->parts[INDEX(assessments)]);
        snapshot->parts[INDEX(assessments)] = draw_part(open);
        struct points *points = points_create(snapshot);
        for (int k = 0; k < DRAWN_KEYS; k++) {
            const char id[2] = { (char)('a' + k), 0 };
            CHECK(fabs(points_in(points, id, "s1") - recount(open, 0, id, true)) < 1e-9);
            CHECK(fabs(points_in(points, id, "s2") - recount(open, 1, id, true)) < 1e-9);
        }
        points_destroy(points);
        const char *const two[] = { "b", "d" };
        double together = points_together(snapshot, two, 2).points;
        CHECK(fabs(together - recount(open, 0, "bd", false) - recount(open, 1, "bd", false)) <
              1e-9);
    }
    snapshot_release(snapshot);
}

/* vm1 fails a and b, vm2 and vm3 only a, vm4 only b; four of ten resources of a control of 8. */
TEST(several_together_free_what_they_share)
{
    static const struct {
        const char *ids[3];
        size_t count;
        double points;
    } rows[] = {
        { { NULL }, 0, 0 },         { { "a" }, 1, 1.6 },           { { "b" }, 1, 0.8 },
        { { "a", "b" }, 2, 3.2 },   { { "a", "b", "a" }, 3, 3.2 }, { { "stranger" }, 1, 0 },
        { { "a", "nobody" }, 2, 1.6 },
    };
    struct snapshot *snapshot = snapshot_create(test_sources());
    struct part *part = part_create(SOURCE(assessments));
    open_finding(part, "a", "s1", "vm1");
    open_finding(part, "b", "s1", "vm1");
    open_finding(part, "a", "s1", "vm2");
    open_finding(part, "a", "s1", "vm3");
    open_finding(part, "b", "s1", "vm4");
    open_finding(part, "stranger", "s1", "vm4");
    part_seal(part);
    snapshot->parts[INDEX(assessments)] = part;
    snapshot->parts[INDEX(secure_scores)] =
        scores("[" CONTROL("s1", "c1", "8", "6", "4", KEY("a") "," KEY("b")) "]");
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct points_gain gain = points_together(snapshot, rows[i].ids, rows[i].count);
        CHECK_NUMBER(gain.points, rows[i].points);
        CHECK(isnan(gain.ratio_before)); /* no score is known */
    }
    snapshot_release(snapshot);
}
