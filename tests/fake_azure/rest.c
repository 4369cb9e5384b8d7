#include "rest.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/compiler.h"
#include "draw.h"
#include "paths.h"
#include "plans.h"

/* What every writer needs to know besides the row. */
struct list {
    struct request *request;
    struct tenant *tenant;
    size_t subscription;
    bool risk, dates, definition, reports; /* which members this api-version has */
};

static void write_subscription(const struct page *page, size_t position, struct json_writer *writer)
{
    const struct list *list = page->context;
    const struct subscription *subscription = &list->tenant->subscriptions[position];
    const char *owner = list->tenant->options.delegated_from;
    char id[80];
    snprintf(id, sizeof id, "/subscriptions/%s", subscription->id);
    json_open(writer, NULL, '{');
    json_add_text(writer, "id", id);
    json_add_text(writer, "authorizationSource", "RoleBased");
    json_add_raw(writer, "managedByTenants", "[]");
    json_add_text(writer, "subscriptionId", subscription->id);
    json_add_text(writer, "tenantId", owner ? owner : list->tenant->id);
    json_add_text(writer, "displayName", subscription->name);
    json_add_text(writer, "state", subscription->disabled ? "Disabled" : "Enabled");
    json_add_raw(writer, "subscriptionPolicies",
                 "{\"locationPlacementId\":\"Public_2014-09-01\",\"quotaId\":\"EnterpriseAgreement_"
                 "2014-09-01\",\"spendingLimit\":\"Off\"}");
    json_close(writer, '}');
}

static void write_status(const struct list *list, const struct assessment *assessment,
                         size_t position, struct json_writer *writer)
{
    char time[TENANT_TIME_BYTES];
    const char *cause = tenant_cause_words[assessment->cause];
    json_open(writer, "status", '{');
    json_add_text(writer, "code", tenant_status_words[assessment->status]);
    if (*cause) { /* as in real lists, absent when there is none */
        json_add_text(writer, "cause", cause);
        json_add_text(writer, "description", "");
    }
    if (list->dates) {
        if (assessment->first_at)
            json_add_text(writer, "firstEvaluationDate",
                          tenant_time(assessment->first_at, position + 1, time));
        if (assessment->changed_at)
            json_add_text(writer, "statusChangeDate",
                          tenant_time(assessment->changed_at, position, time));
    }
    json_close(writer, '}');
}

static void write_risk(const struct tenant *tenant, const struct assessment *assessment,
                       struct json_writer *writer)
{
    char name[37];
    if (assessment->risk == RISK_MISSING)
        return;
    json_open(writer, "risk", '{');
    json_add_text(writer, "level", tenant_risk_words[assessment->risk]);
    json_add_bool(writer, "isContextualRisk", assessment->contextual);
    json_open(writer, "riskFactors", '[');
    for (int i = 0; i < TENANT_FACTORS; i++)
        if (assessment->factors & 1u << i)
            json_add_text(writer, NULL, tenant_factor_words[i]);
    json_close(writer, ']');
    json_open(writer, "attackPathsReferences", '[');
    for (unsigned i = 0; i < assessment->attack_paths; i++) {
        json_add_text(writer, NULL, paths_name(tenant, assessment->resource, i, name));
    }
    json_close(writer, ']');
    json_close(writer, '}');
}

static void write_assessment(const struct page *page, size_t position, struct json_writer *writer)
{
    const struct list *list = page->context;
    const struct tenant *tenant = list->tenant;
    const struct assessment *assessment = &tenant->assessments[position];
    const struct resource *resource = &tenant->resources[assessment->resource];
    const struct recommendation *known = &tenant->catalogue.rows[assessment->recommendation];
    char id[TENANT_ID_BYTES];
    json_open(writer, NULL, '{');
    json_add_text(writer, "type", "Microsoft.Security/assessments");
    json_add_text(writer, "id", tenant_assessment_id(tenant, assessment, id));
    json_add_text(writer, "name", known->key);
    json_open(writer, "properties", '{');
    json_add_raw(writer, "resourceDetails",
                 tenant_resource_details(tenant, resource, page->scratch));
    json_add_text(writer, "displayName", assessment->untitled ? "" : known->title);
    write_status(list, assessment, position, writer);
    if (known->grouped) {
        strncat(id, "/subAssessments", sizeof id - strlen(id) - 1);
        json_open(writer, "additionalData", '{');
        json_add_text(writer, "subAssessmentsLink", id);
        json_close(writer, '}');
    }
    if (list->risk)
        write_risk(tenant, assessment, writer);
    json_close(writer, '}');
    json_close(writer, '}');
}

