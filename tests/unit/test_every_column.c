/* Every column of every query of every built-in collector: what rows become that are fine, with
 * every word that Azure may say, and with a value that a column cannot be: such a row is odd and
 * those around it are read as if it were not there. */
#include <string.h>

#include "collectors_world.h"
#include "exporter/formats/encode_text.h"
#include "exporter/formats/encoding.h"

#define RESOURCE "/subscriptions/s-1/resourcegroups/g/providers/a.b/c/d"
/* What an id tells where columns do not. */
#define ID                                                                                         \
    "/subscriptions/s-1/providers/microsoft.security/regulatorycompliancestandards/s/"             \
    "regulatorycompliancecontrols/c/x/%d"

#define SCORE "/providers/Microsoft.Security/secureScores/ascScore\""
#define CONNECTOR "/providers/Microsoft.Security/securityConnectors/aws"

/* What a column says in rows that are fine, where its type alone does not tell; one value is of all
 * three. collector: NULL = of any. */
/* clang-format off */
static const struct {
    const char *collector, *path, *values[3];
} fine[] = {
    { NULL, "subscriptionId", { "\"s-1\"", "\"s-1\"", "\"S-2\"" } },
    { NULL, "riskLevel", { "\"High\"", "\"Critical\"", "\"Low\"" } },
    { NULL, "properties.risk.level", { "\"High\"", "\"Critical\"", "\"Low\"" } },
    { NULL, "severity", { "\"High\"", "\"Medium\"", "\"Low\"" } },
    { "security_alerts", "status", { "\"Active\"", "\"InProgress\"", "\"Active\"" } },
    { "mdvm_baselines", "status", { "true" } },
    { "mdvm_baselines", "isApplicable", { "true" } },
    { "mdvm_baselines", "isCompliant", { "true", "false", "false" } },
    { NULL, "statusCode", { "\"Unhealthy\"", "\"Healthy\"", "\"NotApplicable\"" } },
    { NULL, "properties.status.code", { "\"Unhealthy\"", "\"Healthy\"", "\"NotApplicable\"" } },
    { NULL, "complianceStatus", { "\"NonCompliant\"", "\"Pending\"", "\"Compliant\"" } },
    { NULL, "state|properties.state", { "\"Failed\"", "\"Passed\"", "\"Skipped\"" } },
    { "secure_scores", "id",
      { "\"/subscriptions/s-1" SCORE, "\"/subscriptions/s-1/resourceGroups/g" CONNECTOR SCORE,
        "\"/subscriptions/s-2" SCORE } },
    { "secure_scores", "environment|properties.environment",
      { "\"Azure\"", "\"AWS\"", "\"Azure\"" } },
    { "secure_scores", "ratio|properties.score.percentage", { "0.25", "0.5", "1" } },
    { NULL, "tier", { "\"Standard\"", "\"Free\"", "\"Standard\"" } },
    { NULL, "pricingTier|properties.pricingTier", { "\"Standard\"", "\"Free\"", "\"Free\"" } },
    { "subassessments", "resourceKind", { "\"machine\"", "\"image\"", "\"registry\"" } },
    { "prerequisites", "machineKind", { "\"vm\"", "\"arc\"", "\"vm\"" } },
    { "prerequisites", "os", { "\"Windows\"", "\"Linux\"", "\"Linux\"" } },
    { NULL, "resourceId|id", { "\"" RESOURCE "\"" } },
    { NULL, "resourceId", { "\"" RESOURCE "\"" } },
    { "exemptions", "expiresOn", { "\"2026-01-05\"", "\"2026-01-20\"", "\"2025-12-31\"" } },
    { NULL, "machineId", { "\"" RESOURCE "\"" } },
};
/* clang-format on */

/* NULL = the type tells. */
static const char *fine_value(const char *collector, const struct column *column, int number)
{
    for (size_t i = 0; i < ARRAY_COUNT(fine); i++) {
        const char *value = fine[i].values[number - 1];
        if ((!fine[i].collector || !strcmp(fine[i].collector, collector)) &&
            !strcmp(fine[i].path, column->path))
            return value ? value : fine[i].values[0];
    }
    return NULL;
}

