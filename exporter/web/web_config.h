#pragma once
/* The `web` section of the configuration: where the server listens, under which paths, and what it
 * allows. */
#include "core/options.h"

/* The one place that names our port. */
#define WEB_CONFIG_PORT "9887"

/* What a user may do; reading is everybody's who logs in. */
#define WEB_CONFIG_READ "read"
#define WEB_CONFIG_WRITE "write"

struct web_config {
    struct option_texts addresses;
    const char *config_file; /* of the exporter-toolkit; NULL = none */
    const char *telemetry_path, *external_url;
    const char *route_prefix; /* "" or "/prefix" */
    int64_t max_requests, max_connections, max_connections_per_peer;
    int64_t read_timeout_ms, write_timeout_ms, idle_timeout_ms;
    int64_t max_header_bytes, max_body_bytes;
    bool systemd_socket, health_without_login, disable_exporter_metrics, enable_lifecycle,
        read_only;
    struct option_pairs users; /* of the web configuration file: name and right */
    int users_line;
    bool wrong; /* part of it could not be read */
};
extern const struct option web_config_options[];

/* Derive the route prefix from the external URL unless it is given, and write it as above; an empty
 * name of a file is none. */
void web_config_complete(struct web_config *config, struct arena *arena);