static void write_metadata(const struct page *page, size_t position, struct json_writer *writer)
{
    const struct list *list = page->context;
    const struct recommendation *known = &list->tenant->catalogue.rows[position];
    char id[120], category[64];
    snprintf(id, sizeof id, "/providers/Microsoft.Security/assessmentMetadata/%s", known->key);
    snprintf(category, sizeof category, "[\"%s\"]", known->category);
    json_open(writer, NULL, '{');
    json_add_text(writer, "id", id);
    json_add_text(writer, "name", known->key);
    json_add_text(writer, "type", "Microsoft.Security/assessmentMetadata");
    json_open(writer, "properties", '{');
    json_add_text(writer, "displayName", known->title);
    json_add_text(writer, "assessmentType", known->assessment_type);
    json_add_text(writer, "policyDefinitionId", known->policy);
    json_add_text(writer, "description", known->description);
    json_add_text(writer, "remediationDescription", known->remediation);
    json_add_raw(writer, "categories", category);
    if (known->preview) /* as in real lists: absent otherwise */
        json_add_bool(writer, "preview", true);
    json_add_text(writer, "severity", known->severity);
    if (known->effort) {
        json_add_text(writer, "userImpact", known->impact);
        json_add_text(writer, "implementationEffort", known->effort);
    }
    json_add_raw(writer, "threats", known->threats);
    if (list->dates) {
        json_add_raw(writer, "publishDates", "{\"GA\":\"06/01/2021\",\"public\":\"01/01/2021\"}");
        if (known->deprecation)
            json_add_text(writer, "plannedDeprecationDate", known->deprecation);
    }
    json_close(writer, '}');
    json_close(writer, '}');
}

static void write_points(double max, double current, double ratio, struct json_writer *writer)
{
    json_open(writer, "score", '{');
    json_add_number(writer, "max", max);
    json_add_number(writer, "current", current);
    json_add_number(writer, "percentage", ratio);
    json_close(writer, '}');
}

static void write_score(const struct page *page, size_t position, struct json_writer *writer)
{
    const struct list *list = page->context;
    const struct score_state *score =
        tenant_score(list->tenant, tenant_scope_of(list->tenant, position));
    char id[160];
    snprintf(id, sizeof id, "/subscriptions/%s/providers/Microsoft.Security/secureScores/ascScore",
             list->tenant->subscriptions[position].id);
    json_open(writer, NULL, '{');
    json_add_text(writer, "id", id);
    json_add_text(writer, "name", "ascScore");
    json_add_text(writer, "type", "Microsoft.Security/secureScores");
    json_open(writer, "properties", '{');
    json_add_text(writer, "displayName", "ASC score");
    write_points(score->max, score->current, score->ratio, writer);
    json_add_integer(writer, "weight", (int64_t)score->weight);
    json_close(writer, '}');
    json_close(writer, '}');
}

static void write_definition(const struct tenant *tenant, size_t number, struct json_writer *writer)
{
    const struct control *control = &tenant->catalogue.controls[number];
    char id[160];
    snprintf(id, sizeof id, "/providers/Microsoft.Security/secureScoreControlDefinitions/%s",
             control->key);
    json_open(writer, "definition", '{');
    json_add_text(writer, "id", id);
    json_add_text(writer, "name", control->key);
    json_add_text(writer, "type", "Microsoft.Security/secureScoreControlDefinitions");
    json_open(writer, "properties", '{');
    json_add_text(writer, "displayName", control->title);
    json_add_integer(writer, "maxScore", control->max);
    json_add_raw(writer, "source", "{\"sourceType\":\"BuiltIn\"}");
    json_open(writer, "assessmentDefinitions", '[');
    for (size_t i = 0; i < tenant->catalogue.count; i++) {
        if (tenant->catalogue.rows[i].control != (int)number)
            continue;
        snprintf(id, sizeof id, "/providers/Microsoft.Security/assessmentMetadata/%s",
                 tenant->catalogue.rows[i].key);
        json_open(writer, NULL, '{');
        json_add_text(writer, "id", id);
        json_close(writer, '}');
    }
    json_close(writer, ']');
    json_close(writer, '}');
    json_close(writer, '}');
}

