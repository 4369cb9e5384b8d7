#include "subassessments.h"

#include <stdlib.h>
#include <string.h>

#include "core/compiler.h"
#include "core/hash.h"
#include "draw.h"

enum { BELOW_MAX = 6, NAMED_MAX = 3, TOP_RESOURCES = 100, TOP_PARENTS = 5000 };

/* As the queries write them, in the order of ids; the first is one nobody has told. */
enum { WORDS = 5, WORD_CRITICAL = 1, WORD_HIGH, WORD_LOW, WORD_MEDIUM };
static const char *const words[WORDS] = { "", "critical", "high", "low", "medium" };

enum resource_kind { BY_IMAGE, BY_REGISTRY, BY_MACHINE, BY_COUNT };

/* One finding below a result. */
struct drawn {
    uint32_t severity; /* of words */
    bool fix_told, patchable, exploit_told, exploitable;
    const char *cve; /* "" = it is a rule */
    int tenths;      /* of its score */
    const char *fixed, *registry, *image;
};

struct severity_row {
    const char *subscriptionId, *assessmentKey, *severity, *id;
    int64_t findings, fixTold, patchable, exploitTold, exploitable;
};
struct resource_row {
    const char *id, *subscriptionId, *resourceKind, *resource;
    int64_t critical, high, medium, low, findings;
};
struct cve_row {
    const char *id, *subscriptionId, *named;
    int64_t vulnerabilities;
    int tenths; /* of the highest score; no column */
};

/* What the queries answer, of one generation and one scope. */
struct subassessments {
    struct rows_moment counted;
    struct severity_row *severities;
    struct resource_row *resources[BY_COUNT];
    struct cve_row *parents;
    size_t severity_count, resource_counts[BY_COUNT], parent_count;
    struct arena texts;
};

/* clang-format off */
static const struct field severity_fields[] = {
    TEXT(struct severity_row, subscriptionId),
    TEXT(struct severity_row, assessmentKey),
    TEXT(struct severity_row, severity),
    INTEGER(struct severity_row, findings),
    INTEGER(struct severity_row, fixTold),
    INTEGER(struct severity_row, patchable),
    INTEGER(struct severity_row, exploitTold),
    INTEGER(struct severity_row, exploitable),
    TEXT(struct severity_row, id),
    { 0 }
};
static const struct field resource_fields[] = {
    TEXT(struct resource_row, id),
    TEXT(struct resource_row, subscriptionId),
    TEXT(struct resource_row, resourceKind),
    TEXT(struct resource_row, resource),
    INTEGER(struct resource_row, critical),
    INTEGER(struct resource_row, high),
    INTEGER(struct resource_row, medium),
    INTEGER(struct resource_row, low),
    INTEGER(struct resource_row, findings),
    { 0 }
};
static const struct field cve_fields[] = {
    TEXT(struct cve_row, id),
    TEXT(struct cve_row, subscriptionId),
    INTEGER(struct cve_row, vulnerabilities),
    JSON(struct cve_row, named),
    { 0 }
};
/* clang-format on */

/* --- what is below a result ------------------------------------------------------------------- */

/* How many findings a result has; 0 for most. */
static size_t below(const struct view *view, const struct assessment *assessment)
{
    const struct tenant *tenant = view->tenant;
    const struct resource *resource = &tenant->resources[assessment->resource];
    const struct recommendation *what = &tenant->catalogue.rows[assessment->recommendation];
    if (resource->gone || !view->in_scope[resource->subscription] ||
        assessment->status != TENANT_UNHEALTHY || what->baseline >= 0 ||
        !strstr(what->title, "vulnerability findings resolved"))
        return 0;
    return 1 + draw_below(tenant->options.seed, DRAW_BELOW, resource->serial, BELOW_MAX);
}

