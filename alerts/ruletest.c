#include "alerts/ruletest.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "alerts/evaluator.h"
#include "alerts/notify/group.h"
#include "alerts/ruletest_file.h"
#include "alerts/store/schema.h"
#include "collectors/collector.h"
#include "collectors/tags.h"
#include "core/clock.h"
#include "core/memory.h"

enum { STEPS_MAX = 1000000 };

/* --- one test under way --------------------------------------------------------------------- */

struct sent {
    int64_t at_ms;
    const char *receiver, *event, *status, *title;
    char (*findings)[17]; /* finding_count of them */
    size_t finding_count;
    bool expected;
};

struct trial {
    const struct ruletest_case *test;
    int64_t start; /* Unix seconds */
    struct settings *settings;
    struct snapshot_store *snapshots;
    const struct source *source; /* of the findings */
    const struct source *tags;
    struct metric_store *metrics;
    struct evaluator *evaluator;
    struct database *database; /* to read the outbox */
    char folder[64], path[96];
    int64_t at_ms;
    struct sent *sent;
    size_t sent_count, sent_capacity;
    struct arena arena;
};

static void trial_finish(struct trial *trial)
{
    static const char *const endings[] = { "", "-wal", "-shm", "-journal", ".lock" };
    database_close(trial->database);
    if (trial->evaluator)
        evaluator_destroy(trial->evaluator);
    snapshot_store_destroy(trial->snapshots);
    metric_store_destroy(trial->metrics);
    for (size_t i = 0; *trial->folder && i < ARRAY_COUNT(endings); i++) {
        char path[sizeof trial->path + 16];
        snprintf(path, sizeof path, "%s%s", trial->path, endings[i]);
        unlink(path);
    }
    if (*trial->folder)
        rmdir(trial->folder);
    free(trial->sent);
    arena_finish(&trial->arena);
}

static bool trial_init(struct trial *trial, struct error *error)
{
    const char *base = getenv("TMPDIR");
    snprintf(trial->folder, sizeof trial->folder, "%.40s/ruletest.XXXXXX",
             base && strlen(base) < 40 ? base : "/tmp");
    if (!mkdtemp(trial->folder)) {
        trial->folder[0] = 0;
        return error_set(error, ERROR_IO, "cannot make a temporary folder");
    }
    snprintf(trial->path, sizeof trial->path, "%s/test.db", trial->folder);
    struct source_list *sources = source_list_of(collector_kinds);
    trial->snapshots = snapshot_store_create(sources);
    for (size_t i = 0; i < sources->count; i++) {
        if (sources->sources[i].collector->rows == COLLECTOR_ALL_ROWS)
            trial->source = &sources->sources[i];
        if (sources->sources[i].collector->asks_for_tags)
            trial->tags = &sources->sources[i];
    }
    source_list_release(sources); /* the store has it */
    trial->metrics = metric_store_create();
    const struct evaluator_config config = {
        .database_path = trial->path,
        .snapshots = trial->snapshots,
        .metrics = trial->metrics,
    };
    trial->evaluator = evaluator_create(&config, trial->settings, error);
    if (!trial->evaluator)
        return false;
    const struct database_config reader = { .path = trial->path, .migrations = schema_migrations };
    trial->database = database_open(&reader, error);
    return trial->database != NULL;
}

/* --- findings in ---------------------------------------------------------------------------- */

static const char *row_id(const struct ruletest_finding *row, char out[PART_ID_BYTES])
{
    snprintf(out, PART_ID_BYTES,
             "/subscriptions/%.200s/resourcegroups/rg-test/providers/%.200s/%.200s"
             "/providers/microsoft.security/assessments/%.200s",
             row->subscription_id, row->resource_type, row->id, row->assessment_id);
    return out;
}

static enum risk_level risk_at(const struct ruletest_finding *row, int64_t at_ms)
{
    enum risk_level risk = (enum risk_level)row->risk;
    int64_t latest_ms = -1;
    for (size_t i = 0; i < row->rerated.count; i++) {
        struct error unused;
        int64_t from_ms;
        if (!clock_parse_duration(row->rerated.pairs[i].name, &from_ms, &unused) ||
            from_ms > at_ms || from_ms < latest_ms)
            continue;
        latest_ms = from_ms;
        risk = finding_risk(row->rerated.pairs[i].value);
    }
    return risk;
}

