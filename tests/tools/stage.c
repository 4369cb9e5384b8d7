#include "stage.h"

#include <time.h>

#include "core/json.h"

static const char *const cover[] = { STAGE_PRODUCTION, STAGE_STAGING, STAGE_MULTICLOUD, NULL };

/* clang-format off */
const struct stage_advice stage_advices[STAGE_ADVICE_COUNT] = {
    [STAGE_STORAGE] = {
        "ad4f3ff1-0001-4042-96ed-27198f640b8d", "Storage accounts should restrict network access",
        "High", "Data",
        "<p>The account answers on a <b>public endpoint</b>."
        " Whoever has a key reads all of it.</p>",
        "<p>To close the endpoint:</p><ol><li>Open the account and choose <b>Networking</b>.</li>"
        "<li>Choose <i>Selected networks</i> as in <a href=\"https://learn.microsoft.com/"
        "azure/storage/common/storage-network-security\">the guide</a>.</li></ol>" },
    [STAGE_PORTS] = {
        "805651bc-0002-4461-8d1c-d2beee4c3e5b", "Management ports should be closed on machines",
        "High", "Networking",
        "<p>A rule of the network lets <b>anybody</b> try passwords on port 22 or 3389.</p>",
        "<ol><li>Open the machine's network rules.</li>"
        "<li>Delete the rule for port 22.</li></ol>" },
    [STAGE_DISKS] = {
        "d57a4221-0003-4c4e-a1c8-4a5a0a1c6a6f", "Disks should be encrypted at the host",
        "Medium", "Compute",
        "<p>Temporary disks and caches are written in the clear.</p>",
        "<ol><li>Stop the machine.</li><li>Switch on <b>encryption at host</b>.</li></ol>" },
    [STAGE_BACKUP] = {
        "f2f595ec-0004-4def-8a5c-3f0c2c7c1f10", "Machines should have a backup",
        "Low", "Compute",
        "<p>What is deleted or encrypted there is lost.</p>",
        "<ol><li>Open the machine and choose <b>Backup</b>.</li><li>Choose a vault.</li></ol>" },
    [STAGE_BUCKETS] = {
        "b4d06f1e-0005-4a71-9a3d-6f8e2c1d5b90", "S3 buckets should block public access",
        "High", "Data",
        "<p>Objects of the bucket can be made public.</p>",
        "<ol><li>Open the bucket's <b>Permissions</b>.</li>"
        "<li>Block all public access.</li></ol>" },
    [STAGE_LONGEST] = { "c0ffee00-0006-4b0b-8c0c-0123456789ab", NULL, "High", "Data", NULL, NULL },
};
/* clang-format on */

/* So much of a text repeated. */
static const char *repeat(struct arena *arena, const char *text, size_t times)
{
    CLEANUP(buf_finish) struct buf all = { 0 };
    for (size_t i = 0; i < times; i++)
        buf_text(&all, text);
    return arena_text(arena, buf_cstr(&all));
}

const char *stage_policy(struct stage *stage, const char *key)
{
    CLEANUP(buf_finish) struct buf id = { 0 };
    buf_printf(&id, "/providers/microsoft.authorization/policydefinitions/%s", key);
    return arena_text(&stage->arena, buf_cstr(&id));
}

/* The longest texts Azure may hand out, in words that bite: each format escapes them. */
static struct stage_advice longest(struct arena *arena)
{
    struct stage_advice advice = stage_advices[STAGE_LONGEST];
    advice.title = repeat(arena, "Accounts & \"vaults\" <of all kinds> should be closed, ", 5);
    advice.description = repeat(arena, "<p>Who can reach it & <b>reads it</b> \"all\".</p>", 200);
    advice.remediation = repeat(arena,
                                "<ol><li>Open <a href=\"https://example.com/a?b=c&amp;d=e\">"
                                "*its* _page_ [x](y)</a> \xe2\x82\xac &lt;now&gt;.</li></ol>",
                                150);
    return advice;
}

