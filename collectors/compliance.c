#include "collectors/compliance.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "collectors/collector.h"
#include "collectors/compliance_controls.h"
#include "core/compiler.h"
#include "core/firsts.h"
#include "core/memory.h"
#include "kql.h"

enum { QUERY_STANDARDS, QUERY_CONTROLS, QUERY_RESULTS, QUERY_BENCHMARK };
enum { BENCHMARK_SHOWN = 5 }; /* controls in a text */

static const char *const state_words[] = { "failed", "passed", "skipped", "unsupported", NULL };

/* Microsoft's cloud security benchmark and what it was called before. Its second version has its
 * own name behind that and is a standard of its own. */
static const char benchmark[] = "microsoft-cloud-security-benchmark";
static const char benchmark_before[] = "azure-security-benchmark";

extern const struct collector compliance_collector;

struct row {
    const char *id, *subscription_id, *standard, *control, *title, *state;
    const char *key, *type, *category, *scope;
    double counts[COMPLIANCE_STATE_COUNT];
};

/* clang-format off */
static const struct column standard_columns[] = {
    COLUMN_KEY   (struct row, id,                        "id"),
    COLUMN_ID    (struct row, subscription_id,           "subscriptionId"),
    COLUMN_KEY   (struct row, standard,                  "standard|name"),
    COLUMN_KEY   (struct row, state,                     "state|properties.state"),
    COLUMN_NUMBER(struct row, counts[COMPLIANCE_FAILED],
                  "failedControls|properties.failedControls"),
    COLUMN_NUMBER(struct row, counts[COMPLIANCE_PASSED],
                  "passedControls|properties.passedControls"),
    COLUMN_NUMBER(struct row, counts[COMPLIANCE_SKIPPED],
                  "skippedControls|properties.skippedControls"),
    COLUMN_NUMBER(struct row, counts[COMPLIANCE_UNSUPPORTED],
                  "unsupportedControls|properties.unsupportedControls"),
    { 0 }
};
/* In summaries the standard is a column, in lists a part of the id. */
static const struct column control_columns[] = {
    COLUMN_KEY   (struct row, id,                   "id"),
    COLUMN_ID    (struct row, standard,             "standard"),
    COLUMN_KEY   (struct row, control,              "control|name"),
    COLUMN_TEXT  (struct row, title,                "title|properties.description"),
    COLUMN_TEXT  (struct row, state,                "properties.state"),
    { 0 }
};
static const struct column failed_columns[] = {
    COLUMN_KEY   (struct row, id,                   "id"),
    COLUMN_KEY   (struct row, subscription_id,      "subscriptionId"),
    COLUMN_KEY   (struct row, standard,             "standard"),
    COLUMN_KEY   (struct row, control,              "control"),
    COLUMN_NUMBER(struct row, counts[COMPLIANCE_FAILED], "failed"),
    { 0 }
};
static const struct column benchmark_columns[] = {
    COLUMN_KEY   (struct row, id,                   "id"),
    COLUMN_KEY   (struct row, standard,             "standard"),
    COLUMN_KEY   (struct row, control,              "control"),
    COLUMN_KEY   (struct row, key,                  "assessmentKey"),
    COLUMN_TEXT  (struct row, type,                 "assessmentType"),
    COLUMN_TEXT  (struct row, category,             "category"),
    { 0 }
};
static const struct column result_columns[] = {
    COLUMN_KEY   (struct row, id,                   "id"),
    COLUMN_KEY   (struct row, key,                  "name"),
    COLUMN_TEXT  (struct row, type,                 "properties.assessmentType"),
    COLUMN_TEXT  (struct row, category,             "properties.description"),
    COLUMN_TEXT  (struct row, scope,                "properties.scope"),
    COLUMN_NUMBER(struct row, counts[COMPLIANCE_FAILED], "properties.failedResources"),
    { 0 }
};
/* clang-format on */

static const struct kept_kind standings = {
    KEPT_ROWS(struct compliance_standing),
    .texts = {
        KEPT_TEXT(struct compliance_standing, row_id),
        KEPT_TEXT(struct compliance_standing, standard),
        KEPT_TEXT(struct compliance_standing, control),
    },
};

struct own {
    struct intern known; /* keys of what is in the lists */
    struct controls titles, links;
};

static void own_finish(void *data)
{
    struct own *own = data;
    intern_finish(&own->known);
    free(own->titles.list);
    free(own->links.list);
    free(own);
}

static struct own *own_of(struct part *part)
{
    return part_own(part, sizeof(struct own), own_finish);
}

