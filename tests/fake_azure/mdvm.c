#include "mdvm.h"

#include <stdlib.h>
#include <string.h>

#include "core/compiler.h"
#include "draw.h"

enum {
    PAGE_ROWS = 50000,
    PAGE_ROWS_MAX = 200000,
    CONFIGURATIONS = 20, /* so many of the rules are chosen in a profile */
    NOT_APPLICABLE = 7   /* every so many configurations is not for a device */
};

/* clang-format off */
static const struct { const char *system, *version, *benchmark; } profiles[OS_COUNT] = {
    [OS_WINDOWS] = { "Windows Server 2022", "21H2", "1.0.0-windows_server_2022" },
    [OS_LINUX]   = { "Ubuntu Linux", "22.04", "1.0.0-ubuntu_linux_22_04" },
};
/* clang-format on */

static const char *profile_id(const struct tenant *tenant, enum os os, char out[37])
{
    return draw_guid(tenant->options.seed, DRAW_PROFILE, os, out);
}

static bool is_device(const struct tenant *tenant, const struct machine *machine)
{
    return machine->rules >= CONFIGURATIONS && !tenant->resources[machine->resource].gone;
}

static bool is_applicable(const struct machine *machine, size_t rule)
{
    return (machine->resource + rule) % NOT_APPLICABLE != 0;
}

static bool passes(const struct machine *machine)
{
    for (size_t rule = 0; rule < CONFIGURATIONS; rule++)
        if (is_applicable(machine, rule) && baseline_fails(machine, rule))
            return false;
    return true;
}

static void open_list(struct json_writer *writer, struct reply *reply, const char *kind)
{
    char text[200];
    snprintf(text, sizeof text, "https://api.security.microsoft.com/api/$metadata#%s", kind);
    *writer = (struct json_writer){ .out = &reply->body };
    reply->status = 200;
    json_open(writer, NULL, '{');
    json_add_text(writer, "@odata.context", text);
    json_open(writer, "value", '[');
}

void mdvm_profiles(struct request *request, struct reply *reply)
{
    const struct tenant *tenant = &request->fake->tenant;
    struct json_writer writer;
    open_list(&writer, reply, "Collection(microsoft.windowsDefenderATP.api.BaselineProfile)");
    for (enum os os = 0; os < OS_COUNT; os++) {
        int64_t total = 0, passed = 0;
        char id[37], name[80];
        for (size_t i = 0; i < tenant->machine_count; i++) {
            const struct machine *machine = &tenant->machines[i];
            bool counts = machine->os == os && is_device(tenant, machine);
            total += counts;
            passed += counts && passes(machine);
        }
        snprintf(name, sizeof name, "%s CIS profile", profiles[os].system);
        json_open(&writer, NULL, '{');
        json_add_text(&writer, "id", profile_id(tenant, os, id));
        json_add_text(&writer, "name", name);
        json_add_text(&writer, "description", "");
        json_add_text(&writer, "benchmark", "CIS");
        json_add_text(&writer, "version", "1.0.0");
        json_add_text(&writer, "operatingSystem", profiles[os].system);
        json_add_text(&writer, "operatingSystemVersion", profiles[os].version);
        json_add_bool(&writer, "status", true);
        json_add_text(&writer, "complianceLevel", "Level 1 - Member Server");
        json_add_integer(&writer, "settingsNumber", CONFIGURATIONS);
        json_add_text(&writer, "createdBy", "mara.zebrowski@zebra.example");
        json_add_text(&writer, "createdOnTimestampUTC", "0001-01-01T00:00:00Z");
        json_add_integer(&writer, "passedDevices", passed);
        json_add_integer(&writer, "totalDevices", total);
        json_close(&writer, '}');
    }
    json_close(&writer, ']');
    json_close(&writer, '}');
}

/* "9.3.9": of the benchmark; both operating systems have ids of their own here. */
static void configuration_id(enum os os, size_t rule, char out[48])
{
    snprintf(out, 48, "%d.%zu.%zu", (int)os + 1, rule / 5 + 1, rule % 5 + 1);
}