/* --- what Azure answers ----------------------------------------------------------------------- */
static void feed(struct stage *stage, struct part *part, size_t query, const char *rows)
{
    const struct collector *collector = part->source->collector;
    struct collect_context context = {
        .now = stage->scene.world.now,
        .snapshot = stage->scene.world.snapshot,
        .max_staleness_s = 86400,
        .asked = &stage->asked,
        .asked_count = 1,
    };
    struct error error = { 0 };
    struct json *document = json_parse(rows, strlen(rows), &error);
    CHECK_TEXT(error.message, "");
    for (const struct json *row = json_first(document); row; row = json_next(row)) {
        CLEANUP(arena_finish) struct arena scratch = { 0 };
        _Alignas(max_align_t) char bound[COLUMNS_ROW_BYTES_MAX] = { 0 };
        CHECK(!columns_bind(collector->variants[0].queries[query].columns, row, bound, &scratch,
                            &error));
        CHECK(!collector->fold(part, query, bound, &context, &error));
    }
    CHECK_TEXT(error.message, "");
    json_free(document);
}

static void publish(struct stage *stage, struct part *part)
{
    const struct collector *collector = part->source->collector;
    struct collect_context context = { .now = stage->scene.world.now,
                                       .snapshot = stage->scene.world.snapshot,
                                       .asked = &stage->asked,
                                       .asked_count = 1 };
    struct error error = { 0 };
    for (const char *const *one = cover; *one; one++)
        part_add_cover(part, *one, 1);
    part_settle(part, NULL);
    CHECK(!collector->finish || collector->finish(part, &context, &error));
    CHECK_TEXT(error.message, "");
    world_publish(&stage->scene.world, part);
    stage->scene.world.snapshot->status[part->source->index].last_success_at =
        stage->scene.world.now;
}

static void discover(struct stage *stage)
{
    static const char rows[] =
        "[{\"subscriptionId\":\"" STAGE_PRODUCTION "\",\"displayName\":\"Production\","
        "\"state\":\"Enabled\"},{\"subscriptionId\":\"" STAGE_STAGING "\",\"displayName\":"
        "\"Staging\",\"state\":\"Enabled\"},{\"subscriptionId\":\"" STAGE_MULTICLOUD "\","
        "\"displayName\":\"Multicloud\",\"state\":\"Enabled\"}]";
    scene_feed(&stage->scene, SOURCE(subscriptions), 0, rows);
}

static void list_advices(struct stage *stage)
{
    CLEANUP(buf_finish) struct buf rows = { 0 };
    struct json_writer writer = { .out = &rows };
    json_open(&writer, NULL, '[');
    for (int i = 0; i < STAGE_ADVICE_COUNT; i++) {
        const struct stage_advice advice =
            i == STAGE_LONGEST ? longest(&stage->arena) : stage_advices[i];
        json_open(&writer, NULL, '{');
        json_add_text(&writer, "name", advice.key);
        json_open(&writer, "properties", '{');
        json_add_text(&writer, "displayName", advice.title);
        json_add_text(&writer, "policyDefinitionId", stage_policy(stage, advice.key));
        json_add_text(&writer, "description", advice.description);
        json_add_text(&writer, "remediationDescription", advice.remediation);
        json_add_text(&writer, "severity", advice.severity);
        json_add_text(&writer, "implementationEffort", "Low");
        json_add_text(&writer, "userImpact", "Moderate");
        json_open(&writer, "threats", '[');
        json_add_text(&writer, NULL, "dataExfiltration");
        json_add_text(&writer, NULL, "maliciousInsider");
        json_close(&writer, ']');
        json_open(&writer, "categories", '[');
        json_add_text(&writer, NULL, advice.category);
        json_close(&writer, ']');
        json_close(&writer, '}');
        json_close(&writer, '}');
    }
    json_close(&writer, ']');
    world_catalogue(&stage->scene.world, buf_cstr(&rows));
}