static void put_typed(const struct column *column, int number, struct buf *out)
{
    static const char *const of_type[] = {
        [COLUMN_TYPE_TEXT] = "\"x%d\"",
        [COLUMN_TYPE_NUMBER] = "%d",
        [COLUMN_TYPE_INTEGER] = "%d",
        [COLUMN_TYPE_BOOL] = "true",
        [COLUMN_TYPE_TIME] = "\"2026-01-01T00:00:00Z\"",
        [COLUMN_TYPE_LIST] = "[\"x%d\"]",
        [COLUMN_TYPE_COUNT] = "[%d]",
        [COLUMN_TYPE_SWITCHES] = "[{\"name\":\"x%d\",\"isEnabled\":\"True\"}]",
    };
    const char *form = of_type[column->type], *at = strstr(form, "%d");
    buf_append(out, form, at ? (size_t)(at - form) : strlen(form));
    if (at)
        buf_printf(out, "%d%s", number, at + 2);
}

/* A row in the making: where columns find their values, one of them with another. */
struct making {
    const char *collector;
    const struct column *columns, *changed;
    const char *value; /* of that column; NULL = its member is not there */
    int number;        /* tells rows apart */
    struct buf out;
};

/* The first alternative of a column's path, behind a prefix of it; length: up to its next member.
 * NULL when it is elsewhere. */
static const char *member_at(const struct column *column, const char *prefix, size_t *length)
{
    size_t prefix_length = strlen(prefix);
    if (strncmp(column->path, prefix, prefix_length) != 0)
        return NULL;
    *length = strcspn(column->path + prefix_length, ".|");
    return column->path + prefix_length;
}

/* Whether a column before this one already made the member. */
static bool is_made(const struct making *making, const struct column *column, const char *prefix)
{
    size_t length, other_length;
    const char *name = member_at(column, prefix, &length);
    for (const struct column *other = making->columns; other < column; other++) {
        const char *before = member_at(other, prefix, &other_length);
        if (before && length == other_length && !strncmp(name, before, length))
            return true;
    }
    return false;
}

static void put_value(struct making *making, const struct column *column)
{
    const char *value = fine_value(making->collector, column, making->number);
    if (making->changed && !strcmp(column->path, making->changed->path))
        buf_text(&making->out, making->value); /* two columns may read one member */
    else if (value)
        buf_text(&making->out, value);
    else if (!strcmp(column->path, "id"))
        buf_printf(&making->out, "\"" ID "\"", making->number);
    else
        put_typed(column, making->number, &making->out);
}

static void put_members(struct making *making, const char *prefix)
{
    size_t length;
    bool first = true;
    buf_char(&making->out, '{');
    for (const struct column *column = making->columns; column->type; column++) {
        const char *name = member_at(column, prefix, &length);
        if (!name || is_made(making, column, prefix) ||
            (column == making->changed && !making->value))
            continue;
        buf_printf(&making->out, "%s\"%.*s\":", first ? "" : ",", (int)length, name);
        first = false;
        if (name[length] != '.') {
            put_value(making, column);
            continue;
        }
        CLEANUP(buf_finish) struct buf below = { 0 };
        buf_printf(&below, "%s%.*s.", prefix, (int)length, name);
        put_members(making, buf_cstr(&below));
    }
    buf_char(&making->out, '}');
}

/* A list of one row; the caller frees it. */
static struct buf row_of(struct making making)
{
    buf_char(&making.out, '[');
    put_members(&making, "");
    buf_char(&making.out, ']');
    return making.out;
}

/* A query, and what it is part of. */
struct place {
    const struct source *source;
    const struct query *query;
    size_t variant, number;
};

static void enter(struct world *world, const struct place *place)
{
    static const char *const tags[] = { "team", NULL };
    const struct query *query = place->query;
    bool is_list = query->path && !query->host;
    bool is_data = place->source->collector->role == COLLECTOR_DATA;
    world->context.variant = &place->source->collector->variants[place->variant];
    world->context.subscription_id = is_list && is_data ? "s-1" : NULL;
    world->context.tags = tags;
    world->context.row_id = query->path && strstr(query->path, "{row}") ? RESOURCE : NULL;
}

