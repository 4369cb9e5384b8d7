#include "compliance.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/compiler.h"
#include "rows.h"

/* --- what there is ---------------------------------------------------------------------------- */

enum { CONTROLS_MAX = 9, CIS = 0, MCSB, STANDARDS };
enum { BEFORE = 1, NAMES_COUNT = 3 }; /* the benchmark's former name, all names */
enum { FAILED, PASSED, SKIPPED, UNSUPPORTED, STATES };

static const char *const states[] = { "Failed", "Passed", "Skipped", "Unsupported" };
static const char *const names[NAMES_COUNT] = { "Azure-CIS-1.1.0-(New)", "Azure-Security-Benchmark",
                                                "Microsoft-cloud-security-benchmark" };

/* Sorted, as ids are. Nothing counts for the last one. */
static const struct {
    const char *name, *title;
} controls[STANDARDS][CONTROLS_MAX] = {
    { { "1.1", "Ask privileged users for a second factor" },
      { "3.1", "Take only encrypted connections to storage" },
      { "4.2", "Audit SQL servers" },
      { "6.1", "Close remote desktop to the internet" },
      { "9.9", "Review by hand once a year" } },
    { { "BR-1", "Back up regularly" },
      { "DP-4", "Encrypt data at rest" },
      { "ES-1", "Detect and answer on endpoints" },
      { "IM-1", "Keep identities in one place" },
      { "LT.2", "Detect threats to identities" },
      { "NS-1", "Draw boundaries in the network" },
      { "NS-2", "Secure services by network controls" },
      { "PV-6", "Remediate vulnerabilities soon" },
      { "ZZ-1", "Review by hand once a year" } },
};
static const size_t control_counts[STANDARDS] = { 5, 9 };

struct tally {
    uint32_t resources[STATES];
};

/* Results per subscription and recommendation, of one generation. */
struct compliance {
    uint32_t counted; /* generation + 1 */
    struct tally *tallies;
};

static bool has(size_t subscription, size_t standard)
{
    return standard == MCSB || subscription % 2;
}

/* Which name a standard has in a subscription. */
static size_t name_of(size_t subscription, size_t standard)
{
    return standard == CIS ? 0 : subscription % 4 == 2 ? BEFORE : 2;
}

static size_t standard_of_name(size_t name)
{
    return name == 0 ? CIS : MCSB;
}

/* The first of a category stands for all of it; all others for themselves. */
static bool speaks(const struct catalogue *catalogue, size_t number)
{
    const char *category = catalogue->rows[number].individual;
    for (size_t i = 0; *category && i < number; i++)
        if (!strcmp(catalogue->rows[i].individual, category))
            return false;
    return true;
}

static bool counts_for(const struct catalogue *catalogue, size_t number, size_t standard,
                       size_t control)
{
    size_t used = control_counts[standard] - 1;
    return speaks(catalogue, number) && (number * (standard + 1) + standard) % used == control;
}

static int state_of(const struct assessment *assessment)
{
    return assessment->status == TENANT_UNHEALTHY ? FAILED
           : assessment->status == TENANT_HEALTHY ? PASSED
           : assessment->cause == CAUSE_EXEMPT    ? SKIPPED
                                                  : UNSUPPORTED;
}

static struct tally *tallies_of(struct tenant *tenant)
{
    size_t count = tenant->subscription_count * tenant->catalogue.count;
    if (!tenant->compliance) {
        tenant->compliance = calloc(1, sizeof *tenant->compliance);
        if (!tenant->compliance ||
            !(tenant->compliance->tallies = calloc(count + 1, sizeof(struct tally))))
            abort();
    }
    struct compliance *compliance = tenant->compliance;
    if (compliance->counted == tenant->generation + 1)
        return compliance->tallies;
    memset(compliance->tallies, 0, count * sizeof *compliance->tallies);
    for (size_t i = 0; i < tenant->assessment_count; i++) {
        const struct assessment *assessment = &tenant->assessments[i];
        const struct resource *resource = &tenant->resources[assessment->resource];
        size_t at = resource->subscription * tenant->catalogue.count + assessment->recommendation;
        if (!resource->gone)
            compliance->tallies[at].resources[state_of(assessment)]++;
    }
    compliance->counted = tenant->generation + 1;
    return compliance->tallies;
}