static void add_instant(struct json_writer *writer, const char *name, int64_t at)
{
    char text[32];
    struct tm parts;
    time_t when = (time_t)at;
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&when, &parts));
    json_add_text(writer, name, text);
}

static void add_row(struct json_writer *writer, const struct stage_row *row)
{
    CLEANUP(buf_finish) struct buf id = { 0 };
    const struct stage_advice *advice = &stage_advices[row->advice];
    char subscription[37];
    buf_printf(&id, "%s/providers/Microsoft.Security/assessments/%s", row->resource_id,
               advice->key);
    snprintf(subscription, sizeof subscription, "%s", row->resource_id + strlen("/subscriptions/"));
    json_open(writer, NULL, '{');
    json_add_text(writer, "id", buf_cstr(&id));
    json_add_text(writer, "assessmentKey", advice->key);
    json_add_text(writer, "subscriptionId", subscription);
    json_add_text(writer, "resourceId", row->resource_id);
    json_add_text(writer, "source", *row->source ? row->source : "Azure");
    json_add_text(writer, "title", row->advice == STAGE_LONGEST ? "" : advice->title);
    json_add_text(writer, "severity", advice->severity);
    json_add_text(writer, "categories", advice->category);
    json_add_text(writer, "riskLevel", row->risk);
    json_add_bool(writer, "isContextualRisk", *row->risk);
    json_add_integer(writer, "attackPathCount", row->attack_paths);
    json_add_text(writer, "riskFactors", row->risk_factors);
    json_add_text(writer, "statusCode", row->status);
    json_add_text(writer, "statusCause", row->cause);
    add_instant(writer, "statusChangeDate", row->changed_at);
    add_instant(writer, "firstEvaluationDate", row->changed_at);
    json_add_text(writer, "nativeId", row->native_id);
    json_add_text(writer, "account", row->account);
    json_add_text(writer, "resourceName", row->name);
    json_add_text(writer, "region", row->region);
    json_add_text(writer, "provider", row->provider);
    json_add_text(writer, "nativeType", row->type);
    json_close(writer, '}');
}

static void publish_rows(struct stage *stage)
{
    CLEANUP(buf_finish) struct buf rows = { 0 };
    struct json_writer writer = { .out = &rows };
    struct part *part = part_create(SOURCE(assessments));
    json_open(&writer, NULL, '[');
    for (size_t i = 0; i < stage->row_count; i++)
        if (!stage->rows[i].gone)
            add_row(&writer, &stage->rows[i]);
    json_close(&writer, ']');
    feed(stage, part, 0, buf_cstr(&rows));
    publish(stage, part);
}

/* Two controls: networks are worth 4 points of 16 resources, machines 6 points of 12. */
static void publish_score(struct stage *stage, double percent)
{
    CLEANUP(buf_finish) struct buf scores = { 0 };
    CLEANUP(buf_finish) struct buf controls = { 0 };
    struct part *part = part_create(SOURCE(secure_scores));
    buf_printf(&scores,
               "[{\"id\":\"/subscriptions/%s/providers/Microsoft.Security/secureScores/ascScore\","
               "\"subscriptionId\":\"%s\",\"environment\":\"Azure\",\"current\":%g,\"max\":58,"
               "\"ratio\":%g,\"weight\":40}]",
               STAGE_PRODUCTION, STAGE_PRODUCTION, 58 * percent / 100, percent / 100);
    buf_printf(&controls,
               "[{\"id\":\"/subscriptions/%s/providers/Microsoft.Security/secureScores/ascScore/"
               "secureScoreControls/c1\",\"subscriptionId\":\"%s\",\"controlId\":\"c1\","
               "\"title\":\"Restrict unauthorized network access\",\"environment\":\"Azure\","
               "\"current\":3,\"max\":4,\"healthy\":12,\"unhealthy\":4,\"assessments\":\"%s,%s\"},",
               STAGE_PRODUCTION, STAGE_PRODUCTION, stage_advices[STAGE_STORAGE].key,
               stage_advices[STAGE_PORTS].key);
    buf_printf(&controls,
               "{\"id\":\"/subscriptions/%s/providers/Microsoft.Security/secureScores/ascScore/"
               "secureScoreControls/c2\",\"subscriptionId\":\"%s\",\"controlId\":\"c2\","
               "\"title\":\"Encrypt data at rest\",\"environment\":\"Azure\",\"current\":5,"
               "\"max\":6,\"healthy\":10,\"unhealthy\":2,\"assessments\":\"%s\"}]",
               STAGE_PRODUCTION, STAGE_PRODUCTION, stage_advices[STAGE_DISKS].key);
    feed(stage, part, 0, buf_cstr(&scores));
    feed(stage, part, 1, buf_cstr(&controls));
    publish(stage, part);
}

