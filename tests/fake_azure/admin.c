#include "admin.h"
#include "alerts.h"
#include "exemptions.h"
#include "governance.h"
#include "outside.h"
#include "paths.h"
#include "plans.h"
#include "prerequisites.h"
#include "remediations.h"
#include "subassessments.h"
#include "tags.h"

#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/compiler.h"

enum { FLUSH_BYTES = 1 << 20 };

/* The dump goes to an unnamed file piece by piece: it is of one moment and never in memory. */
struct dump {
    const struct tenant *tenant;
    FILE *file;
    struct buf text;
    struct json_writer writer;
    struct arena scratch;
};

static void dump_flush(struct dump *dump, size_t above)
{
    arena_reset(&dump->scratch);
    if (dump->text.length <= above)
        return;
    fwrite(dump->text.data, 1, dump->text.length, dump->file);
    buf_reset(&dump->text);
}

static void dump_subscriptions(struct dump *dump)
{
    struct json_writer *writer = &dump->writer;
    json_open(writer, "subscriptions", '[');
    for (size_t i = 0; i < dump->tenant->subscription_count; i++) {
        const struct subscription *subscription = &dump->tenant->subscriptions[i];
        json_open(writer, NULL, '{');
        json_add_text(writer, "subscriptionId", subscription->id);
        json_add_text(writer, "name", subscription->name);
        json_add_text(writer, "state", subscription->disabled ? "Disabled" : "Enabled");
        json_add_bool(writer, "serversPlan2", subscription->servers_plan2);
        json_add_bool(writer, "posturePlan", subscription->posture_plan);
        plans_dump(dump->tenant, i, writer);
        json_add_raw(writer, "managementGroups",
                     tenant_management_groups(dump->tenant, subscription, &dump->scratch));
        json_close(writer, '}');
    }
    json_close(writer, ']');
}

static void dump_metadata(struct dump *dump)
{
    const struct catalogue *catalogue = &dump->tenant->catalogue;
    struct json_writer *writer = &dump->writer;
    json_open(writer, "metadata", '[');
    for (size_t i = 0; i < catalogue->count; i++) {
        const struct recommendation *row = &catalogue->rows[i];
        json_open(writer, NULL, '{');
        json_add_text(writer, "key", row->key);
        json_add_text(writer, "title", row->title);
        json_add_text(writer, "severity", row->severity);
        json_add_text(writer, "category", row->category);
        json_add_text(writer, "assessmentType", row->assessment_type);
        json_add_text(writer, "implementationEffort", row->effort);
        json_add_text(writer, "userImpact", row->effort ? row->impact : NULL);
        json_add_raw(writer, "threats", row->threats);
        json_add_text(writer, "policyDefinitionId", row->policy);
        json_add_text(writer, "plannedDeprecationDate", row->deprecation);
        json_add_bool(writer, "preview", row->preview);
        json_add_text(writer, "individual", row->individual);
        json_add_text(writer, "control",
                      row->control < 0 ? NULL : catalogue->controls[row->control].key);
        json_close(writer, '}');
    }
    json_close(writer, ']');
}

static void dump_resources(struct dump *dump)
{
    const struct tenant *tenant = dump->tenant;
    json_open(&dump->writer, "resources", '[');
    for (size_t i = 0; i < tenant->resource_count; i++) {
        if (!tenant->resources[i].gone)
            json_add_text(&dump->writer, NULL,
                          tenant_lower(&dump->scratch, tenant->resources[i].id));
        dump_flush(dump, FLUSH_BYTES);
    }
    json_close(&dump->writer, ']');
}

static void dump_outside(struct dump *dump, const struct resource *resource)
{
    struct outside outside;
    outside_describe(resource, &dump->tenant->subscriptions[resource->subscription], &dump->scratch,
                     &outside);
    json_add_text(&dump->writer, "connectorId", dump->tenant->connectors[resource->connector].id);
    json_add_text(&dump->writer, "nativeId", outside.native_id);
    json_add_text(&dump->writer, "provider", outside.provider);
    json_add_text(&dump->writer, "nativeType", outside.type);
}