void compliance_finish(struct tenant *tenant)
{
    if (tenant->compliance)
        free(tenant->compliance->tallies);
    free(tenant->compliance);
    tenant->compliance = NULL;
}

/* What a recommendation, or all of a category, says in a subscription. */
static struct tally result_of(struct tenant *tenant, size_t subscription, size_t number)
{
    const struct catalogue *catalogue = &tenant->catalogue;
    const struct tally *all = tallies_of(tenant) + subscription * catalogue->count;
    const char *category = catalogue->rows[number].individual;
    struct tally sum = all[number];
    for (size_t i = number + 1; *category && i < catalogue->count; i++)
        for (int state = 0; state < STATES && !strcmp(catalogue->rows[i].individual, category);
             state++)
            sum.resources[state] += all[i].resources[state];
    return sum;
}

static int worst(const struct tally *tally)
{
    int state = 0;
    while (state < UNSUPPORTED && !tally->resources[state])
        state++;
    return state;
}

/* How many results of a control are in each state; *resources: that fail. */
static struct tally control_of(struct tenant *tenant, size_t subscription, size_t standard,
                               size_t control, int64_t *resources)
{
    struct tally sum = { 0 };
    *resources = 0;
    for (size_t i = 0; i < tenant->catalogue.count; i++) {
        if (!counts_for(&tenant->catalogue, i, standard, control))
            continue;
        struct tally result = result_of(tenant, subscription, i);
        sum.resources[worst(&result)]++;
        *resources += result.resources[FAILED];
    }
    return sum;
}

static struct tally standard_of(struct tenant *tenant, size_t subscription, size_t standard)
{
    struct tally sum = { 0 };
    int64_t resources;
    for (size_t i = 0; i < control_counts[standard]; i++) {
        struct tally control = control_of(tenant, subscription, standard, i, &resources);
        sum.resources[worst(&control)]++;
    }
    return sum;
}

/* --- rows of Resource Graph ------------------------------------------------------------------- */

struct compliance_row {
    const char *id, *subscriptionId, *standard, *control, *title, *state, *assessmentKey,
        *assessmentType, *category;
    int64_t passedControls, failedControls, skippedControls, unsupportedControls, failed, results;
};

/* clang-format off */
static const struct field standard_fields[] = {
    TEXT(struct compliance_row, id),
    TEXT(struct compliance_row, subscriptionId),
    TEXT(struct compliance_row, standard),
    TEXT(struct compliance_row, state),
    INTEGER(struct compliance_row, passedControls),
    INTEGER(struct compliance_row, failedControls),
    INTEGER(struct compliance_row, skippedControls),
    INTEGER(struct compliance_row, unsupportedControls),
    { 0 }
};
static const struct field control_fields[] = {
    TEXT(struct compliance_row, id),
    TEXT(struct compliance_row, standard),
    TEXT(struct compliance_row, control),
    TEXT(struct compliance_row, title),
    { 0 }
};
static const struct field failed_fields[] = {
    TEXT(struct compliance_row, id),
    TEXT(struct compliance_row, subscriptionId),
    TEXT(struct compliance_row, standard),
    TEXT(struct compliance_row, control),
    INTEGER(struct compliance_row, failed),
    { 0 }
};
static const struct field benchmark_fields[] = {
    TEXT(struct compliance_row, id),
    TEXT(struct compliance_row, standard),
    TEXT(struct compliance_row, control),
    TEXT(struct compliance_row, assessmentKey),
    TEXT(struct compliance_row, assessmentType),
    TEXT(struct compliance_row, category),
    INTEGER(struct compliance_row, results),
    { 0 }
};
/* clang-format on */

