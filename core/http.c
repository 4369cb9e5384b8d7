#include "core/http.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "core/address.h"
#include "core/clock.h"

enum {
    TIMEOUT_MS = 60000,
    CONNECT_TIMEOUT_MS = 5000,
    BODY_LIMIT_BYTES = 64 << 20,
    HEADERS_LIMIT_BYTES = 256 << 10,
    READ_BYTES = 256 << 10, /* fewer, larger reads: pages are about a megabyte */
};

/* One easy handle for the options, one multi handle for the connections and for being woken. */
struct http_client {
    CURL *easy;
    CURLM *multi;
    atomic_bool cancelled;
};

/* What the callbacks of one exchange share. */
struct exchange {
    const struct http_request *request;
    struct http_response *response;
    char host[256], port[8]; /* of the URL */
    bool through_proxy;
    char refused[INET6_ADDRSTRLEN]; /* the address that policy forbids */
    char reason[CURL_ERROR_SIZE];
    int64_t timeout_ms, connect_timeout_ms;
};

/* --- process ------------------------------------------------------------------------------- */

static void global_init(void)
{
    signal(SIGPIPE, SIG_IGN); /* TLS writes to a socket the other side closed */
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        abort();
}

struct http_client *http_client_create(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, global_init);
    struct http_client *client = calloc(1, sizeof *client);
    if (!client || !(client->easy = curl_easy_init()) || !(client->multi = curl_multi_init()))
        abort();
    return client;
}

void http_client_destroy(struct http_client *client)
{
    if (!client)
        return;
    curl_easy_cleanup(client->easy);
    curl_multi_cleanup(client->multi);
    free(client);
}

void http_client_cancel(struct http_client *client)
{
    atomic_store(&client->cancelled, true);
    curl_multi_wakeup(client->multi);
}

void http_client_resume(struct http_client *client)
{
    atomic_store(&client->cancelled, false);
}

bool http_client_wait(struct http_client *client, int64_t duration_ms)
{
    int64_t end_ms = clock_monotonic_ms() + duration_ms;
    for (int64_t left_ms = duration_ms; left_ms > 0; left_ms = end_ms - clock_monotonic_ms()) {
        if (atomic_load(&client->cancelled))
            return false;
        curl_multi_poll(client->multi, NULL, 0, left_ms > 60000 ? 60000 : (int)left_ms, NULL);
    }
    return !atomic_load(&client->cancelled);
}

/* --- URLs ---------------------------------------------------------------------------------- */

struct url {
    char scheme[8], host[256], port[8];
    bool has_user;
};

static bool url_part(CURLU *handle, CURLUPart part, unsigned flags, char *out, size_t out_bytes)
{
    char *text = NULL;
    bool ok = curl_url_get(handle, part, &text, flags) == CURLUE_OK && strlen(text) < out_bytes;
    if (ok)
        snprintf(out, out_bytes, "%s", text);
    curl_free(text);
    return ok;
}

static void lower(char *text)
{
    for (; *text; text++)
        if (*text >= 'A' && *text <= 'Z')
            *text |= 0x20;
}

/* The library's own view of the URL, so that what is checked is what is used. */
static bool url_read(const char *text, struct url *url)
{
    CURLU *handle = curl_url();
    if (!handle)
        abort();
    bool ok = curl_url_set(handle, CURLUPART_URL, text, 0) == CURLUE_OK &&
              url_part(handle, CURLUPART_SCHEME, 0, url->scheme, sizeof url->scheme) &&
              url_part(handle, CURLUPART_HOST, 0, url->host, sizeof url->host) &&
              url_part(handle, CURLUPART_PORT, CURLU_DEFAULT_PORT, url->port, sizeof url->port);
    char *user = NULL;
    url->has_user = curl_url_get(handle, CURLUPART_USER, &user, 0) == CURLUE_OK;
    curl_free(user);
    curl_url_cleanup(handle);
    if (!ok || !*url->host)
        return false;
    lower(url->scheme);
    lower(url->host);
    return !strcmp(url->scheme, "https") || !strcmp(url->scheme, "http");
}