/* --- reading ---------------------------------------------------------------------------------- */

/* ".../<word>/NAME/..." -> "NAME"; "" when it is not there. word: with both slashes. */
static const char *name_in(struct part *part, const char *id, const char *word)
{
    CLEANUP(buf_finish) struct buf name = { 0 };
    const char *at = strcasestr(id, word);
    at = at ? at + strlen(word) : "";
    buf_append(&name, at, strcspn(at, "/"));
    return part_keep(part, buf_cstr(&name));
}

/* The standard of a row, lower case and under its present name. */
static const char *standard_of(struct part *part, const struct row *row, bool *renamed)
{
    const char *said = row->standard && *row->standard
                           ? row->standard
                           : name_in(part, row->id, "/regulatoryComplianceStandards/");
    *renamed = !strcasecmp(said, benchmark_before);
    return part_keep_lower(part, *renamed ? benchmark : said);
}

static const char *control_of(struct part *part, const struct row *row)
{
    return row->control && *row->control ? row->control
                                         : name_in(part, row->id, "/regulatoryComplianceControls/");
}

static void add_control(struct part *part, struct controls *controls, const struct control *control)
{
    CLEANUP(buf_finish) struct buf key = { 0 };
    struct own *own = own_of(part);
    bool is_link = controls == &own->links;
    buf_printf(&key, "%d|%s|%s", is_link, control->standard, control->control);
    if (is_link)
        buf_printf(&key, "|%s", control->text);
    size_t before = own->known.count;
    if (!key.length || intern_put(&own->known, key.data, key.length) < before)
        return;
    MEMORY_GROW(controls->list, controls->count, controls->capacity);
    controls->list[controls->count++] = (struct control){
        .standard = part_keep(part, control->standard),
        .control = part_keep(part, control->control),
        .text = part_keep(part, control->text),
    };
}

/* Rows of individual recommendations are one a category, and describe themselves by its name.
 * source: the queries of Defender for Cloud's workbooks. */
static void add_link(struct part *part, const struct row *row, const char *standard,
                     const char *control)
{
    bool of_category = row->type && !strcasecmp(row->type, "assessmentCategory");
    const char *text = of_category ? row->category : row->key;
    if (strncmp(standard, benchmark, sizeof benchmark - 1) != 0 || !text || !*text)
        return;
    add_control(part, &own_of(part)->links,
                &(struct control){ standard, control, part_keep_lower(part, text) });
}

/* Each connector to another cloud is told of beside their sum. source: Defender for Cloud's Power
 * BI page. */
static bool is_counted(const char *scope)
{
    return !scope || !*scope || !strcasecmp(scope, "Subscription") ||
           !strcasecmp(scope, "MultiCloudAggregation");
}

static void add_standing(struct part *part, size_t query, const struct row *row,
                         const char *subscription_id, bool is_odd)
{
    struct compliance_standing standing = {
        .row_id = part_keep_lower(part, row->id),
        .control = query == QUERY_STANDARDS ? "" : control_of(part, row),
        .odd = is_odd,
    };
    standing.standard = standard_of(part, row, &standing.renamed);
    for (int state = 0; state < COMPLIANCE_STATE_COUNT; state++)
        standing.counts[state] = is_odd || (query != QUERY_STANDARDS && state != COMPLIANCE_FAILED)
                                     ? NAN
                                     : row->counts[state];
    part_add_row(part, &standings, subscription_id, &standing);
}

static bool is_state(const char *word)
{
    int state = 0;
    while (state < COMPLIANCE_STATE_COUNT && strcasecmp(word, state_words[state]) != 0)
        state++;
    return state < COMPLIANCE_STATE_COUNT;
}

static enum odd_reason fold(struct part *part, size_t query, const void *data,
                            const struct collect_context *context, struct error *error)
{
    const struct row *row = data;
    const char *subscription =
        query == QUERY_STANDARDS || query == QUERY_RESULTS
            ? collector_subscription(context, row->subscription_id ? row->subscription_id : "")
            : "";
    bool renamed;
    if (query == QUERY_STANDARDS && !is_state(row->state)) {
        error_set(error, ERROR_PARSE, "state \"%.60s\" is not known", row->state);
        return ODD_WORD;
    }
    if ((query == QUERY_STANDARDS || query == QUERY_RESULTS) && !*subscription) {
        error_set(error, ERROR_PARSE, "column subscriptionId is missing");
        return ODD_MISSING;
    }
    const char *standard = standard_of(part, row, &renamed);
    const char *control = query == QUERY_STANDARDS ? "" : control_of(part, row);
    if (!*standard || (query != QUERY_STANDARDS && !*control)) {
        error_set(error, ERROR_PARSE, "the id names no standard and control");
        return ODD_MISSING;
    }
    if (query == QUERY_CONTROLS)
        add_control(part, &own_of(part)->titles,
                    &(struct control){ standard, control, row->title });
    if (query == QUERY_BENCHMARK || (query == QUERY_RESULTS && row->key))
        add_link(part, row, standard, control);
    if (query == QUERY_STANDARDS || (query == QUERY_RESULTS && is_counted(row->scope)))
        add_standing(part, query, row, subscription, false);
    return ODD_NONE;
}