static void write_control(const struct page *page, size_t position, struct json_writer *writer)
{
    const struct list *list = page->context;
    const struct control *control = &list->tenant->catalogue.controls[position];
    const struct control_state *state =
        &tenant_score(list->tenant, tenant_scope_of(list->tenant, list->subscription))
             ->controls[position];
    char id[240];
    snprintf(id, sizeof id,
             "/subscriptions/%s/providers/Microsoft.Security/secureScores/ascScore/"
             "secureScoreControls/%s",
             list->tenant->subscriptions[list->subscription].id, control->key);
    json_open(writer, NULL, '{');
    json_add_text(writer, "id", id);
    json_add_text(writer, "name", control->key);
    json_add_text(writer, "type", "Microsoft.Security/secureScores/secureScoreControls");
    json_open(writer, "properties", '{');
    json_add_text(writer, "displayName", control->title);
    json_add_integer(writer, "healthyResourceCount", state->healthy);
    json_add_integer(writer, "unhealthyResourceCount", state->unhealthy);
    json_add_integer(writer, "notApplicableResourceCount", state->not_applicable);
    write_points(control->max, state->current, state->ratio, writer);
    json_add_integer(writer, "weight", (int64_t)state->healthy + state->unhealthy);
    if (list->definition)
        write_definition(list->tenant, position, writer);
    json_close(writer, '}');
    json_close(writer, '}');
}

static void write_report(const struct tenant *tenant, const struct machine *machine,
                         struct arena *scratch, struct json_writer *writer)
{
    const char *phrase;
    json_open(writer, "latestAssignmentReport", '{');
    json_open(writer, "resources", '[');
    for (size_t rule = 0; rule < machine->rules; rule++) {
        bool fails = baseline_fails(machine, rule);
        json_open(writer, NULL, '{');
        json_add_text(writer, "resourceId", tenant->baseline.rules[machine->os][rule].name);
        json_add_text(writer, "complianceStatus", fails ? "NonCompliant" : "Compliant");
        json_add_raw(writer, "reasons",
                     fails ? baseline_reasons(&tenant->baseline, machine, rule, &phrase, scratch)
                           : "[{\"phrase\":\"Operation successful.\","
                             "\"code\":\"DSC::RESOURCE::SUCCESS\"}]");
        json_close(writer, '}');
    }
    json_close(writer, ']');
    json_close(writer, '}');
}

static void write_assignment(const struct page *page, size_t position, struct json_writer *writer)
{
    const struct list *list = page->context;
    const struct tenant *tenant = list->tenant;
    const struct machine *machine = &tenant->machines[position];
    const char *id = rows_assignment_id(tenant, machine, page->scratch);
    bool pending = machine->state == MACHINE_PENDING;
    char time[TENANT_TIME_BYTES], report[TENANT_ID_BYTES], guid[37];
    draw_guid((uint64_t)machine->checked_at, DRAW_MACHINE, position, guid);
    snprintf(report, sizeof report, "%s/reports/%s", id, pending ? "" : guid);
    json_open(writer, NULL, '{');
    json_add_text(writer, "id", id);
    json_add_text(writer, "name", baseline_assignment(machine->os));
    json_add_text(writer, "type", "Microsoft.GuestConfiguration/guestConfigurationAssignments");
    json_add_text(writer, "location", "westeurope");
    json_open(writer, "properties", '{');
    if (list->reports)
        json_add_text(writer, "targetResourceId", tenant->resources[machine->resource].id);
    json_add_text(writer, "complianceStatus",
                  pending                     ? "Pending"
                  : baseline_failing(machine) ? "NonCompliant"
                                              : "Compliant");
    json_add_text(writer, "lastComplianceStatusChecked",
                  pending ? "0001-01-01T00:00:00"
                          : tenant_time(machine->checked_at, position, time));
    json_add_text(writer, "latestReportId", report);
    json_open(writer, "guestConfiguration", '{');
    json_add_text(writer, "name", baseline_assignment(machine->os));
    json_add_text(writer, "version",
                  baseline_version(&tenant->baseline, machine->os, page->scratch));
    json_add_text(writer, "assignmentType", "Audit");
    json_close(writer, '}');
    if (list->reports && pending)
        json_add_raw(writer, "latestAssignmentReport", "null");
    else if (list->reports)
        write_report(tenant, machine, page->scratch, writer);
    json_add_text(writer, "provisioningState", "Succeeded");
    json_close(writer, '}');
    json_close(writer, '}');
}