bool http_url_is_safe(const char *url)
{
    struct url parts;
    struct in_addr address;
    if (!url_read(url, &parts) || parts.has_user)
        return false;
    if (!strcmp(parts.scheme, "https"))
        return true;
    return !strcmp(parts.host, "localhost") || !strcmp(parts.host, "[::1]") ||
           (inet_pton(AF_INET, parts.host, &address) && ntohl(address.s_addr) >> 24 == 127);
}

bool http_origin(const char *url, char out[300])
{
    struct url parts;
    if (!url_read(url, &parts))
        return false;
    snprintf(out, 300, "%s://%s:%s", parts.scheme, parts.host, parts.port);
    return true;
}

void http_escape(struct buf *out, const char *text)
{
    static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                     "0123456789-._~";
    for (; *text; text++) {
        if (strchr(unreserved, *text))
            buf_char(out, *text);
        else
            buf_printf(out, "%%%02X", (unsigned char)*text);
    }
}

/* --- proxies ------------------------------------------------------------------------------- */

static const char *environment(const char *name, const char *other_name)
{
    const char *value = getenv(name);
    if (!value || !*value)
        value = getenv(other_name);
    return value && *value ? value : NULL;
}

/* True when a name stands in NO_PROXY, itself or as a domain above it. */
static bool is_proxy_exempt(const char *host)
{
    const char *list = environment("no_proxy", "NO_PROXY");
    size_t host_length = strlen(host);
    while (list && *list) {
        list += strspn(list, ", \t");
        size_t length = strcspn(list, ", \t");
        const char *entry = list;
        list += length;
        if (length == 1 && *entry == '*')
            return true;
        while (length && *entry == '.') {
            entry++;
            length--;
        }
        if (length && length <= host_length &&
            !strncasecmp(host + host_length - length, entry, length) &&
            (length == host_length || host[host_length - length - 1] == '.'))
            return true;
    }
    return false;
}

/* Whether the library will use a proxy; it applies the same variables. HTTP_PROXY in capitals is
 * left out on purpose: a web server may have made it from a request header. */
static bool uses_proxy(const struct http_request *request, const struct url *url)
{
    if (request->no_proxy)
        return false;
    bool encrypted = !strcmp(url->scheme, "https");
    bool configured = request->proxy ? *request->proxy != 0
                      : encrypted    ? environment("https_proxy", "HTTPS_PROXY") != NULL
                                     : environment("http_proxy", "http_proxy") != NULL;
    if (!configured && !request->proxy)
        configured = environment("all_proxy", "ALL_PROXY") != NULL;
    return configured && !is_proxy_exempt(url->host);
}

/* --- answer -------------------------------------------------------------------------------- */

static size_t take_body(char *bytes, size_t size, size_t count, void *context)
{
    struct http_response *response = context;
    buf_append(&response->body, bytes, size * count);
    return response->body.overflowed ? 0 : count;
}

static size_t take_header(char *bytes, size_t size, size_t count, void *context)
{
    struct http_response *response = context;
    size_t length = size * count;
    while (length && (bytes[length - 1] == '\r' || bytes[length - 1] == '\n'))
        length--;
    if (length > 5 && !strncasecmp(bytes, "HTTP/", 5)) {
        buf_reset(&response->headers); /* an interim answer came before */
        return count;
    }
    buf_append(&response->headers, bytes, length);
    buf_char(&response->headers, '\n');
    return response->headers.overflowed ? 0 : count;
}

bool http_header(const struct http_response *response, const char *name, char *out,
                 size_t out_bytes)
{
    size_t name_length = strlen(name);
    const char *line = buf_cstr(&response->headers);
    while (*line) {
        size_t length = strcspn(line, "\n");
        if (length > name_length && line[name_length] == ':' &&
            !strncasecmp(line, name, name_length)) {
            const char *value = line + name_length + 1;
            size_t value_length = length - name_length - 1;
            while (value_length && (*value == ' ' || *value == '\t')) {
                value++;
                value_length--;
            }
            while (value_length &&
                   (value[value_length - 1] == ' ' || value[value_length - 1] == '\t'))
                value_length--;
            snprintf(out, out_bytes, "%.*s", (int)value_length, value);
            return true;
        }
        line += length + (line[length] == '\n');
    }
    return false;
}