static void write_resource(const struct ruletest_finding *row, char out[PART_ID_BYTES])
{
    const char *head = *row->connector ? "microsoft.security/securityconnectors" : "";
    snprintf(out, PART_ID_BYTES,
             "/subscriptions/%.200s/resourcegroups/rg-test/providers/%s%s%.200s"
             "%s%.200s/%.200s",
             row->subscription_id, head, *head ? "/" : "", row->connector, *head ? "/" : "",
             row->resource_type, row->id);
}

static void add_finding(struct part *part, const struct ruletest_finding *row, int64_t at_ms,
                        int64_t interval_ms)
{
    char id[PART_ID_BYTES], resource[PART_ID_BYTES];
    bool again = row->reopened_ms && at_ms >= row->reopened_ms;
    bool fixed = !again && row->fixed_ms && at_ms >= row->fixed_ms;
    bool gone = !again && row->gone_ms && at_ms >= row->gone_ms;
    bool asked = gone && at_ms - interval_ms >= row->gone_ms; /* the one before missed it, too */
    write_resource(row, resource);
    const struct part_row open = {
        .row_id = row_id(row, id),
        .assessment_id = row->assessment_id,
        .title = row->title,
        .category = row->category,
        .assessment_type = "BuiltIn",
        .subscription_id = row->subscription_id,
        .resource_id = resource,
        .resource_type = row->resource_type,
        .risk_factors = row->internet_exposed ? "Exposure to the internet" : "",
        .risk = risk_at(row, at_ms),
        .severity = (enum severity)row->severity,
        .contextual = row->contextual,
        .attack_paths = row->attack_paths,
        .cloud = (enum cloud_kind)row->cloud,
        .account = row->account,
    };
    if (asked) {
        struct finding_id proved = finding_id(part->source, id, strlen(id));
        proof_answers_add(&part->proofs, &proved, PROOF_DELETED);
    }
    if (at_ms < row->open_ms || gone)
        return;
    if (fixed)
        part_add_closed(part, row->subscription_id, id, REASON_FIXED);
    else
        part_add_open(part, &open);
}

static void publish(struct trial *trial, struct part *part, int64_t now)
{
    part->collected_at = now;
    part_seal(part);
    const struct source_status status = {
        .enabled = true,
        .attempted = true,
        .success = true,
        .started_at = now,
        .last_success_at = now,
        .interval_ms = trial->test->interval_ms,
        .rows = part->rows,
    };
    snapshot_publish(trial->snapshots, part->source, part, &status);
}

/* The tags of all findings, which never change. */
static bool collect_tags(struct trial *trial, int64_t now, struct error *error)
{
    const struct option_texts *listed = &trial->settings->config->tags;
    const struct ruletest_finding *rows = trial->test->findings.items;
    if (!listed->count)
        return true;
    const char **asked = arena_zalloc(&trial->arena, (listed->count + 1) * sizeof *asked);
    struct part *part = part_create(trial->tags);
    for (size_t i = 0; i < listed->count; i++)
        asked[i] = listed->texts[i];
    for (size_t i = 0; i < trial->test->findings.count; i++) {
        char resource[PART_ID_BYTES];
        write_resource(&rows[i], resource);
        part_add_cover(part, rows[i].subscription_id, now);
        for (size_t n = 0; n < rows[i].tags.count; n++)
            tags_add(part, asked, &(struct tags_subject){ rows[i].subscription_id, resource },
                     rows[i].tags.pairs[n].name, rows[i].tags.pairs[n].value);
    }
    struct snapshot *snapshot = snapshot_acquire(trial->snapshots, now);
    const struct collect_context context = { .now = now, .snapshot = snapshot, .tags = asked };
    bool ok = trial->tags->collector->finish(part, &context, error);
    snapshot_release(snapshot);
    if (ok)
        publish(trial, part, now);
    else
        part_release(part);
    return ok;
}

/* A collection at this instant. */
static void collect(struct trial *trial)
{
    const struct ruletest_case *test = trial->test;
    const struct ruletest_finding *rows = test->findings.items;
    int64_t now = trial->start + trial->at_ms / 1000;
    struct part *part = part_create(trial->source);
    for (size_t i = 0; i < test->findings.count; i++) {
        if (!part_cover_find(part, rows[i].subscription_id))
            part_add_cover(part, rows[i].subscription_id, now);
        add_finding(part, &rows[i], trial->at_ms, test->interval_ms);
    }
    part->rows = part->finding_count + part->closed_count;
    publish(trial, part, now);
}

/* --- messages out --------------------------------------------------------------------------- */

static struct sent *add_sent(struct trial *trial)
{
    MEMORY_GROW(trial->sent, trial->sent_count, trial->sent_capacity);
    struct sent *sent = &trial->sent[trial->sent_count++];
    *sent = (struct sent){ .at_ms = trial->at_ms };
    return sent;
}

