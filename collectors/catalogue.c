#include "collectors/catalogue.h"

#include <stdlib.h>
#include <string.h>

#include "collectors/collector.h"
#include "core/memory.h"

extern const struct collector catalogue_collector;

struct row {
    const char *id, *title, *description, *remediation, *severity, *categories, *threats;
    const char *effort, *user_impact, *assessment_type, *planned_deprecation, *policy_id;
    bool preview;
};

static const struct column columns[] = {
    COLUMN_KEY (struct row, id,                  "name"),
    COLUMN_TEXT(struct row, title,               "properties.displayName"),
    COLUMN_LONG(struct row, description,         "properties.description"),
    COLUMN_LONG(struct row, remediation,         "properties.remediationDescription"),
    COLUMN_TEXT(struct row, severity,            "properties.severity"),
    COLUMN_LIST(struct row, categories,          "properties.categories"),
    COLUMN_LIST(struct row, threats,             "properties.threats"),
    COLUMN_TEXT(struct row, effort,              "properties.implementationEffort"),
    COLUMN_TEXT(struct row, user_impact,         "properties.userImpact"),
    COLUMN_TEXT(struct row, assessment_type,     "properties.assessmentType"),
    COLUMN_TEXT(struct row, planned_deprecation, "properties.plannedDeprecationDate"),
    COLUMN_ID  (struct row, policy_id,           "properties.policyDefinitionId"),
    COLUMN_BOOL(struct row, preview,             "properties.preview"),
    { 0 }
};

struct own {
    struct catalogue_entry *entries; /* sorted by id after finish */
    size_t count, capacity;          /* while folding entries[n - 1] is number n of part->known */
};

static void own_finish(void *data)
{
    struct own *own = data;
    free(own->entries);
    free(own);
}

static struct own *own_of(struct part *part)
{
    return part_own(part, sizeof(struct own), own_finish);
}

/* A place for a new key; NULL when the key is known already: the tenant's list comes first, the
 * lists of the subscriptions only add what is custom there. */
static struct catalogue_entry *entry_add(struct part *part, const char *id)
{
    struct own *own = own_of(part);
    const char *lower = part_keep_lower(part, id);
    if (intern_put(&part->known, lower, strlen(lower)) <= own->count)
        return NULL;
    MEMORY_GROW(own->entries, own->count, own->capacity);
    struct catalogue_entry *entry = &own->entries[own->count++];
    *entry = (struct catalogue_entry){ .id = lower };
    return entry;
}

static enum odd_reason fold(struct part *part, size_t query, const void *data,
                            const struct collect_context *context, struct error *error)
{
    (void)query, (void)context, (void)error;
    const struct row *row = data;
    struct catalogue_entry *entry = entry_add(part, row->id);
    if (!entry)
        return ODD_NONE;
    *entry = (struct catalogue_entry){
        .id = entry->id,
        .title = part_keep(part, row->title),
        .description = part_keep(part, row->description),
        .remediation = part_keep(part, row->remediation),
        .categories = part_keep(part, row->categories),
        .threats = part_keep(part, row->threats),
        .effort = part_keep(part, row->effort),
        .user_impact = part_keep(part, row->user_impact),
        .assessment_type = part_keep(part, row->assessment_type),
        .planned_deprecation = part_keep(part, row->planned_deprecation),
        .policy_id = part_keep_lower(part, row->policy_id),
        .severity = finding_severity(row->severity),
        .preview = row->preview,
    };
    return ODD_NONE;
}

static int compare(const void *left, const void *right)
{
    const struct catalogue_entry *a = left, *b = right;
    return strcmp(a->id, b->id);
}

static bool finish(struct part *part, const struct collect_context *context, struct error *error)
{
    struct own *own = own_of(part);
    const struct part *before = context ? snapshot_part(context->snapshot, part->source) : NULL;
    if (!own->count && before && before->rows)
        return error_set(error, ERROR_INCOMPLETE, "the list of recommendations came back empty");
    if (own->count)
        qsort(own->entries, own->count, sizeof *own->entries, compare);
    return true;
}

static const struct catalogue_entry *find_in(const struct part *part, const char *id)
{
    bool ours = part && part->source->collector == &catalogue_collector;
    const struct own *own = ours ? part->own : NULL;
    struct catalogue_entry key = { .id = id };
    if (!own || !own->count)
        return NULL;
    return bsearch(&key, own->entries, own->count, sizeof key, compare);
}