int64_t http_retry_after_s(const struct http_response *response, int64_t now)
{
    char value[64], *end;
    if (!http_header(response, "Retry-After", value, sizeof value) || !*value)
        return 0;
    errno = 0;
    long long seconds = strtoll(value, &end, 10);
    if (!*end)
        return !errno && seconds > 0 ? seconds : 0;
    time_t at = curl_getdate(value, NULL); /* -1 when it is no date */
    return at > now ? at - now : 0;
}

void http_response_finish(struct http_response *response)
{
    buf_finish(&response->body);
    buf_finish(&response->headers);
}

/* --- errors -------------------------------------------------------------------------------- */

static bool connect_failed(const struct exchange *exchange, long number, struct error *error)
{
    const char *through = exchange->through_proxy ? " (through the proxy)" : "";
    if (*exchange->refused)
        return error_set(error, ERROR_CONFIG, "%s resolves to %s, which is not a public address",
                         exchange->host, exchange->refused);
    if (number == ECONNREFUSED)
        return error_set(error, ERROR_NETWORK, "connection refused by %s:%s%s", exchange->host,
                         exchange->port, through);
    return error_set(error, ERROR_NETWORK, "cannot connect to %s:%s%s: %s", exchange->host,
                     exchange->port, through, number ? strerror((int)number) : "no answer");
}

static bool timed_out(CURL *easy, const struct exchange *exchange, struct error *error)
{
    curl_off_t resolved = 0, connected = 0, started = 0;
    curl_easy_getinfo(easy, CURLINFO_NAMELOOKUP_TIME_T, &resolved);
    curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &connected);
    curl_easy_getinfo(easy, CURLINFO_STARTTRANSFER_TIME_T, &started);
    int64_t limit_ms = connected ? exchange->timeout_ms : exchange->connect_timeout_ms;
    char limit[48];
    clock_format_duration(limit_ms, limit);
    if (!connected && !resolved)
        return error_set(error, ERROR_TIMEOUT, "host %s not resolved within %s", exchange->host,
                         limit);
    if (!connected)
        return error_set(error, ERROR_TIMEOUT, "no connection to %s:%s within %s", exchange->host,
                         exchange->port, limit);
    if (exchange->response->body.length || started)
        return error_set(error, ERROR_TIMEOUT, "answer from %s:%s not finished within %s",
                         exchange->host, exchange->port, limit);
    return error_set(error, ERROR_TIMEOUT, "no answer from %s:%s within %s", exchange->host,
                     exchange->port, limit);
}

/* The reasons that need no more than a sentence. */
static const struct {
    CURLcode result;
    enum error_code code;
    const char *text;
} reasons[] = {
    { CURLE_COULDNT_RESOLVE_PROXY, ERROR_NETWORK, "cannot resolve the proxy's host" },
    { CURLE_PROXY, ERROR_NETWORK, "the proxy made no connection" },
    { CURLE_GOT_NOTHING, ERROR_NETWORK, "connection closed without an answer" },
    { CURLE_SEND_ERROR, ERROR_NETWORK, "connection broke while sending" },
    { CURLE_RECV_ERROR, ERROR_NETWORK, "connection broke while receiving" },
    { CURLE_PARTIAL_FILE, ERROR_NETWORK, "the answer ended early" },
    { CURLE_BAD_CONTENT_ENCODING, ERROR_NETWORK, "the answer cannot be decompressed" },
    { CURLE_WEIRD_SERVER_REPLY, ERROR_NETWORK, "the answer is not HTTP" },
    { CURLE_UNSUPPORTED_PROTOCOL, ERROR_NETWORK, "the answer is not HTTP 1" },
    { CURLE_SSL_CACERT_BADFILE, ERROR_CONFIG, "the CA file cannot be read" },
    { CURLE_SSL_CERTPROBLEM, ERROR_CONFIG, "the client certificate cannot be used" },
};