/* Machines tell of no fix, databases have rules, some images have an unknown severity. */
static void draw_one(const struct tenant *tenant, const struct assessment *assessment,
                     size_t number, struct arena *texts, struct drawn *out)
{
    static const uint32_t severities[] = { WORD_CRITICAL, WORD_HIGH, WORD_HIGH,  WORD_MEDIUM,
                                           WORD_MEDIUM,   WORD_LOW,  WORD_MEDIUM };
    static const int tenths[WORDS] = { 50, 98, 81, 31, 55 };
    const struct resource *resource = &tenant->resources[assessment->resource];
    uint64_t hash = draw(tenant->options.seed, DRAW_BELOW, resource->serial * 64u + number + 1);
    bool in_registry = resource->kind == KIND_REGISTRY,
         image = in_registry || resource->kind == KIND_AKS;
    bool rule = resource->kind == KIND_SQL || resource->kind == KIND_DATABASE;
    *out = (struct drawn){ .cve = "", .fixed = "", .registry = "", .image = "" };
    out->severity = image && hash % 23 == 0 ? 0 : severities[hash % ARRAY_COUNT(severities)];
    out->tenths = tenths[out->severity];
    if (rule)
        return;
    out->cve = rows_print(texts, "CVE-2026-%u",
                          1000 + (unsigned)number * 100 + (unsigned)(hash >> 8) % 100);
    out->exploit_told = true;
    out->exploitable = (hash >> 16) % 5 == 0;
    out->fixed = (hash >> 20) % 3 ? rows_print(texts, "%u.%u", (unsigned)(hash >> 24) % 9 + 1,
                                               (unsigned)(hash >> 28) % 20)
                                  : "";
    if (!image)
        return;
    const char *name = strrchr(resource->id, '/') + 1;
    out->fix_told = true;
    out->patchable = *out->fixed;
    out->registry = in_registry ? rows_print(texts, "%s.azurecr.io", tenant_lower(texts, name))
                                : "mcr.microsoft.com";
    out->image = rows_print(texts, "%s/%s@sha256:%064u", out->registry,
                            in_registry ? "shop" : "oss", (unsigned)(number % 2));
}

/* --- counting --------------------------------------------------------------------------------- */

static void *grown(void *list, size_t count, size_t bytes)
{
    if (count & (count - 1)) /* it has room up to the next power of two */
        return list;
    void *more = realloc(list, (count ? 2 * count : 2) * bytes);
    if (!more)
        abort();
    return more;
}

static int compare_severities(const void *left, const void *right)
{
    return strcmp(((const struct severity_row *)left)->id,
                  ((const struct severity_row *)right)->id);
}

static int compare_ids(const void *left, const void *right)
{
    return strcmp(((const struct resource_row *)left)->id,
                  ((const struct resource_row *)right)->id);
}

/* source: the weight of the queries. */
static int64_t weight(const struct resource_row *row)
{
    return row->critical * 1000000000000 + row->high * 100000000 + row->findings;
}

static int compare_weights(const void *left, const void *right)
{
    int64_t a = weight(left), b = weight(right);
    return a == b ? compare_ids(left, right) : a < b ? 1 : -1;
}

static int compare_parents(const void *left, const void *right)
{
    return strcmp(((const struct cve_row *)left)->id, ((const struct cve_row *)right)->id);
}

static int compare_scores(const void *left, const void *right)
{
    int a = ((const struct cve_row *)left)->tenths, b = ((const struct cve_row *)right)->tenths;
    return a == b ? compare_parents(left, right) : a < b ? 1 : -1;
}

static void add_severity(struct subassessments *all, const char *subscription, const char *key,
                         const struct drawn *drawn)
{
    all->severities = grown(all->severities, all->severity_count, sizeof *all->severities);
    all->severities[all->severity_count++] = (struct severity_row){
        .subscriptionId = subscription,
        .assessmentKey = key,
        .severity = words[drawn->severity],
        .id = rows_print(&all->texts, "%s|%s|%s", subscription, key, words[drawn->severity]),
        .findings = 1,
        .fixTold = drawn->fix_told,
        .patchable = drawn->patchable,
        .exploitTold = drawn->exploit_told,
        .exploitable = drawn->exploitable,
    };
}

static void add_resource(struct subassessments *all, enum resource_kind by, const char *kind,
                         const char *subscription, const char *resource, const struct drawn *drawn)
{
    size_t *count = &all->resource_counts[by];
    all->resources[by] = grown(all->resources[by], *count, sizeof *all->resources[by]);
    all->resources[by][(*count)++] = (struct resource_row){
        .id = rows_print(&all->texts, "%s|%s|%s", subscription, kind, resource),
        .subscriptionId = subscription,
        .resourceKind = kind,
        .resource = resource,
        .critical = drawn->severity == WORD_CRITICAL,
        .high = drawn->severity == WORD_HIGH,
        .medium = drawn->severity == WORD_MEDIUM,
        .low = drawn->severity == WORD_LOW,
        .findings = 1,
    };
}

/* Those with the highest scores by name, as JSON. */
static const char *name_worst(struct arena *texts, const struct drawn *drawn, size_t count)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    bool taken[BELOW_MAX + 1] = { false };
    buf_char(&out, '[');
    for (size_t turn = 0; turn < count && turn < NAMED_MAX; turn++) {
        size_t best = count;
        for (size_t i = 0; i < count; i++) {
            bool better = best == count || drawn[i].tenths > drawn[best].tenths ||
                          (drawn[i].tenths == drawn[best].tenths &&
                           strcmp(drawn[i].cve, drawn[best].cve) < 0);
            if (!taken[i] && better)
                best = i;
        }
        taken[best] = true;
        buf_printf(&out, "%s\"%s|%d.%d|%s\"", turn ? "," : "", drawn[best].cve,
                   drawn[best].tenths / 10, drawn[best].tenths % 10, drawn[best].fixed);
    }
    buf_char(&out, ']');
    return arena_text(texts, buf_cstr(&out));
}