static bool add_message(void *context, const struct outbox_message *message, struct error *error)
{
    CLEANUP(arena_finish) struct arena scratch = { 0 };
    struct trial *trial = context;
    struct notification notification;
    if (message->target)
        return true;
    if (!notification_read(message->notification, message->notification_bytes, &scratch,
                           &notification, error))
        return false;
    struct sent *sent = add_sent(trial);
    sent->receiver = arena_text(&trial->arena, message->receiver);
    sent->event = arena_text(&trial->arena, message->event);
    sent->status = arena_text(&trial->arena, message->status);
    sent->title = arena_text(&trial->arena, notification.title);
    sent->findings =
        arena_zalloc(&trial->arena, (notification.alert_count + 1) * sizeof *sent->findings);
    for (size_t i = 0; i < notification.alert_count; i++)
        if (notification.alerts[i].has_finding)
            finding_id_text(&notification.alerts[i].finding_id,
                            sent->findings[sent->finding_count++]);
    return true;
}

struct names {
    char (*ids)[OUTBOX_ID_BYTES];
    size_t count;
    struct arena arena;
};

static void names_finish(struct names *names)
{
    arena_finish(&names->arena);
}

static bool add_name(void *context, const struct outbox_message *message, struct error *error)
{
    struct names *names = context;
    (void)error;
    char(*grown)[OUTBOX_ID_BYTES] = arena_alloc(&names->arena, (names->count + 1) * sizeof *grown);
    if (names->count)
        memcpy(grown, names->ids, names->count * sizeof *grown);
    memcpy(grown[names->count++], message->id, sizeof *grown);
    names->ids = grown;
    return true;
}

/* Every message is accepted at once. */
static bool accept(struct trial *trial, struct error *error)
{
    CLEANUP(names_finish) struct names names = { 0 };
    int64_t now = trial->start + trial->at_ms / 1000;
    if (!outbox_each(trial->database, NULL, OUTBOX_QUEUED, add_message, trial, error) ||
        !outbox_each(trial->database, NULL, OUTBOX_QUEUED, add_name, &names, error))
        return false;
    for (size_t i = 0; i < names.count; i++)
        if (!outbox_mark_sent(trial->database, names.ids[i], 200, now, error))
            return false;
    return true;
}

/* One evaluation. next_ms: when the next is due, 0 = with the next collection. */
static bool evaluate(struct trial *trial, int64_t *next_ms, struct error *error)
{
    int64_t next_at = 0, now = trial->start + trial->at_ms / 1000;
    struct snapshot *snapshot = snapshot_acquire(trial->snapshots, now);
    bool ok = evaluator_run(trial->evaluator, snapshot, now, &next_at, error);
    snapshot_release(snapshot);
    *next_ms = !next_at ? 0 : next_at > now ? (next_at - trial->start) * 1000 : trial->at_ms + 1000;
    return ok && accept(trial, error);
}

/* The last instant the test speaks of. */
static int64_t last_of(const struct ruletest_case *test)
{
    const struct ruletest_finding *findings = test->findings.items;
    const struct ruletest_expect *expects = test->expect.items;
    int64_t last = 0;
    for (size_t i = 0; i < test->findings.count; i++) {
        const int64_t times[] = { findings[i].open_ms, findings[i].fixed_ms, findings[i].gone_ms,
                                  findings[i].reopened_ms };
        for (size_t k = 0; k < ARRAY_COUNT(times); k++)
            last = times[k] > last ? times[k] : last;
    }
    for (size_t i = 0; i < test->expect.count; i++)
        last = expects[i].at_ms > last ? expects[i].at_ms : last;
    return last;
}

/* Collections at every interval, and what is due between them. */
static bool run_trial(struct trial *trial, struct error *error)
{
    int64_t interval_ms = trial->test->interval_ms;
    int64_t end_ms = last_of(trial->test) + 2 * interval_ms;
    size_t steps = 0;
    for (int64_t collected_ms = 0; collected_ms <= end_ms; collected_ms += interval_ms) {
        int64_t next_ms;
        trial->at_ms = collected_ms;
        collect(trial);
        if (!evaluate(trial, &next_ms, error))
            return false;
        while (next_ms && next_ms < collected_ms + interval_ms && next_ms <= end_ms) {
            if (++steps > STEPS_MAX)
                return error_set(error, ERROR_LIMIT, "too many steps");
            trial->at_ms = next_ms;
            if (!evaluate(trial, &next_ms, error))
                return false;
        }
    }
    return true;
}