static void dump_assessment(struct dump *dump, size_t number)
{
    const struct tenant *tenant = dump->tenant;
    const struct assessment *assessment = &tenant->assessments[number];
    const struct resource *resource = &tenant->resources[assessment->resource];
    const struct recommendation *known = &tenant->catalogue.rows[assessment->recommendation];
    struct json_writer *writer = &dump->writer;
    char id[TENANT_ID_BYTES];
    json_open(writer, NULL, '{');
    json_add_text(writer, "id",
                  tenant_lower(&dump->scratch, tenant_assessment_id(tenant, assessment, id)));
    json_add_text(writer, "key", known->key);
    json_add_text(writer, "subscriptionId", tenant->subscriptions[resource->subscription].id);
    json_add_text(writer, "resourceId", tenant_lower(&dump->scratch, resource->id));
    json_add_text(writer, "source", tenant_source(resource));
    if (resource->connector >= 0)
        dump_outside(dump, resource);
    json_add_text(writer, "title", assessment->untitled ? "" : known->title);
    json_add_text(writer, "code", tenant_status_words[assessment->status]);
    json_add_text(writer, "cause", tenant_cause_words[assessment->cause]);
    json_add_text(writer, "severity", known->severity);
    json_add_bool(writer, "grouped", known->grouped);
    json_add_text(writer, "individual", known->individual);
    json_add_text(writer, "riskLevel", tenant_risk_words[assessment->risk]);
    json_add_bool(writer, "contextual", assessment->contextual);
    json_add_integer(writer, "attackPaths", assessment->attack_paths);
    json_open(writer, "paths", '[');
    for (unsigned i = 0; i < assessment->attack_paths; i++) {
        char name[37];
        json_add_text(writer, NULL, paths_name(tenant, assessment->resource, i, name));
    }
    json_close(writer, ']');
    json_open(writer, "factors", '[');
    for (int i = 0; i < TENANT_FACTORS; i++)
        if (assessment->factors & 1u << i)
            json_add_text(writer, NULL, tenant_factor_words[i]);
    json_close(writer, ']');
    json_add_integer(writer, "changed", assessment->changed_at);
    json_add_integer(writer, "firstEvaluated", assessment->first_at);
    json_close(writer, '}');
}

static void dump_assessments(struct dump *dump)
{
    const struct tenant *tenant = dump->tenant;
    json_open(&dump->writer, "assessments", '[');
    for (size_t i = 0; i < tenant->assessment_count; i++) {
        if (tenant->resources[tenant->assessments[i].resource].gone ||
            !tenant_tells(tenant, &tenant->assessments[i]))
            continue;
        dump_assessment(dump, i);
        dump_flush(dump, FLUSH_BYTES);
    }
    json_close(&dump->writer, ']');
}

static void dump_scores(struct dump *dump, struct tenant *tenant, bool controls)
{
    struct json_writer *writer = &dump->writer;
    json_open(writer, controls ? "controls" : "scores", '[');
    for (size_t s = 0; s < tenant->scope_count; s++) {
        const struct score_state *score = tenant_score(tenant, s);
        const struct scope *scope = &tenant->scopes[s];
        for (int c = 0; c < (controls ? CONTROL_COUNT : 1); c++) {
            const struct control_state *control = &score->controls[c];
            if (tenant->subscriptions[scope->subscription].disabled)
                continue;
            json_open(writer, NULL, '{');
            json_add_text(writer, "subscriptionId", tenant->subscriptions[scope->subscription].id);
            json_add_text(writer, "environment", outside_environment(scope->connector));
            json_add_text(writer, "connectorId", scope->connector ? scope->connector->id : NULL);
            if (controls) {
                json_add_text(writer, "control", tenant->catalogue.controls[c].key);
                json_add_text(writer, "title", tenant->catalogue.controls[c].title);
                json_add_integer(writer, "healthy", control->healthy);
                json_add_integer(writer, "unhealthy", control->unhealthy);
                json_add_integer(writer, "notApplicable", control->not_applicable);
            }
            json_add_number(writer, "current", controls ? control->current : score->current);
            json_add_integer(writer, "max",
                             controls ? tenant->catalogue.controls[c].max : score->max);
            json_add_number(writer, "ratio", controls ? control->ratio : tenant_score_ratio(score));
            json_add_integer(writer, "weight",
                             controls ? (int64_t)control->healthy + control->unhealthy
                                      : (int64_t)score->weight);
            json_close(writer, '}');
        }
    }
    json_close(writer, ']');
}

