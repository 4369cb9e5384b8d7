#include "alerts/receivers/sample.h"

#include <math.h>
#include <string.h>

#include "core/buf.h"

#define SUBSCRIPTION "00000000-0000-0000-0000-000000000001"
#define ASSESSMENT "00000000-0000-0000-0000-00000000d411"
#define LINK "https://portal.azure.com/#view/Microsoft_Azure_Security/SecurityMenuBlade/~/5"

enum {
    AT = 1763726400, /* 2025-11-21T12:00:00Z */
    DAY = 86400,
};

/* What a sample has. */
struct situation {
    const char *name, *event, *reason; /* reason: of what ended */
    int blocks, open, ended;           /* recommendations, and resources of each */
    int counts;                        /* rows of a roll-up */
    int causes;                        /* behind a number */
    const char *metric;
    double value, before, bound; /* with a metric */
    bool alert;                  /* it is about one, that is no finding */
    bool report;                 /* it is one */
    bool bare;                   /* what need not be there is not */
    bool odd;                    /* texts with all that needs an escape */
    bool long_texts;
};

/* clang-format off */
static const struct situation samples[SAMPLE_COUNT] = {
    { "an opened finding", "finding.opened", .blocks = 1, .open = 1 },
    { "one of which little is known", "finding.opened", .blocks = 1, .open = 1, .bare = true },
    { "one with odd texts", "finding.opened", .blocks = 2, .open = 2, .odd = true },
    { "one with long texts", "finding.opened", .blocks = 1, .open = 1, .long_texts = true },
    { "many findings", "finding.opened", .blocks = NOTIFICATION_BLOCKS_MAX,
      .open = NOTIFICATION_RESOURCES_MAX },
    { "findings of which some ended", "finding.resolved", "fixed", .blocks = 3, .open = 1,
      .ended = 2 },
    { "a reopened finding", "finding.reopened", .blocks = 1, .open = 1 },
    { "a changed risk", "finding.risk_changed", .blocks = 1, .open = 1 },
    { "an overdue finding", "finding.overdue", .blocks = 1, .open = 1 },
    { "a fixed finding", "finding.resolved", "fixed", .blocks = 1, .ended = 1 },
    { "an exempted finding", "finding.exempted", "exempted", .blocks = 1, .ended = 1 },
    { "one that nobody assesses", "finding.no_longer_assessed", "no_longer_assessed", .blocks = 1,
      .ended = 1 },
    { "a baseline rule", "baseline.rule_regressed", .blocks = 1, .open = 3 },
    { "an attack path", "attack_path.opened", .blocks = 1, .open = 1 },
    { "a security alert", "security_alert.opened", .blocks = 1, .open = 1 },
    { "a dropped score", "score.dropped", .alert = true, .metric = "secure score", .value = 0.525,
      .before = 0.556, .bound = NAN, .causes = 4 },
    { "a recovered score", "score.recovered", "recovered", .alert = true, .metric = "secure score",
      .value = 0.556, .before = 0.525, .bound = NAN },
    { "a rule over metrics", "rule.firing", .alert = true, .metric = "findings", .value = 7,
      .before = NAN, .bound = 3, .causes = 5 },
    { "an absent metric", "rule.firing", .alert = true, .metric = "findings", .value = NAN,
      .before = NAN, .bound = NAN },
    { "a rule that is over", "rule.resolved", "recovered", .alert = true, .metric = "findings",
      .value = 0, .before = NAN, .bound = 3 },
    { "stale data", "data.stale", .alert = true },
    { "fresh data", "data.recovered", "recovered", .alert = true },
    { "a digest", "digest", .blocks = 2, .open = 1, .counts = 12 },
    { "a summary without findings", "digest", .alert = true },
    { "a heartbeat", "heartbeat", .bare = true },
    { "a report", "report", .report = true },
    { "a test", "test", .blocks = 1, .open = 1 },
};
/* clang-format on */

const char *sample_name(int which)
{
    return samples[which].name;
}

/* A text as the sample has them. */
static const char *text_of(const struct situation *sample, const char *text, struct arena *arena)
{
    static const char odd[] = "\"quoted\" \\ {{x}} <b>&amp;</b> @all <!here> `*_~[a](b)\t"
                              "\xf0\x9f\x98\x80 \xc3\xa9\x01\r\n";
    CLEANUP(buf_finish) struct buf out = { 0 };
    if (sample->bare)
        return "";
    buf_text(&out, text);
    if (sample->odd)
        buf_text(&out, odd);
    for (int i = 0; i < 200 && sample->long_texts; i++)
        buf_printf(&out, " %s", text);
    return arena_text(arena, buf_cstr(&out));
}