/* A row that is fine, the changed one, and another that is fine. what: of the changed one. */
static void check_row(const struct place *place, const struct column *changed, const char *value,
                      const char *what)
{
    WORLD(world);
    struct part *part = part_create(place->source), *without = part_create(place->source);
    struct making making = { .collector = place->source->collector->name,
                             .columns = place->query->columns };
    enter(&world, place);
    for (making.number = 1; making.number <= 3; making.number++) {
        making.changed = making.number == 2 ? changed : NULL;
        making.value = value;
        CLEANUP(buf_finish) struct buf rows = row_of(making);
        bool ok = world_try(&world, part, place->variant, place->number, buf_cstr(&rows));
        if (ok != (making.number != 2)) {
            fprintf(stderr, "%s %s: %s %s: %s %s\n", making.collector, place->query->name,
                    changed ? changed->path : "", what, world.error.message, buf_cstr(&rows));
            CHECK_INT(ok, making.number != 2);
        }
        if (making.number != 2)
            world_try(&world, without, place->variant, place->number, buf_cstr(&rows));
    }
    CHECK_INT(odd_count(&part->odd), 1);
    CHECK_INT(part->finding_count, without->finding_count);
    CHECK_INT(part->closed_count, without->closed_count);
    CHECK_INT(part->origin_count, without->origin_count);
    part_release(part);
    part_release(without);
}

/* Columns that take any type: a number is a text, a text is a list. */
static const char *foreign_value(const struct column *column)
{
    return column->type == COLUMN_TYPE_LIST || column->type == COLUMN_TYPE_SWITCHES ? "{\"a\":1}"
           : column->type == COLUMN_TYPE_BOOL                                       ? "\"perhaps\""
                                                                                    : "{\"a\":[1]}";
}

static size_t check_query(const struct place *place)
{
    size_t checked = 0;
    for (const struct column *column = place->query->columns; column->type; column++) {
        check_row(place, column, foreign_value(column), "of another type");
        if (column->type == COLUMN_TYPE_TIME)
            check_row(place, column, "\"noon\"", "no time");
        if (column->required) {
            check_row(place, column, "null", "null");
            check_row(place, column, "\"\"", "empty");
            check_row(place, column, NULL, "missing");
        }
        checked++;
    }
    return checked;
}

TEST(a_value_that_cannot_be_makes_its_row_odd_and_no_other)
{
    const struct source_list *list = test_sources();
    size_t collectors = 0, columns = 0;
    for (size_t i = 0; i < list->count; i++, collectors++) {
        const struct collector *collector = list->sources[i].collector;
        for (size_t v = 0; v < COLLECTOR_VARIANTS_MAX && collector->variants[v].name; v++)
            for (size_t q = 0; collector->variants[v].queries[q].name; q++)
                columns += check_query(
                    &(struct place){ &list->sources[i], &collector->variants[v].queries[q], v, q });
    }
    CHECK_INT(collectors, 18);
    CHECK(columns > 250);
    printf("%zu columns\n", columns);
}

/* --- rows in, exposition out ------------------------------------------------------------------ */

static void put_exposition(const struct world *world, const struct part *part, struct buf *out)
{
    static const struct encoding as_text = { .family = encode_text_family };
    CLEANUP(metric_set_finish) struct metric_set set = { .max_level = 3 };
    if (part->source->collector->emit)
        part->source->collector->emit(world->snapshot, part, &set);
    metric_set_sort(&set);
    encoding_append(&as_text, NULL, &set, true, out);
}

/* Three rows of each query, and what comes of them. */
static void put_run(struct world *world, const struct source *source, size_t variant,
                    struct buf *out)
{
    const struct collector *collector = source->collector;
    struct part *part = part_create(source);
    for (size_t q = 0; collector->variants[variant].queries[q].name; q++) {
        const struct place place = { source, &collector->variants[variant].queries[q], variant, q };
        struct making making = { .collector = collector->name, .columns = place.query->columns };
        enter(world, &place);
        buf_printf(out, "# rows of %s\n", place.query->name);
        for (making.number = 1; making.number <= 3; making.number++) {
            CLEANUP(buf_finish) struct buf rows = row_of(making);
            world_feed(world, part, variant, q, buf_cstr(&rows));
            buf_printf(out, "%.*s\n", (int)rows.length - 2, rows.data + 1);
        }
    }
    world_conclude(world, part);
    put_exposition(world, part, out);
}