const struct catalogue_entry *catalogue_find(const struct snapshot *snapshot, const char *tenant,
                                             const char *id)
{
    const struct catalogue_entry *found = NULL;
    for (size_t i = 0; i < snapshot->sources->count && !found; i++)
        if (!tenant || !strcmp(snapshot->sources->sources[i].tenant, tenant))
            found = find_in(snapshot->parts[i], id);
    return found;
}

const struct part *catalogue_complete(const struct snapshot *snapshot, const char *tenant)
{
    const struct part *part = snapshot_part_of(snapshot, &catalogue_collector, tenant);
    return part && !odd_count(&part->odd) ? part : NULL;
}

bool catalogue_is_built_in(const struct catalogue_entry *entry)
{
    return strstr(entry->assessment_type, "BuiltIn"); /* BuiltInPolicy, DynamicBuiltIn ... */
}

static void emit(const struct snapshot *snapshot, const struct part *part, struct metric_set *set)
{
    (void)snapshot, (void)part, (void)set; /* its facts are labels of defender_assessment_info */
}

/* Kept in the shape of Azure's own list, so that loading is folding. */
static void save(const struct part *part, struct buf *out)
{
    const struct own *own = part->own;
    struct json_writer writer = { .out = out };
    json_open(&writer, NULL, '[');
    for (size_t i = 0; own && i < own->count; i++) {
        const struct catalogue_entry *entry = &own->entries[i];
        json_open(&writer, NULL, '{');
        json_add_text(&writer, "name", entry->id);
        json_open(&writer, "properties", '{');
        json_add_text(&writer, "displayName", entry->title);
        json_add_text(&writer, "description", entry->description);
        json_add_text(&writer, "remediationDescription", entry->remediation);
        json_add_text(&writer, "severity", finding_severity_words[entry->severity]);
        json_add_text(&writer, "categories", entry->categories);
        json_add_text(&writer, "threats", entry->threats);
        json_add_text(&writer, "implementationEffort", entry->effort);
        json_add_text(&writer, "userImpact", entry->user_impact);
        json_add_text(&writer, "assessmentType", entry->assessment_type);
        json_add_text(&writer, "plannedDeprecationDate", entry->planned_deprecation);
        json_add_text(&writer, "policyDefinitionId", entry->policy_id);
        json_add_bool(&writer, "preview", entry->preview);
        json_close(&writer, '}');
        json_close(&writer, '}');
    }
    json_close(&writer, ']');
}

static bool load(struct part *part, const struct json *saved, struct error *error)
{
    struct arena scratch = { 0 };
    CLEANUP(columns_plan_finish) struct columns_plan plan = { 0 };
    bool ok = true;
    columns_plan_make(&plan, columns);
    for (const struct json *item = json_first(saved); item && ok; item = json_next(item)) {
        struct row row;
        ok = !columns_bind_by(&plan, item, &row, &scratch, error) &&
             !fold(part, 0, &row, NULL, error);
        part->rows++;
    }
    arena_finish(&scratch);
    return ok && finish(part, NULL, error);
}

static const struct family *const families[] = { NULL };

/* clang-format off */
#define QUERY(scope, title, ...)                                                                   \
    { .name = title, .path = scope "/providers/Microsoft.Security/assessmentMetadata",             \
      .api_versions = "2021-06-01 2020-01-01", .columns = columns, __VA_ARGS__ }
#define TENANT_QUERY QUERY("", "assessmentMetadata", .optional = true)
#define SUBSCRIPTION_QUERY(empty)                                                                  \
    QUERY("/subscriptions/{subscription}", "subscription assessmentMetadata",                      \
          .only_if_empty = empty)
/* clang-format on */

const struct collector catalogue_collector = {
    .name = "catalogue",
    .words = "descriptions",
    .help = "What the recommendations mean and how to fix them (assessmentMetadata).",
    .default_interval = "1d",
    .role = COLLECTOR_REFERENCE,
    .order = 10,
    .rights = { "assessment metadata of the tenant", "any role in the tenant",
                "Microsoft.Security/assessmentMetadata/read" },
    .variants = {
        { "tenant", .queries = {
            TENANT_QUERY,
            SUBSCRIPTION_QUERY(true),
        } },
        { "subscriptions", .complete = true, .queries = {
            TENANT_QUERY,
            SUBSCRIPTION_QUERY(false),
        } },
    },
    .families = families,
    .fold = fold,
    .finish = finish,
    .emit = emit,
    .save = save,
    .load = load,
};
