#include "reply.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/compiler.h"
#include "core/hash.h"

void reply_header(struct reply *reply, const char *name, const char *format, ...)
{
    va_list arguments;
    if (reply->header_count == REPLY_HEADERS_MAX)
        abort();
    snprintf(reply->headers[reply->header_count].name, sizeof reply->headers->name, "%s", name);
    va_start(arguments, format);
    vsnprintf(reply->headers[reply->header_count++].value, sizeof reply->headers->value, format,
              arguments);
    va_end(arguments);
}

void reply_error(struct reply *reply, int status, const char *code, const char *format, ...)
{
    struct json_writer writer = { .out = &reply->body };
    char message[2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    reply->status = status;
    buf_reset(&reply->body);
    json_open(&writer, NULL, '{');
    json_open(&writer, "error", '{');
    json_add_text(&writer, "code", code);
    json_add_text(&writer, "message", message);
    json_close(&writer, '}');
    json_close(&writer, '}');
}

/* "Microsoft.Security/assessments/subAssessments": the types of a path, without names. */
static void add_types(const char *path, struct buf *out)
{
    static const char providers[] = "/providers/";
    const char *last = NULL;
    for (const char *at = path; (at = strstr(at, providers)); at++)
        last = at;
    if (!last)
        buf_text(out, "Microsoft.Resources/subscriptions");
    path = last ? last + sizeof providers - 1 : "";
    for (int place = 0; *path; place++) { /* namespace, type, name, type, name ... */
        size_t length = strcspn(path, "/");
        if (place < 2 || place % 2)
            buf_printf(out, "%s%.*s", place ? "/" : "", (int)length, path);
        path += length + (path[length] == '/');
    }
}

void reply_unauthorised(const struct request *request, struct reply *reply, const char *scope)
{
    CLEANUP(buf_finish) struct buf types = { 0 };
    if (!strstr(request->path, "/providers/") &&
        strncmp(request->path, "/subscriptions", 14) != 0) {
        reply_error(reply, 403, "Forbidden", "Insufficient privileges to complete the operation.");
        return;
    }
    add_types(request->path, &types);
    reply_error(
        reply, 403, "AuthorizationFailed",
        "The client '%s' with object id '%s' does not have authorization to perform action "
        "'%s/read' over scope '%s' or the scope is invalid. If access was recently granted, "
        "please refresh your credentials.",
        request->principal, request->principal, buf_cstr(&types), scope);
}

void reply_text(struct reply *reply, int status, const char *json)
{
    reply->status = status;
    buf_reset(&reply->body);
    buf_text(&reply->body, json);
}

/* The row at this position exists, is in scope, and belongs to the partition asked for. */
static bool present(const struct page *page, size_t position)
{
    const struct view *view = page->view;
    return (!view->partitions ||
            (long)(position * 2654435761u % (size_t)view->partitions) == view->partition) &&
           page->present(view, position);
}

size_t page_total(const struct page *page)
{
    size_t total = 0, count = page->count(page->view);
    for (size_t position = 0; position < count; position++)
        total += present(page, position);
    return total;
}

void page_write(struct page *page, struct json_writer *writer, bool shift)
{
    size_t count = page->count(page->view), previous = page->position;
    while (shift && previous > 0 && !present(page, previous - 1))
        previous--;
    bool moved = shift && previous > 0; /* the last row of the page before comes again ... */
    if (moved) {
        page->write(page, previous - 1, writer);
        page->rows++;
    }
    for (; page->position < count; page->position++) {
        if (!present(page, page->position))
            continue;
        if (moved) { /* ... in the place of this one */
            moved = false;
            continue;
        }
        if (page->rows == page->limit) {
            page->more = true;
            break;
        }
        page->write(page, page->position, writer);
        page->rows++;
        arena_reset(page->scratch);
    }
}

struct view request_view(const struct request *request, bool *in_scope)
{
    struct fake *fake = request->fake;
    bool none = faults_state(&fake->faults, FAULT_NO_SUBSCRIPTIONS) != NULL;
    for (size_t i = 0; i < fake->tenant.subscription_count; i++)
        in_scope[i] = !none && !fake->tenant.subscriptions[i].absent &&
                      !faults_denies(&fake->faults, fake->tenant.subscriptions[i].id, i);
    return (struct view){ .tenant = &fake->tenant,
                          .in_scope = in_scope,
                          .generation = fake->tenant.generation,
                          .expand_limit = RULES_MAX };
}

ptrdiff_t request_subscription(const struct request *request, const char *id)
{
    const struct tenant *tenant = &request->fake->tenant;
    for (size_t i = 0; i < tenant->subscription_count; i++)
        if (strcasecmp(tenant->subscriptions[i].id, id) == 0)
            return (ptrdiff_t)i;
    return -1;
}

void fake_sign(const struct fake *fake, const char *payload, struct buf *out)
{
    struct hash_sha256 sum;
    char hex[65];
    hash_hmac_sha256(fake->sign_key, sizeof fake->sign_key, payload, strlen(payload), &sum);
    buf_printf(out, "%s.%.32s", payload, hash_hex(sum.bytes, sizeof sum.bytes, hex));
}

bool fake_verify(const struct fake *fake, char *text)
{
    CLEANUP(buf_finish) struct buf expected = { 0 };
    char *dot = strrchr(text, '.');
    if (!dot)
        return false;
    *dot = '\0';
    fake_sign(fake, text, &expected);
    bool ours = strcmp(buf_cstr(&expected) + (dot - text) + 1, dot + 1) == 0;
    return ours;
}