static void check_golden(const char *name, const struct buf *got)
{
    CLEANUP(buf_finish) struct buf want = { 0 };
    char path[128], chunk[4096];
    snprintf(path, sizeof path, "golden/collectors/%s.txt", name);
    if (getenv("GOLDEN_WRITE")) { /* renew them all, then look at the difference */
        FILE *renewed = fopen(path, "w");
        CHECK(renewed && fwrite(got->data, got->length, 1, renewed) == 1 && !fclose(renewed));
    }
    FILE *file = fopen(path, "r");
    for (size_t count; file && (count = fread(chunk, 1, sizeof chunk, file)) > 0;)
        buf_append(&want, chunk, count);
    if (file)
        fclose(file);
    test_check_text(got->data, buf_cstr(&want), __FILE__, __LINE__, path);
}

TEST(rows_of_every_query_become_the_lines_of_the_golden_files)
{
    const struct source_list *list = test_sources();
    for (size_t i = 0; i < list->count; i++) {
        const struct collector *collector = list->sources[i].collector;
        for (size_t v = 0; v < COLLECTOR_VARIANTS_MAX && collector->variants[v].name; v++) {
            WORLD(world);
            CLEANUP(buf_finish) struct buf got = { 0 };
            char name[64];
            world_discover(&world, WORLD_BOTH);
            put_run(&world, &list->sources[i], v, &got);
            snprintf(name, sizeof name, "%s.%s", collector->name, collector->variants[v].name);
            check_golden(name, &got);
        }
    }
}

/* --- every word ------------------------------------------------------------------------------- */

/* What Azure may say in a column, words parted by a space, "-" = an empty one; the last is none of
 * its. source: the REST specifications of Azure, and what was seen. */
/* clang-format off */
static const struct {
    const char *collector, *variant, *path, *words;
} worded[] = {
    { "assessments", "graph", "statusCode", "Healthy Unhealthy NotApplicable Purple" },
    { "assessments", "graph", "statusCause", "Exempt UnsupportedPricingPlan OffByPolicy - Purple" },
    { "assessments", "graph", "riskLevel", "Critical High Medium Low None - Purple" },
    { "assessments", "graph", "severity", "High Medium Low Critical - Purple" },
    { "assessments", "graph", "source", "Azure OnPremise OnPremiseSql Aws Gcp GitHub Purple" },
    { "assessments", "rest", "properties.status.code", "Healthy Unhealthy NotApplicable Purple" },
    { "attack_paths", "graph", "riskLevel", "Critical High Medium Low NotReported - Purple" },
    { "attack_paths", "graph", "tier", "Standard Free Purple" },
    { "baselines", "graph", "statusCode", "Healthy Unhealthy NotApplicable Purple" },
    { "baselines", "graph", "complianceStatus", "Compliant NonCompliant Pending Purple" },
    { "compliance", "graph", "state|properties.state", "Passed Failed Skipped Unsupported Purple" },
    { "compliance", "rest", "state|properties.state", "Passed Failed Skipped Unsupported Purple" },
    { "exemptions", "graph", "category", "Waiver Mitigated - Purple" },
    { "mdvm_baselines", "api", "status", "true false 1 0 Purple" },
    { "mdvm_baselines", "api", "isApplicable", "true false 1 0 Purple" },
    { "mdvm_baselines", "api", "isCompliant", "true false 1 0 Purple" },
    { "plans", "rest", "pricingTier|properties.pricingTier", "Standard Free Purple" },
    { "plans", "rest", "coverage|properties.resourcesCoverageStatus",
      "FullyCovered PartiallyCovered NotCovered - Purple" },
    { "prerequisites", "graph", "machineKind", "vm arc Purple" },
    { "prerequisites", "graph", "os", "Windows Linux - Purple" },
    { "prerequisites", "graph", "identityType",
      "SystemAssigned UserAssigned SystemAssigned,UserAssigned None - Purple" },
    { "remediations", "rest", "properties.provisioningState",
      "Accepted Evaluating Running Cancelling Succeeded Complete Failed Canceled - Purple" },
    { "secure_scores", "graph", "environment|properties.environment",
      "Azure AWS GCP Github AzureDevOps GitLab DockerHub JFrog - Purple" },
    { "security_alerts", "graph", "severity", "High Medium Low Informational Purple" },
    { "security_alerts", "graph", "status", "Active InProgress Resolved Dismissed Purple" },
    { "subassessments", "graph", "severity", "High Medium Low Critical - Purple" },
    { "subassessments", "graph", "resourceKind", "machine image registry database Purple" },
    { "subscriptions", "rest", "state", "Enabled Warned PastDue Disabled Deleted - Purple" },
};
/* clang-format on */