static void write_plan(const struct page *page, size_t position, struct json_writer *writer)
{
    const struct list *list = page->context;
    plans_write(list->tenant, list->subscription, position, list->request->version, writer);
}

/* --- lists ----------------------------------------------------------------------------------- */

static size_t count_subscriptions(const struct view *view)
{
    return view->tenant->subscription_count;
}

static size_t count_metadata(const struct view *view)
{
    return view->tenant->catalogue.count;
}

/* Individual recommendations are in no list. */
static bool is_listed(const struct view *view, size_t position)
{
    return !*view->tenant->catalogue.rows[position].individual;
}

static size_t count_controls(const struct view *view)
{
    (void)view;
    return CONTROL_COUNT;
}

static size_t count_plans(const struct view *view)
{
    (void)view;
    return PLANS_COUNT;
}

static bool always(const struct view *view, size_t position)
{
    (void)view;
    (void)position;
    return true;
}

static bool exists(const struct view *view, size_t position)
{
    return !view->tenant->subscriptions[position].absent;
}

static bool in_scope(const struct view *view, size_t position)
{
    return view->in_scope[position] && !view->tenant->subscriptions[position].disabled;
}

typedef void row_writer(const struct page *page, size_t position, struct json_writer *writer);

struct kind_of_list {
    size_t (*count)(const struct view *view);
    bool (*present)(const struct view *view, size_t position);
    row_writer *write;
    bool paged;
};

static const struct kind_of_list subscriptions = { count_subscriptions, exists, write_subscription,
                                                   true };
static const struct kind_of_list assessments = { rows_assessments, rows_assessment_present,
                                                 write_assessment, true };
static const struct kind_of_list metadata = { count_metadata, is_listed, write_metadata, true };
static const struct kind_of_list scores = { count_subscriptions, in_scope, write_score, true };
static const struct kind_of_list controls = { count_controls, always, write_control, true };
static const struct kind_of_list pricings = { count_plans, always, write_plan, false };
/* no nextLink in the GuestConfiguration REST API */
static const struct kind_of_list assignments = { rows_machines, rows_assignment_present,
                                                 write_assignment, false };

/* The position and generation a nextLink carried. */
static bool read_link(const struct request *request, struct page *page, struct view *view)
{
    char text[400];
    unsigned long long position;
    unsigned generation;
    snprintf(text, sizeof text, "%s", request->token);
    if (!fake_verify(request->fake, text) ||
        sscanf(text, "ew0K~rest~%llx~%x~", &position, &generation) != 2)
        return false;
    page->position = position;
    view->generation = generation;
    return true;
}

static void write_link(const struct request *request, const struct page *page,
                       struct json_writer *writer)
{
    CLEANUP(buf_finish) struct buf link = { 0 };
    char payload[120];
    snprintf(payload, sizeof payload, "ew0K~rest~%llx~%x~%lx", (unsigned long long)page->position,
             page->view->generation, (unsigned long)request->page + 1);
    const struct list *list = page->context;
    buf_printf(&link, "%s%s?api-version=%s%s&$skiptoken=", request->origin, request->path,
               request->version, list->definition ? "&$expand=definition" : "");
    fake_sign(request->fake, payload, &link);
    json_add_text(writer, "nextLink", buf_cstr(&link));
}

/* Answer a list; of one subscription, or -1 for all that can be read. */
static void answer_list(struct request *request, struct reply *reply,
                        const struct kind_of_list *kind, ptrdiff_t subscription)
{
    struct tenant *tenant = &request->fake->tenant;
    bool *scope = calloc(tenant->subscription_count + 1, sizeof *scope);
    if (!scope)
        abort();
    struct view view = request_view(request, scope);
    const char *expand = request_parameter(request, "$expand");
    struct list list = { .request = request,
                         .tenant = tenant,
                         .subscription = (size_t)(subscription < 0 ? 0 : subscription),
                         .risk = strcmp(request->version, "2025-05-04") >= 0,
                         .dates = strcmp(request->version, "2021-06-01") >= 0,
                         .reports = strcmp(request->version, "2020-06-25") >= 0,
                         .definition = expand && strcasecmp(expand, "definition") == 0 };
    CLEANUP(arena_finish) struct arena scratch = { 0 };
    struct page page = { .view = &view,
                         .count = kind->count,
                         .present = kind->present,
                         .write = kind->write,
                         .context = &list,
                         .scratch = &scratch,
                         .limit =
                             kind->paged ? (size_t)request->fake->options.page_rows : SIZE_MAX };
    for (size_t i = 0; subscription >= 0 && i < tenant->subscription_count; i++)
        scope[i] &= i == (size_t)subscription;
    if (*request->token && !read_link(request, &page, &view)) {
        reply_error(reply, 400, "InvalidSkipToken", "The skip token is not valid.");
    } else {
        struct json_writer writer = { .out = &reply->body };
        reply->status = 200;
        json_open(&writer, NULL, '{');
        json_open(&writer, "value", '[');
        page_write(&page, &writer, request->shift);
        json_close(&writer, ']');
        if (page.more)
            write_link(request, &page, &writer);
        json_close(&writer, '}');
    }
    free(scope);
}