static void dump_rules(struct dump *dump)
{
    static const char *const severities[] = { "critical", "warning", "informational" };
    struct json_writer *writer = &dump->writer;
    json_open(writer, "rules", '[');
    for (int os = 0; os < OS_COUNT; os++)
        for (size_t r = 0; r < RULES_MAX; r++) {
            const struct rule *rule = &dump->tenant->baseline.rules[os][r];
            json_open(writer, NULL, '{');
            json_add_text(writer, "os", os == OS_WINDOWS ? "windows" : "linux");
            json_add_integer(writer, "number", (int64_t)r);
            json_add_text(writer, "name", rule->name);
            json_add_text(writer, "key", rule->key);
            json_add_text(writer, "ruleId", rule->id);
            json_add_text(writer, "category", rule->category);
            json_add_text(writer, "severity", baseline_severity(rule));
            json_add_text(writer, "word", severities[rule->severity]);
            json_close(writer, '}');
        }
    json_close(writer, ']');
}

static void dump_machine(struct dump *dump, const struct machine *machine)
{
    static const char *const states[] = { "fresh", "pending", "stale" };
    const struct tenant *tenant = dump->tenant;
    const struct resource *resource = &tenant->resources[machine->resource];
    struct json_writer *writer = &dump->writer;
    bool pending = machine->state == MACHINE_PENDING;
    const char *phrase;
    json_open(writer, NULL, '{');
    json_add_text(writer, "machineId", tenant_lower(&dump->scratch, resource->id));
    json_add_text(writer, "subscriptionId", tenant->subscriptions[resource->subscription].id);
    json_add_text(writer, "os", machine->os == OS_WINDOWS ? "windows" : "linux");
    json_add_text(writer, "assignment", baseline_assignment(machine->os));
    json_add_bool(writer, "formA", machine->forms & FORM_A);
    json_add_bool(writer, "formB", machine->forms & FORM_B);
    json_add_text(writer, "state", states[machine->state]);
    json_add_text(writer, "complianceStatus",
                  pending                     ? "Pending"
                  : baseline_failing(machine) ? "NonCompliant"
                                              : "Compliant");
    json_add_integer(writer, "checked", machine->checked_at);
    json_add_integer(writer, "rules", pending ? 0 : machine->rules);
    json_open(writer, "failing", '[');
    for (size_t r = 0; !pending && r < machine->rules; r++) {
        if (!baseline_fails(machine, r))
            continue;
        baseline_reasons(&tenant->baseline, machine, r, &phrase, &dump->scratch);
        json_open(writer, NULL, '{');
        json_add_integer(writer, "rule", (int64_t)r);
        json_add_text(writer, "phrase", phrase);
        json_close(writer, '}');
    }
    json_close(writer, ']');
    json_close(writer, '}');
}

static void dump_machines(struct dump *dump)
{
    const struct tenant *tenant = dump->tenant;
    json_open(&dump->writer, "machines", '[');
    for (size_t m = 0; m < tenant->machine_count; m++) {
        if (tenant->resources[tenant->machines[m].resource].gone)
            continue;
        dump_machine(dump, &tenant->machines[m]);
        dump_flush(dump, FLUSH_BYTES);
    }
    json_close(&dump->writer, ']');
}

static void dump_drawn(struct dump *dump, struct tenant *tenant)
{
    bool *scope = malloc(tenant->subscription_count + 1);
    if (!scope)
        abort();
    memset(scope, true, tenant->subscription_count);
    const struct view view = { .tenant = tenant,
                               .in_scope = scope,
                               .generation = tenant->generation };
    prerequisites_dump(&view, &dump->writer);
    subassessments_dump(&view, &dump->writer);
    alerts_dump(&view, &dump->writer);
    free(scope);
}