/* What keeps networks and disks is in the benchmark, too. */
static void publish_compliance(struct stage *stage)
{
    static const struct {
        const char *control;
        int advice;
    } links[] = {
        { "NS-2", STAGE_STORAGE },
        { "NS-1", STAGE_PORTS },
        { "DP-4", STAGE_DISKS },
    };
    CLEANUP(buf_finish) struct buf rows = { 0 };
    struct part *part = part_create(SOURCE(compliance));
    for (size_t i = 0; i < ARRAY_COUNT(links); i++)
        buf_printf(&rows,
                   "%s{\"id\":\"%zu\",\"standard\":\"Microsoft-cloud-security-benchmark\","
                   "\"control\":\"%s\",\"assessmentKey\":\"%s\",\"category\":\"\","
                   "\"assessmentType\":\"AssessmentResult\"}",
                   i ? "," : "[", i, links[i].control, stage_advices[links[i].advice].key);
    buf_char(&rows, ']');
    feed(stage, part, 3, buf_cstr(&rows));
    publish(stage, part);
}

/* --- the stage -------------------------------------------------------------------------------- */
static void open_stage(struct stage *stage, const char *routing, const char *more,
                       const char *rules)
{
    static const char receivers[] =
        "receivers:\n"
        "- { name: hook, webhook: { url: 'https://hooks.example.com/in' } }\n"
        "- { name: alertmanager, alertmanager: { urls: ['https://alertmanager.example.com'] } }\n"
        "- { name: pagerduty, pagerduty: { routing_key: 0123456789abcdef0123456789abcdef } }\n"
        "- { name: slack, slack: { url: 'https://hooks.slack.example.com/services/T/B/X' } }\n"
        "- { name: teams, teams: { url: 'https://flows.example.com/workflows/1' } }\n"
        "- { name: email, email: { smarthost: 'smtp.example.com:587', from: d@example.com,\n"
        "    to: [soc@example.com] } }\n";
    static const char *const names[] = { "alertmanager", "pagerduty", "slack", "teams", "email" };
    CLEANUP(buf_finish) struct buf yaml = { 0 };
    char file[32];
    static int number; /* each has a database of its own */
    snprintf(file, sizeof file, "stage%d", number++);
    buf_printf(&yaml,
               "%s%sroute:\n  receiver: hook\n  group_wait: 0s\n  group_interval: 0s\n  %s\n"
               "  routes:\n",
               receivers, more, routing);
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        buf_printf(&yaml, "  - { receiver: %s, continue: true }\n", names[i]);
    buf_text(&yaml, "  - { receiver: hook }\n");
    stage->row_count = 0;
    stage->arena = (struct arena){ 0 };
    stage->before[0] = 0;
    scene_init_at(&stage->scene, file, buf_cstr(&yaml), rules, STAGE_URL);
    stage->scene.world.now = STAGE_AT;
    discover(stage);
    list_advices(stage);
    publish_score(stage, 55.6);
    publish_compliance(stage);
}

void stage_begin_unseen(struct stage *stage, const char *routing, const char *more,
                        const char *rules)
{
    open_stage(stage, routing, more, rules);
}

