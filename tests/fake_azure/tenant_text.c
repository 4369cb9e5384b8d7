/* What the tenant's objects look like as text. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "core/compiler.h"
#include "core/json.h"
#include "draw.h"
#include "names.h"
#include "tenant.h"

const char *tenant_assessment_id(const struct tenant *tenant, const struct assessment *assessment,
                                 char out[TENANT_ID_BYTES])
{
    snprintf(out, TENANT_ID_BYTES, "%s/providers/Microsoft.Security/assessments/%s",
             tenant->resources[assessment->resource].id,
             tenant->catalogue.rows[assessment->recommendation].key);
    return out;
}

/* Seven fraction digits and Z, as Azure writes them. Empty for 0. */
const char *tenant_time(int64_t at, uint64_t fraction, char out[TENANT_TIME_BYTES])
{
    struct tm parts;
    time_t seconds = (time_t)at;
    out[0] = '\0';
    if (at == 0)
        return out;
    gmtime_r(&seconds, &parts);
    size_t length = strftime(out, TENANT_TIME_BYTES, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(out + length, TENANT_TIME_BYTES - length, ".%07uZ",
             (unsigned)(draw_mix(fraction) % 10000000));
    return out;
}

const char *tenant_lower(struct arena *scratch, const char *text)
{
    char *copy = arena_text(scratch, text);
    for (char *at = copy; *at; at++)
        *at = (char)tolower((unsigned char)*at);
    return copy;
}

const char *tenant_group_of(struct arena *scratch, const char *resource_id)
{
    const char *lower = tenant_lower(scratch, resource_id);
    const char *group = strstr(lower, "/resourcegroups/");
    if (!group)
        return "";
    group += strlen("/resourcegroups/");
    return arena_copy(scratch, group, strcspn(group, "/"));
}

const char *tenant_management_groups(const struct tenant *tenant, const struct subscription *of,
                                     struct arena *scratch)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    const char *group = names_management_group(of->group);
    buf_char(&text, '[');
    if (group)
        buf_printf(&text, "{\"displayName\":\"%s\",\"name\":\"mg-contoso-%d\"},", group, of->group);
    buf_printf(&text, "{\"displayName\":\"Tenant Root Group\",\"name\":\"%s\"}]", tenant->id);
    return arena_text(scratch, buf_cstr(&text));
}

/* Machines outside Azure have no Id there; the capitals are Azure's. */
const char *tenant_resource_details(const struct tenant *tenant, const struct resource *resource,
                                    struct arena *scratch)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    struct json_writer writer = { .out = &text };
    const char *name = strrchr(resource->id, '/') + 1;
    char guid[37];
    json_open(&writer, NULL, '{');
    json_add_text(&writer, "Source", tenant_source(resource));
    if (resource->kind == KIND_ON_PREMISE) {
        draw_guid(tenant->options.seed, DRAW_RESOURCE, resource->serial, guid);
        json_add_text(&writer, "Vmuuid", guid);
        json_add_text(&writer, "MachineName", name);
        json_add_text(&writer, "SourceComputerId", guid);
    } else {
        json_add_text(&writer, "Id", resource->id);
    }
    json_close(&writer, '}');
    return arena_text(scratch, buf_cstr(&text));
}
