#include "collectors/subassessments.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "collectors/collector.h"
#include "core/firsts.h"
#include "core/memory.h"
#include "kql.h"

enum { QUERY_SEVERITIES, QUERY_IMAGES, QUERY_REGISTRIES, QUERY_MACHINES, QUERY_CVES };

extern const struct collector subassessments_collector;

struct row {
    const char *id, *subscription_id, *assessment_id, *severity, *kind, *resource, *named;
    double findings, fix_told, patchable, exploit_told, exploitable, vulnerabilities;
    double by_severity[SEVERITY_COUNT];
};

/* clang-format off */
static const struct column severity_columns[] = {
    COLUMN_KEY   (struct row, id,              "id"),
    COLUMN_KEY   (struct row, subscription_id, "subscriptionId"),
    COLUMN_KEY   (struct row, assessment_id,   "assessmentKey"),
    COLUMN_TEXT  (struct row, severity,        "severity"),
    COLUMN_NUMBER(struct row, findings,        "findings"),
    COLUMN_NUMBER(struct row, fix_told,        "fixTold"),
    COLUMN_NUMBER(struct row, patchable,       "patchable"),
    COLUMN_NUMBER(struct row, exploit_told,    "exploitTold"),
    COLUMN_NUMBER(struct row, exploitable,     "exploitable"),
    { 0 }
};
static const struct column resource_columns[] = {
    COLUMN_KEY   (struct row, id,                             "id"),
    COLUMN_KEY   (struct row, subscription_id,                "subscriptionId"),
    COLUMN_KEY   (struct row, kind,                           "resourceKind"),
    COLUMN_KEY   (struct row, resource,                       "resource"),
    COLUMN_NUMBER(struct row, by_severity[SEVERITY_CRITICAL], "critical"),
    COLUMN_NUMBER(struct row, by_severity[SEVERITY_HIGH],     "high"),
    COLUMN_NUMBER(struct row, by_severity[SEVERITY_MEDIUM],   "medium"),
    COLUMN_NUMBER(struct row, by_severity[SEVERITY_LOW],      "low"),
    COLUMN_NUMBER(struct row, findings,                       "findings"),
    { 0 }
};
static const struct column cve_columns[] = {
    COLUMN_KEY   (struct row, id,              "id"),
    COLUMN_KEY   (struct row, subscription_id, "subscriptionId"),
    COLUMN_NUMBER(struct row, vulnerabilities, "vulnerabilities"),
    COLUMN_IDS   (struct row, named,           "named"),
    { 0 }
};
/* clang-format on */

/* Findings of a severity below a recommendation; NAN = not told. */
struct severity_count {
    const char *subscription_id, *assessment_id, *word;
    double findings, fix_told, patchable, exploit_told, exploitable;
    enum severity severity;
    bool dropped; /* another row says it */
};
/* One of those that have the most. */
struct resource_count {
    const char *subscription_id, *kind, *resource;
    double findings[SEVERITY_COUNT];
};
/* What lies below a result of a recommendation. */
struct below {
    const char *subscription_id;
    struct finding_id id; /* of the parent's row, lower case, as this source makes one */
    const char *named;    /* "CVE-1|9.8|2.1,CVE-2||" */
    double vulnerabilities;
};

/* clang-format off */
static const struct kept_kind severity_counts = {
    KEPT_ROWS(struct severity_count),
    .texts = { KEPT_TEXT(struct severity_count, assessment_id),
               KEPT_TEXT(struct severity_count, word) },
};
static const struct kept_kind resource_counts = {
    KEPT_ROWS(struct resource_count),
    .texts = { KEPT_TEXT(struct resource_count, kind), KEPT_TEXT(struct resource_count, resource) },
};
static const struct kept_kind belows = {
    KEPT_ROWS(struct below),
    KEPT_BY(struct below, id),
    .texts = { KEPT_TEXT(struct below, named) },
};
/* clang-format on */

/* --- reading ---------------------------------------------------------------------------------- */

static bool is_kind(const char *word)
{
    static const char *const words[] = { "database", "image", "machine", "registry" };
    for (size_t i = 0; i < ARRAY_COUNT(words); i++)
        if (!strcmp(words[i], word))
            return true;
    return false;
}

static bool is_count(double number)
{
    return number >= 0 && isfinite(number);
}

static void add_severity(struct part *part, const struct row *row)
{
    part_add_row(part, &severity_counts, row->subscription_id,
                 &(struct severity_count){
                     .assessment_id = part_keep_lower(part, row->assessment_id),
                     .word = part_keep_lower(part, row->severity),
                     .severity = finding_severity(row->severity),
                     .findings = row->findings,
                     .fix_told = row->fix_told,
                     .patchable = row->patchable,
                     .exploit_told = row->exploit_told,
                     .exploitable = row->exploitable,
                 });
}