/* Only a control that fails has results that do: no others are asked for, one by one. */
static bool has_below(size_t query, const void *data)
{
    const struct row *row = data;
    return query != QUERY_CONTROLS || !is_state(row->state) ||
           !strcasecmp(row->state, state_words[COMPLIANCE_FAILED]);
}

/* A place for what the older part says of it. A control in a list may have had results. */
static void odd(struct part *part, size_t query, const void *data,
                const struct collect_context *context)
{
    const struct row *row = data;
    bool renamed, listed = query == QUERY_CONTROLS && context->subscription_id;
    if ((query != QUERY_STANDARDS && query != QUERY_RESULTS && !listed) || !row->id || !*row->id ||
        !is_counted(row->scope))
        return;
    const char *subscription =
        collector_subscription(context, row->subscription_id ? row->subscription_id : "");
    if (*subscription && *standard_of(part, row, &renamed) &&
        (query == QUERY_STANDARDS || *control_of(part, row)))
        add_standing(part, query, row, subscription, true);
}

/* --- what rows say together ------------------------------------------------------------------- */

/* "subscription|standard|control" in lower case. */
static void put_subject(const struct compliance_standing *standing, struct buf *out)
{
    buf_reset(out);
    buf_printf(out, "%s|%s|", standing->subscription_id, standing->standard);
    for (const char *c = standing->control; *c; c++)
        buf_char(out, (char)tolower((unsigned char)*c));
}

/* A subscription that has the benchmark under both names has it once. */
static void drop_renamed(struct compliance_standing *rows, size_t count)
{
    CLEANUP(intern_finish) struct intern present = { 0 };
    for (size_t i = 0; i < count; i++)
        if (!rows[i].renamed && !strcmp(rows[i].standard, benchmark))
            intern_put(&present, rows[i].subscription_id, strlen(rows[i].subscription_id));
    for (size_t i = 0; i < count; i++)
        rows[i].dropped =
            rows[i].renamed && intern_find(&present, rows[i].subscription_id,
                                           strlen(rows[i].subscription_id)) != UINT32_MAX;
}

/* Of one row that came twice the worse holds, and one that can be read before one that cannot. */
static void take_worse(struct compliance_standing *first, const struct compliance_standing *other)
{
    double here = first->counts[COMPLIANCE_FAILED], there = other->counts[COMPLIANCE_FAILED];
    bool better = first->odd || (!other->odd && !(there <= here));
    if (!better || other->odd)
        return;
    memcpy(first->counts, other->counts, sizeof first->counts);
    first->odd = false;
}

/* Results of a control add up; one that cannot be read leaves the sum unknown. */
static void take_sum(struct compliance_standing *first, const struct compliance_standing *other)
{
    if (!*first->control) {
        take_worse(first, other);
        return;
    }
    double known = first->counts[COMPLIANCE_FAILED], more = other->counts[COMPLIANCE_FAILED];
    first->counts[COMPLIANCE_FAILED] = isnan(known) ? more : isnan(more) ? known : known + more;
    first->odd |= other->odd;
}

/* Merge rows of equal keys into the first of them. */
static void merge(struct compliance_standing *rows, size_t count, bool by_row,
                  void (*take)(struct compliance_standing *first,
                               const struct compliance_standing *other))
{
    CLEANUP(firsts_finish) struct firsts firsts = { 0 };
    CLEANUP(buf_finish) struct buf key = { 0 };
    for (size_t i = 0; i < count; i++) {
        if (rows[i].dropped)
            continue;
        put_subject(&rows[i], &key);
        if (by_row)
            buf_printf(&key, "|%s", rows[i].row_id);
        size_t first = firsts_put(&firsts, key.data, key.length, i);
        rows[i].dropped = first != i;
        if (rows[i].dropped)
            take(&rows[first], &rows[i]);
    }
}