/* --- verdict -------------------------------------------------------------------------------- */

static const struct ruletest_finding *find_row(const struct ruletest_case *test, const char *id)
{
    const struct ruletest_finding *rows = test->findings.items;
    for (size_t i = 0; i < test->findings.count; i++)
        if (!strcmp(rows[i].id, id))
            return &rows[i];
    return NULL;
}

static const char *text_of(const struct trial *trial, const struct ruletest_finding *row,
                           char out[17])
{
    char id[PART_ID_BYTES];
    row_id(row, id);
    struct finding_id hash = finding_id(trial->source, id, strlen(id));
    return finding_id_text(&hash, out);
}

static bool has_finding(const struct trial *trial, const struct sent *sent,
                        const struct ruletest_finding *row)
{
    char text[17];
    text_of(trial, row, text);
    for (size_t i = 0; i < sent->finding_count; i++)
        if (!strcmp(sent->findings[i], text))
            return true;
    return false;
}

static bool fits_text(const char *wanted, const char *got)
{
    return !wanted || !strcmp(wanted, got);
}

static bool fits(const struct trial *trial, const struct ruletest_expect *expect,
                 const struct sent *sent)
{
    if (sent->expected || sent->at_ms != expect->at_ms ||
        !fits_text(expect->receiver, sent->receiver) || !fits_text(expect->event, sent->event) ||
        !fits_text(expect->status, sent->status) || !fits_text(expect->title, sent->title))
        return false;
    if (!expect->findings_line)
        return true;
    for (size_t i = 0; i < expect->findings.count; i++)
        if (!has_finding(trial, sent, find_row(trial->test, expect->findings.texts[i])))
            return false;
    return sent->finding_count == expect->findings.count;
}

static void print_expected(const struct ruletest_case *test, const struct ruletest_expect *expect,
                           struct buf *out)
{
    char at[48];
    const struct {
        const char *name, *value;
    } texts[] = {
        { "receiver", expect->receiver },
        { "event", expect->event },
        { "status", expect->status },
        { "title", expect->title },
    };
    buf_printf(out, "    %s: line %d: expected at %s:", test->name, expect->line,
               clock_format_duration(expect->at_ms, at));
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
        if (texts[i].value)
            buf_printf(out, " %s=%s", texts[i].name, texts[i].value);
    for (size_t i = 0; i < expect->findings.count; i++)
        buf_printf(out, "%s%s", i ? "," : " findings=", expect->findings.texts[i]);
    buf_char(out, '\n');
}

static void print_sent(const struct trial *trial, const struct sent *sent, struct buf *out)
{
    char at[48];
    const struct ruletest_case *test = trial->test;
    const struct ruletest_finding *rows = test->findings.items;
    buf_printf(out,
               "    %s: got at %s: receiver=%s event=%s status=%s title=%s findings=", test->name,
               clock_format_duration(sent->at_ms, at), sent->receiver, sent->event, sent->status,
               sent->title);
    for (size_t i = 0; i < test->findings.count; i++)
        if (has_finding(trial, sent, &rows[i]))
            buf_printf(out, "%s,", rows[i].id);
    buf_char(out, '\n');
}

/* True when everything expected came, and nothing else if that is asked. */
static bool judge(struct trial *trial, struct buf *out)
{
    const struct ruletest_case *test = trial->test;
    const struct ruletest_expect *expects = test->expect.items;
    bool ok = true;
    for (size_t i = 0; i < test->expect.count; i++) {
        size_t k = 0;
        while (k < trial->sent_count && !fits(trial, &expects[i], &trial->sent[k]))
            k++;
        if (k < trial->sent_count) {
            trial->sent[k].expected = true;
            continue;
        }
        print_expected(test, &expects[i], out);
        ok = false;
    }
    for (size_t i = 0; i < trial->sent_count; i++)
        ok = ok && (trial->sent[i].expected || !test->nothing_else);
    for (size_t i = 0; !ok && i < trial->sent_count; i++)
        if (!trial->sent[i].expected)
            print_sent(trial, &trial->sent[i], out);
    return ok;
}

/* --- all tests of a file -------------------------------------------------------------------- */

/* Mistakes that only the whole file shows. */
static void check_file(const struct ruletest_file *file, const char *path,
                       struct option_report *report)
{
    const struct ruletest_case *tests = file->tests.items;
    for (size_t i = 0; i < file->tests.count; i++) {
        const struct ruletest_expect *expects = tests[i].expect.items;
        for (size_t k = 0; k < tests[i].expect.count; k++)
            for (size_t n = 0; n < expects[k].findings.count; n++)
                if (!find_row(&tests[i], expects[k].findings.texts[n]))
                    options_complain(report, path, expects[k].line, "tests.expect.findings",
                                     "no finding of this test is called %s",
                                     expects[k].findings.texts[n]);
    }
}