static void add_parent(struct subassessments *all, const char *id, const char *subscription,
                       const struct drawn *drawn, size_t count)
{
    int tenths = 0;
    if (!*drawn->cve)
        return;
    for (size_t i = 0; i < count; i++)
        tenths = drawn[i].tenths > tenths ? drawn[i].tenths : tenths;
    all->parents = grown(all->parents, all->parent_count, sizeof *all->parents);
    all->parents[all->parent_count++] = (struct cve_row){
        .id = id,
        .subscriptionId = subscription,
        .vulnerabilities = (int64_t)count,
        .named = name_worst(&all->texts, drawn, count),
        .tenths = tenths,
    };
}

static void add_result(const struct view *view, const struct assessment *assessment,
                       struct subassessments *all)
{
    const struct tenant *tenant = view->tenant;
    const struct resource *resource = &tenant->resources[assessment->resource];
    const char *subscription = tenant->subscriptions[resource->subscription].id;
    const char *key = tenant->catalogue.rows[assessment->recommendation].key;
    bool rule = resource->kind == KIND_SQL || resource->kind == KIND_DATABASE;
    struct drawn drawn[BELOW_MAX];
    char id[TENANT_ID_BYTES];
    size_t count = below(view, assessment);
    for (size_t i = 0; i < count; i++) {
        draw_one(tenant, assessment, i, &all->texts, &drawn[i]);
        add_severity(all, subscription, key, &drawn[i]);
        if (!*drawn[i].image) {
            add_resource(all, BY_MACHINE, rule ? "database" : "machine", subscription,
                         tenant_lower(&all->texts, resource->id), &drawn[i]);
            continue;
        }
        add_resource(all, BY_IMAGE, "image", subscription, drawn[i].image, &drawn[i]);
        add_resource(all, BY_REGISTRY, "registry", subscription, drawn[i].registry, &drawn[i]);
    }
    if (count)
        add_parent(all, tenant_lower(&all->texts, tenant_assessment_id(tenant, assessment, id)),
                   subscription, drawn, count);
}

/* Add up rows of one id, which stand together. Returns how many are left. */
static size_t sum_severities(struct severity_row *rows, size_t count)
{
    size_t left = 0;
    for (size_t i = 0; i < count; i++) {
        if (!left || strcmp(rows[left - 1].id, rows[i].id) != 0) {
            rows[left++] = rows[i];
            continue;
        }
        struct severity_row *sum = &rows[left - 1];
        sum->findings += rows[i].findings;
        sum->fixTold += rows[i].fixTold;
        sum->patchable += rows[i].patchable;
        sum->exploitTold += rows[i].exploitTold;
        sum->exploitable += rows[i].exploitable;
    }
    return left;
}

static size_t sum_resources(struct resource_row *rows, size_t count)
{
    size_t left = 0;
    for (size_t i = 0; i < count; i++) {
        if (!left || strcmp(rows[left - 1].id, rows[i].id) != 0) {
            rows[left++] = rows[i];
            continue;
        }
        struct resource_row *sum = &rows[left - 1];
        sum->critical += rows[i].critical;
        sum->high += rows[i].high;
        sum->medium += rows[i].medium;
        sum->low += rows[i].low;
        sum->findings += rows[i].findings;
    }
    return left;
}

static void sort(void *rows, size_t count, size_t bytes, int (*compare)(const void *, const void *))
{
    if (count)
        qsort(rows, count, bytes, compare);
}

/* The first so many of one order, in the order of their ids. */
static size_t cut(void *rows, size_t count, size_t bytes, size_t most,
                  int (*first)(const void *, const void *),
                  int (*by_id)(const void *, const void *))
{
    sort(rows, count, bytes, first);
    count = count < most ? count : most;
    sort(rows, count, bytes, by_id);
    return count;
}

static void clear(struct subassessments *all)
{
    free(all->severities);
    for (int by = 0; by < BY_COUNT; by++)
        free(all->resources[by]);
    free(all->parents);
    arena_finish(&all->texts);
    *all = (struct subassessments){ 0 };
}