static bool explain(CURL *easy, const struct exchange *exchange, CURLcode result,
                    struct error *error)
{
    const struct http_response *response = exchange->response;
    long number = 0, proxy_status = 0;
    curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &number);
    curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
    char peer[272];
    snprintf(peer, sizeof peer, "%s:%s", exchange->host, exchange->port);
    if (response->body.overflowed || response->headers.overflowed)
        return error_set(error, ERROR_LIMIT, "the answer from %s is larger than %zu bytes", peer,
                         response->body.overflowed ? response->body.limit_bytes
                                                   : response->headers.limit_bytes);
    if (proxy_status >= 300)
        return error_set(error, ERROR_NETWORK, "the proxy refused to connect to %s: status %ld",
                         peer, proxy_status);
    if (result == CURLE_COULDNT_RESOLVE_HOST)
        return error_set(error, ERROR_NETWORK, "cannot resolve host %s", exchange->host);
    if (result == CURLE_COULDNT_CONNECT)
        return connect_failed(exchange, number, error);
    if (result == CURLE_OPERATION_TIMEDOUT)
        return timed_out(easy, exchange, error);
    if (result == CURLE_PEER_FAILED_VERIFICATION)
        return error_set(error, ERROR_NETWORK, "certificate of %s not trusted: %s", exchange->host,
                         exchange->reason);
    if (result == CURLE_SSL_CONNECT_ERROR)
        return error_set(error, ERROR_NETWORK, "no TLS connection to %s: %s", peer,
                         exchange->reason);
    for (size_t i = 0; i < ARRAY_COUNT(reasons); i++)
        if (reasons[i].result == result)
            return error_set(error, reasons[i].code, "%s: %s", peer, reasons[i].text);
    return error_set(error, ERROR_NETWORK, "request to %s failed: %s", peer,
                     curl_easy_strerror(result));
}

/* --- exchange ------------------------------------------------------------------------------ */

static void headers_finish(struct curl_slist **headers)
{
    curl_slist_free_all(*headers);
}

static bool set_headers(CURL *easy, const struct http_request *request, struct curl_slist **list,
                        struct error *error)
{
    CLEANUP(buf_finish) struct buf line = { 0 };
    *list = curl_slist_append(NULL, "Expect:"); /* no 100-continue: it costs a round trip */
    for (size_t i = 0; *list && i < request->header_count; i++) {
        const struct http_header *header = &request->headers[i];
        if (strpbrk(header->name, "\r\n:") || strpbrk(header->value, "\r\n"))
            return error_set(error, ERROR_CONFIG, "header %.40s holds a line break", header->name);
        buf_reset(&line);
        buf_text(&line, header->name);
        buf_text(&line, *header->value ? ": " : ";"); /* ";" is the library's empty value */
        buf_text(&line, header->value);
        struct curl_slist *longer = curl_slist_append(*list, buf_cstr(&line));
        if (!longer)
            abort();
        *list = longer;
    }
    if (!*list)
        abort();
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, *list);
    return true;
}

static void set_method(CURL *easy, const struct http_request *request)
{
    bool is_post = !strcmp(request->method, "POST");
    if (request->body || is_post) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_bytes);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body ? request->body : "");
    }
    if (!strcmp(request->method, "HEAD"))
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    else if (!is_post && (request->body || strcmp(request->method, "GET") != 0))
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
}

static void set_trust(CURL *easy, const struct http_request *request)
{
    const char *ca_file = request->ca_file ? request->ca_file : getenv("SSL_CERT_FILE");
    const char *ca_folder = request->ca_file ? NULL : getenv("SSL_CERT_DIR");
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (ca_file && *ca_file)
        curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file);
    if (ca_folder && *ca_folder)
        curl_easy_setopt(easy, CURLOPT_CAPATH, ca_folder);
    if (request->client_cert_file) {
        curl_easy_setopt(easy, CURLOPT_SSLCERT, request->client_cert_file);
        curl_easy_setopt(easy, CURLOPT_SSLKEY,
                         request->client_key_file ? request->client_key_file
                                                  : request->client_cert_file);
    }
}

static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *to)
{
    struct exchange *exchange = context;
    (void)purpose;
    if (exchange->request->targets == HTTP_PUBLIC_TARGETS && !exchange->through_proxy &&
        !address_is_public(&to->addr, exchange->refused))
        return CURL_SOCKET_BAD;
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

static void set_route(CURL *easy, const struct http_request *request)
{
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    if (request->no_proxy)
        curl_easy_setopt(easy, CURLOPT_PROXY, "");
    else if (request->proxy)
        curl_easy_setopt(easy, CURLOPT_PROXY, request->proxy);
    if (request->targets == HTTP_PUBLIC_TARGETS)
        curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L); /* an older one was not checked */
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
}

