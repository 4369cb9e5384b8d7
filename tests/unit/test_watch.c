/* watch: scores, controls and freshness become events, each once. */
#include "watch_scene.h"

static void score(struct scene *scene, double ratio)
{
    char row[256];
    struct part *part = part_create(SOURCE(secure_scores));
    snprintf(row, sizeof row, "[{\"id\":\"/x/ascScore\",\"subscriptionId\":\"S1\",\"ratio\":%.6f}]",
             ratio);
    feed(part, 0, row, scene, NULL);
    put(scene, part);
}

static void control(struct scene *scene, double points, double max, int healthy, int unhealthy)
{
    char row[256];
    struct part *part = part_create(SOURCE(secure_scores));
    snprintf(row, sizeof row,
             "[{\"id\":\"/x/c1\",\"subscriptionId\":\"S1\",\"controlId\":\"c1\",\"title\":\"MFA\","
             "\"current\":%g,\"max\":%g,\"healthy\":%d,\"unhealthy\":%d}]",
             points, max, healthy, unhealthy);
    feed(part, 1, row, scene, NULL);
    put(scene, part);
}

#define CONNECTOR                                                                                  \
    "/subscriptions/s1/resourcegroups/g/providers/microsoft.security/securityconnectors/prod-aws"
#define BELOW(scope) "{\"id\":\"" scope "/providers/Microsoft.Security/secureScores/ascScore\","
#define MORE "\"subscriptionId\":\"s1\","

/* The score of the subscription and that of its connector. */
static void scores_of(struct scene *scene, const char *own, const char *connector)
{
    char rows[1024];
    struct part *part = part_create(SOURCE(secure_scores));
    snprintf(rows, sizeof rows,
             "[" BELOW("/subscriptions/s1") MORE
             "\"environment\":\"Azure\",\"ratio\":%s}," BELOW(CONNECTOR) MORE
             "\"environment\":\"AWS\",\"ratio\":%s}]",
             own, connector);
    feed(part, 0, rows, scene, NULL);
    put(scene, part);
}

/* Two scores of one subscription are two, whatever else comes and goes. */
TEST(scores_of_connectors_are_watched_each_alone)
{
    struct scene scene;
    scene_init(&scene);
    for (int i = 0; i < 3; i++, scene.now += 3600) {
        scores_of(&scene, "0.8", "0.1");
        CHECK_TEXT(advance(&scene), "");
    }
    scores_of(&scene, "0.8", "null"); /* neither fallen nor back */
    CHECK_TEXT(advance(&scene), "");
    scores_of(&scene, "0.8", "-1");
    CHECK_TEXT(advance(&scene), "");
    scene.now += 60;
    scores_of(&scene, "0.8", "0.02");
    CHECK_TEXT(advance(&scene), "score.dropped s1 " CONNECTOR " 0.02 0.1 (the secure score fell to "
                                "2.0 % from 10.0 %) of aws through prod-aws\n");
    scene.now += 60;
    scores_of(&scene, "0.7", "0.02");
    CHECK_TEXT(advance(&scene), "score.dropped s1 ascscore 0.7 0.8 (the secure score fell to "
                                "70.0 % from 80.0 %)\n");
    scene.now += 60;
    scores_of(&scene, "0.7", "0.1");
    CHECK_TEXT(advance(&scene), "score.recovered s1 " CONNECTOR " 0.1 0.02 (the secure score is "
                                "back at 10.0 % from 2.0 %) of aws through prod-aws\n");
    scene_finish(&scene);
}