ptrdiff_t rest_subscription_of(struct request *request, struct reply *reply)
{
    const char *id = request->captures[0];
    ptrdiff_t at = request_subscription(request, id);
    if (at < 0 || faults_state(&request->fake->faults, FAULT_NO_SUBSCRIPTIONS)) {
        reply_error(reply, 404, "SubscriptionNotFound", "The subscription '%s' could not be found.",
                    id);
        return -1;
    }
    if (!faults_denies(&request->fake->faults, id, (size_t)at)) {
        reply_header(reply, "x-ms-ratelimit-remaining-subscription-resource-requests", "749");
        return at;
    }
    char scope[240];
    snprintf(scope, sizeof scope, "/subscriptions/%s", id);
    reply_unauthorised(request, reply, scope);
    return -1;
}

static void answer_of_subscription(struct request *request, struct reply *reply,
                                   const struct kind_of_list *kind)
{
    ptrdiff_t subscription = rest_subscription_of(request, reply);
    if (subscription >= 0)
        answer_list(request, reply, kind, subscription);
}

void rest_subscriptions(struct request *request, struct reply *reply)
{
    if (faults_state(&request->fake->faults, FAULT_NO_SUBSCRIPTIONS))
        reply_text(reply, 200, "{\"value\":[],\"count\":{\"type\":\"Total\",\"value\":0}}");
    else
        answer_list(request, reply, &subscriptions, -1);
}

/* One object of a list, by itself. */
static void answer_one(struct request *request, struct reply *reply, row_writer *write)
{
    ptrdiff_t subscription = rest_subscription_of(request, reply);
    struct json_writer writer = { .out = &reply->body };
    struct list list = { .request = request, .tenant = &request->fake->tenant };
    struct page page = { .context = &list };
    if (subscription < 0)
        return;
    reply->status = 200;
    write(&page, (size_t)subscription, &writer);
}

void rest_subscription(struct request *request, struct reply *reply)
{
    answer_one(request, reply, write_subscription);
}

void rest_assessments(struct request *request, struct reply *reply)
{
    answer_of_subscription(request, reply, &assessments);
}

void rest_metadata(struct request *request, struct reply *reply)
{
    if (*request->captures[0])
        answer_of_subscription(request, reply, &metadata);
    else if (faults_state(&request->fake->faults, FAULT_DENIED_ALL))
        reply_unauthorised(request, reply, "/");
    else
        answer_list(request, reply, &metadata, -1);
}

void rest_scores(struct request *request, struct reply *reply)
{
    answer_of_subscription(request, reply, &scores);
}

void rest_score(struct request *request, struct reply *reply)
{
    answer_one(request, reply, write_score);
}

void rest_controls(struct request *request, struct reply *reply)
{
    answer_of_subscription(request, reply, &controls);
}

void rest_pricings(struct request *request, struct reply *reply)
{
    answer_of_subscription(request, reply, &pricings);
}

void rest_assignments(struct request *request, struct reply *reply)
{
    answer_of_subscription(request, reply, &assignments);
}

void rest_change_subscription(struct request *request, struct reply *reply)
{
    const char *name = request_parameter(request, "name");
    const char *group = request_parameter(request, "group");
    const char *exists = request_parameter(request, "exists");
    ptrdiff_t at = request_subscription(request, request->captures[0]);
    if (at < 0) {
        reply_error(reply, 404, "SubscriptionNotFound", "no such subscription");
        return;
    }
    struct tenant *tenant = &request->fake->tenant;
    struct subscription *subscription = &tenant->subscriptions[at];
    if (name)
        subscription->name = arena_text(&tenant->texts, name);
    if (group)
        subscription->group = atoi(group);
    if (exists)
        subscription->absent = strcmp(exists, "true") != 0;
    reply_text(reply, 200, "{}");
}