void mdvm_configurations(struct request *request, struct reply *reply)
{
    const struct tenant *tenant = &request->fake->tenant;
    struct json_writer writer;
    open_list(&writer, reply, "BaselineConfigurations");
    for (enum os os = 0; os < OS_COUNT; os++)
        for (size_t i = 0; i < CONFIGURATIONS; i++) {
            const struct rule *rule = &tenant->baseline.rules[os][i];
            char id[48], unique[120];
            configuration_id(os, i, id);
            snprintf(unique, sizeof unique, "CIS_%s_%s", profiles[os].benchmark, id);
            json_open(&writer, NULL, '{');
            json_add_text(&writer, "id", id);
            json_add_text(&writer, "uniqueId", unique);
            json_add_text(&writer, "benchmarkName", "CIS");
            json_add_text(&writer, "benchmarkVersion", profiles[os].benchmark);
            json_add_text(&writer, "name", rule->name);
            json_add_text(&writer, "category", rule->category);
            json_add_raw(&writer, "complianceLevels", "[\"Level 1 - Member Server\"]");
            json_add_text(&writer, "cce", "");
            json_add_bool(&writer, "isCustom", false);
            json_close(&writer, '}');
        }
    json_close(&writer, ']');
    json_close(&writer, '}');
}

static void write_assessment(const struct tenant *tenant, const struct machine *machine,
                             size_t rule, struct json_writer *writer)
{
    char profile[37], device[37], configuration[48], id[140];
    const char *name = strrchr(tenant->resources[machine->resource].id, '/') + 1;
    bool applicable = is_applicable(machine, rule);
    profile_id(tenant, machine->os, profile);
    draw_guid(tenant->options.seed, DRAW_DEVICE, machine->resource, device);
    configuration_id(machine->os, rule, configuration);
    snprintf(id, sizeof id, "%s_%s_%s", device, profile, configuration);
    json_open(writer, NULL, '{');
    json_add_text(writer, "id", id);
    json_add_text(writer, "configurationId", configuration);
    json_add_text(writer, "deviceId", device);
    json_add_text(writer, "deviceName", name);
    json_add_text(writer, "profileId", profile);
    json_add_text(writer, "osPlatform", machine->os == OS_LINUX ? "Linux" : "WindowsServer2022");
    json_add_bool(writer, "isApplicable", applicable);
    json_add_bool(writer, "isCompliant", applicable && !baseline_fails(machine, rule));
    json_add_raw(writer, "recommendedValue", "[\"Equals '1'\"]");
    json_close(writer, '}');
}

static size_t number_of(const struct request *request, const char *name, size_t otherwise)
{
    const char *text = request_parameter(request, name);
    return text ? strtoul(text, NULL, 10) : otherwise;
}

void mdvm_assessments(struct request *request, struct reply *reply)
{
    const struct tenant *tenant = &request->fake->tenant;
    size_t first = number_of(request, "$skip", 0), rows = number_of(request, "pageSize", PAGE_ROWS);
    size_t all = tenant->machine_count * CONFIGURATIONS, position = first, written = 0;
    struct json_writer writer;
    if (rows == 0 || rows > PAGE_ROWS_MAX) {
        reply_error(reply, 400, "BadRequest", "pageSize must be between 1 and %d.", PAGE_ROWS_MAX);
        return;
    }
    if (rows > (size_t)request->fake->options.page_rows)
        rows = (size_t)request->fake->options.page_rows;
    open_list(&writer, reply,
              "Collection(microsoft.windowsDefenderATP.api.AssetBaselineAssessment)");
    for (; position < all && written < rows; position++) {
        const struct machine *machine = &tenant->machines[position / CONFIGURATIONS];
        if (!is_device(tenant, machine))
            continue;
        write_assessment(tenant, machine, position % CONFIGURATIONS, &writer);
        written++;
    }
    json_close(&writer, ']');
    if (position < all) {
        char link[400];
        snprintf(link, sizeof link,
                 "%s/api/machines/baselineComplianceAssessmentByMachine?pageSize=%zu&$skip=%zu",
                 request->origin, rows, position);
        json_add_text(&writer, "@odata.nextLink", link);
    }
    json_close(&writer, '}');
}