void admin_dump(struct request *request, struct reply *reply)
{
    struct tenant *tenant = &request->fake->tenant;
    struct dump dump = { .tenant = tenant, .file = tmpfile() };
    dump.writer.out = &dump.text;
    if (!dump.file) {
        reply_error(reply, 500, "NoFile", "no temporary file");
        return;
    }
    json_open(&dump.writer, NULL, '{');
    json_add_integer(&dump.writer, "seed", (int64_t)tenant->options.seed);
    json_add_integer(&dump.writer, "generation", tenant->generation);
    json_add_integer(&dump.writer, "now", tenant->now);
    json_add_text(&dump.writer, "tenantId", tenant->id);
    dump_subscriptions(&dump);
    dump_metadata(&dump);
    dump_resources(&dump);
    dump_assessments(&dump);
    dump_scores(&dump, tenant, false);
    dump_scores(&dump, tenant, true);
    json_open(&dump.writer, "baseline", '{');
    dump_rules(&dump);
    dump_machines(&dump);
    json_close(&dump.writer, '}');
    dump_drawn(&dump, tenant);
    json_close(&dump.writer, '}');
    dump_flush(&dump, 0);
    fflush(dump.file);
    buf_finish(&dump.text);
    arena_finish(&dump.scratch);
    reply->status = 200;
    reply->file = dump.file;
}

/* --- history, counts, orders ------------------------------------------------------------------ */

static void write_event(const struct tenant *tenant, const struct evolve_event *event,
                        struct json_writer *writer, struct arena *scratch)
{
    char id[TENANT_ID_BYTES], rule_id[TENANT_ID_BYTES + 300], time[32];
    const char *const *words =
        event->kind == EVOLVE_RERATED ? tenant_risk_words : tenant_status_words;
    json_open(writer, NULL, '{');
    json_add_integer(writer, "generation", event->generation);
    json_add_text(writer, "at", clock_format_rfc3339(event->at, time));
    json_add_text(writer, "kind", event->rule < 0 ? "assessment" : "rule");
    if (event->rule < 0) {
        tenant_assessment_id(tenant, &tenant->assessments[event->assessment], id);
        json_add_text(writer, "id", tenant_lower(scratch, id));
    } else {
        const struct machine *machine = &tenant->machines[event->assessment];
        snprintf(rule_id, sizeof rule_id, "%s|%s",
                 tenant_lower(scratch, tenant->resources[machine->resource].id),
                 tenant->baseline.rules[machine->os][event->rule].name);
        json_add_text(writer, "id", rule_id);
    }
    json_add_text(writer, "event", evolve_words[event->kind]);
    json_add_text(writer, "from", words[event->from]);
    json_add_text(writer, "to", event->kind == EVOLVE_DELETED ? "" : words[event->to]);
    json_close(writer, '}');
}

void admin_history(struct request *request, struct reply *reply)
{
    const struct evolve *evolve = &request->fake->evolve;
    struct json_writer writer = { .out = &reply->body };
    CLEANUP(arena_finish) struct arena scratch = { 0 };
    reply->status = 200;
    json_open(&writer, NULL, '[');
    for (size_t i = 0; i < evolve->count; i++) {
        write_event(&request->fake->tenant, &evolve->events[i], &writer, &scratch);
        arena_reset(&scratch);
    }
    json_close(&writer, ']');
}

void admin_stats(struct request *request, struct reply *reply)
{
    const struct fake *fake = request->fake;
    struct json_writer writer = { .out = &reply->body };
    char status[16];
    reply->status = 200;
    json_open(&writer, NULL, '{');
    json_add_integer(&writer, "generation", fake->tenant.generation);
    json_add_integer(&writer, "tokensIssued", (int64_t)fake->tokens_issued);
    json_add_integer(&writer, "throttled", (int64_t)fake->throttled);
    json_open(&writer, "endpoints", '{');
    for (size_t i = 0; i < FAKE_ENDPOINTS_MAX && fake->endpoints[i].label; i++) {
        json_open(&writer, fake->endpoints[i].label, '{');
        json_add_integer(&writer, "requests", (int64_t)fake->endpoints[i].requests);
        json_open(&writer, "statuses", '{');
        for (int s = 0; s < FAKE_STATUS_MAX; s++) {
            snprintf(status, sizeof status, "%d", s);
            if (fake->endpoints[i].statuses[s])
                json_add_integer(&writer, status, (int64_t)fake->endpoints[i].statuses[s]);
        }
        json_close(&writer, '}');
        json_close(&writer, '}');
    }
    json_close(&writer, '}');
    json_open(&writer, "faults", '[');
    for (size_t i = 0; i < fake->faults.count; i++) {
        json_open(&writer, NULL, '{');
        json_add_text(&writer, "spec", fake->faults.list[i].spec);
        json_add_integer(&writer, "fired", fake->faults.list[i].fired);
        json_close(&writer, '}');
    }
    json_close(&writer, ']');
    json_close(&writer, '}');
}

