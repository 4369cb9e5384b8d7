#include "tags.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/compiler.h"
#include "rows.h"

/* --- what there is ---------------------------------------------------------------------------- */

/* As their rows are ordered. */
static int compare(const struct tag *tag, const char *id, const char *name)
{
    int order = strcasecmp(tag->id, id);
    return order ? order : strcasecmp(tag->name, name);
}

static void forget(struct tag *tag)
{
    free(tag->id);
    free(tag->name);
    free(tag->value);
}

void tags_set(struct tenant *tenant, const char *id, const char *name, const char *value)
{
    size_t at = 0;
    while (at < tenant->tag_count && compare(&tenant->tags[at], id, name) < 0)
        at++;
    if (at < tenant->tag_count && !compare(&tenant->tags[at], id, name)) {
        forget(&tenant->tags[at]);
        tenant->tag_count--;
        memmove(tenant->tags + at, tenant->tags + at + 1,
                (tenant->tag_count - at) * sizeof *tenant->tags);
    }
    if (!*value)
        return;
    tenant->tags = realloc(tenant->tags, (tenant->tag_count + 1) * sizeof *tenant->tags);
    if (!tenant->tags)
        abort();
    memmove(tenant->tags + at + 1, tenant->tags + at,
            (tenant->tag_count - at) * sizeof *tenant->tags);
    tenant->tags[at] = (struct tag){ strdup(id), strdup(name), strdup(value) };
    tenant->tag_count++;
}

const char *tags_lines(const struct tenant *tenant, const char *id, struct arena *scratch)
{
    CLEANUP(buf_finish) struct buf lines = { 0 };
    for (size_t i = 0; i < tenant->tag_count; i++)
        if (!strcasecmp(tenant->tags[i].id, id))
            buf_printf(&lines, "%s%s=%s", lines.length ? "\n" : "", tenant->tags[i].name,
                       tenant->tags[i].value);
    return arena_text(scratch, buf_cstr(&lines));
}

void tags_build(struct tenant *tenant)
{
    for (size_t i = 0; i < tenant->subscription_count; i++) {
        char id[64];
        snprintf(id, sizeof id, "/subscriptions/%s", tenant->subscriptions[i].id);
        tags_set(tenant, id, "Environment", tenant->subscriptions[i].environment);
    }
}

void tags_finish(struct tenant *tenant)
{
    for (size_t i = 0; i < tenant->tag_count; i++)
        forget(&tenant->tags[i]);
    free(tenant->tags);
}

/* --- rows ------------------------------------------------------------------------------------- */

struct tag_row {
    const char *id, *subscriptionId, *resourceId, *name, *value;
};

static const struct field tag_fields[] = {
    TEXT(struct tag_row, id),         TEXT(struct tag_row, subscriptionId),
    TEXT(struct tag_row, resourceId), TEXT(struct tag_row, name),
    TEXT(struct tag_row, value),      { 0 },
};

static size_t count(const struct view *view)
{
    return view->tenant->tag_count;
}

static bool is_asked(const struct view *view, const char *name)
{
    CLEANUP(buf_finish) struct buf quoted = { 0 };
    buf_printf(&quoted, "'%s'", name);
    return view->ids && strcasestr(view->ids, buf_cstr(&quoted));
}

static bool is_shown(const struct view *view, size_t position, bool resource)
{
    const struct tag *tag = &view->tenant->tags[position];
    const struct subscription *of = tenant_subscription_of(view->tenant, tag->id);
    bool below = strcasestr(tag->id, "/providers/") != NULL;
    return of && view->in_scope[of - view->tenant->subscriptions] && below == resource &&
           is_asked(view, tag->name);
}

static bool resource_present(const struct view *view, size_t position)
{
    return is_shown(view, position, true);
}

static bool container_present(const struct view *view, size_t position)
{
    return is_shown(view, position, false);
}

static void fill(const struct view *view, size_t position, void *out, struct arena *scratch)
{
    const struct tag *tag = &view->tenant->tags[position];
    struct tag_row *row = out;
    row->id = tenant_lower(scratch, rows_print(scratch, "%s|%s", tag->id, tag->name));
    row->subscriptionId = tenant_subscription_of(view->tenant, tag->id)->id;
    row->resourceId = tag->id;
    row->name = tag->name;
    row->value = tag->value;
}

/* clang-format off */
const struct rows rows_tags[] = {
    { "tags_resources_rows", count, resource_present, fill, tag_fields, sizeof(struct tag_row) },
    { "tags_containers_rows", count, container_present, fill, tag_fields, sizeof(struct tag_row) },
    { 0 }
};
/* clang-format on */