static void add_resource(struct part *part, const struct row *row)
{
    struct resource_count count = {
        .kind = part_keep(part, row->kind),
        .resource = part_keep_lower(part, row->resource),
    };
    double known = 0;
    for (int severity = 0; severity < SEVERITY_UNKNOWN; severity++) {
        count.findings[severity] = row->by_severity[severity];
        known += row->by_severity[severity];
    }
    count.findings[SEVERITY_UNKNOWN] = row->findings - known;
    part_add_row(part, &resource_counts, row->subscription_id, &count);
}

static void add_below(struct part *part, const struct row *row)
{
    const char *parent = part_keep_lower(part, row->id);
    part_add_row(part, &belows, row->subscription_id,
                 &(struct below){
                     .id = finding_id(part->source, parent, strlen(parent)),
                     .named = row->named,
                     .vulnerabilities = row->vulnerabilities,
                 });
}

static enum odd_reason fold(struct part *part, size_t query, const void *data,
                            const struct collect_context *context, struct error *error)
{
    (void)context;
    const struct row *row = data;
    bool is_resource = query != QUERY_SEVERITIES && query != QUERY_CVES;
    double number = query == QUERY_CVES ? row->vulnerabilities : row->findings;
    for (int severity = 0; is_resource && severity < SEVERITY_UNKNOWN; severity++)
        if (!is_count(row->by_severity[severity]))
            number = NAN;
    if (!is_count(number)) {
        error_set(error, ERROR_PARSE, "the row has no count");
        return ODD_MISSING;
    }
    if (is_resource && !is_kind(row->kind)) {
        error_set(error, ERROR_PARSE, "kind \"%.40s\" is not known", row->kind);
        return ODD_WORD;
    }
    if (query == QUERY_SEVERITIES)
        add_severity(part, row);
    else if (is_resource)
        add_resource(part, row);
    else
        add_below(part, row);
    return ODD_NONE;
}

/* A sum that lacks a row is no sum: the subscription stays as it was. */
static void odd(struct part *part, size_t query, const void *data,
                const struct collect_context *context)
{
    (void)query;
    const struct row *row = data;
    part_add_gap(part, collector_subscription(
                           context, row && row->subscription_id ? row->subscription_id : ""));
}

/* --- rows that came twice --------------------------------------------------------------------- */

/* Rows by their keys. */
struct places {
    struct firsts firsts;
    struct buf key;
};

static void places_finish(struct places *places)
{
    firsts_finish(&places->firsts);
    buf_finish(&places->key);
}

/* The place of the first row with the key that was written: `place` itself when there is none. */
static size_t places_put(struct places *places, size_t place)
{
    return firsts_put(&places->firsts, buf_cstr(&places->key), places->key.length, place);
}

/* What is not told stays so only where no row tells it. */
static double larger(double one, double other)
{
    return isnan(one) || other > one ? other : one;
}

static void merge_severities(struct part *part)
{
    size_t count;
    struct severity_count *rows = kept_all(&part->kept, &severity_counts, &count);
    CLEANUP(places_finish) struct places places = { 0 };
    for (size_t i = 0; i < count; i++) {
        buf_reset(&places.key);
        buf_printf(&places.key, "%s|%s|%s", rows[i].subscription_id, rows[i].assessment_id,
                   rows[i].word);
        struct severity_count *first = &rows[places_put(&places, i)];
        if (first == &rows[i])
            continue;
        first->findings = larger(first->findings, rows[i].findings);
        first->fix_told = larger(first->fix_told, rows[i].fix_told);
        first->patchable = larger(first->patchable, rows[i].patchable);
        first->exploit_told = larger(first->exploit_told, rows[i].exploit_told);
        first->exploitable = larger(first->exploitable, rows[i].exploitable);
        rows[i].dropped = true;
    }
}

static void merge_resources(struct part *part)
{
    size_t count;
    struct resource_count *rows = kept_all(&part->kept, &resource_counts, &count);
    CLEANUP(places_finish) struct places places = { 0 };
    for (size_t i = 0; i < count; i++) {
        buf_reset(&places.key);
        buf_printf(&places.key, "%s|%s|%s", rows[i].subscription_id, rows[i].kind,
                   rows[i].resource);
        struct resource_count *first = &rows[places_put(&places, i)];
        for (int severity = 0; severity < SEVERITY_COUNT && first != &rows[i]; severity++) {
            first->findings[severity] =
                larger(first->findings[severity], rows[i].findings[severity]);
            rows[i].findings[severity] = 0;
        }
    }
}

/* A page that moved while it was read brings a row twice: the larger counts hold. */
static bool finish(struct part *part, const struct collect_context *context, struct error *error)
{
    (void)context, (void)error;
    merge_severities(part);
    merge_resources(part);
    return true;
}