static void answer_generation(const struct request *request, struct reply *reply)
{
    reply->status = 200;
    buf_printf(&reply->body, "{\"generation\":%u,\"events\":%zu}", request->fake->tenant.generation,
               request->fake->evolve.count);
}

void admin_advance(struct request *request, struct reply *reply)
{
    const char *steps = request_parameter(request, "steps");
    fake_advance(request->fake, steps ? strtoul(steps, NULL, 10) : 1);
    answer_generation(request, reply);
}

void admin_generation(struct request *request, struct reply *reply)
{
    unsigned long wanted = strtoul(request->captures[0], NULL, 10);
    if (wanted < request->fake->tenant.generation)
        fake_rewind(request->fake, wanted);
    else
        fake_advance(request->fake, wanted - request->fake->tenant.generation);
    answer_generation(request, reply);
}

void admin_model(struct request *request, struct reply *reply)
{
    struct tenant *tenant = &request->fake->tenant;
    const char *only = request_parameter(request, "subscription");
    int model = 0;
    while (model < TENANT_MODEL_COUNT && strcmp(request->captures[0], tenant_model_words[model]))
        model++;
    if (model == TENANT_MODEL_COUNT) {
        reply_error(reply, 400, "BadModel", "grouped, individual or both");
        return;
    }
    for (size_t i = 0; i < tenant->subscription_count; i++)
        if (!only || !strcmp(only, tenant->subscriptions[i].id))
            tenant->subscriptions[i].model = (enum tenant_model)model;
    reply_text(reply, 200, "{}");
}

void admin_exempt(struct request *request, struct reply *reply)
{
    const char *scope = request_parameter(request, "scope");
    const char *policy = request_parameter(request, "policy");
    const char *category = request_parameter(request, "category");
    const char *expires = request_parameter(request, "expires");
    const char *reason = request_parameter(request, "reason");
    const char *requester = request_parameter(request, "requester");
    const char *approver = request_parameter(request, "approver");
    if (!scope || !policy) {
        reply_error(reply, 400, "BadExemption", "of what, and from which policy");
        return;
    }
    const struct exemption exemption = { scope,
                                         policy,
                                         category ? category : "Waiver",
                                         expires ? expires : "",
                                         reason ? reason : "",
                                         requester ? requester : "",
                                         approver ? approver : "",
                                         0 };
    exemptions_add(&request->fake->tenant, &exemption);
    reply_text(reply, 200, "{}");
}

void admin_govern(struct request *request, struct reply *reply)
{
    const char *id = request_parameter(request, "id"), *due = request_parameter(request, "due");
    const char *owner = request_parameter(request, "owner");
    const char *grace = request_parameter(request, "grace");
    if (!id) {
        reply_error(reply, 400, "BadAssignment", "of which assessment");
        return;
    }
    governance_set(&request->fake->tenant, id, owner, due, grace && !strcmp(grace, "true"));
    reply_text(reply, 200, "{}");
}

void admin_governance_rule(struct request *request, struct reply *reply)
{
    const char *const names[] = { "subscription", "title", "property", "value", "owner" };
    const char *texts[ARRAY_COUNT(names)], *priority = request_parameter(request, "priority");
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        texts[i] = request_parameter(request, names[i]);
        if (!texts[i]) {
            reply_error(reply, 400, "BadRule", "without %s", names[i]);
            return;
        }
    }
    governance_rule(
        &request->fake->tenant,
        &(struct governance_rule){ (char *)(uintptr_t)texts[0], (char *)(uintptr_t)texts[1],
                                   (char *)(uintptr_t)texts[2], (char *)(uintptr_t)texts[3],
                                   (char *)(uintptr_t)texts[4], priority ? atol(priority) : 1 });
    reply_text(reply, 200, "{}");
}

