#include "web.h"

#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <microhttpd.h>

#include "core/clock.h"
#include "core/compiler.h"
#include "core/gzip.h"
#include "core/hash.h"
#include "route.h"

enum { BODY_LIMIT_BYTES = 1 << 20, GZIP_FROM_BYTES = 200, SLOW_BYTES = 64, POLL_MS = 50 };

struct web {
    struct fake *fake;
    struct MHD_Daemon *daemon;
    char *certificate, *key;
};

/* A body that is sent with a fault. */
struct wire {
    struct fake *fake;
    struct buf body;
    struct fault fault;
};

const char *request_parameter(const struct request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

const char *request_header(const struct request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

/* Sleep in small pieces, so that stopping is prompt. */
static void doze(const struct fake *fake, long ms)
{
    for (; ms > 0 && !atomic_load(&fake->stopping); ms -= POLL_MS)
        clock_sleep_ms(ms < POLL_MS ? ms : POLL_MS);
}

static ssize_t wire_read(void *context, uint64_t position, char *out, size_t room)
{
    struct wire *wire = context;
    size_t left = wire->body.length - (size_t)position;
    size_t half = wire->body.length / 2;
    if (atomic_load(&wire->fake->stopping))
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (wire->fault.name == FAULT_CUT) {
        if (position >= half)
            return MHD_CONTENT_READER_END_WITH_ERROR;
        left = half - (size_t)position;
    } else {
        doze(wire->fake, wire->fault.ms);
        left = left < SLOW_BYTES ? left : SLOW_BYTES;
    }
    if (left == 0)
        return MHD_CONTENT_READER_END_OF_STREAM;
    left = left < room ? left : room;
    memcpy(out, wire->body.data + position, left);
    return (ssize_t)left;
}

static void wire_free(void *context)
{
    struct wire *wire = context;
    buf_finish(&wire->body);
    free(wire);
}

/* The body as a response; takes it. */
static struct MHD_Response *make_response(struct request *request, struct answer *answer)
{
    struct buf *body = &answer->reply.body;
    struct stat status;
    if (answer->reply.file) {
        int descriptor = dup(fileno(answer->reply.file));
        fclose(answer->reply.file);
        if (descriptor < 0 || fstat(descriptor, &status) < 0)
            return NULL;
        return MHD_create_response_from_fd64((uint64_t)status.st_size, descriptor);
    }
    if (answer->wired) {
        struct wire *wire = calloc(1, sizeof *wire);
        if (!wire)
            abort();
        *wire = (struct wire){ request->fake, *body, answer->wire };
        uint64_t size = wire->fault.chunked ? MHD_SIZE_UNKNOWN : wire->body.length;
        *body = (struct buf){ 0 };
        return MHD_create_response_from_callback(size, 1024, wire_read, wire, wire_free);
    }
    struct MHD_Response *response = MHD_create_response_from_buffer(
        body->length, body->data, body->data ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
    *body = (struct buf){ 0 };
    return response;
}

static bool compress(const struct request *request, struct reply *reply, bool in_members)
{
    const char *accepted = request_header(request, "Accept-Encoding");
    struct buf packed = { 0 };
    if (reply->file || reply->body.length < GZIP_FROM_BYTES || !accepted ||
        !strstr(accepted, "gzip"))
        return false;
    size_t half = in_members ? reply->body.length / 2 : 0;
    if (half)
        gzip_append(&packed, reply->body.data, half, 1);
    gzip_append(&packed, reply->body.data + half, reply->body.length - half, 1);
    buf_finish(&reply->body);
    reply->body = packed;
    return true;
}

static void add_headers(struct request *request, struct reply *reply, struct MHD_Response *response,
                        long skew_s)
{
    char text[64];
    time_t now = (time_t)(clock_now_s() + skew_s);
    struct tm parts;
    gmtime_r(&now, &parts);
    strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    MHD_add_response_header(response, "Date", text);
    MHD_add_response_header(response, "Content-Type", reply->type);
    MHD_add_response_header(response, "Cache-Control", "no-cache");
    if (strncmp(request->path, "/_fake/", 7) != 0) {
        hash_uuid(text);
        MHD_add_response_header(response, "x-ms-request-id", text);
        MHD_add_response_header(response, "x-ms-correlation-request-id", text);
    }
    for (size_t i = 0; i < reply->header_count; i++)
        MHD_add_response_header(response, reply->headers[i].name, reply->headers[i].value);
}

/* Never answer: wait until the client has gone. */
static enum MHD_Result hang(const struct request *request)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct pollfd socket = { .fd = info->connect_fd, .events = POLLRDHUP };
    while (!atomic_load(&request->fake->stopping) && poll(&socket, 1, POLL_MS) == 0)
        ;
    return MHD_NO;
}

static enum MHD_Result answer_request(struct request *request)
{
    struct answer answer = { 0 };
    const struct fault *skew;
    const char *host = request_header(request, "Host");
    snprintf(request->origin, sizeof request->origin, "%s://%.160s",
             request->fake->options.certificate ? "https" : "http", host ? host : "127.0.0.1");
    route_answer(request, &answer);
    if (request->fake->options.log)
        fprintf(stderr, "fake_azure: %s %s %d %zu bytes%s\n", request->method, request->path,
                answer.reply.status, answer.reply.body.length, answer.hang ? ", hangs" : "");
    if (answer.hang)
        return hang(request);
    pthread_mutex_lock(&request->fake->lock);
    skew = faults_state(&request->fake->faults, FAULT_SKEW);
    long skew_s = skew ? skew->seconds : 0;
    bool in_members = faults_state(&request->fake->faults, FAULT_MEMBERS) != NULL;
    pthread_mutex_unlock(&request->fake->lock);
    bool packed = compress(request, &answer.reply, in_members);
    struct MHD_Response *response = make_response(request, &answer);
    if (!response)
        return MHD_NO;
    add_headers(request, &answer.reply, response, skew_s);
    if (packed)
        MHD_add_response_header(response, "Content-Encoding", "gzip");
    enum MHD_Result queued =
        MHD_queue_response(request->connection, (unsigned)answer.reply.status, response);
    MHD_destroy_response(response);
    return queued;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_bytes, void **state)
{
    struct web *web = context;
    struct request *request = *state;
    (void)version;
    if (!request) {
        request = calloc(1, sizeof *request);
        if (!request)
            abort();
        request->fake = web->fake;
        request->connection = connection;
        request->method = method;
        request->body.limit_bytes = BODY_LIMIT_BYTES;
        *state = request;
        return MHD_YES;
    }
    if (*upload_bytes) {
        buf_append(&request->body, upload, *upload_bytes);
        *upload_bytes = 0;
        return MHD_YES;
    }
    request->path = url;
    return answer_request(request);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code)
{
    struct request *request = *state;
    (void)context;
    (void)connection;
    (void)code;
    if (request)
        buf_finish(&request->body);
    free(request);
    *state = NULL;
}

static char *read_text(const char *path)
{
    struct buf text = { 0 };
    char chunk[4096];
    size_t count;
    FILE *file = path ? fopen(path, "r") : NULL;
    if (!file)
        return NULL;
    while ((count = fread(chunk, 1, sizeof chunk, file)) > 0)
        buf_append(&text, chunk, count);
    fclose(file);
    return text.data;
}

struct web *web_start(struct fake *fake)
{
    const struct fake_options *options = &fake->options;
    struct web *web = calloc(1, sizeof *web);
    if (!web)
        abort();
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)options->port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION |
                     MHD_USE_POLL | MHD_USE_SUPPRESS_DATE_NO_CLOCK;
    web->fake = fake;
    web->certificate = read_text(options->certificate);
    web->key = read_text(options->key);
    struct MHD_OptionItem tls[] = {
        { MHD_OPTION_HTTPS_MEM_CERT, 0, web->certificate },
        { MHD_OPTION_HTTPS_MEM_KEY, 0, web->key },
        { MHD_OPTION_END, 0, NULL },
    };
    if (options->certificate)
        flags |= MHD_USE_TLS;
    else
        tls[0] = tls[2];
    web->daemon = MHD_start_daemon(flags, (uint16_t)options->port, NULL, NULL, on_request, web,
                                   MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_NOTIFY_COMPLETED,
                                   on_completed, NULL, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
    if (web->daemon)
        return web;
    web_stop(web);
    return NULL;
}

unsigned web_port(const struct web *web)
{
    return MHD_get_daemon_info(web->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}

void web_stop(struct web *web)
{
    if (web->daemon)
        MHD_stop_daemon(web->daemon);
    free(web->certificate);
    free(web->key);
    free(web);
}