/* The configuration tests run with, and what it is made of. */
struct bed {
    struct ruletest_file file;
    struct settings_config config;
    bool owns_config;
    struct settings *settings;
    struct arena arena;
};

static void bed_finish(struct bed *bed)
{
    settings_release(bed->settings);
    options_finish(ruletest_options, &bed->file);
    if (bed->owns_config)
        options_finish(settings_options, &bed->config);
    arena_finish(&bed->arena);
}

static bool make_settings(struct bed *bed, const char *path, const struct settings *given,
                          const struct family *const *families, struct option_report *report)
{
    static const char plain[] = "receivers: [{name: team, webhook: {url: 'https://a.invalid/'}}]\n"
                                "route: {receiver: team, group_by: ['...'], group_interval: 1s,"
                                " repeat_interval: 0s}\n"
                                "governor: {messages: 0}\n"
                                "ledger: {first_run: silent}\n";
    struct settings_context context = { .file = path, .families = families };
    if (given) {
        bed->config = *given->config;
        context.file = bed->file.rule_files.count ? path : given->file;
        context.tenant_id = given->tenant_id;
        context.portal = given->portal;
        context.external_url = given->external_url;
    } else {
        bed->owns_config = true;
        options_default(settings_options, &bed->config, &bed->arena);
        if (!options_read(settings_options, path, plain, sizeof plain - 1, &bed->config,
                          &bed->arena, report))
            return false;
    }
    if (bed->file.rule_files.count)
        bed->config.rules = bed->file.rule_files;
    if (bed->file.tags.count)
        bed->config.tags = bed->file.tags;
    bed->settings = settings_create(&bed->config, &context, report);
    return bed->settings != NULL;
}

/* Tags that no alert would have. */
static void check_tags(const struct bed *bed, const char *path, struct option_report *report)
{
    const struct ruletest_case *tests = bed->file.tests.items;
    const struct option_texts *listed = &bed->config.tags;
    for (size_t i = 0; i < bed->file.tests.count; i++) {
        const struct ruletest_finding *rows = tests[i].findings.items;
        for (size_t k = 0; k < tests[i].findings.count; k++)
            for (size_t t = 0; t < rows[k].tags.count; t++) {
                size_t n = 0;
                while (n < listed->count &&
                       strcasecmp(listed->texts[n], rows[k].tags.pairs[t].name) != 0)
                    n++;
                if (n == listed->count)
                    options_complain(report, path, rows[k].line, "tests.findings.tags",
                                     "the tag %s is not listed", rows[k].tags.pairs[t].name);
            }
    }
}

static bool run_test(struct bed *bed, const struct ruletest_case *test, struct buf *out,
                     struct error *error)
{
    CLEANUP(trial_finish) struct trial trial = { .test = test, .settings = bed->settings };
    bool parsed = clock_parse_rfc3339(test->start, &trial.start); /* checked before */
    return parsed && trial_init(&trial, error) && collect_tags(&trial, trial.start, error) &&
           run_trial(&trial, error) && judge(&trial, out);
}

bool ruletest_run(const char *path, struct settings *settings, const struct family *const *families,
                  struct buf *out, size_t *failed, struct option_report *report)
{
    CLEANUP(bed_finish) struct bed bed = { 0 };
    *failed = 0;
    options_default(ruletest_options, &bed.file, &bed.arena);
    if (!options_read_file(ruletest_options, path, &bed.file, &bed.arena, report))
        return false;
    check_file(&bed.file, path, report);
    if (report->count || !make_settings(&bed, path, settings, families, report))
        return false;
    check_tags(&bed, path, report);
    if (report->count)
        return false;
    const struct ruletest_case *tests = bed.file.tests.items;
    CLEANUP(buf_finish) struct buf details = { 0 };
    for (size_t i = 0; i < bed.file.tests.count; i++) {
        struct error error = { .code = ERROR_NONE };
        if (run_test(&bed, &tests[i], &details, &error))
            continue;
        ++*failed;
        if (error.code != ERROR_NONE)
            buf_printf(&details, "    %s: %s\n", tests[i].name, error.message);
    }
    buf_printf(out, "Unit testing: %s\n  %s\n%s", path, *failed ? "FAILED:" : "SUCCESS",
               buf_cstr(&details));
    return true;
}
