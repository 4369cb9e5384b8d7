/* What Azure answers to a run of a collector, page by page: "collector variant" in the first line,
 * then answers as the wire takes them. Whatever they say, the same answers make the same part, a
 * part that is published can be told, and nothing in it is out of its bounds. */
#include <math.h>

#include "collectors/run/answer.h"
#include "collectors/run/runner.h"
#include "fuzz.h"
#include "tests/unit/sources.h"

enum { NOW = 1767312000 };
static const char discovery[] =
    "200\n\n{\"value\":[{\"subscriptionId\":\"s-1\",\"displayName\":\"One\",\"state\":\"Enabled\"},"
    "{\"subscriptionId\":\"s-2\",\"state\":\"Enabled\"},"
    "{\"subscriptionId\":\"s-3\",\"state\":\"Disabled\"}]}";
static const char catalogue[] =
    "200\n\n{\"value\":[{\"name\":\"k1\",\"properties\":{\"displayName\":\"One\",\"severity\":"
    "\"High\",\"assessmentType\":\"BuiltIn\"}}]}";

/* One run and what came of it. */
struct attempt {
    struct collect_result result;
    struct error error;
    bool ok;
};

static void ask(const struct source *source, const struct variant *variant,
                struct arm_session *session, const struct collect_context *context,
                struct attempt *attempt)
{
    struct asked_board *board = asked_board_create();
    struct answer_memory memory = { 0 };
    asked_board_add(board, &(struct asked){ "",
                                            "/subscriptions/s-1/resourcegroups/g/providers/"
                                            "a.b/c/d",
                                            NOW - 5000, 0 });
    attempt->ok = answer_run(source, variant, session, context, board, &memory, &attempt->result,
                             &attempt->error);
    answer_memory_finish(&memory);
    asked_board_destroy(board);
}

static void run(struct snapshot *snapshot, const struct source *source,
                const struct variant *variant, struct part *older, const uint8_t *bytes,
                size_t count, struct attempt *attempt)
{
    static const char *const tags[] = { "env", "owner", NULL };
    CLEANUP(wire_session_finish) struct wire_session wire = { 0 };
    struct collect_memory memory = { 0 };
    const struct collect_context context = {
        .now = NOW + (older ? 60 : 0),
        .snapshot = snapshot,
        .variant = variant,
        .max_staleness_s = 3600,
        .tags = tags,
        .callers = true,
    };
    *attempt = (struct attempt){ 0 };
    wire_session_init(&wire, AUTH_CLIENT_SECRET);
    wire_open(bytes, count, false, NULL);
    if (source->collector->role == COLLECTOR_ANSWERS)
        ask(source, variant, &wire.session, &context, attempt);
    else
        attempt->ok = collect_run(source, variant, &wire.session, &context, older, NULL, 0, &memory,
                                  &attempt->result, &attempt->error);
    FUZZ_CHECK(attempt->ok == (attempt->result.part != NULL));
    FUZZ_CHECK(attempt->ok || (attempt->error.code && *attempt->error.message));
}

static void check_findings(const struct part *part)
{
    char scratch[PART_ID_BYTES];
    for (size_t i = 0; i < part->finding_count; i++) {
        struct finding finding;
        part_view(part, i, &finding, scratch);
        FUZZ_CHECK(finding.risk < RISK_COUNT && finding.severity < SEVERITY_COUNT);
        FUZZ_CHECK(finding.cloud < CLOUD_COUNT && finding.model < MODEL_COUNT);
        FUZZ_CHECK(finding.first_seen_at >= 0 && finding.changed_at >= 0);
        FUZZ_CHECK(strlen(finding.title) < 1024 && strlen(finding.resource_id) < PART_ID_BYTES);
        FUZZ_CHECK(!i || finding_id_compare(&part->findings[i - 1].id, &part->findings[i].id) < 0);
        FUZZ_CHECK(part_find(part, &finding.id) == (int64_t)i);
    }
}

/* The samples of a part as text. */
static void tell(struct snapshot *snapshot, const struct source *source, struct part *part,
                 struct buf *out)
{
    CLEANUP(metric_set_finish) struct metric_set set = { .max_level = 3 };
    struct part *before = snapshot->parts[source->index];
    snapshot->parts[source->index] = part;
    snapshot->status[source->index].enabled = true;
    runner_emit_source(snapshot, source->index, &set);
    snapshot->parts[source->index] = before;
    snapshot->status[source->index].enabled = before != NULL;
    metric_set_sort(&set);
    for (size_t i = 0; i < set.count; i++) {
        const struct sample *sample = &set.samples[i];
        FUZZ_CHECK(isfinite(sample->value));
        buf_printf(out, "%s %.17g", sample->family->name, sample->value);
        for (int label = 0; sample->family->labels[label]; label++) {
            FUZZ_CHECK(sample->values[label] && *sample->values[label]);
            buf_printf(out, " %s", sample->values[label]);
        }
        buf_char(out, '\n');
    }
    if (source->collector->save && part->own)
        source->collector->save(part, out);
}

static struct snapshot *world(void)
{
    static struct snapshot *snapshot;
    static const struct {
        const char *source, *answer;
        size_t variant;
    } parts[] = { { "subscriptions", discovery, 1 }, { "catalogue", catalogue, 0 } };
    if (snapshot)
        return snapshot;
    snapshot = snapshot_create(test_sources());
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++) {
        const struct source *source = source_list_find(test_sources(), parts[i].source);
        struct attempt attempt;
        run(snapshot, source, &source->collector->variants[parts[i].variant], NULL,
            (const uint8_t *)parts[i].answer, strlen(parts[i].answer), &attempt);
        FUZZ_CHECK(attempt.ok);
        snapshot->parts[source->index] = attempt.result.part;
        snapshot->status[source->index].enabled = true;
    }
    return snapshot;
}

/* The source and the variant that a line names; NULL = there is none. */
static const struct source *find(char *line, const struct variant **variant)
{
    char *blank = strchr(line, ' ');
    if (!blank)
        return NULL;
    *blank = 0;
    const struct source *source = source_list_find(test_sources(), line);
    for (int i = 0; source && i < COLLECTOR_VARIANTS_MAX; i++) {
        *variant = &source->collector->variants[i];
        if ((*variant)->name && !strcmp((*variant)->name, blank + 1))
            return source;
    }
    return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(buf_finish) struct buf told = { 0 };
    CLEANUP(buf_finish) struct buf again = { 0 };
    struct snapshot *snapshot = world();
    const struct variant *variant;
    const struct source *source = find(fuzz_line(&bytes, &count, &arena), &variant);
    struct attempt first, second, third;
    if (!source)
        return 0;
    run(snapshot, source, variant, NULL, bytes, count, &first);
    run(snapshot, source, variant, NULL, bytes, count, &second);
    FUZZ_CHECK(first.ok == second.ok && !strcmp(first.error.message, second.error.message));
    if (!first.ok)
        return 0;
    check_findings(first.result.part);
    tell(snapshot, source, first.result.part, &told);
    tell(snapshot, source, second.result.part, &again);
    FUZZ_CHECK(!strcmp(buf_cstr(&told), buf_cstr(&again)));
    run(snapshot, source, variant, first.result.part, bytes, count, &third);
    if (third.ok)
        check_findings(third.result.part);
    part_release(third.result.part);
    part_release(second.result.part);
    part_release(first.result.part);
    return 0;
}