static void fill_resource(const struct situation *sample, bool ended, struct arena *arena,
                          struct notification_resource *resource)
{
    notification_resource_init(resource);
    resource->finding_id = "0123456789abcdef";
    resource->name = sample->bare ? "x" : text_of(sample, "vm-sample", arena);
    resource->state = ended ? sample->reason : "open";
    resource->subscription_id = SUBSCRIPTION;
    resource->subscription_name = text_of(sample, "Production", arena);
    resource->risk_level = "critical";
    resource->opened_at = AT - 3 * DAY;
    resource->resolved = ended;
    resource->ended_at = ended ? AT : 0;
    if (sample->bare)
        return;
    resource->id = "/subscriptions/" SUBSCRIPTION "/resourceGroups/rg-sample"
                   "/providers/Microsoft.Compute/virtualMachines/vm-sample";
    resource->type = "microsoft.compute/virtualmachines";
    resource->group = "rg-sample";
    resource->cloud = "azure";
    resource->environment = "Azure";
    resource->location = "westeurope";
    resource->link = LINK;
    resource->owner = "owner@example.com";
    resource->found = text_of(sample, "found on it", arena);
    resource->due_at = AT + 4 * DAY;
}

static void fill_finding(const struct situation *sample, struct arena *arena,
                         struct notification_block *block)
{
    static struct notification_link links[] = { { NOTIFICATION_PORTAL, LINK } };
    struct notification_resource *resources =
        arena_zalloc(arena, (size_t)(sample->open + sample->ended + 1) * sizeof *resources);
    for (int i = 0; i < sample->open + sample->ended; i++)
        fill_resource(sample, i >= sample->open, arena, &resources[i]);
    block->resources = resources;
    block->resource_count = (size_t)(sample->open + sample->ended);
    block->open_count = sample->open;
    block->ended_count = sample->ended;
    block->assessment_id = ASSESSMENT;
    block->title = sample->bare ? "x" : text_of(sample, "Machines should be looked after", arena);
    block->reason = sample->open ? "" : sample->reason;
    block->opened_at = AT - 3 * DAY;
    if (sample->bare)
        return;
    block->category = "Compute";
    block->severity = "high";
    block->description = block->description_markdown = text_of(sample, "This is wrong.", arena);
    block->remediation = block->remediation_markdown = text_of(sample, "1. Mend it.", arena);
    block->threats = "Data exfiltration";
    block->risk_factors = text_of(sample, "Internet exposure", arena);
    block->attack_paths = 1;
    block->internet_exposed = true;
    block->points = 1.5;
    block->due_at = AT + 4 * DAY;
    block->links = links;
    block->link_count = ARRAY_COUNT(links);
}

static void fill_other(const struct situation *sample, const char *title, struct arena *arena,
                       struct notification_block *block)
{
    struct notification_cause *causes =
        arena_zalloc(arena, (size_t)(sample->causes + 1) * sizeof *causes);
    for (int i = 0; i < sample->causes; i++)
        causes[i] = (struct notification_cause){ "0123456789abcdef", "Machines should be mended",
                                                 "vm-sample", LINK, 0.5 };
    *(sample->reason ? &block->ended_count : &block->open_count) = 1;
    block->fingerprint = "0123456789abcdef";
    block->title = title;
    block->reason = sample->reason ? sample->reason : "";
    block->what = "What happened, in a sentence.";
    block->since_at = AT;
    block->labels[block->label_count++] = (struct match_label){ "subscription_id", SUBSCRIPTION };
    block->causes = causes;
    block->cause_count = (size_t)sample->causes;
    if (!sample->metric)
        return;
    block->metric = sample->metric;
    block->comparison = "above";
    block->value = sample->value;
    block->value_before = sample->before;
    block->bound = sample->bound;
}

static void fill_blocks(const struct situation *sample, struct arena *arena,
                        struct notification *notification)
{
    size_t count = sample->alert ? 1 : (size_t)sample->blocks;
    struct notification_block *blocks = arena_zalloc(arena, (count + 1) * sizeof *blocks);
    for (size_t i = 0; i < count; i++) {
        notification_block_init(&blocks[i]);
        blocks[i].rule = notification->rule;
        blocks[i].event = sample->event;
        blocks[i].risk_level = notification->risk_level;
        if (sample->alert)
            fill_other(sample, notification->title, arena, &blocks[i]);
        else
            fill_finding(sample, arena, &blocks[i]);
        notification->firing_count += blocks[i].open_count;
        notification->resolved_count += blocks[i].ended_count;
        notification->resource_total += (int64_t)blocks[i].resource_count;
    }
    notification->blocks = blocks;
    notification->block_count = count;
}