TEST(a_score_drops_once_and_recovers)
{
    struct scene scene;
    scene_init(&scene);
    static const struct {
        int64_t after_s;
        double ratio;
        const char *told;
    } steps[] = {
        { 0, 0.80, "" },
        { 3600, 0.78, "" },
        { 3600, 0.76, "" },
        { 3600, 0.75,
          "score.dropped s1 ascscore 0.75 0.8 (the secure score fell to 75.0 % from 80.0 %)\n" },
        { 3600, 0.75, "" },
        { 3600, 0.74, "" },
        { 3600, 0.70,
          "score.dropped s1 ascscore 0.7 0.75 (the secure score fell to 70.0 % from 75.0 %)\n" },
        { 3600, 0.74, "" },
        { 3600, 0.75,
          "score.recovered s1 ascscore 0.75 0.7 (the secure score is back at 75.0 % from"
          " 70.0 %)\n" },
        { 3600, 0.76, "" },
        /* What was higher is longer ago than a day: a slow fall is none. */
        { 90000, 0.73, "" },
        { 90000, 0.70, "" },
        { 90000, 0.67, "" },
        { 3600, 0.645,
          "score.dropped s1 ascscore 0.645 0.7 (the secure score fell to 64.5 % from 70.0 %)\n" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(steps); i++) {
        scene.now += steps[i].after_s;
        score(&scene, steps[i].ratio);
        CHECK_TEXT(advance(&scene), steps[i].told);
        int64_t before = changes(&scene);
        CHECK_TEXT(advance(&scene), "");
        CHECK_INT(changes(&scene), before); /* nothing is written without news */
    }
    scene_finish(&scene);
}

TEST(a_score_that_is_none_is_no_event_and_no_row)
{
    struct scene scene;
    scene_init(&scene);
    static const char *const nothing[] = { "null", "\"NaN\"", "\"Infinity\"", "1e999", "\"high\"" };
    score(&scene, 0.8);
    CHECK_TEXT(advance(&scene), "");
    for (size_t i = 0; i < ARRAY_COUNT(nothing); i++) {
        char row[256];
        int64_t before = changes(&scene);
        struct part *part = part_create(SOURCE(secure_scores));
        snprintf(row, sizeof row,
                 "[{\"id\":\"/x/ascScore\",\"subscriptionId\":\"S1\",\"max\":0,\"ratio\":%s}]",
                 nothing[i]);
        feed(part, 0, row, &scene, NULL);
        snprintf(row, sizeof row,
                 "[{\"id\":\"/x/c1\",\"subscriptionId\":\"S1\",\"controlId\":\"c1\",\"current\":1,"
                 "\"max\":5,\"healthy\":%s,\"unhealthy\":2}]",
                 nothing[i]);
        feed(part, 1, row, &scene, NULL);
        scene.now += 60;
        put(&scene, part);
        CHECK_TEXT(advance(&scene), "");
        CHECK_INT(changes(&scene), before);
    }
    score(&scene, 0.7); /* compared with the last that was one */
    CHECK_TEXT(advance(&scene),
               "score.dropped s1 ascscore 0.7 0.8 (the secure score fell to 70.0 % from 80.0 %)\n");
    scene_finish(&scene);
}

TEST(a_control_regresses_while_its_resources_stay)
{
    struct scene scene;
    scene_init(&scene);
    static const struct {
        double points, max;
        int healthy, unhealthy;
        const char *told;
    } steps[] = {
        { 8, 10, 8, 2, "" },
        { 7.999, 10, 8, 2, "" },
        { 7, 10, 7, 3,
          "control.regressed s1 c1 7 8 (the control \"MFA\" lost 1.00 of 8.00 points)\n" },
        { 7, 10, 7, 3, "" },
        { 6, 10, 6, 5, "" }, /* other resources */
        { 5, 9, 6, 5, "" },  /* another maximum */
        { 6, 9, 7, 4, "" },
        { 5, 9, 6, 5,
          "control.regressed s1 c1 5 6 (the control \"MFA\" lost 1.00 of 6.00 points)\n" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(steps); i++) {
        control(&scene, steps[i].points, steps[i].max, steps[i].healthy, steps[i].unhealthy);
        CHECK_TEXT(advance(&scene), steps[i].told);
        int64_t before = changes(&scene);
        CHECK_TEXT(advance(&scene), "");
        CHECK_INT(changes(&scene), before);
    }
    scene_finish(&scene);
}

TEST(a_collector_goes_stale_once)
{
    struct scene scene;
    scene_init(&scene);
    struct source_status *status = &scene.snapshot->status[INDEX(assessments)];
    int64_t before = changes(&scene);
    status->max_staleness_ms = 180000;
    CHECK_TEXT(advance(&scene), ""); /* not enabled */
    status->enabled = true;
    status->last_success_at = scene.now;
    CHECK_TEXT(advance(&scene), "");
    CHECK_INT(changes(&scene), before);
    scene.now += 180;
    CHECK_TEXT(advance(&scene), "");
    scene.now += 1;
    strcpy(status->error.message, "resource graph: 503");
    CHECK_TEXT(advance(&scene),
               "data.stale  assessments 181 0 (the collector of recommendations (assessments) has"
               " told nothing new for 3 min 1 s: resource graph: 503)\n");
    scene.now += 1000;
    CHECK_TEXT(advance(&scene), "");
    status->last_success_at = scene.now;
    CHECK_TEXT(advance(&scene),
               "data.recovered  assessments 0 0 (the collector of recommendations (assessments)"
               " tells news again)\n");
    CHECK_TEXT(advance(&scene), "");
    status->max_staleness_ms = 500000;
    scene.now += 500;
    CHECK_TEXT(advance(&scene), "");
    scene.now += 1;
    CHECK_CONTAINS(advance(&scene), "data.stale  assessments 501 0");
    scene_finish(&scene);
}

TEST(a_collector_that_never_came_is_stale_too)
{
    struct scene scene;
    scene_init(&scene);
    struct source_status *status = &scene.snapshot->status[INDEX(assessments)];
    *status = (struct source_status){ .enabled = true, .max_staleness_ms = 180000 };
    CHECK_TEXT(advance(&scene), "");
    scene.now += 180;
    CHECK_TEXT(advance(&scene), "");
    scene.now += 1;
    CHECK_CONTAINS(advance(&scene), "data.stale  assessments 181 0");
    CHECK_TEXT(advance(&scene), "");
    status->last_success_at = scene.now;
    CHECK_CONTAINS(advance(&scene), "data.recovered  assessments 0 0");
    scene_finish(&scene);
}

static void discover(struct scene *scene, const char *state, const char *filter)
{
    char rows[256];
    struct part *part = part_create(SOURCE(subscriptions));
    snprintf(rows, sizeof rows,
             "[{\"subscriptionId\":\"s1\",\"displayName\":\"One\",\"state\":\"Enabled\"},"
             "{\"subscriptionId\":\"s2\",\"displayName\":\"Two\",\"state\":\"%s\"}]",
             state);
    feed(part, 0, rows, scene, filter);
    put(scene, part);
}

TEST(a_subscription_goes_stale_when_it_was_visible)
{
    struct scene scene;
    scene_init(&scene);
    discover(&scene, "Disabled", NULL);
    CHECK_TEXT(advance(&scene), ""); /* it never was visible */
    discover(&scene, "Enabled", NULL);
    CHECK_TEXT(advance(&scene), "");
    discover(&scene, "Disabled", NULL);
    CHECK_TEXT(advance(&scene), "data.stale s2 s2 0 0 (the data of Two are old: disabled)\n");
    CHECK_TEXT(advance(&scene), "");
    discover(&scene, "Enabled", NULL);
    CHECK_TEXT(advance(&scene), "data.recovered s2 s2 0 0 (the data of Two are fresh again)\n");

    struct part *part = part_create(SOURCE(assessments));
    part_add_cover(part, "s1", scene.now);
    part_add_carried(part, "s2", scene.now - 600, "its list could not be read", scene.now);
    put(&scene, part);
    CHECK_TEXT(advance(&scene), "data.stale s2 s2 600 0 (the data of Two are old: its list could"
                                " not be read)\n");
    int64_t before = changes(&scene);
    CHECK_TEXT(advance(&scene), "");
    CHECK_INT(changes(&scene), before);
    discover(&scene, "Enabled", "s2");
    CHECK_TEXT(advance(&scene), "data.recovered s2 s2 0 0 (the data of Two are no longer"
                                " wanted)\n");
    CHECK_TEXT(advance(&scene), "");
    scene_finish(&scene);
}

/* Rows of recommendations: "g" grouped, "i" individual, "." neither. */
static void recommend(struct scene *scene, const char *models)
{
    CLEANUP(buf_finish) struct buf rows = { 0 };
    struct part *part = part_create(SOURCE(assessments));
    for (const char *model = models; *model; model++)
        buf_printf(&rows,
                   "%s{\"id\":\"/subscriptions/s1/x/%c\",\"assessmentKey\":\"k\","
                   "\"subscriptionId\":\"s1\",\"statusCode\":\"Healthy\",\"grouped\":\"%s\","
                   "\"recommendationCategory\":\"%s\"}",
                   rows.length ? "," : "[", *model, *model == 'g' ? "true" : "",
                   *model == 'i' ? "SoftwareUpdate" : "");
    buf_text(&rows, "]");
    feed(part, 0, buf_cstr(&rows), scene, NULL);
    scene->now += 900;
    put(scene, part);
    scene->snapshot->status[INDEX(assessments)].success = true;
}

TEST(a_model_that_disappears_is_told_once)
{
    struct scene scene;
    scene_init(&scene);
    recommend(&scene, ".");
    CHECK_TEXT(advance(&scene), ""); /* it never was there */
    recommend(&scene, "g.");
    CHECK_TEXT(advance(&scene), "");
    recommend(&scene, ".i");
    CHECK_TEXT(advance(&scene), "");
    CHECK_TEXT(advance(&scene), ""); /* the same collection again */
    recommend(&scene, "g.i");
    CHECK_TEXT(advance(&scene), ""); /* there after all */
    recommend(&scene, ".i");
    CHECK_TEXT(advance(&scene), "");
    recommend(&scene, ".i");
    scene.snapshot->status[INDEX(assessments)].success = false;
    CHECK_TEXT(advance(&scene), ""); /* a failed run says nothing */
    scene.snapshot->status[INDEX(assessments)].success = true;
    CHECK_TEXT(advance(&scene),
               "ruler.changed  grouped 0 0 (Azure tells of no grouped recommendations any more. "
               "What was open of them is not fixed: it is told in another way, or not assessed any "
               "longer) titled Azure tells of no grouped recommendations any more\n");
    int64_t before = changes(&scene);
    recommend(&scene, ".i");
    CHECK_TEXT(advance(&scene), "");
    CHECK_INT(changes(&scene), before);
    scene_finish(&scene);
}

#define PRICED(sub, name, tier, more)                                                              \
    "{\"id\":\"/subscriptions/" sub "/providers/Microsoft.Security/pricings/" name                 \
    "\",\"subscriptionId\":\"" sub "\",\"plan\":\"" name "\",\"pricingTier\":\"" tier "\"" more    \
    "}"

static void price(struct scene *scene, const char *rows)
{
    struct part *part = part_create(SOURCE(plans));
    feed(part, 0, rows, scene, NULL);
    put(scene, part);
}

TEST(a_plan_that_is_turned_off_is_told_once)
{
    struct scene scene;
    scene_init(&scene);
    price(&scene, "[" PRICED("s1", "Containers", "Free", "") "]");
    CHECK_TEXT(advance(&scene), ""); /* it never was on */
    price(&scene, "[" PRICED("s1", "Containers", "Standard", "") "]");
    CHECK_TEXT(advance(&scene), "");
    price(&scene, "[]");
    CHECK_TEXT(advance(&scene), ""); /* no row is no proof */
    price(&scene,
          "[" PRICED("s1", "Containers", "Free", "") "," PRICED("s2", "Own", "Free", "") "]");
    CHECK_TEXT(advance(&scene),
               "plan.disabled s1 containers 0 1 (Defender for Containers is off: what it looked at "
               "is not assessed any more)\n");
    int64_t before = changes(&scene);
    CHECK_TEXT(advance(&scene), "");
    CHECK_INT(changes(&scene), before);
    price(&scene, "[" PRICED("s1", "Containers", "Standard", "") "]");
    CHECK_TEXT(advance(&scene), "");
    price(&scene, "[" PRICED("s1", "Containers", "Free", "") "]");
    CHECK_CONTAINS(advance(&scene), "plan.disabled s1 containers"); /* once more */
    scene_finish(&scene);
}

TEST(servers_plan_2_that_becomes_plan_1_is_told)
{
    struct scene scene;
    scene_init(&scene);
    price(&scene, "[" PRICED("s1", "VirtualMachines", "Standard", ",\"subPlan\":\"P2\"") "]");
    CHECK_TEXT(advance(&scene), "");
    price(&scene, "[" PRICED("s1", "VirtualMachines", "Standard", ",\"subPlan\":\"P1\"") "]");
    CHECK_TEXT(advance(&scene),
               "plan.disabled s1 virtualmachines p2 0 1 (Defender for Servers Plan 2 is off: only "
               "Plan 1 is left, which assesses no OS security baseline)\n");
    price(&scene, "[" PRICED("s1", "VirtualMachines", "Standard", ",\"subPlan\":\"P2\"") "]");
    CHECK_TEXT(advance(&scene), "");
    price(&scene, "[" PRICED("s1", "VirtualMachines", "Free", "") "]");
    CHECK_TEXT(advance(&scene),
               "plan.disabled s1 virtualmachines 0 1 (Defender for Servers is off: what it looked "
               "at is not assessed any more)\n");
    scene_finish(&scene);
}

TEST(a_plan_that_azure_replaced_is_no_loss)
{
#define REPLACED ",\"deprecated\":\"true\",\"replacedBy\":[\"Containers\"]"
    struct scene scene;
    scene_init(&scene);
    price(&scene, "[" PRICED("s1", "KubernetesService", "Standard", REPLACED) "]");
    CHECK_TEXT(advance(&scene), "");
    price(&scene, "[" PRICED("s1", "KubernetesService", "Free",
                             REPLACED) "," PRICED("s1", "Containers", "Standard", "") "]");
    CHECK_TEXT(advance(&scene), "");
    scene_finish(&scene);
}

/* Told in the past, read by replay. */
TEST(events_are_recorded)
{
    struct scene scene;
    struct error error = { 0 };
    scene_init(&scene);
    score(&scene, 0.9);
    advance(&scene);
    score(&scene, 0.5);
    advance(&scene);
    struct database_statement *statement =
        database_prepare(scene.database, "SELECT kind, detail FROM ledger_event");
    bool row;
    CHECK(database_step(statement, &row, &error) && row);
    CHECK_TEXT(database_text(statement, 0), "score.dropped");
    CHECK_CONTAINS(database_text(statement, 1), "\"value\":0.5,\"value_before\":0.9");
    scene_finish(&scene);
}