/* --- asking ----------------------------------------------------------------------------------- */

/* "CVE-1|9.8|2.1" -> "CVE-1 (CVSS 9.8, fixed in 2.1)"; length: of the one vulnerability. */
static void put_vulnerability(const char *at, size_t length, struct buf *out)
{
    size_t name = strcspn(at, "|,");
    size_t score = name < length ? strcspn(at + name + 1, "|,") : 0;
    size_t fixed = name + 1 + score + 1 < length ? length - name - score - 2 : 0;
    buf_append(out, at, name);
    if (score || fixed)
        buf_text(out, " (");
    if (score) {
        buf_text(out, "CVSS ");
        buf_append(out, at + name + 1, score);
    }
    if (score && fixed)
        buf_text(out, ", ");
    if (fixed) {
        buf_text(out, "fixed in ");
        buf_append(out, at + name + 1 + score + 1, fixed);
    }
    if (score || fixed)
        buf_char(out, ')');
}

static void put_below(const struct below *below, struct buf *out)
{
    double named = 0;
    for (const char *at = below->named; *at; at += *at == ',') {
        size_t length = strcspn(at, ",");
        if (length) {
            buf_text(out, named++ > 0 ? ", " : "");
            put_vulnerability(at, length, out);
        }
        at += length;
    }
    if (named > 0 && below->vulnerabilities > named)
        buf_printf(out, ", %.0f more", below->vulnerabilities - named);
}

/* Of the parent's row, as rows below it name it. */
static void put_row_id(const struct finding *finding, struct buf *out)
{
    buf_printf(out, "%s/providers/microsoft.security/assessments/%s", finding->resource_id,
               finding->assessment_id);
    for (size_t i = 0; i < out->length; i++)
        out->data[i] = (char)tolower((unsigned char)out->data[i]);
}

/* What lies below a finding, of the first source that knows any; NULL when none does. */
static const struct below *find_below(const struct snapshot *snapshot,
                                      const struct finding *finding)
{
    CLEANUP(buf_finish) struct buf row_id = { 0 };
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        const struct part *part = snapshot->parts[i];
        if (!part || part->source->collector != &subassessments_collector)
            continue;
        if (!row_id.length)
            put_row_id(finding, &row_id);
        const struct finding_id id = finding_id(part->source, row_id.data, row_id.length);
        const struct below *below = part_row_of(part, &belows, &id);
        if (below && *below->named)
            return below;
    }
    return NULL;
}

const char *subassessments_of(const struct snapshot *snapshot, const struct finding *finding,
                              struct arena *arena)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    const struct below *below = find_below(snapshot, finding);
    if (below)
        put_below(below, &text);
    return arena_text(arena, buf_cstr(&text));
}

/* The next part of "CVE-1|9.8|2.1", in the arena; "" when there is none. */
static const char *next_part(const char **at, struct arena *arena)
{
    size_t length = strcspn(*at, "|,");
    const char *part = arena_copy(arena, *at, length);
    *at += length + ((*at)[length] == '|');
    return part;
}

size_t subassessments_list(const struct snapshot *snapshot, const struct finding *finding,
                           struct arena *arena, const struct subassessment **list)
{
    const struct below *below = find_below(snapshot, finding);
    const char *named = below ? below->named : "";
    size_t count = 0, most = 1;
    for (const char *at = named; *at; at++)
        most += *at == ',';
    struct subassessment *items = arena_zalloc(arena, most * sizeof *items);
    for (const char *at = named; *at; at += *at == ',') {
        struct subassessment *item = &items[count];
        item->cve = next_part(&at, arena);
        const char *score = next_part(&at, arena);
        item->score = *score ? strtod(score, NULL) : NAN;
        item->fixed_in = next_part(&at, arena);
        at += strcspn(at, ",");
        count += *item->cve != 0;
    }
    *list = items;
    return count;
}

/* --- families --------------------------------------------------------------------------------- */

#define HELP(text) text " From sub-assessments, cached."
static const struct family_3 findings_family = {
    .name = "defender_subassessment_findings",
    .type = METRIC_GAUGE,
    .level = 1,
    .help = HELP("Open findings below a recommendation, such as vulnerabilities and SQL rules, by "
                 "severity. Non-zero only."),
    LABELS("subscription_id", "assessment_id", "severity"),
};
static const struct family_2 patchable_family = {
    .name = "defender_subassessment_patchable_findings",
    .type = METRIC_GAUGE,
    .level = 1,
    .help = HELP("Open findings below recommendations for which there is a fix; absent where Azure "
                 "tells of none whether there is."),
    LABELS("subscription_id", "severity"),
};
static const struct family_2 exploitable_family = {
    .name = "defender_subassessment_exploitable_findings",
    .type = METRIC_GAUGE,
    .level = 1,
    .help = HELP("Open findings below recommendations with a known exploit; absent where Azure "
                 "tells of none whether there is."),
    LABELS("subscription_id", "severity"),
};
static const struct family_4 resource_family = {
    .name = "defender_subassessment_resource_findings",
    .type = METRIC_GAUGE,
    .level = 3,
    .help = HELP("Open findings below recommendations of the images, of the registries and of the "
                 "machines and databases that have the gravest, 100 of each at most. Non-zero "
                 "only."),
    LABELS("subscription_id", "kind", "resource", "severity"),
};
static const struct family *const families[] = {
    &findings_family.family,
    &patchable_family.family,
    &exploitable_family.family,
    &resource_family.family,
    NULL,
};