static void fill_counts(const struct situation *sample, struct arena *arena,
                        struct notification *notification)
{
    struct notification_count *counts =
        arena_zalloc(arena, (size_t)(sample->counts + 1) * sizeof *counts);
    for (int i = 0; i < sample->counts; i++)
        counts[i] =
            (struct notification_count){ "Sample",   "critical", "firing",     3,
                                         ASSESSMENT, "Machines", SUBSCRIPTION, "Production" };
    notification->counts = notification->table = counts;
    notification->count_count = notification->table_count = (size_t)sample->counts;
    notification->span_s = sample->counts ? 60 : 0;
}

static void fill_report(const struct situation *sample, struct arena *arena,
                        struct notification *notification)
{
    struct notification_report *report = arena_zalloc(arena, sizeof *report);
    struct notification_report_row *row = arena_zalloc(arena, sizeof *row);
    struct notification_report_gain *gain = arena_zalloc(arena, sizeof *gain);
    *row = (struct notification_report_row){ text_of(sample, "Production", arena), 12, 8, 3, 120 };
    *gain = (struct notification_report_gain){ ASSESSMENT, "Machines should be mended",
                                               "critical", LINK,
                                               12,         1.83 };
    *report = (struct notification_report){
        .name = "weekly",
        .by = "subscription",
        .since_at = AT - 7 * DAY,
        .until_at = AT,
        .seen = "38 of 40 subscriptions seen (2 denied)",
        .lacking = "attack_paths (no answer yet)",
        .old = "",
        .opened = 12,
        .opened_critical = 2,
        .fixed = 8,
        .ended = 1,
        .open = 120,
        .open_critical = 4,
        .overdue = 3,
        .score = 0.556,
        .score_before = 0.525,
        .rows = row,
        .row_count = 1,
        .gains = gain,
        .gain_count = 1,
    };
    notification->reports = report;
    notification->report_count = 1;
}

/* One alert, for its labels. */
static void fill_alert(const struct situation *sample, struct arena *arena,
                       struct notification *notification)
{
    struct alert *alert = arena_zalloc(arena, sizeof *alert);
    *alert = (struct alert){
        .rule = notification->rule,
        .event = sample->event,
        .state = notification->status == NOTIFICATION_FIRING ? ALERT_FIRING : ALERT_RESOLVED,
        .risk = sample->alert ? RISK_NOT_EVALUATED : RISK_CRITICAL,
        .starts_at = AT,
        .reason = notification->reason,
    };
    alert_label(alert, "alertname", notification->rule);
    alert_label(alert, "team", text_of(sample, "cloud", arena));
    alert_annotate(alert, "summary", text_of(sample, "summary", arena));
    alert_seal(alert);
    notification->alerts = alert;
    notification->alert_count = 1;
}

void sample_make(int which, struct arena *arena, struct notification *notification)
{
    const struct situation *sample = &samples[which];
    bool is_finding = sample->blocks > 0;
    notification_init(notification);
    notification->id = "01KAK5Q8T0ABCDEFGHJKMNPQRS";
    notification->event = sample->event;
    notification->status =
        sample->reason && !sample->open ? NOTIFICATION_RESOLVED : NOTIFICATION_FIRING;
    notification->test = !strcmp(sample->event, "test");
    notification->title =
        sample->bare ? "x" : text_of(sample, "What happened, on what, in a line", arena);
    notification->text = text_of(sample, "More of it.\n\nIn a paragraph.", arena);
    notification->risk_level = is_finding ? "critical" : "not_evaluated";
    notification->reason = notification->status == NOTIFICATION_RESOLVED ? sample->reason : "";
    notification->receiver = "sample";
    notification->group_key = "{}:{alertname=\"Sample\"}";
    notification->dedup_key = "dfx1-0123456789abcdef0123456789abcdef01234567";
    notification->event_at = notification->made_at = AT;
    notification->rule = sample->bare ? "" : "Sample";
    fill_blocks(sample, arena, notification);
    fill_counts(sample, arena, notification);
    if (sample->report)
        fill_report(sample, arena, notification);
    if (!sample->bare) {
        fill_alert(sample, arena, notification);
        notification->severity = is_finding ? "high" : "";
        notification->tenant_id = "00000000-0000-0000-0000-000000000002";
        notification->subscription_id = is_finding ? SUBSCRIPTION : "";
        notification->subscription_name = is_finding ? text_of(sample, "Production", arena) : "";
        notification->external_url = "https://defender.example.com";
        notification->runbook_url = "https://runbooks.example.com/sample";
        notification->silence_command = "defender_exporter silence add 'alertname=\"Sample\"'";
        notification->opened_at = is_finding ? AT - 3 * DAY : 0;
        notification->age_s = is_finding ? 3 * DAY : 0;
        notification->due_at = is_finding ? AT + 4 * DAY : 0;
        notification->points = is_finding ? 1.5 : 0;
    }
    notification_derive(notification, arena);
}