/* What could not be read stays as it was. */
static void keep_odd(struct compliance_standing *row, const struct compliance_standing *older,
                     size_t older_count)
{
    const struct compliance_standing *before = NULL;
    for (size_t i = 0; i < older_count && !before; i++)
        if (!older[i].dropped && !strcmp(older[i].subscription_id, row->subscription_id) &&
            !strcmp(older[i].standard, row->standard) &&
            !strcasecmp(older[i].control, row->control))
            before = &older[i];
    for (int state = 0; state < COMPLIANCE_STATE_COUNT; state++)
        row->counts[state] = before ? before->counts[state] : NAN;
}

static void sort(struct own *own)
{
    compliance_controls_sort_titles(&own->titles);
    compliance_controls_sort_links(&own->links);
}

static const struct own *own_in(const struct part *part)
{
    bool ours = part && part->source->collector == &compliance_collector;
    return ours ? part->own : NULL;
}

static bool finish(struct part *part, const struct collect_context *context, struct error *error)
{
    (void)error;
    size_t count, older_count;
    const struct part *older = snapshot_part(context->snapshot, part->source);
    struct compliance_standing *rows = kept_all(&part->kept, &standings, &count);
    const struct compliance_standing *before = part_rows(older, &standings, &older_count);
    drop_renamed(rows, count);
    merge(rows, count, true, take_worse);
    merge(rows, count, false, take_sum);
    for (size_t i = 0; i < count; i++)
        if (rows[i].odd && !rows[i].dropped)
            keep_odd(&rows[i], before, older_count);
    sort(own_of(part));
    return true;
}

/* What controls are called and what counts for them is the same in every subscription. */
static void carry(struct part *part, const struct part *older, const char *subscription_id)
{
    (void)subscription_id;
    const struct own *before = own_in(older);
    struct own *own = own_of(part);
    for (size_t i = 0; before && i < before->titles.count; i++)
        add_control(part, &own->titles, &before->titles.list[i]);
    for (size_t i = 0; before && i < before->links.count; i++)
        add_control(part, &own->links, &before->links.list[i]);
    sort(own);
}

/* --- asking ----------------------------------------------------------------------------------- */

/* "LT.2" of the service is "LT-2" of the benchmark's own documents. */
static void put_control(const char *control, struct buf *out)
{
    bool letters = true;
    for (; *control; control++) {
        buf_char(out, letters && *control == '.' ? '-' : *control);
        letters = letters && isalpha((unsigned char)*control);
    }
}

static void put_controls(const struct controls *links, const char *text, struct buf *out)
{
    size_t first = compliance_controls_first_link(links, text);
    for (size_t i = first; i < links->count && i < first + BENCHMARK_SHOWN; i++) {
        const struct control *link = &links->list[i];
        if (strcmp(link->text, text) != 0)
            return;
        if (i > first)
            buf_text(out, ", ");
        if (i == first || strcmp(links->list[i - 1].standard, link->standard) != 0) {
            const char *version = link->standard + sizeof benchmark - 1;
            version += *version == '-';
            buf_printf(out, "MCSB %s%s", version, *version ? " " : "");
        }
        put_control(link->control, out);
    }
}

const struct compliance_standing *compliance_standings(const struct part *part, size_t *count)
{
    *count = 0;
    return own_in(part) ? part_rows(part, &standings, count) : NULL;
}

const char *compliance_title(const struct part *part, const char *standard, const char *control)
{
    const struct own *own = own_in(part);
    return own ? compliance_controls_title(&own->titles, standard, control) : "";
}

/* The benchmark is Microsoft's: any tenant that knows it will do. */
const char *compliance_benchmark(const struct snapshot *snapshot, const struct finding *finding,
                                 struct arena *arena)
{
    CLEANUP(buf_finish) struct buf text = { 0 }, category = { 0 };
    for (const char *c = finding->category; finding->model == MODEL_INDIVIDUAL && *c; c++)
        buf_char(&category, (char)tolower((unsigned char)*c));
    for (size_t i = 0; i < snapshot->sources->count && !text.length; i++) {
        const struct own *own = own_in(snapshot->parts[i]);
        if (own)
            put_controls(&own->links, finding->assessment_id, &text);
        if (own && !text.length && category.length)
            put_controls(&own->links, buf_cstr(&category), &text);
    }
    return arena_text(arena, buf_cstr(&text));
}

/* --- the collector ---------------------------------------------------------------------------- */