static bool is_read(const struct view *view, size_t subscription)
{
    return view->in_scope[subscription] && !view->tenant->subscriptions[subscription].disabled;
}

static const char *standard_id(struct arena *scratch, const struct tenant *tenant,
                               size_t subscription, size_t standard)
{
    return rows_print(scratch,
                      "/subscriptions/%s/providers/Microsoft.Security/"
                      "regulatoryComplianceStandards/%s",
                      tenant->subscriptions[subscription].id,
                      names[name_of(subscription, standard)]);
}

static size_t standard_count(const struct view *view)
{
    return view->tenant->subscription_count * STANDARDS;
}

static bool standard_present(const struct view *view, size_t position)
{
    return is_read(view, position / STANDARDS) && has(position / STANDARDS, position % STANDARDS);
}

static void standard_fill(const struct view *view, size_t position, void *out,
                          struct arena *scratch)
{
    size_t subscription = position / STANDARDS, standard = position % STANDARDS;
    struct compliance_row *row = out;
    struct tally tally = standard_of(view->tenant, subscription, standard);
    row->id = tenant_lower(scratch, standard_id(scratch, view->tenant, subscription, standard));
    row->subscriptionId = view->tenant->subscriptions[subscription].id;
    row->standard = names[name_of(subscription, standard)];
    row->state = states[worst(&tally)];
    row->failedControls = tally.resources[FAILED];
    row->passedControls = tally.resources[PASSED];
    row->skippedControls = tally.resources[SKIPPED];
    row->unsupportedControls = tally.resources[UNSUPPORTED];
}

/* Whether a subscription that can be read has a standard of this name. */
static bool is_used(const struct view *view, size_t name)
{
    size_t standard = standard_of_name(name);
    for (size_t i = 0; i < view->tenant->subscription_count; i++)
        if (is_read(view, i) && has(i, standard) && name_of(i, standard) == name)
            return true;
    return false;
}

static size_t control_count(const struct view *view)
{
    (void)view;
    return NAMES_COUNT * CONTROLS_MAX;
}

static bool control_present(const struct view *view, size_t position)
{
    size_t name = position / CONTROLS_MAX;
    return position % CONTROLS_MAX < control_counts[standard_of_name(name)] && is_used(view, name);
}

static void control_fill(const struct view *view, size_t position, void *out, struct arena *scratch)
{
    (void)view;
    size_t name = position / CONTROLS_MAX;
    struct compliance_row *row = out;
    row->standard = tenant_lower(scratch, names[name]);
    row->control = controls[standard_of_name(name)][position % CONTROLS_MAX].name;
    row->title = controls[standard_of_name(name)][position % CONTROLS_MAX].title;
    row->id = rows_print(scratch, "%s|%s", row->standard, row->control);
}

static size_t failed_count(const struct view *view)
{
    return standard_count(view) * CONTROLS_MAX;
}

static bool failed_present(const struct view *view, size_t position)
{
    size_t at = position / CONTROLS_MAX, control = position % CONTROLS_MAX;
    int64_t failed = 0;
    if (control < control_counts[at % STANDARDS] && standard_present(view, at))
        control_of(view->tenant, at / STANDARDS, at % STANDARDS, control, &failed);
    return failed > 0;
}

static void failed_fill(const struct view *view, size_t position, void *out, struct arena *scratch)
{
    size_t at = position / CONTROLS_MAX, control = position % CONTROLS_MAX;
    struct compliance_row *row = out;
    row->subscriptionId = view->tenant->subscriptions[at / STANDARDS].id;
    row->standard = names[name_of(at / STANDARDS, at % STANDARDS)];
    row->control = controls[at % STANDARDS][control].name;
    control_of(view->tenant, at / STANDARDS, at % STANDARDS, control, &row->failed);
    row->id = rows_print(scratch, "%s|%s|%s", row->subscriptionId, row->standard, row->control);
}

