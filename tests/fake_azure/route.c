#include "route.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "admin.h"
#include "changes.h"
#include "compliance.h"
#include "core/compiler.h"
#include "graph.h"
#include "hunting.h"
#include "mdvm.h"
#include "mutate.h"
#include "recorded.h"
#include "remediations.h"
#include "rest.h"
#include "platform.h"
#include "token.h"

#define SUBSCRIPTION "/subscriptions/{}"
#define SECURITY SUBSCRIPTION "/providers/Microsoft.Security"
#define STANDARDS SECURITY "/regulatoryComplianceStandards"
#define CONTROLS STANDARDS "/{}/regulatoryComplianceControls"
#define COMPLIANCE_VERSIONS "2019-01-01-preview"
#define FIXES SUBSCRIPTION "/providers/Microsoft.PolicyInsights/remediations"
#define GROUP_FIXES \
    "/providers/Microsoft.Management/managementGroups/{}/providers/Microsoft.PolicyInsights/" \
    "remediations"
#define FIX_VERSIONS "2024-10-01 2021-10-01 2019-07-01"
#define SECURITY_VERSIONS "2020-01-01"
#define ASSESSMENT_VERSIONS "2025-05-04 2021-06-01 2020-01-01 2019-01-01-preview"
#define METADATA_VERSIONS "2025-05-04 2021-06-01 2020-01-01 2019-01-01-preview"
#define SUBSCRIPTION_VERSIONS "2022-12-01 2022-09-01 2021-01-01 2020-01-01 2019-11-01 2016-06-01"
#define GRAPH_VERSIONS "2024-04-01 2022-10-01 2021-03-01 2019-04-01"
#define PRICING_VERSIONS "2024-01-01 2023-01-01 2022-03-01 2018-06-01"
#define MACHINE_VERSIONS "2024-04-05 2022-01-25 2021-01-25 2020-06-25 2018-11-20"

typedef void handler(struct request *request, struct reply *reply);