#define HELP(text) text " From regulatory compliance, cached."
static const struct family_3 standard_controls = {
    .name = "defender_compliance_controls",
    .type = METRIC_GAUGE,
    .level = 0,
    .help = HELP("Controls of a compliance standard by state, as Azure counts them."),
    LABELS("subscription_id", "standard", "state"),
};
static const struct family_2 standard_ratio = {
    .name = "defender_compliance_ratio",
    .type = METRIC_GAUGE,
    .level = 0,
    .unit = "ratio",
    .help = HELP("Controls of a compliance standard that pass, of those that pass or fail, 0 to 1; "
                 "absent where none does either."),
    LABELS("subscription_id", "standard"),
};
static const struct family_3 control_failed = {
    .name = "defender_compliance_control_failed_resources",
    .type = METRIC_GAUGE,
    .level = 2,
    .help = HELP("Resources that fail a compliance control, added up over its assessments: one "
                 "that fails two counts twice. Non-zero only."),
    LABELS("subscription_id", "standard", "compliance_control"),
};
static const struct family_3 control_info = {
    .name = "defender_compliance_control_info",
    .type = METRIC_INFO,
    .level = 2,
    .help = HELP("A control of a compliance standard."),
    LABELS("standard", "compliance_control", "display_name"),
};
static const struct family *const families[] = {
    &standard_controls.family,
    &standard_ratio.family,
    &control_failed.family,
    &control_info.family,
    NULL,
};

static void emit_standing(const struct compliance_standing *row, struct metric_set *set)
{
    double failed = row->counts[COMPLIANCE_FAILED], passed = row->counts[COMPLIANCE_PASSED];
    if (*row->control) {
        if (failed > 0)
            metric_add(set, &control_failed, failed,
                       METRIC_LABELS(row->subscription_id, row->standard, row->control));
        return;
    }
    for (int state = 0; state < COMPLIANCE_STATE_COUNT; state++)
        metric_add(set, &standard_controls, row->counts[state],
                   METRIC_LABELS(row->subscription_id, row->standard, state_words[state]));
    if (failed >= 0 && passed >= 0 && failed + passed > 0)
        metric_add(set, &standard_ratio, passed / (failed + passed),
                   METRIC_LABELS(row->subscription_id, row->standard));
}

static void emit(const struct snapshot *snapshot, const struct part *part, struct metric_set *set)
{
    (void)snapshot;
    size_t count;
    const struct compliance_standing *rows = part_rows(part, &standings, &count);
    const struct own *own = part->own;
    for (size_t i = 0; i < count; i++)
        if (!rows[i].dropped)
            emit_standing(&rows[i], set);
    for (size_t i = 0; own && i < own->titles.count; i++)
        metric_add(set, &control_info, 1,
                   METRIC_LABELS(own->titles.list[i].standard, own->titles.list[i].control,
                                 own->titles.list[i].text));
}

#define STANDARDS                                                                                  \
    "/subscriptions/{subscription}/providers/Microsoft.Security/regulatoryComplianceStandards"
#define LIST(a_name, a_path, a_columns)                                                            \
    {                                                                                              \
        .name = a_name, .path = a_path, .api_versions = "2019-01-01-preview",                      \
        .missing_is_empty = true, .columns = a_columns                                             \
    }

const struct collector compliance_collector = {
    .name = "compliance", .words = "compliance results",
    .help = "Regulatory compliance: standards, their controls, and those of Microsoft's cloud "
            "security benchmark that findings count for.",
    .default_interval = "1h",
    .role = COLLECTOR_DATA,
    .order = 45,
    .rights = { "standards, controls and results", "Security Reader", "Microsoft.Security/*/read" },
    .variants = {
        { "graph", .queries = {
            { .name = "compliance_standards_rows", .kql = kql_compliance_standards_rows,
              .columns = standard_columns },
            { .name = "compliance_controls_summary", .kql = kql_compliance_controls_summary,
              .columns = control_columns },
            { .name = "compliance_failed_summary", .kql = kql_compliance_failed_summary,
              .columns = failed_columns, .none = NONE_IS_ORDINARY },
            { .name = "compliance_benchmark_summary", .kql = kql_compliance_benchmark_summary,
              .columns = benchmark_columns },
        } },
        { "rest", .lacks = "which benchmark controls that do not fail a recommendation counts for",
          .queries = {
            LIST("regulatoryComplianceStandards", STANDARDS, standard_columns),
            LIST("regulatoryComplianceControls", "{row}/regulatoryComplianceControls",
                 control_columns),
            LIST("regulatoryComplianceAssessments", "{row}/regulatoryComplianceAssessments",
                 result_columns),
        } },
    },
    .families = families,
    .fold = fold,
    .has_below = has_below,
    .odd = odd,
    .finish = finish,
    .carry = carry,
    .emit = emit,
};