void stage_begin(struct stage *stage, const char *routing, const char *more, const char *rules)
{
    open_stage(stage, routing, more, rules);
    for (int i = 0; i < 2; i++) {
        stage_baselines(stage, "[]", "[]");
        stage_collect(stage);
    }
    CHECK_INT(scene_number(&stage->scene, "SELECT COUNT(*) FROM outbox_message"), 0);
}

void stage_finish(struct stage *stage)
{
    scene_finish(&stage->scene);
    arena_finish(&stage->arena);
}

static const char *resource(struct stage *stage, const char *group, const char *type,
                            const char *name)
{
    CLEANUP(buf_finish) struct buf id = { 0 };
    buf_printf(&id, "/subscriptions/%s/resourceGroups/%s/providers/%s/%s", STAGE_PRODUCTION, group,
               type, name);
    return arena_text(&stage->arena, buf_cstr(&id));
}

const char *stage_storage(struct stage *stage, const char *group, const char *name)
{
    return resource(stage, group, "Microsoft.Storage/storageAccounts", name);
}

const char *stage_machine(struct stage *stage, const char *group, const char *name)
{
    return resource(stage, group, "Microsoft.Compute/virtualMachines", name);
}

struct stage_row *stage_fails(struct stage *stage, enum stage_advices advice,
                              const char *resource_id, const char *risk, int64_t since_s)
{
    CHECK(stage->row_count < STAGE_ROWS_MAX);
    struct stage_row *row = &stage->rows[stage->row_count++];
    *row = (struct stage_row){
        .advice = advice,
        .resource_id = resource_id,
        .risk = risk,
        .status = "Unhealthy",
        .cause = "",
        .risk_factors = "Internet Exposure,Sensitive Data",
        .attack_paths = 2,
        .changed_at = stage->scene.world.now - since_s,
        .source = "",
        .native_id = "",
        .account = "",
        .name = "",
        .region = "",
        .provider = "",
        .type = "",
    };
    return row;
}

void stage_turns(struct stage *stage, struct stage_row *row, const char *status, const char *cause)
{
    row->status = status;
    row->cause = cause;
    row->changed_at = stage->scene.world.now + 300;
}

void stage_decide(struct stage *stage, int64_t seconds)
{
    char last[sizeof stage->before];
    snprintf(last, sizeof last, "%s", stage->scene.last_id);
    stage->scene.world.now += seconds;
    if (*scene_run(&stage->scene))
        snprintf(stage->before, sizeof stage->before, "%s", last);
}

void stage_wait(struct stage *stage, int64_t seconds)
{
    stage->scene.world.now += seconds;
    scene_run(&stage->scene);
}

void stage_collect(struct stage *stage)
{
    stage->scene.world.now += 900;
    publish_rows(stage);
    stage_decide(stage, 0);
}

void stage_score(struct stage *stage, double percent)
{
    stage->scene.world.now += 900;
    publish_score(stage, percent);
    stage_decide(stage, 0);
}

void stage_changes(struct stage *stage, const char *resource_id, int64_t at, const char *rows)
{
    struct part *part = part_create(SOURCE(activity));
    CLEANUP(buf_finish) struct buf lower = { 0 };
    for (const char *c = resource_id; *c; c++)
        buf_char(&lower, *c >= 'A' && *c <= 'Z' ? (char)(*c + ('a' - 'A')) : *c);
    stage->asked = (struct asked){ "", arena_text(&stage->arena, buf_cstr(&lower)), at, 0 };
    feed(stage, part, 0, rows);
    publish(stage, part);
}

void stage_baselines(struct stage *stage, const char *rules, const char *texts)
{
    struct part *part = part_create(SOURCE(baselines));
    stage->scene.world.now += 900;
    feed(stage, part, 4, rules);
    feed(stage, part, 5, texts);
    publish(stage, part);
    stage_decide(stage, 0);
}