/* One row with the word, and all that is not 0 of what it becomes. */
static void put_word(const struct place *place, const struct column *column, const char *word,
                     struct buf *out)
{
    WORLD(world);
    CLEANUP(buf_finish) struct buf value = { 0 };
    CLEANUP(buf_finish) struct buf text = { 0 };
    if (place->source->collector->role == COLLECTOR_DATA)
        world_discover(&world, WORLD_BOTH);
    struct part *part = part_create(place->source);
    buf_printf(&value, "\"%s\"", strcmp(word, "-") ? word : "");
    enter(&world, place);
    CLEANUP(buf_finish)
    struct buf rows = row_of((struct making){ .collector = place->source->collector->name,
                                              .columns = place->query->columns,
                                              .changed = column,
                                              .value = buf_cstr(&value),
                                              .number = 1 });
    bool ok = world_try(&world, part, place->variant, place->number, buf_cstr(&rows));
    buf_printf(out, "%s: %s\n", word, ok ? "fine" : world.error.message);
    world_conclude(&world, part);
    put_exposition(&world, part, &text);
    for (const char *line = buf_cstr(&text); *line;) {
        size_t length = strcspn(line, "\n");
        if (*line != '#' && strncmp(line + length - 2, " 0", 2) != 0)
            buf_printf(out, "  %.*s\n", (int)length, line);
        line += length + 1;
    }
    buf_printf(out, "  open %zu, not open %zu, odd %zu\n", part->finding_count, part->closed_count,
               (size_t)odd_count(&part->odd));
}

static void put_words(const struct place *place, const struct column *column, const char *words,
                      struct buf *out)
{
    buf_printf(out, "# %s: %s\n", place->query->name, column->path);
    while (*words) {
        char word[64];
        size_t length = strcspn(words, " ");
        snprintf(word, sizeof word, "%.*s", (int)length, words);
        put_word(place, column, word, out);
        words += length + (words[length] == ' ');
    }
}

/* Every query of the variant that has the column. */
static size_t put_worded(size_t number, struct buf *out)
{
    const struct source *source = source_list_named(test_sources(), worded[number].collector);
    const struct variant *variants = source->collector->variants;
    size_t found = 0, v = 0;
    while (strcmp(variants[v].name, worded[number].variant) != 0)
        v++;
    for (size_t q = 0; variants[v].queries[q].name; q++) {
        const struct place place = { source, &variants[v].queries[q], v, q };
        for (const struct column *column = place.query->columns; column->type; column++) {
            if (strcmp(column->path, worded[number].path) != 0)
                continue;
            put_words(&place, column, worded[number].words, out);
            found++;
        }
    }
    return found;
}

TEST(every_word_of_azure_is_known_and_another_is_seen)
{
    CLEANUP(buf_finish) struct buf got = { 0 };
    for (size_t i = 0; i < ARRAY_COUNT(worded); i++) {
        CHECK(put_worded(i, &got) > 0);
        if (i + 1 < ARRAY_COUNT(worded) && !strcmp(worded[i].collector, worded[i + 1].collector))
            continue;
        char name[64];
        snprintf(name, sizeof name, "%s.words", worded[i].collector);
        check_golden(name, &got);
        buf_reset(&got);
    }
}