/* By name of the benchmark, control and recommendation. */
static size_t benchmark_count(const struct view *view)
{
    return 2 * CONTROLS_MAX * view->tenant->catalogue.count;
}

static bool benchmark_present(const struct view *view, size_t position)
{
    const struct catalogue *catalogue = &view->tenant->catalogue;
    size_t pair = position / catalogue->count;
    return counts_for(catalogue, position % catalogue->count, MCSB, pair % CONTROLS_MAX) &&
           is_used(view, BEFORE + pair / CONTROLS_MAX);
}

static void benchmark_fill(const struct view *view, size_t position, void *out,
                           struct arena *scratch)
{
    const struct catalogue *catalogue = &view->tenant->catalogue;
    const struct recommendation *known = &catalogue->rows[position % catalogue->count];
    size_t pair = position / catalogue->count;
    struct compliance_row *row = out;
    row->standard = names[BEFORE + pair / CONTROLS_MAX];
    row->control = controls[MCSB][pair % CONTROLS_MAX].name;
    row->assessmentKey = known->key;
    row->assessmentType = *known->individual ? "assessmentCategory" : "AssessmentResult";
    row->category = known->individual;
    row->id = rows_print(scratch, "%s|%s|%s|%s|%s", row->standard, row->control, row->assessmentKey,
                         row->assessmentType, row->category);
    row->results = 0;
    for (size_t i = 0; i < view->tenant->subscription_count; i++)
        row->results += is_read(view, i) && name_of(i, MCSB) == BEFORE + pair / CONTROLS_MAX;
}

/* clang-format off */
const struct rows rows_compliance[] = {
    { "compliance_standards_rows", standard_count, standard_present, standard_fill,
      standard_fields, sizeof(struct compliance_row) },
    { "compliance_controls_summary", control_count, control_present, control_fill,
      control_fields, sizeof(struct compliance_row) },
    { "compliance_failed_summary", failed_count, failed_present, failed_fill,
      failed_fields, sizeof(struct compliance_row) },
    { "compliance_benchmark_summary", benchmark_count, benchmark_present, benchmark_fill,
      benchmark_fields, sizeof(struct compliance_row) },
    { 0 }
};
/* clang-format on */

/* --- lists, each in one page ------------------------------------------------------------------ */

/* What a path names. */
struct asked {
    struct tenant *tenant;
    size_t subscription, standard, control;
};

static const char *put_head(const struct asked *asked, struct arena *scratch)
{
    return standard_id(scratch, asked->tenant, asked->subscription, asked->standard);
}

static const char *put_control_id(const struct asked *asked, struct arena *scratch)
{
    return rows_print(scratch, "%s/regulatoryComplianceControls/%s", put_head(asked, scratch),
                      controls[asked->standard][asked->control].name);
}

/* False, with an answer, when it is not there. depth: how many names below the subscription. */
static bool read_path(struct request *request, struct reply *reply, int depth, struct asked *asked)
{
    ptrdiff_t subscription = rest_subscription_of(request, reply);
    *asked = (struct asked){ &request->fake->tenant, (size_t)subscription, 0, 0 };
    if (subscription < 0)
        return false;
    if (depth < 1)
        return true;
    while (asked->standard < STANDARDS &&
           (!has(asked->subscription, asked->standard) ||
            strcasecmp(names[name_of(asked->subscription, asked->standard)],
                       request->captures[1]) != 0))
        asked->standard++;
    while (depth > 1 && asked->standard < STANDARDS &&
           asked->control < control_counts[asked->standard] &&
           strcasecmp(controls[asked->standard][asked->control].name, request->captures[2]) != 0)
        asked->control++;
    if (asked->standard < STANDARDS && asked->control < control_counts[asked->standard])
        return true;
    reply_error(reply, 404, "ResourceNotFound", "The resource \"%s\" could not be found.",
                request->captures[depth]);
    return false;
}