static void set_limits(CURL *easy, struct exchange *exchange)
{
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* a cancel does not wait for the resolver */
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)exchange->timeout_ms);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)exchange->connect_timeout_ms);
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)READ_BYTES);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->reason);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange->response);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange->response);
}

/* Drive the transfer to its end. False when it was cancelled. */
static bool perform(struct http_client *client, CURLcode *result)
{
    int running = 1, left;
    curl_multi_add_handle(client->multi, client->easy);
    while (running && !atomic_load(&client->cancelled)) {
        if (curl_multi_perform(client->multi, &running) != CURLM_OK)
            break;
        if (running)
            curl_multi_poll(client->multi, NULL, 0, 1000, NULL);
    }
    *result = CURLE_FAILED_INIT;
    for (CURLMsg *message; (message = curl_multi_info_read(client->multi, &left));)
        if (message->msg == CURLMSG_DONE)
            *result = message->data.result;
    curl_multi_remove_handle(client->multi, client->easy);
    return !running || !atomic_load(&client->cancelled);
}

static void reset(struct http_response *response, size_t limit_bytes)
{
    buf_reset(&response->body);
    buf_reset(&response->headers);
    response->status = 0;
    response->body.limit_bytes = limit_bytes ? limit_bytes : BODY_LIMIT_BYTES;
    response->headers.limit_bytes = HEADERS_LIMIT_BYTES;
}

/* Fill exchange from the request; refuse what no request may be. */
static bool prepare(struct exchange *exchange, struct error *error)
{
    const struct http_request *request = exchange->request;
    struct url url;
    if (!url_read(request->url, &url))
        return error_set(error, ERROR_CONFIG, "not an http or https URL with a host");
    snprintf(exchange->host, sizeof exchange->host, "%s", url.host);
    snprintf(exchange->port, sizeof exchange->port, "%s", url.port);
    if (request->targets == HTTP_PUBLIC_TARGETS && !address_is_public_host(url.host))
        return error_set(error, ERROR_CONFIG, "%s is not a public address", url.host);
    exchange->through_proxy = uses_proxy(request, &url);
    exchange->timeout_ms = request->timeout_ms ? request->timeout_ms : TIMEOUT_MS;
    exchange->connect_timeout_ms =
        request->connect_timeout_ms ? request->connect_timeout_ms : CONNECT_TIMEOUT_MS;
    if (exchange->timeout_ms <= 0)
        return error_set(error, ERROR_TIMEOUT, "no time left to ask %s:%s", url.host, url.port);
    if (exchange->connect_timeout_ms > exchange->timeout_ms)
        exchange->connect_timeout_ms = exchange->timeout_ms;
    return true;
}

bool http_exchange(struct http_client *client, const struct http_request *request,
                   struct http_response *response, struct error *error)
{
    struct exchange exchange = { .request = request, .response = response };
    CLEANUP(headers_finish) struct curl_slist *headers = NULL;
    CURLcode result;
    long status = 0;
    int64_t started_ms = clock_monotonic_ms();
    curl_easy_reset(client->easy);
    reset(response, request->response_limit_bytes);
    if (!prepare(&exchange, error) || !set_headers(client->easy, request, &headers, error))
        return false;
    set_limits(client->easy, &exchange);
    set_route(client->easy, request);
    set_trust(client->easy, request);
    set_method(client->easy, request);
    curl_easy_setopt(client->easy, CURLOPT_URL, request->url);
    bool ended = perform(client, &result);
    response->duration_ms = clock_monotonic_ms() - started_ms;
    curl_easy_getinfo(client->easy, CURLINFO_RESPONSE_CODE, &status);
    response->status = result == CURLE_OK ? (int)status : 0;
    if (!ended)
        return error_set(error, ERROR_CANCELLED, "request to %s:%s cancelled", exchange.host,
                         exchange.port);
    if (result != CURLE_OK)
        return explain(client->easy, &exchange, result, error);
    return true;
}
