#include "changes.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/clock.h"
#include "core/compiler.h"
#include "draw.h"
#include "rest.h"
#include "rows.h"

enum { KINDS = 4, LOG_DAYS = 90 };

/* Nobody else in the tests is called so. */
static const char *const users[] = { "mara.zebrowski@zebra.example", "ivo.zebra@zebra.example",
                                     "z.external_okapi.example#EXT#@zebra.example" };
static const char *const programs[] = { "2eb4a000-0000-4000-8000-00000000ebea",
                                        "2eb4a001-0000-4000-8000-00000000ebea" };
#define ADDRESS "203.0.113.222"

void changes_of(const struct tenant *tenant, size_t number, struct change *change)
{
    const struct resource *resource = &tenant->resources[number];
    uint64_t drawn = draw(tenant->options.seed, DRAW_CHANGE, resource->serial);
    const char *user = users[drawn / KINDS % ARRAY_COUNT(users)];
    const char *program = programs[drawn / KINDS % ARRAY_COUNT(programs)];
    const struct change kinds[KINDS] = {
        { 0, "User", user, user },
        { 0, "Application", program, program },
        { 0, "System", "System", user },
        { 0, NULL, "", NULL },
    };
    *change = kinds[drawn % KINDS];
    for (uint32_t i = 0; i < resource->count; i++) {
        const struct assessment *assessment = &tenant->assessments[resource->first + i];
        if (assessment->changed_at > change->at)
            change->at = assessment->changed_at;
    }
    change->at -= 60 + (int64_t)(drawn >> 32) % 600;
}

/* --- the table -------------------------------------------------------------------------------- */

struct change_row {
    const char *id, *resourceId, *changeTime, *changeType, *changedBy, *changedByType, *operation;
};

static const struct field change_fields[] = {
    TEXT(struct change_row, id),         TEXT(struct change_row, resourceId),
    TEXT(struct change_row, changeTime), TEXT(struct change_row, changeType),
    TEXT(struct change_row, changedBy),  TEXT(struct change_row, changedByType),
    TEXT(struct change_row, operation),  { 0 },
};

static size_t count(const struct view *view)
{
    return view->tenant->resource_count;
}

static bool is_container(const struct resource *resource)
{
    return !strcasestr(resource->id, "/providers/");
}

static bool is_there(const struct view *view, size_t position, bool container)
{
    const struct resource *resource = &view->tenant->resources[position];
    CLEANUP(buf_finish) struct buf quoted = { 0 };
    struct change change;
    changes_of(view->tenant, position, &change);
    buf_printf(&quoted, "'%s'", resource->id);
    return view->in_scope[resource->subscription] && is_container(resource) == container &&
           change.type && change.at >= view->since && (!view->until || change.at <= view->until) &&
           view->ids && strcasestr(view->ids, buf_cstr(&quoted));
}

static bool resource_present(const struct view *view, size_t position)
{
    return is_there(view, position, false);
}

static bool container_present(const struct view *view, size_t position)
{
    return is_there(view, position, true);
}

static const char *operation_of(const struct resource *resource, struct arena *scratch)
{
    return rows_print(scratch, "%s/write", tenant_resource_type(resource));
}

static void fill(const struct view *view, size_t position, void *out, struct arena *scratch)
{
    const struct resource *resource = &view->tenant->resources[position];
    struct change_row *row = out;
    struct change change;
    char time[TENANT_TIME_BYTES], guid[37];
    changes_of(view->tenant, position, &change);
    draw_guid(view->tenant->options.seed, DRAW_CHANGE, position, guid);
    row->resourceId = tenant_lower(scratch, resource->id);
    row->id = rows_print(scratch, "%s/providers/microsoft.resources/changes/0858%016llu_%s",
                         row->resourceId, 9999999999999999u - (unsigned long long)change.at, guid);
    row->changeTime = arena_text(scratch, tenant_time(change.at, position, time));
    row->changeType = "Update";
    row->changedBy = change.caller;
    row->changedByType = change.type;
    row->operation =
        strcmp(change.type, "System") ? operation_of(resource, scratch) : "Unspecified";
}

/* clang-format off */
const struct rows rows_changes[] = {
    { "activity_changes_rows", count, resource_present, fill, change_fields,
      sizeof(struct change_row) },
    { "activity_containers_rows", count, container_present, fill, change_fields,
      sizeof(struct change_row) },
    { 0 }
};
/* clang-format on */

/* --- the log ---------------------------------------------------------------------------------- */

/* What a filter asks for; it allows this form, and some that nobody here uses. */
struct filter {
    int64_t from, to;
    char resource[TENANT_ID_BYTES];
};

static bool read_filter(const char *text, struct filter *filter)
{
    char from[40], to[40];
    return text &&
           sscanf(text,
                  "eventTimestamp ge '%39[^']' and eventTimestamp le '%39[^']' and resourceUri eq "
                  "'%1023[^']'",
                  from, to, filter->resource) == 3 &&
           clock_parse_rfc3339(from, &filter->from) && clock_parse_rfc3339(to, &filter->to);
}

