#include "collectors/azure/arm_list.h"

#include <string.h>

#include "collectors/azure/seen.h"
#include "core/buf.h"

enum { LIST_PAGES_MAX = 10000 };

struct list_rows {
    json_row *row;
    void *context;
    size_t *count;
};

static bool count_row(void *context, const struct json *row, struct error *error)
{
    struct list_rows *rows = context;
    ++*rows->count;
    return rows->row(rows->context, row, error);
}

/* The Defender API goes by several names, and a link may have another than it was asked by: the
 * next page is asked for where the first one was. */
static const char *link_of(const struct arm_list *list, const char *link)
{
    const char *host = list->api == ARM_DEFENDER ? strstr(link, "://") : NULL;
    const char *path = host ? strchr(host + 3, '/') : NULL;
    return path ? path : link;
}

/* Read the link to the next page from what is left of this one; "" = the last. */
static bool read_next(const struct arm_list *list, const struct buf *envelope, struct buf *next,
                      struct error *error)
{
    struct json *document = json_parse(buf_cstr(envelope), envelope->length, error);
    if (!document)
        return false;
    const struct json *link = json_get(document, "nextLink");
    if (!link)
        link = json_get(document, "@odata.nextLink");
    enum json_type type = json_type(link);
    buf_reset(next);
    if (type == JSON_TEXT)
        buf_text(next, link_of(list, json_text(link)));
    json_free(document);
    return type == JSON_TEXT || type == JSON_NONE || type == JSON_NULL ||
           error_set(error, ERROR_PARSE, "nextLink is no text");
}

static bool list_page(struct arm_session *session, const struct arm_list *list, bool is_first,
                      struct http_response *response, struct list_rows *rows, struct buf *next,
                      struct error *error)
{
    CLEANUP(buf_finish) struct buf envelope = { 0 };
    const char *member = list->api == ARM_HUNTING ? "results" : "value";
    const struct arm_call call = {
        .api = list->api,
        .method = list->post && is_first ? "POST" : "GET",
        .url = buf_cstr(next),
        .body = is_first ? list->body : NULL,
    };
    return arm_call(session, &call, response, error) &&
           json_walk_rows(buf_cstr(&response->body), response->body.length, member, count_row, rows,
                          &envelope, error) &&
           read_next(list, &envelope, next, error);
}

bool arm_list(struct arm_session *session, const struct arm_list *list, json_row *row,
              void *context, struct arm_progress *progress, struct error *error)
{
    const char *path = list->path;
    CLEANUP(http_response_finish) struct http_response response = { 0 };
    CLEANUP(seen_finish) struct seen seen = { 0 };
    CLEANUP(buf_finish) struct buf next = { 0 };
    struct list_rows rows = { row, context, &progress->rows };
    *progress = (struct arm_progress){ 0 };
    int name_length = (int)strcspn(path, "?");
    buf_text(&next, path);
    while (next.length) {
        if (progress->pages == LIST_PAGES_MAX)
            return error_set(error, ERROR_INCOMPLETE, "list %.*s has more than %d pages",
                             name_length, path, LIST_PAGES_MAX);
        if (!seen_add(&seen, buf_cstr(&next)))
            return error_set(error, ERROR_INCOMPLETE,
                             "list %.*s: page %zu links back to an "
                             "earlier page",
                             name_length, path, progress->pages);
        if (!list_page(session, list, !progress->pages, &response, &rows, &next, error))
            return error_wrap(error, "list %.*s page %zu", name_length, path, progress->pages + 1);
        progress->pages++;
    }
    return true;
}