/* Of one subscription, by severity. */
struct sums {
    double findings[SEVERITY_COUNT], fix_told[SEVERITY_COUNT], patchable[SEVERITY_COUNT],
        exploit_told[SEVERITY_COUNT], exploitable[SEVERITY_COUNT];
};

static void add(double *sum, double number)
{
    *sum += is_count(number) ? number : 0;
}

static void add_row(struct sums *sums, const struct severity_count *row)
{
    add(&sums->findings[row->severity], row->findings);
    add(&sums->fix_told[row->severity], row->fix_told);
    add(&sums->patchable[row->severity], row->patchable);
    add(&sums->exploit_told[row->severity], row->exploit_told);
    add(&sums->exploitable[row->severity], row->exploitable);
}

/* Words that are no severities are one of them together. by_recommendation: else of subscriptions.
 */
static void emit_sums(const struct severity_count *rows, size_t count, bool by_recommendation,
                      struct metric_set *set)
{
    CLEANUP(places_finish) struct places places = { 0 };
    struct sums *sums = MEMORY_ARRAY(struct sums, count + 1);
    for (size_t i = 0; i < count; i++) {
        buf_reset(&places.key);
        buf_printf(&places.key, "%s|%s", rows[i].subscription_id,
                   by_recommendation ? rows[i].assessment_id : "");
        size_t first = places_put(&places, i);
        if (!rows[i].dropped)
            add_row(&sums[first], &rows[i]);
    }
    for (size_t i = 0; i < count; i++)
        for (int severity = 0; severity < SEVERITY_COUNT; severity++) {
            const char *id = rows[i].subscription_id, *word = finding_severity_words[severity];
            if (by_recommendation && sums[i].findings[severity] > 0)
                metric_add(set, &findings_family, sums[i].findings[severity],
                           METRIC_LABELS(id, rows[i].assessment_id, word));
            if (!by_recommendation && sums[i].fix_told[severity] > 0)
                metric_add(set, &patchable_family, sums[i].patchable[severity],
                           METRIC_LABELS(id, word));
            if (!by_recommendation && sums[i].exploit_told[severity] > 0)
                metric_add(set, &exploitable_family, sums[i].exploitable[severity],
                           METRIC_LABELS(id, word));
        }
    free(sums);
}

static void emit(const struct snapshot *snapshot, const struct part *part, struct metric_set *set)
{
    (void)snapshot;
    size_t count;
    const struct severity_count *rows = part_rows(part, &severity_counts, &count);
    emit_sums(rows, count, true, set);
    emit_sums(rows, count, false, set);
    const struct resource_count *resources = part_rows(part, &resource_counts, &count);
    for (size_t i = 0; i < count; i++)
        for (int severity = 0; severity < SEVERITY_COUNT; severity++)
            if (resources[i].findings[severity] > 0)
                metric_add(set, &resource_family, resources[i].findings[severity],
                           METRIC_LABELS(resources[i].subscription_id, resources[i].kind,
                                         resources[i].resource, finding_severity_words[severity]));
}

#define QUERY(what, a_columns)                                                                     \
    {                                                                                              \
        .name = "subassessments_" #what "_summary", .kql = kql_subassessments_##what##_summary,    \
        .columns = a_columns, .none = NONE_IS_ORDINARY                                             \
    }

const struct collector subassessments_collector = {
    .name = "subassessments",
    .words = "vulnerabilities",
    .help = "Findings below recommendations: vulnerabilities of machines and images, SQL rules; "
            "Azure counts them.",
    .default_interval = "1h",
    .role = COLLECTOR_DATA,
    .order = 55,
    .rights = { "findings below recommendations", "Security Reader",
                "Microsoft.Security/assessments/subAssessments/read" },
    .variants = { { "graph", .queries = {
        QUERY(severities, severity_columns),
        QUERY(images, resource_columns),
        QUERY(registries, resource_columns),
        QUERY(machines, resource_columns),
        QUERY(cves, cve_columns),
    } } },
    .families = families,
    .fold = fold,
    .odd = odd,
    .finish = finish,
    .emit = emit,
};
