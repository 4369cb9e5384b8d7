#include "exporter/web/web.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/memory.h"
#include "exporter/web/connection.h"
#include "exporter/web/dispatch.h"
#include "exporter/web/web_address.h"

enum {
    /* What libmicrohttpd notes of a head, beside it. More than 32 KiB together are mapped: pages
     * that no head has touched cost nothing, and all are given back. */
    RECORD_BYTES = 24 * 1024,
    UNSENT_BYTES = 64 * 1024 * 1024,
    SPARE = 64, /* connections that are being closed */
};

struct listener {
    struct web *web;
    struct MHD_Daemon *daemon;
    int socket;
    bool passed; /* its file is not ours */
    char address[WEB_ADDRESS_BYTES];
};

struct web {
    struct connections connections;
    struct dispatch dispatch;
    struct listener *listeners;
    size_t listener_count;
    struct arena arena;
};

/* --- what libmicrohttpd calls --------------------------------------------------------------- */

static void on_connection(void *context, struct MHD_Connection *handle, void **socket_context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct listener *listener = context;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *socket_context = dispatch_open(&listener->web->dispatch, handle);
    } else {
        dispatch_close(*socket_context);
        *socket_context = NULL;
    }
}

/* The parameters are read by us: 0.9.75 and older never answer when they are more than fit its
 * memory for the connection. So it gets none to see. */
static void hide_queries(const char *target)
{
    char *question = strchr((char *)(uintptr_t)target, '?'); /* its own buffer */
    if (question && question[1])
        question[1] = 0;
}

static void *on_line(void *context, const char *target, struct MHD_Connection *handle)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(handle, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    (void)context;
    if (!info || !info->socket_context)
        memory_abort("a connection nobody opened");
    dispatch_begin(info->socket_context, target);
    hide_queries(target);
    return info->socket_context;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *handle, const char *path,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_bytes, void **state)
{
    (void)context;
    (void)handle;
    (void)path;
    return dispatch_request(*state, method, version, upload, upload_bytes) ? MHD_YES : MHD_NO;
}

static void on_completed(void *context, struct MHD_Connection *handle, void **state,
                         enum MHD_RequestTerminationCode code)
{
    (void)context;
    (void)handle;
    (void)code;
    if (*state)
        dispatch_end(*state);
    *state = NULL;
}

__attribute__((format(printf, 2, 0))) static void on_log(void *context, const char *format,
                                                         va_list arguments)
{
    char text[256];
    (void)context;
    vsnprintf(text, sizeof text, format, arguments);
    text[strcspn(text, "\n")] = 0;
    log_debug(MSG("http server"), TEXT("err", text));
}

/* --- start and stop ------------------------------------------------------------------------- */

/* The socket of an address, or of one that was passed on. */
static bool listener_bind(struct listener *listener, size_t index, const struct web_config *config,
                          struct error *error)
{
    listener->passed = config->systemd_socket;
    listener->socket = listener->passed ? web_address_take(index, listener->address, error)
                                        : web_address_listen(config->addresses.texts[index],
                                                             listener->address, error);
    return listener->socket >= 0;
}

static bool listener_start(struct listener *listener, const struct web_config *config,
                           struct error *error)
{
    struct admission *admission = listener->web->dispatch.admission;
    bool unix_socket = !strncmp(listener->address, "unix:", 5); /* its permissions guard it */
    bool encrypts = admission && admission_encrypts(admission) && !unix_socket;
    struct MHD_OptionItem tls[] = {
        { encrypts ? MHD_OPTION_HTTPS_CERT_CALLBACK : MHD_OPTION_END, 0,
          (void *)(uintptr_t)tls_no_certificate },
        { MHD_OPTION_END, 0, NULL },
    };
    unsigned flags = MHD_USE_ERROR_LOG | MHD_ALLOW_SUSPEND_RESUME;
    /* 0.9.75 turns round and round with epoll while half a record of a handshake is there. */
    flags |= encrypts ? MHD_USE_TLS | MHD_USE_POLL_INTERNAL_THREAD : MHD_USE_EPOLL_INTERNAL_THREAD;
    /* clang-format off */
    listener->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, listener,
        MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
        MHD_OPTION_LISTEN_SOCKET, listener->socket,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)config->max_connections + SPARE,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)config->max_header_bytes + RECORD_BYTES,
        MHD_OPTION_URI_LOG_CALLBACK, on_line, listener,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, listener,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
        MHD_OPTION_ARRAY, tls,
        MHD_OPTION_END);
    /* clang-format on */
    if (!listener->daemon)
        return error_set(error, ERROR_IO, "cannot serve on %s", listener->address);
    log_info(MSG("listening"), TEXT("address", listener->address));
    return true;
}

struct web *web_start(const struct web_config *config, struct gate *gate,
                      struct admission *admission, const struct web_route *routes,
                      size_t route_count, struct metric_store *metrics, struct error *error)
{
    struct web *web = MEMORY_NEW(struct web);
    const struct connection_limits limits = {
        .max = (size_t)config->max_connections,
        .max_per_peer = (size_t)config->max_connections_per_peer,
        .unsent_bytes = UNSENT_BYTES,
        .read_ms = config->read_timeout_ms,
        .idle_ms = config->idle_timeout_ms,
        .write_ms = config->write_timeout_ms,
    };
    connection_start(&web->connections, &limits);
    web->dispatch.metrics = metrics;
    web->dispatch.connections = &web->connections;
    web->dispatch.gate = gate;
    web->dispatch.admission = web->connections.admission = admission;
    dispatch_start(&web->dispatch, config, routes, route_count, &web->arena);
    size_t count = config->systemd_socket ? web_address_passed() : config->addresses.count;
    web->listeners = arena_zalloc(&web->arena, (count + 1) * sizeof *web->listeners);
    bool ok = count || error_set(error, ERROR_CONFIG,
                                 "no sockets were passed on: web.systemd_socket wants a socket"
                                 " unit that starts this program");
    for (size_t i = 0; ok && i < count; i++) {
        struct listener *listener = &web->listeners[web->listener_count++];
        listener->web = web;
        ok = listener_bind(listener, i, config, error) && listener_start(listener, config, error);
    }
    if (ok)
        return web;
    web_stop(web, 0);
    return NULL;
}

static void close_socket(const struct listener *listener)
{
    if (!listener->passed)
        web_address_close(listener->socket, listener->address);
    else if (listener->socket >= 0)
        close(listener->socket);
}

void web_stop(struct web *web, int64_t grace_ms)
{
    if (!web)
        return;
    int64_t deadline = clock_monotonic_ms() + grace_ms;
    for (size_t i = 0; i < web->listener_count; i++)
        if (web->listeners[i].daemon)
            MHD_quiesce_daemon(web->listeners[i].daemon);
    while (atomic_load(&web->dispatch.busy) && clock_monotonic_ms() < deadline)
        clock_sleep_ms(10);
    if (web->dispatch.admission)
        admission_stop(web->dispatch.admission);
    dispatch_stop(&web->dispatch);
    for (size_t i = 0; i < web->listener_count; i++) {
        if (web->listeners[i].daemon)
            MHD_stop_daemon(web->listeners[i].daemon);
        close_socket(&web->listeners[i]);
    }
    dispatch_finish(&web->dispatch);
    connection_stop(&web->connections);
    arena_finish(&web->arena);
    free(web);
}

const char *web_bound(const struct web *web, size_t index)
{
    return web->listeners[index].address;
}
