#include "exporter/web/web_config.h"

#include <string.h>

#include "exporter/web/web_address.h"

static const char *check_addresses(const void *value)
{
    const struct option_texts *list = value;
    struct web_address address;
    struct error error;
    for (size_t i = 0; i < list->count; i++)
        if (!web_address_parse(list->texts[i], &address, &error))
            return "must be " WEB_ADDRESS_FORMS;
    return list->count ? NULL : "names no address";
}

static const char *check_telemetry_path(const void *value)
{
    const char *path = *(const char *const *)value;
    if (path[0] != '/' || !path[1] || strpbrk(path, " ?#*%\"<>&"))
        return "must be a path like /metrics";
    return strncmp(path, "/-/", 3) ? NULL : "is taken by the program itself";
}

static const char *check_prefix(const void *value)
{
    const char *path = *(const char *const *)value;
    return path && strpbrk(path, " ?#*%\"<>&") ? "must be a path like /defender" : NULL;
}

static const char *check_users(const void *value)
{
    const struct option_pairs *users = value;
    for (size_t i = 0; i < users->count; i++)
        if (strcmp(users->pairs[i].value, WEB_CONFIG_READ) != 0 &&
            strcmp(users->pairs[i].value, WEB_CONFIG_WRITE) != 0)
            return "the right of a user is read or write";
    return NULL;
}

/* clang-format off */
const struct option web_config_options[] = {
    { "listen_address", OPTION_TEXT_LIST(struct web_config, addresses),
      .otherwise = ":" WEB_CONFIG_PORT, .check = check_addresses, .restart = true,
      .help = "Addresses to listen on: " WEB_ADDRESS_FORMS ". Without a host, IPv6 and IPv4." },
    { "systemd_socket", OPTION_BOOL(struct web_config, systemd_socket),
      .otherwise = "false", .restart = true,
      .help = "Listen on the sockets of a systemd socket unit instead of listen_address." },
    { "config_file", OPTION_PATH(struct web_config, config_file), .restart = true,
      .help = "Web configuration file: TLS, users, headers, rate. Read again when it changes." },
    { "health_without_login", OPTION_BOOL(struct web_config, health_without_login),
      .otherwise = "false", .restart = true,
      .help = "/-/healthy and /-/ready want no login and count for no rate limit." },
    { "telemetry_path", OPTION_TEXT(struct web_config, telemetry_path),
      .otherwise = "/metrics", .check = check_telemetry_path, .restart = true,
      .help = "Path of the metrics." },
    { "max_requests", OPTION_INTEGER(struct web_config, max_requests),
      .otherwise = "40", .min = 0, .max = 100000, .restart = true,
      .help = "Most scrapes at the same time. 0 means no limit." },
    { "max_connections", OPTION_INTEGER(struct web_config, max_connections),
      .otherwise = "512", .min = 8, .max = 16384, .restart = true,
      .help = "Most connections at the same time. For one more, the one that has waited longest is"
              " closed." },
    { "max_connections_per_peer", OPTION_INTEGER(struct web_config, max_connections_per_peer),
      .otherwise = "64", .min = 1, .max = 16384, .restart = true,
      .help = "The same for one address; in IPv6 one /64. Unix sockets have no such limit." },
    { "read_timeout", OPTION_DURATION(struct web_config, read_timeout_ms),
      .otherwise = "10s", .min = 1000, .max = 3600e3, .restart = true,
      .help = "How long a request may take to arrive, head and body." },
    { "write_timeout", OPTION_DURATION(struct web_config, write_timeout_ms),
      .otherwise = "2m", .min = 1000, .max = 3600e3, .restart = true,
      .help = "How long an answer may take to be read." },
    { "idle_timeout", OPTION_DURATION(struct web_config, idle_timeout_ms),
      .otherwise = "75s", .min = 1000, .max = 3600e3, .restart = true,
      .help = "How long a connection may be idle between requests; longer than a scrape interval"
              " saves connecting anew." },
    { "max_header_size", OPTION_SIZE(struct web_config, max_header_bytes),
      .otherwise = "16KiB", .min = 4096, .max = 1048576, .restart = true,
      .help = "Size of a request's first line and headers, 431 above." },
    { "max_body_size", OPTION_SIZE(struct web_config, max_body_bytes),
      .otherwise = "64KiB", .min = 1024, .max = 16777216, .restart = true,
      .help = "Size of a request's body, 413 above." },
    { "disable_exporter_metrics", OPTION_BOOL(struct web_config, disable_exporter_metrics),
      .otherwise = "false",
      .help = "Leave out process_* and the web server's own metrics." },
    { "external_url", OPTION_URL(struct web_config, external_url),
      .help = "The URL under which others reach this program, for example through a proxy." },
    { "route_prefix", OPTION_TEXT(struct web_config, route_prefix),
      .check = check_prefix, .restart = true,
      .help = "Path before every route. Default: the path of external_url." },
    { "enable_lifecycle", OPTION_BOOL(struct web_config, enable_lifecycle),
      .otherwise = "false", .help = "Allow POST /-/reload and /-/quit." },
    { "read_only", OPTION_BOOL(struct web_config, read_only), .otherwise = "false",
      .help = "Nobody may write: no silence, no reload, whatever is no GET." },
    { "users", OPTION_TEXT_MAP(struct web_config, users), .check = check_users,
      OPTION_LINE(struct web_config, users_line),
      .help = "Rights of the users of the web configuration file: read or write; one that is not "
              "named here may read." },
    { 0 }
};
/* clang-format on */

/* The path of a URL or a prefix as typed: "" or "/a/b". */
static const char *normal_prefix(const char *text, struct arena *arena)
{
    const char *scheme = strstr(text, "://");
    const char *path = scheme ? strchr(scheme + 3, '/') : text;
    size_t length = path ? strlen(path) : 0;
    while (length && path[length - 1] == '/')
        length--;
    if (!length)
        return "";
    CLEANUP(buf_finish) struct buf prefix = { 0 };
    buf_text(&prefix, *path == '/' ? "" : "/");
    buf_append(&prefix, path, length);
    return arena_text(arena, prefix.data);
}

void web_config_complete(struct web_config *config, struct arena *arena)
{
    const char *prefix = config->route_prefix, *file = config->config_file;
    config->config_file = file && *file ? file : NULL;
    if (!prefix)
        prefix = config->external_url ? config->external_url : "";
    config->route_prefix = normal_prefix(prefix, arena);
}
