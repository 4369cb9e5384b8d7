#include "exporter/web/web_response.h"

#include <microhttpd.h>
#include <stdint.h>
#include <stdlib.h>

#include "core/memory.h"

/* What an answer in pieces costs while it is sent: a database is open for it. */
enum { PIECES_COST = 2 * 1024 * 1024 };

void web_response_header(struct web_response *response, const char *name, const char *value)
{
    for (size_t i = 0; i < WEB_HEADERS_MAX; i++)
        if (!response->headers[i].name) {
            response->headers[i] = (struct web_pair){ name, value };
            return;
        }
    memory_abort("more than %d headers of an answer", WEB_HEADERS_MAX);
}

void web_response_buf(struct web_response *response, int status, const char *type, struct buf *body)
{
    response->status = status;
    response->type = type;
    response->bytes = response->owner = body->data;
    response->count = body->length;
    response->release = free;
    *body = (struct buf){ 0 };
}

void web_response_shared(struct web_response *response, const char *type, struct web_shared *shared)
{
    const struct buf *bytes = web_shared_bytes(shared);
    response->status = 200;
    response->type = type;
    response->bytes = bytes->data;
    response->count = bytes->length;
    response->release = web_shared_release;
    response->owner = response->shared = shared;
}

void web_response_text(struct web_response *response, int status, const char *text)
{
    struct buf body = { 0 };
    buf_text(&body, text);
    buf_char(&body, '\n');
    web_response_buf(response, status, WEB_TEXT, &body);
}

void web_response_pieces(struct web_response *response, const char *type, struct buf *first,
                         const struct stream_source *source)
{
    response->status = 200;
    response->type = type;
    response->first = *first;
    response->count = PIECES_COST;
    response->next = source->next;
    response->release = source->release;
    response->owner = source->owner;
    *first = (struct buf){ 0 };
}

static void nothing_to_release(void *owner)
{
    (void)owner;
}

void web_response_finish(struct web_response *response)
{
    if (response->release)
        response->release(response->owner);
    buf_finish(&response->first);
    arena_finish(&response->scratch);
    *response = (struct web_response){ 0 };
}

static struct MHD_Response *create(struct web_response *response, struct MHD_Connection *connection,
                                   struct pool *pool, uint64_t peer)
{
    void *bytes = (void *)(uintptr_t)response->bytes; /* the library only reads it */
    const struct stream_source source = { response->next, response->release, response->owner };
    if (response->next) {
        struct MHD_Response *handle =
            stream_create(connection, pool, peer, &response->first, &source);
        if (response->bodyless) /* else the library ends the chunks of a body that is not sent */
            MHD_set_response_options(handle, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
        return handle;
    }
    return memory_checked(MHD_create_response_from_buffer_with_free_callback_cls(
        response->count, bytes, response->release ? response->release : nothing_to_release,
        response->owner));
}

static void add_header(void *handle, const char *name, const char *value)
{
    if (!MHD_get_response_header(handle, name))
        MHD_add_response_header(handle, name, value);
}

struct dress {
    const struct web_response *response;
    struct admission *admission;
};

static void add_headers(void *context, struct MHD_Response *handle)
{
    const struct dress *dress = context;
    if (dress->admission)
        admission_headers(dress->admission, add_header, handle);
    if (dress->response->type)
        add_header(handle, "Content-Type", dress->response->type);
    add_header(handle, "Cache-Control", "no-store");
    add_header(handle, "X-Content-Type-Options", "nosniff");
    for (const struct web_pair *header = dress->response->headers; header->name; header++)
        add_header(handle, header->name, header->value);
}

/* False when what is kept of the bytes is another answer: with other headers since they were read
 * anew, or of another type. */
static bool send_shared(const struct web_response *response, struct MHD_Connection *connection,
                        struct admission *admission, bool *sent)
{
    struct dress dress = { response, admission };
    const struct web_shared_key key = { response->type,
                                        admission ? admission_number(admission) : 0 };
    struct MHD_Response *answer =
        response->shared ? web_shared_answer(response->shared, key, add_headers, &dress) : NULL;
    if (!answer)
        return false;
    *sent = MHD_queue_response(connection, MHD_HTTP_OK, answer) == MHD_YES;
    web_shared_release(response->shared);
    return true;
}

bool web_response_send(struct web_response *response, struct MHD_Connection *connection,
                       struct pool *pool, uint64_t peer, struct admission *admission)
{
    bool sent;
    int status = response->status ? response->status : 200;
    if (!send_shared(response, connection, admission, &sent)) {
        struct MHD_Response *handle = create(response, connection, pool, peer);
        add_headers(&(struct dress){ response, admission }, handle);
        sent = MHD_queue_response(connection, (unsigned)status, handle) == MHD_YES;
        MHD_destroy_response(handle);
    }
    arena_finish(&response->scratch);
    *response = (struct web_response){ 0 };
    return sent;
}