static void count_all(const struct view *view, struct subassessments *all)
{
    const struct tenant *tenant = view->tenant;
    for (size_t i = 0; i < tenant->assessment_count; i++)
        add_result(view, &tenant->assessments[i], all);
    sort(all->severities, all->severity_count, sizeof *all->severities, compare_severities);
    all->severity_count = sum_severities(all->severities, all->severity_count);
    for (int by = 0; by < BY_COUNT; by++) {
        struct resource_row *rows = all->resources[by];
        sort(rows, all->resource_counts[by], sizeof *rows, compare_ids);
        all->resource_counts[by] = cut(rows, sum_resources(rows, all->resource_counts[by]),
                                       sizeof *rows, TOP_RESOURCES, compare_weights, compare_ids);
    }
    all->parent_count = cut(all->parents, all->parent_count, sizeof *all->parents, TOP_PARENTS,
                            compare_scores, compare_parents);
}

static struct subassessments *counted(const struct view *view)
{
    struct tenant *tenant = view->tenant;
    struct subassessments *all = tenant->subassessments;
    if (!all && !(all = tenant->subassessments = calloc(1, sizeof *all)))
        abort();
    if (rows_is_of(view, &all->counted))
        return all;
    clear(all);
    count_all(view, all);
    all->counted = rows_moment(view);
    return all;
}

void subassessments_finish(struct tenant *tenant)
{
    if (tenant->subassessments)
        clear(tenant->subassessments);
    free(tenant->subassessments);
}

/* --- answering -------------------------------------------------------------------------------- */

static size_t severity_count(const struct view *view)
{
    return counted(view)->severity_count;
}

static void severity_fill(const struct view *view, size_t position, void *out,
                          struct arena *scratch)
{
    (void)scratch;
    *(struct severity_row *)out = counted(view)->severities[position];
}

#define TOP(name, by)                                                                              \
    static size_t name##_count(const struct view *view)                                            \
    {                                                                                              \
        return counted(view)->resource_counts[by];                                                 \
    }                                                                                              \
    static void name##_fill(const struct view *view, size_t position, void *out,                   \
                            struct arena *scratch)                                                 \
    {                                                                                              \
        (void)scratch;                                                                             \
        *(struct resource_row *)out = counted(view)->resources[by][position];                      \
    }
TOP(image, BY_IMAGE)
TOP(registry, BY_REGISTRY)
TOP(machine, BY_MACHINE)

static size_t cve_count(const struct view *view)
{
    return counted(view)->parent_count;
}

static void cve_fill(const struct view *view, size_t position, void *out, struct arena *scratch)
{
    (void)scratch;
    *(struct cve_row *)out = counted(view)->parents[position];
}

void subassessments_dump(const struct view *view, struct json_writer *writer)
{
    const struct tenant *tenant = view->tenant;
    CLEANUP(arena_finish) struct arena scratch = { 0 };
    json_open(writer, "subassessments", '[');
    for (size_t i = 0; i < tenant->assessment_count; i++) {
        const struct assessment *assessment = &tenant->assessments[i];
        const struct resource *resource = &tenant->resources[assessment->resource];
        size_t count = below(view, assessment);
        for (size_t n = 0; n < count; n++) {
            struct drawn drawn;
            char id[TENANT_ID_BYTES];
            arena_reset(&scratch);
            draw_one(tenant, assessment, n, &scratch, &drawn);
            json_open(writer, NULL, '{');
            json_add_text(writer, "parent", tenant_assessment_id(tenant, assessment, id));
            json_add_text(writer, "resource", resource->id);
            json_add_text(writer, "subscriptionId",
                          tenant->subscriptions[resource->subscription].id);
            json_add_text(writer, "assessmentKey",
                          tenant->catalogue.rows[assessment->recommendation].key);
            json_add_text(writer, "severity", words[drawn.severity]);
            json_add_text(writer, "cve", drawn.cve);
            json_add_text(writer, "image", drawn.image);
            json_add_text(writer, "registry", drawn.registry);
            json_add_integer(writer, "fixTold", drawn.fix_told);
            json_add_integer(writer, "patchable", drawn.patchable);
            json_add_integer(writer, "exploitTold", drawn.exploit_told);
            json_add_integer(writer, "exploitable", drawn.exploitable);
            json_close(writer, '}');
        }
    }
    json_close(writer, ']');
}

/* clang-format off */
const struct rows rows_subassessments[] = {
    { "subassessments_severities_summary", severity_count, rows_all_present, severity_fill,
      severity_fields, sizeof(struct severity_row) },
    { "subassessments_images_summary", image_count, rows_all_present, image_fill,
      resource_fields, sizeof(struct resource_row) },
    { "subassessments_registries_summary", registry_count, rows_all_present, registry_fill,
      resource_fields, sizeof(struct resource_row) },
    { "subassessments_machines_summary", machine_count, rows_all_present, machine_fill,
      resource_fields, sizeof(struct resource_row) },
    { "subassessments_cves_summary", cve_count, rows_all_present, cve_fill,
      cve_fields, sizeof(struct cve_row) },
    { 0 }
};
/* clang-format on */
