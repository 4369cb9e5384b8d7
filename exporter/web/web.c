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

enum { REQUEST_HEAD_BYTES = 16384 }; /* request line and headers */

struct listener {
    struct web *web;
    struct MHD_Daemon *daemon;
    int socket;
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
    struct connections *connections = &listener->web->connections;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *socket_context = connection_open(connections, handle);
    } else {
        connection_close(connections, *socket_context);
        *socket_context = NULL;
    }
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *handle, const char *path,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_bytes, void **state)
{
    struct listener *listener = context;
    return dispatch_request(&listener->web->dispatch, handle, path, method, version, upload,
                            upload_bytes, state)
               ? MHD_YES
               : MHD_NO;
}

static void on_completed(void *context, struct MHD_Connection *handle, void **state,
                         enum MHD_RequestTerminationCode code)
{
    (void)context;
    (void)code;
    dispatch_completed(handle, state);
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

static bool listener_start(struct listener *listener, const char *address, size_t listeners,
                           struct error *error)
{
    listener->socket = web_address_listen(address, listener->address, error);
    if (listener->socket < 0)
        return false;
    /* clang-format off */
    listener->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ERROR_LOG | MHD_USE_ITC, 0, NULL, NULL,
        on_request, listener,
        MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
        MHD_OPTION_LISTEN_SOCKET, listener->socket,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)(CONNECTION_MAX / listeners),
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)REQUEST_HEAD_BYTES,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)CONNECTION_IDLE_S,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, listener,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
        MHD_OPTION_END);
    /* clang-format on */
    if (!listener->daemon)
        return error_set(error, ERROR_IO, "cannot serve on %s", address);
    log_info(MSG("listening"), TEXT("address", listener->address));
    return true;
}

struct web *web_start(const struct web_config *config, struct gate *gate,
                      const struct web_route *routes, size_t route_count,
                      struct metric_store *metrics, struct error *error)
{
    struct web *web = MEMORY_NEW(struct web);
    size_t addresses = config->addresses.count;
    connection_init(&web->connections);
    dispatch_init(&web->dispatch, config->route_prefix, routes, route_count, metrics,
                  &web->connections, gate, &web->arena);
    web->listeners = arena_zalloc(&web->arena, addresses * sizeof *web->listeners);
    for (size_t i = 0; i < addresses; i++) {
        struct listener *listener = &web->listeners[web->listener_count++];
        listener->web = web;
        if (!listener_start(listener, config->addresses.texts[i], addresses, error)) {
            web_stop(web, 0);
            return NULL;
        }
    }
    connection_sweep_start(&web->connections);
    return web;
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
    connection_sweep_stop(&web->connections);
    for (size_t i = 0; i < web->listener_count; i++) {
        if (web->listeners[i].daemon)
            MHD_stop_daemon(web->listeners[i].daemon);
        if (web->listeners[i].socket >= 0)
            close(web->listeners[i].socket);
    }
    connection_finish(&web->connections);
    arena_finish(&web->arena);
    free(web);
}

const char *web_bound(const struct web *web, size_t index)
{
    return web->listeners[index].address;
}