#define TYPE "Microsoft.Security/regulatoryComplianceStandards"

static void open_row(struct json_writer *writer, const char *id, const char *type)
{
    json_open(writer, NULL, '{');
    json_add_text(writer, "id", id);
    json_add_text(writer, "name", strrchr(id, '/') + 1);
    json_add_text(writer, "type", type);
    json_open(writer, "properties", '{');
}

/* The state, and how many of what are in which. */
static void close_row(struct json_writer *writer, const struct tally *tally, const char *what,
                      size_t told)
{
    static const char *const words[STATES] = { "failed", "passed", "skipped", "unsupported" };
    char name[40];
    json_add_text(writer, "state", states[worst(tally)]);
    for (size_t state = 0; state < told; state++) {
        snprintf(name, sizeof name, "%s%s", words[state], what);
        json_add_integer(writer, name, tally->resources[state]);
    }
    json_close(writer, '}');
    json_close(writer, '}');
}

static void open_list(struct json_writer *writer, struct reply *reply)
{
    *writer = (struct json_writer){ .out = &reply->body };
    reply->status = 200;
    json_open(writer, NULL, '{');
    json_open(writer, "value", '[');
}

static void close_list(struct json_writer *writer)
{
    json_close(writer, ']');
    json_close(writer, '}');
}

void compliance_standards(struct request *request, struct reply *reply)
{
    CLEANUP(arena_finish) struct arena scratch = { 0 };
    struct json_writer writer;
    struct asked asked;
    if (!read_path(request, reply, 0, &asked))
        return;
    open_list(&writer, reply);
    for (; asked.standard < STANDARDS; asked.standard++) {
        if (!has(asked.subscription, asked.standard))
            continue;
        struct tally tally = standard_of(asked.tenant, asked.subscription, asked.standard);
        open_row(&writer, put_head(&asked, &scratch), TYPE);
        close_row(&writer, &tally, "Controls", STATES);
    }
    close_list(&writer);
}

void compliance_controls(struct request *request, struct reply *reply)
{
    CLEANUP(arena_finish) struct arena scratch = { 0 };
    struct json_writer writer;
    struct asked asked;
    int64_t failed;
    if (!read_path(request, reply, 1, &asked))
        return;
    open_list(&writer, reply);
    for (; asked.control < control_counts[asked.standard]; asked.control++) {
        struct tally tally =
            control_of(asked.tenant, asked.subscription, asked.standard, asked.control, &failed);
        open_row(&writer, put_control_id(&asked, &scratch), TYPE "/regulatoryComplianceControls");
        json_add_text(&writer, "description", controls[asked.standard][asked.control].title);
        close_row(&writer, &tally, "Assessments", UNSUPPORTED);
    }
    close_list(&writer);
}

void compliance_assessments(struct request *request, struct reply *reply)
{
    CLEANUP(arena_finish) struct arena scratch = { 0 };
    struct json_writer writer;
    struct asked asked;
    if (!read_path(request, reply, 2, &asked))
        return;
    const struct catalogue *catalogue = &asked.tenant->catalogue;
    open_list(&writer, reply);
    for (size_t i = 0; i < catalogue->count; i++) {
        const struct recommendation *known = &catalogue->rows[i];
        bool category = *known->individual;
        if (!counts_for(catalogue, i, asked.standard, asked.control))
            continue;
        struct tally tally = result_of(asked.tenant, asked.subscription, i);
        open_row(&writer,
                 rows_print(&scratch, "%s/regulatoryComplianceAssessments/%s",
                            put_control_id(&asked, &scratch), known->key),
                 TYPE "/regulatoryComplianceControls/regulatoryComplianceAssessments");
        json_add_text(&writer, "description", category ? known->individual : known->title);
        json_add_text(&writer, "assessmentType",
                      category ? "assessmentCategory" : "AssessmentResult");
        close_row(&writer, &tally, "Resources", STATES);
    }
    close_list(&writer);
}