/* clang-format off */
static const struct route {
    const char *method, *pattern, *label;
    const char *versions; /* of Azure Resource Manager, the newest first; NULL: not part of it */
    handler *handle;
    enum token_audience audience; /* when it is not for Azure Resource Manager */
} routes[] = {
    { "POST", "/providers/Microsoft.ResourceGraph/resources", "graph", GRAPH_VERSIONS,
      graph_answer },
    { "GET", "/subscriptions", "subscriptions", SUBSCRIPTION_VERSIONS, rest_subscriptions },
    { "GET", SUBSCRIPTION, "subscriptions", SUBSCRIPTION_VERSIONS, rest_subscription },
    { "GET", SECURITY "/assessments", "assessments", ASSESSMENT_VERSIONS, rest_assessments },
    { "GET", SECURITY "/assessmentMetadata", "metadata", METADATA_VERSIONS, rest_metadata },
    { "GET", "/providers/Microsoft.Security/assessmentMetadata", "metadata", METADATA_VERSIONS,
      rest_metadata },
    { "GET", SECURITY "/secureScores", "secure_scores", SECURITY_VERSIONS, rest_scores },
    { "GET", SECURITY "/secureScores/ascScore", "secure_scores", SECURITY_VERSIONS, rest_score },
    { "GET", SECURITY "/secureScores/ascScore/secureScoreControls", "controls", SECURITY_VERSIONS,
      rest_controls },
    { "GET", SECURITY "/secureScoreControls", "controls", SECURITY_VERSIONS, rest_controls },
    { "GET", SECURITY "/pricings", "pricings", PRICING_VERSIONS, rest_pricings },
    { "GET", FIXES, "remediations", FIX_VERSIONS, remediations_tasks },
    { "POST", FIXES "/{}/listDeployments", "remediations", FIX_VERSIONS,
      remediations_deployments },
    { "GET", GROUP_FIXES, "remediations", FIX_VERSIONS, remediations_group_tasks },
    { "POST", GROUP_FIXES "/{}/listDeployments", "remediations", FIX_VERSIONS,
      remediations_group_deployments },
    { "GET", STANDARDS, "compliance", COMPLIANCE_VERSIONS, compliance_standards },
    { "GET", CONTROLS, "compliance", COMPLIANCE_VERSIONS, compliance_controls },
    { "GET", CONTROLS "/{}/regulatoryComplianceAssessments", "compliance", COMPLIANCE_VERSIONS,
      compliance_assessments },
    { "GET", SUBSCRIPTION "/providers/Microsoft.GuestConfiguration/guestConfigurationAssignments",
      "assignments", MACHINE_VERSIONS, rest_assignments },
    { "GET", SUBSCRIPTION "/providers/Microsoft.Insights/eventtypes/management/values", "activity",
      "2015-04-01", changes_log },
    { "POST", "/v1.0/security/runHuntingQuery", "hunting", NULL, hunting_answer,
      TOKEN_MICROSOFT_GRAPH },
    { "GET", "/api/baselineProfiles", "mdvm", NULL, mdvm_profiles, TOKEN_DEFENDER_API },
    { "GET", "/api/baselineConfigurations", "mdvm", NULL, mdvm_configurations,
      TOKEN_DEFENDER_API },
    { "GET", "/api/machines/baselineComplianceAssessmentByMachine", "mdvm", NULL, mdvm_assessments,
      TOKEN_DEFENDER_API },
    { "GET", "/tenants", "tenants", SUBSCRIPTION_VERSIONS, token_tenants },
    { "POST", "/{}/oauth2/v2.0/token", "token", NULL, token_entra },
    { "GET", "/metadata/identity/oauth2/token", "imds", NULL, platform_local },
    { "GET", "/msi/token", "app_service", NULL, platform_app_service },
    { "GET", "/common/discovery/instance", "discovery", NULL, token_discovery },
    { "GET", "/{}/v2.0/.well-known/openid-configuration", "discovery", NULL, token_openid },
    { "GET", "/adfs/.well-known/openid-configuration", "discovery", NULL, token_adfs },
    { "POST", "/adfs/oauth2/token", "token", NULL, token_entra },
    { "GET", "/_fake/dump", "admin", NULL, admin_dump },
    { "GET", "/_fake/change", "admin", NULL, changes_fact },
    { "GET", "/_fake/history", "admin", NULL, admin_history },
    { "GET", "/_fake/stats", "admin", NULL, admin_stats },
    { "POST", "/_fake/advance", "admin", NULL, admin_advance },
    { "POST", "/_fake/generation/{}", "admin", NULL, admin_generation },
    { "POST", "/_fake/fault", "admin", NULL, admin_fault },
    { "POST", "/_fake/model/{}", "admin", NULL, admin_model },
    { "POST", "/_fake/exempt", "admin", NULL, admin_exempt },
    { "POST", "/_fake/govern", "admin", NULL, admin_govern },
    { "POST", "/_fake/governance_rule", "admin", NULL, admin_governance_rule },
    { "POST", "/_fake/fix", "admin", NULL, admin_fix },
    { "POST", "/_fake/tag", "admin", NULL, admin_tag },
    { "POST", "/_fake/baseline/{}", "admin", NULL, admin_baseline },
    { "POST", "/_fake/plan/{}", "admin", NULL, admin_plan },
    { "POST", "/_fake/subscription/{}", "admin", NULL, rest_change_subscription },
    { "POST", "/_fake/names", "admin", NULL, admin_names },
    { "DELETE", "/_fake/faults", "admin", NULL, admin_faults_clear },
};
/* clang-format on */

static bool is_admin(const char *path)
{
    return strncmp(path, "/_fake/", 7) == 0;
}

/* Compare a path with a pattern without case; "{}" takes one segment. */
static bool path_matches(const char *pattern, const char *path,
                         char captures[REQUEST_CAPTURES][200])
{
    size_t captured = 0;
    while (*pattern) {
        if (strncmp(pattern, "{}", 2) == 0) {
            size_t length = strcspn(path, "/");
            if (!length || length >= sizeof *captures || captured == REQUEST_CAPTURES)
                return false;
            memcpy(captures[captured], path, length);
            captures[captured++][length] = '\0';
            path += length;
            pattern += 2;
        } else if (strncasecmp(pattern++, path++, 1) != 0) {
            return false;
        }
    }
    path += *path == '/' && !path[1];
    return !*path;
}

static const struct route *find_route(struct request *request)
{
    for (size_t i = 0; i < ARRAY_COUNT(routes); i++) {
        memset(request->captures, 0, sizeof request->captures);
        if (strcmp(routes[i].method, request->method) == 0 &&
            path_matches(routes[i].pattern, request->path, request->captures))
            return &routes[i];
    }
    return NULL;
}

