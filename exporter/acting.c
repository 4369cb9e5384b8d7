#include "exporter/acting.h"

#include <string.h>

#include "alerts/store/readers.h"
#include "alerts/store/schema.h"
#include "core/clock.h"
#include "exporter/pages_routes.h"

/* Of one request: expressions may take so long, another who writes may keep it waiting so long. */
enum { MATCH_US = 300 * 1000, BUSY_MS = 200 };

/* --- answers ---------------------------------------------------------------------------------- */

void acting_respond(struct acting *acting, int status)
{
    pages_routes_respond(acting->response, status, &acting->out);
}

void acting_refuse(struct acting *acting, int status, const char *title, const char *why)
{
    buf_reset(&acting->out);
    page_begin(&acting->page, PAGE_NOWHERE, title);
    page_sentence(&acting->page, why);
    page_end(&acting->page);
    if (status == 503)
        web_response_header(acting->response, "Retry-After", "1");
    acting_respond(acting, status);
}

void acting_fail(struct acting *acting, const struct error *error)
{
    if (error->code == ERROR_NOT_FOUND)
        acting_refuse(acting, 404, "Not here", error->message);
    else if (error->code == ERROR_LIMIT || error->code == ERROR_REQUEST ||
             error->code == ERROR_CONFIG)
        acting_refuse(acting, 400, "That cannot be shown", error->message);
    else
        acting_refuse(acting, 503, "The database cannot be read", error->message);
}

void acting_lead(struct acting *acting, const char *path)
{
    struct page inner = acting->page;
    CLEANUP(buf_finish) struct buf location = { 0 };
    buf_printf(&location, "%s%s", inner.prefix, path);
    web_response_header(acting->response, "Location",
                        arena_text(&acting->response->scratch, buf_cstr(&location)));
    web_response_text(acting->response, 303, "see the page");
}

/* --- who asks, and what was posted ------------------------------------------------------------ */

static const char *seal(const void *context, const char *path, char out[PAGE_FORM_SEAL_BYTES])
{
    _Static_assert((int)PAGE_FORM_SEAL_BYTES == (int)SEAL_BYTES, "seals are of one length");
    const struct acting *acting = context;
    return seal_text(&acting->source->seal, web_request_by(acting->request), path, out);
}

bool acting_is_sealed(const struct acting *acting)
{
    return seal_fits(&acting->source->seal, web_request_by(acting->request), acting->request->path,
                     acting_field(acting, PAGE_FORM_SEAL));
}

struct audit_by acting_by(const struct acting *acting, const char *author)
{
    return (struct audit_by){ author, web_request_by(acting->request) };
}

const char *acting_field(const struct acting *acting, const char *name)
{
    for (size_t i = 0; i < acting->field_count; i++)
        if (!strcmp(acting->fields[i].name, name))
            return acting->fields[i].value;
    return "";
}

/* What stands around a text of one line is no part of it. */
static void trim(struct web_pair *pairs, size_t count, struct arena *arena)
{
    for (size_t i = 0; i < count; i++) {
        const char *begin = pairs[i].value + strspn(pairs[i].value, " \t\r\n");
        size_t length = strlen(begin);
        while (length && strchr(" \t\r\n", begin[length - 1]))
            length--;
        pairs[i].value = arena_copy(arena, begin, length);
    }
}

/* --- life ------------------------------------------------------------------------------------- */

static bool open_database(struct acting *acting, struct error *error)
{
    const struct database_config config = {
        .path = acting->context.database_path,
        .migrations = schema_migrations,
        .busy_ms = BUSY_MS,
    };
    acting->readers = acting->request->method == WEB_GET ? acting->context.readers : NULL;
    acting->database =
        acting->readers ? readers_take(acting->readers, error) : database_open(&config, error);
    return acting->database != NULL;
}

bool acting_begin(const struct acting_source *source, const struct web_request *request,
                  struct web_response *response, struct acting *acting)
{
    struct error error;
    const struct view_request_source *views = source->views;
    const char *filter = web_request_query(request, "filter");
    int64_t now = clock_now_s();
    *acting = (struct acting){
        .source = source,
        .request = request,
        .response = response,
        .snapshot = snapshot_acquire(views->snapshots, now),
        .budget = { MATCH_US },
    };
    acting->page = (struct page){ .out = &acting->out,
                                  .arena = &acting->arena,
                                  .prefix = views->prefix,
                                  .now = now,
                                  .snapshot = acting->snapshot,
                                  .filter = filter ? filter : "" };
    acting->forms =
        (struct page_forms){ request->denied, request->user ? request->user : "", seal, acting };
    struct web_pair *fields = target_form(request->body, &acting->arena, &acting->field_count);
    trim(fields, acting->field_count, &acting->arena);
    acting->fields = fields;
    if (!views->alerting) {
        acting_refuse(acting, 503, "Nothing to show",
                      "nothing is kept: --storage.path cannot be written");
        return false;
    }
    acting->context = alerting_api(views->alerting, now);
    if (!open_database(acting, &error)) {
        acting_fail(acting, &error);
        return false;
    }
    acting->rows = (struct alert_row_context){ .settings = acting->context.settings,
                                               .database = acting->database,
                                               .silences = &acting->silences,
                                               .budget = &acting->budget };
    return true;
}

bool acting_read_mutes(struct acting *acting)
{
    struct error error;
    const struct inhibit_rules *rules = acting->context.settings->inhibits;
    bool ok = silence_load(acting->database, evaluator_silences(acting->context.evaluator),
                           acting->context.now, &acting->silences, &error);
    acting->silences.budget = &acting->budget;
    if (ok && rules) {
        acting->inhibits = inhibit_view_create(rules, acting->database, &error);
        acting->rows.inhibits = acting->inhibits;
        ok = acting->inhibits != NULL;
    }
    if (!ok)
        acting_fail(acting, &error);
    return ok;
}

void acting_finish(struct acting *acting)
{
    inhibit_view_destroy(acting->inhibits);
    silence_list_finish(&acting->silences);
    readers_give(acting->readers, acting->database);
    settings_release(acting->context.settings);
    snapshot_release(acting->snapshot);
    arena_finish(&acting->arena);
    buf_finish(&acting->out);
}
