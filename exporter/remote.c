#include "exporter/remote.h"

#include <stdio.h>
#include <string.h>

#include "core/hash.h"
#include "core/json.h"
#include "exporter/commands.h"
#include "exporter/web/web_address.h"

enum { TIMEOUT_MS = 30000, ANSWER_BYTES_MAX = 256 * 1024 * 1024 };

#define UNIX "unix:"

/* A socket has no name of its own: any host will do. */
static void be_at_socket(struct remote *remote, const char *path)
{
    buf_text(&remote->socket, path);
    buf_text(&remote->url, "http://localhost");
}

/* Where the exporter of this configuration listens. */
static bool locate(struct remote *remote, const struct config *config, struct error *error)
{
    struct web_address at;
    const struct web_config *web = &config->web;
    if (!web->addresses.count || !web_address_parse(web->addresses.texts[0], &at, error))
        return false;
    bool any = !*at.host || !strcmp(at.host, "0.0.0.0") || !strcmp(at.host, "::");
    if (!*at.port)
        be_at_socket(remote, at.host);
    else
        buf_printf(&remote->url,
                   strchr(at.host, ':') && !any ? "http%s://[%s]:%s" : "http%s://%s:%s",
                   config->encrypted ? "s" : "", any ? "127.0.0.1" : at.host, at.port);
    buf_text(&remote->url, web->route_prefix);
    return true;
}

static bool find_address(struct remote *remote, const struct flags *flags, struct error *error)
{
    if (!flags->url) {
        struct config *config = commands_load(flags);
        bool ok = config ? locate(remote, config, error)
                         : error_set(error, ERROR_CONFIG, "say where the exporter is: --url");
        config_destroy(config);
        return ok;
    }
    size_t length = strlen(flags->url);
    if (!strncmp(flags->url, UNIX, strlen(UNIX)))
        be_at_socket(remote, flags->url + strlen(UNIX));
    else
        buf_append(&remote->url, flags->url, length - (length && flags->url[length - 1] == '/'));
    return true;
}

/* source: RFC 7617. */
static bool read_login(struct remote *remote, const struct flags *flags, struct error *error)
{
    struct secret password = { 0 };
    CLEANUP(buf_finish) struct buf plain = { 0 };
    CLEANUP(buf_finish) struct buf header = { 0 };
    if (!flags->user && !flags->password_file)
        return true;
    if (!flags->user || !flags->password_file)
        return error_set(error, ERROR_CONFIG, "--user and --password-file belong together");
    bool ok = secret_read(&password, flags->password_file, error);
    if (ok) {
        buf_printf(&plain, "%s:%s", flags->user, secret_text(&password));
        buf_text(&header, "Basic ");
        hash_base64(plain.data, plain.length, &header);
        secret_set(&remote->authorization, buf_cstr(&header));
        memset(plain.data, 0, plain.length);
        memset(header.data, 0, header.length);
    }
    secret_finish(&password);
    return ok;
}

bool remote_init(struct remote *remote, const struct flags *flags, struct error *error)
{
    *remote = (struct remote){ .ca_file = flags->ca_file,
                               .cert_file = flags->cert_file,
                               .key_file = flags->key_file };
    return find_address(remote, flags, error) && read_login(remote, flags, error);
}

void remote_finish(struct remote *remote)
{
    buf_finish(&remote->url);
    buf_finish(&remote->socket);
    secret_finish(&remote->authorization);
}

void remote_parameter(struct remote *remote, const char *name, const char *value)
{
    if (!value)
        return;
    buf_printf(&remote->url, "%c%s=", strchr(buf_cstr(&remote->url), '?') ? '&' : '?', name);
    http_escape(&remote->url, value);
}

bool remote_get(const struct remote *remote, int64_t timeout_ms, bool no_proxy,
                struct http_response *response, struct error *error)
{
    const struct http_header login = { "Authorization", secret_text(&remote->authorization) };
    const struct http_request request = {
        .method = "GET",
        .url = buf_cstr(&remote->url),
        .headers = &login,
        .header_count = login.value != NULL,
        .timeout_ms = timeout_ms,
        .no_proxy = no_proxy || remote->socket.length,
        .unix_socket = remote->socket.length ? buf_cstr(&remote->socket) : NULL,
        .ca_file = remote->ca_file,
        .client_cert_file = remote->cert_file,
        .client_key_file = remote->key_file,
        .response_limit_bytes = ANSWER_BYTES_MAX,
    };
    struct http_client *client = http_client_create();
    bool ok = http_exchange(client, &request, response, error);
    http_client_destroy(client);
    return ok;
}

/* What an answer other than 200 says. */
static bool refused(const struct http_response *response, struct error *error)
{
    struct error ignored;
    struct json *said = json_parse(buf_cstr(&response->body), response->body.length, &ignored);
    const char *text = json_text(json_get(said, "error"));
    if (!text)
        text = response->status == 401 ? "it wants a login: --user and --password-file"
                                       : "nothing that is understood";
    error_set(error, ERROR_REQUEST, "the exporter answers %d: %s", response->status, text);
    json_free(said);
    return false;
}

bool remote_ask(const struct remote *remote, struct buf *out, struct error *error)
{
    struct http_response response = { 0 };
    char lacking[1024];
    bool ok = remote_get(remote, TIMEOUT_MS, false, &response, error) &&
              (response.status == 200 || refused(&response, error));
    if (ok && http_header(&response, "X-Defender-Lacking", lacking, sizeof lacking))
        fprintf(stderr, "defender_exporter: not listed: %s\n", lacking);
    if (ok)
        buf_append(out, response.body.data, response.body.length);
    http_response_finish(&response);
    return ok;
}