/* The skip token of a nextLink; the page number it or the one in the body carries. */
static void read_page(struct request *request)
{
    const char *link = request_parameter(request, "$skiptoken");
    const char *token = link ? link : strstr(buf_cstr(&request->body), "\"ew0K~");
    request->page = 1;
    if (link)
        snprintf(request->token, sizeof request->token, "%s", link);
    char *tail = link ? strstr(request->token, MUTATE_RAW_TAIL) : NULL;
    if (tail)
        *tail = '\0';
    else if (link && faults_state(&request->fake->faults, FAULT_RAW_NEXTLINK))
        strcpy(request->token, "?"); /* what stood behind the # never came */
    if (!token)
        return;
    const char *dot = strchr(token, '.');
    while (dot && dot > token && *dot != '~')
        dot--;
    if (dot && dot > token)
        request->page = strtol(dot + 1, NULL, 16);
}

static bool check_version(struct request *request, const char *known, struct reply *reply)
{
    const char *version = request_parameter(request, "api-version");
    if (!version || !*version) {
        reply_error(reply, 400, "MissingApiVersionParameter",
                    "The api-version query parameter (?api-version=) is required for all "
                    "requests.");
        return false;
    }
    for (const char *at = known; *at; at += strcspn(at, " "), at += *at == ' ')
        if (strncmp(at, version, strlen(version)) == 0 && strcspn(at, " ") == strlen(version)) {
            request->version = version;
            return true;
        }
    reply_error(reply, 400, "InvalidApiVersionParameter",
                "The api-version '%s' is invalid. The supported versions are '%s'.", version,
                known);
    return false;
}

/* Everything of Azure Resource Manager. */
static void answer_arm(struct request *request, const struct route *route, struct reply *reply)
{
    if (request->fake->recorded)
        recorded_answer(request, reply);
    else if (!route)
        reply_error(reply, 404, "InvalidResourceType",
                    "The resource type could not be found for this path and method.");
    else if (check_version(request, route->versions, reply))
        route->handle(request, reply);
}

static void answer_locked(struct request *request, struct answer *answer)
{
    const struct route *route = find_route(request);
    struct faults *faults = &request->fake->faults;
    struct reply *reply = &answer->reply;
    struct fault fault;
    answer->label = route ? route->label : "other";
    if (is_admin(request->path)) {
        if (route)
            route->handle(request, reply);
        else
            reply_error(reply, 404, "NotFound", "no such admin path");
        return;
    }
    bool arm = !route || route->versions;
    enum token_audience audience = route ? route->audience : TOKEN_RESOURCE_MANAGER;
    read_page(request);
    if ((arm || audience) && !token_check(request, audience, reply))
        return;
    if (faults_take(faults, FAULT_ANSWER, request->path, request->page, &fault)) {
        answer->hang = fault.name == FAULT_HANG;
        mutate_answer(request, reply, &fault);
        return;
    }
    bool changed = faults_take(faults, FAULT_BODY, request->path, request->page, &fault);
    request->shift = changed && fault.name == FAULT_SHIFT;
    if (arm)
        answer_arm(request, route, reply);
    else
        route->handle(request, reply);
    if (changed && reply->status == 200)
        mutate_body(request, reply, &fault);
    if (arm && request->fake->names.length)
        mutate_names(reply, buf_cstr(&request->fake->names));
    if (faults_state(faults, FAULT_RAW_NEXTLINK))
        mutate_links(reply);
    answer->wired = faults_take(faults, FAULT_WIRE, request->path, request->page, &answer->wire);
}

static void count(struct fake *fake, const struct answer *answer)
{
    for (size_t i = 0; i < FAKE_ENDPOINTS_MAX; i++) {
        if (!fake->endpoints[i].label)
            fake->endpoints[i].label = answer->label;
        if (strcmp(fake->endpoints[i].label, answer->label) != 0)
            continue;
        fake->endpoints[i].requests++;
        if (answer->reply.status > 0 && answer->reply.status < FAKE_STATUS_MAX)
            fake->endpoints[i].statuses[answer->reply.status]++;
        return;
    }
}

void route_answer(struct request *request, struct answer *answer)
{
    request->version = "";
    answer->reply.type = "application/json; charset=utf-8";
    pthread_mutex_lock(&request->fake->lock);
    answer_locked(request, answer);
    count(request->fake, answer);
    pthread_mutex_unlock(&request->fake->lock);
}