/* Only what $select names; the id always. */
static bool is_selected(const char *select, const char *member)
{
    const char *at = select;
    size_t length = strlen(member);
    for (; at && (at = strstr(at, member)); at += length)
        if ((at == select || at[-1] == ',') && strchr(",", at[length]))
            return true;
    return !select;
}

static void add_value(struct json_writer *writer, const char *select, const char *name,
                      const char *value)
{
    if (!is_selected(select, name))
        return;
    json_open(writer, name, '{');
    json_add_text(writer, "value", value);
    json_add_text(writer, "localizedValue", value);
    json_close(writer, '}');
}

static void write_event(const struct tenant *tenant, size_t number, const struct change *change,
                        const char *status, const char *select, struct json_writer *writer)
{
    CLEANUP(arena_finish) struct arena scratch = { 0 };
    const struct resource *resource = &tenant->resources[number];
    char time[TENANT_TIME_BYTES], guid[37];
    bool started = !strcmp(status, "Started");
    draw_guid(tenant->options.seed, DRAW_CHANGE, number * 4u + started + !strcmp(status, "Failed"),
              guid);
    json_open(writer, NULL, '{');
    json_add_text(
        writer, "id",
        rows_print(&scratch, "%s/events/%s/ticks/638283924678266863", resource->id, guid));
    if (is_selected(select, "caller"))
        json_add_text(writer, "caller", change->logged);
    if (is_selected(select, "claims")) {
        json_open(writer, "claims", '{');
        json_add_text(writer, "ipaddr", ADDRESS);
        json_add_text(writer, "name", change->logged);
        json_close(writer, '}');
    }
    if (is_selected(select, "resourceId"))
        json_add_text(writer, "resourceId", resource->id);
    if (is_selected(select, "eventTimestamp"))
        json_add_text(writer, "eventTimestamp",
                      tenant_time(change->at - (started ? 2 : 0), number + 7, time));
    add_value(writer, select, "eventName", started ? "BeginRequest" : "EndRequest");
    add_value(writer, select, "operationName", operation_of(resource, &scratch));
    add_value(writer, select, "status", status);
    json_close(writer, '}');
}

static void write_events(const struct request *request, const struct filter *filter,
                         struct json_writer *writer)
{
    static const char *const statuses[] = { "Succeeded", "Started", "Failed" };
    const struct tenant *tenant = &request->fake->tenant;
    const char *select = request_parameter(request, "$select");
    for (size_t i = 0; i < tenant->resource_count; i++) {
        struct change change;
        if (strcasecmp(tenant->resources[i].id, filter->resource) != 0)
            continue;
        changes_of(tenant, i, &change);
        for (size_t s = 0; s < ARRAY_COUNT(statuses) && change.logged; s++)
            if (change.at >= filter->from && change.at <= filter->to)
                write_event(tenant, i, &change, statuses[s], select, writer);
    }
}

void changes_log(struct request *request, struct reply *reply)
{
    struct filter filter = { 0 };
    struct json_writer writer = { .out = &reply->body };
    if (rest_subscription_of(request, reply) < 0)
        return;
    if (!read_filter(request_parameter(request, "$filter"), &filter)) {
        reply_text(reply, 400,
                   "{\"Code\":\"BadRequest\",\"Message\":\"The $filter query parameter value is "
                   "invalid.\"}");
        return;
    }
    if (filter.from < clock_now_s() - (int64_t)LOG_DAYS * 86400) {
        reply_text(reply, 400,
                   "{\"code\":\"BadRequest\",\"message\":\"The start time cannot be more than 90 "
                   "days in the past.\"}");
        return;
    }
    reply->status = 200;
    json_open(&writer, NULL, '{');
    json_open(&writer, "value", '[');
    write_events(request, &filter, &writer);
    json_close(&writer, ']');
    json_close(&writer, '}');
}

/* --- facts ------------------------------------------------------------------------------------ */

void changes_fact(struct request *request, struct reply *reply)
{
    CLEANUP(arena_finish) struct arena scratch = { 0 };
    struct json_writer writer = { .out = &reply->body };
    const struct tenant *tenant = &request->fake->tenant;
    const char *id = request_parameter(request, "id");
    size_t i = 0;
    while (i < tenant->resource_count && !(id && !strcasecmp(tenant->resources[i].id, id)))
        i++;
    if (i == tenant->resource_count) {
        reply_error(reply, 404, "NotFound", "no such resource");
        return;
    }
    struct change change;
    changes_of(tenant, i, &change);
    reply->status = 200;
    json_open(&writer, NULL, '{');
    json_add_integer(&writer, "at", change.at);
    json_add_text(&writer, "type", change.type);
    json_add_text(&writer, "caller", change.caller);
    json_add_text(&writer, "logged", change.logged);
    json_add_text(&writer, "operation", operation_of(&tenant->resources[i], &scratch));
    json_close(&writer, '}');
}