void admin_fix(struct request *request, struct reply *reply)
{
    const char *const names[] = { "task", "resource", "status", "code", "message", "at" };
    enum { NEEDED = 3 };
    const char *texts[ARRAY_COUNT(names)], *group = request_parameter(request, "group");
    const char *subscription = request_parameter(request, "subscription");
    char scope[300];
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        texts[i] = request_parameter(request, names[i]);
        if ((!texts[i] && i < NEEDED) || (!group && !subscription)) {
            reply_error(reply, 400, "BadFix", "without %s", names[i]);
            return;
        }
        texts[i] = texts[i] ? texts[i] : "";
    }
    snprintf(scope, sizeof scope, "%s%s",
             group ? "/providers/Microsoft.Management/managementGroups/" : "/subscriptions/",
             group ? group : subscription);
    remediations_put(&request->fake->tenant, &(struct fix){ scope, texts[0], texts[1], texts[2],
                                                            texts[3], texts[4], texts[5] });
    reply_text(reply, 200, "{}");
}

void admin_tag(struct request *request, struct reply *reply)
{
    const char *id = request_parameter(request, "id"), *name = request_parameter(request, "name");
    const char *value = request_parameter(request, "value");
    if (!id || !name) {
        reply_error(reply, 400, "BadTag", "of what, and which");
        return;
    }
    tags_set(&request->fake->tenant, id, name, value ? value : "");
    reply_text(reply, 200, "{}");
}

void admin_baseline(struct request *request, struct reply *reply)
{
    struct tenant *tenant = &request->fake->tenant;
    const char *rules = request_parameter(request, "rules");
    unsigned long count = rules ? strtoul(rules, NULL, 10) : 0;
    bool linux_ones = !strcmp(request->captures[0], "linux");
    enum os os = linux_ones ? OS_LINUX : OS_WINDOWS;
    if (!count || count > RULES_MAX || (!linux_ones && strcmp(request->captures[0], "windows"))) {
        reply_error(reply, 400, "BadBaseline", "windows or linux, and with how many rules");
        return;
    }
    tenant->baseline.versions[os]++;
    for (size_t i = 0; i < tenant->machine_count; i++) {
        struct machine *machine = &tenant->machines[i];
        if (machine->os != os || machine->state != MACHINE_FRESH)
            continue;
        baseline_widen(machine, count);
        machine->checked_at = tenant->now + tenant->baseline.versions[os];
        tenant_judge_machine(tenant, machine);
    }
    reply_text(reply, 200, "{}");
}

void admin_plan(struct request *request, struct reply *reply)
{
    const char *id = request_parameter(request, "subscription");
    const char *tier = request_parameter(request, "tier");
    ptrdiff_t at = id ? request_subscription(request, id) : -1;
    if (at < 0 || !tier ||
        !plans_turn(&request->fake->tenant.subscriptions[at], request->captures[0],
                    strcmp(tier, "Free") != 0))
        reply_error(reply, 400, "BadPlan", "of which subscription, which, and Free or Standard");
    else
        reply_text(reply, 200, "{}");
}

void admin_names(struct request *request, struct reply *reply)
{
    buf_reset(&request->fake->names);
    buf_append(&request->fake->names, request->body.data, request->body.length);
    reply_text(reply, 200, "{}");
}

void admin_fault(struct request *request, struct reply *reply)
{
    char why[300];
    struct buf *body = &request->body;
    while (body->length && strchr("\r\n ", body->data[body->length - 1]))
        body->data[--body->length] = '\0';
    if (faults_add(&request->fake->faults, buf_cstr(body), why, sizeof why))
        reply_text(reply, 200, "{}");
    else
        reply_error(reply, 400, "BadFault", "%s", why);
}

void admin_faults_clear(struct request *request, struct reply *reply)
{
    faults_clear(&request->fake->faults);
    reply_text(reply, 200, "{}");
}
