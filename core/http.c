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
#include "core/http_mail.h"
#include "core/inflate.h"
#include "core/memory.h"

enum {
    TIMEOUT_MS = 60000,
    CONNECT_TIMEOUT_MS = 5000,
    READ_BYTES = 256 << 10, /* fewer, larger reads: pages are about a megabyte */
    CA_CACHE_S = 60,        /* certificates to trust are read again after so long */
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
    char host[256], port[8];        /* of the URL */
    const char *proxy;              /* what it may use, "" = none ... */
    bool through_proxy;             /* ... and whether it does */
    bool cut;                       /* the answer is larger than wanted, which the request allows */
    bool begun, is_packed;          /* the body: has begun, is compressed */
    char refused[INET6_ADDRSTRLEN]; /* the address that policy forbids */
    char reason[CURL_ERROR_SIZE];
    int64_t timeout_ms, connect_timeout_ms;
};

/* --- process ------------------------------------------------------------------------------- */

static void global_init(void)
{
    signal(SIGPIPE, SIG_IGN); /* TLS writes to a socket the other side closed */
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        memory_abort("libcurl cannot begin");
}

struct http_client *http_client_create(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, global_init);
    struct http_client *client = MEMORY_NEW(struct http_client);
    client->easy = memory_checked(curl_easy_init());
    client->multi = memory_checked(curl_multi_init());
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

/* The library's own view of the URL, so that what is checked is what is used. True when it has a
 * host and the scheme, or that and an s. */
static bool url_read(const char *text, const char *scheme, struct url *url)
{
    CURLU *handle = memory_checked(curl_url());
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
    size_t length = strlen(scheme);
    return !strncmp(url->scheme, scheme, length) &&
           (!url->scheme[length] || !strcmp(url->scheme + length, "s"));
}

bool http_url_is_safe(const char *url)
{
    struct url parts;
    struct in_addr address;
    if (!url_read(url, "http", &parts) || parts.has_user)
        return false;
    if (!strcmp(parts.scheme, "https"))
        return true;
    return !strcmp(parts.host, "localhost") || !strcmp(parts.host, "[::1]") ||
           (inet_pton(AF_INET, parts.host, &address) && ntohl(address.s_addr) >> 24 == 127);
}

bool http_origin(const char *url, char out[300])
{
    struct url parts;
    if (!url_read(url, "http", &parts))
        return false;
    snprintf(out, 300, "%s://%s:%s", parts.scheme, parts.host, parts.port);
    return true;
}

/* --- answer -------------------------------------------------------------------------------- */

static bool is_packed(const struct exchange *exchange)
{
    char encoding[16];
    return !exchange->request->response_may_be_cut &&
           http_header(exchange->response, "Content-Encoding", encoding, sizeof encoding) &&
           (strcasestr(encoding, "gzip") || !strcasecmp(encoding, "deflate"));
}

static size_t receive_body(char *bytes, size_t size, size_t count, void *context)
{
    struct exchange *exchange = context;
    struct buf *body = &exchange->response->body, *packed = &exchange->response->packed;
    size_t room = body->limit_bytes - body->length;
    if (!exchange->begun)
        exchange->is_packed = is_packed(exchange);
    exchange->begun = true;
    exchange->cut = exchange->request->response_may_be_cut && size * count > room;
    buf_append(exchange->is_packed ? packed : body, bytes, exchange->cut ? room : size * count);
    body->overflowed |= packed->overflowed;
    return body->overflowed || exchange->cut ? 0 : count;
}

static size_t receive_header(char *bytes, size_t size, size_t count, void *context)
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
    now = http_sent_at(response, now);
    return at > now ? at - now : 0;
}

int64_t http_sent_at(const struct http_response *response, int64_t otherwise)
{
    char value[64];
    time_t at = http_header(response, "Date", value, sizeof value) ? curl_getdate(value, NULL) : 0;
    return at > 0 ? at : otherwise;
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
    { CURLE_WRITE_ERROR, ERROR_NETWORK, "the answer cannot be decompressed" },
    { CURLE_WEIRD_SERVER_REPLY, ERROR_NETWORK, "the answer is not HTTP" },
    { CURLE_UNSUPPORTED_PROTOCOL, ERROR_NETWORK, "the answer is not HTTP 1" },
    { CURLE_USE_SSL_FAILED, ERROR_NETWORK, "the relay offers no TLS" },
    { CURLE_SSL_CACERT_BADFILE, ERROR_IO, "the CA file cannot be read" },
    { CURLE_SSL_CERTPROBLEM, ERROR_IO, "the client certificate cannot be used" },
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

/* --- proxy --------------------------------------------------------------------------------- */

static int refuse_to_resolve(void *resolver, void *reserved, void *context)
{
    (void)resolver, (void)reserved, (void)context;
    return 1;
}

/* The library's own decision, with every form NO_PROXY knows. It is asked without a network: a
 * handle that may resolve nothing says whether it needed the host's address or the proxy's. */
static bool is_proxied(const char *url, const char *proxy)
{
    if (!*proxy)
        return false;
    CURL *easy = memory_checked(curl_easy_init());
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_PROXY, proxy);
    curl_easy_setopt(easy, CURLOPT_NOPROXY, http_no_proxy());
    curl_easy_setopt(easy, CURLOPT_RESOLVER_START_FUNCTION, refuse_to_resolve);
    bool is_direct = curl_easy_perform(easy) == CURLE_COULDNT_RESOLVE_HOST;
    curl_easy_cleanup(easy);
    return !is_direct;
}

/* --- exchange ------------------------------------------------------------------------------ */

static void list_finish(struct curl_slist **list)
{
    curl_slist_free_all(*list);
}

static bool set_headers(CURL *easy, const struct http_request *request, struct curl_slist **list,
                        struct error *error)
{
    CLEANUP(buf_finish) struct buf line = { 0 };
    /* no 100-continue: it costs a round trip */
    *list = memory_checked(curl_slist_append(NULL, "Expect:"));
    if (!request->response_may_be_cut) /* else it is short, and nothing can be broken */
        *list = memory_checked(curl_slist_append(*list, "Accept-Encoding: gzip"));
    for (size_t i = 0; i < request->header_count; i++) {
        const struct http_header *header = &request->headers[i];
        if (strpbrk(header->name, "\r\n:") || strpbrk(header->value, "\r\n"))
            return error_set(error, ERROR_CONFIG, "header %.40s holds a line break", header->name);
        buf_reset(&line);
        buf_text(&line, header->name);
        buf_text(&line, *header->value ? ": " : ";"); /* ";" is the library's empty value */
        buf_text(&line, header->value);
        *list = memory_checked(curl_slist_append(*list, buf_cstr(&line)));
    }
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
    curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, (long)CA_CACHE_S);
    if (ca_file && *ca_file)
        curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file);
    if (ca_folder && *ca_folder)
        curl_easy_setopt(easy, CURLOPT_CAPATH, ca_folder);
    if (request->client_cert_file) { /* read anew for each request: it may have been renewed */
        curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
        curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
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

static void set_route(CURL *easy, const struct exchange *exchange, const char *protocols)
{
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, protocols);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, exchange->request->unix_socket);
    curl_easy_setopt(easy, CURLOPT_PROXY, exchange->through_proxy ? exchange->proxy : "");
    curl_easy_setopt(easy, CURLOPT_NOPROXY, ""); /* it is decided; "" = no exemption */
    if (exchange->request->targets == HTTP_PUBLIC_TARGETS)
        curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L); /* an older one was not checked */
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
}

static void set_limits(CURL *easy, struct exchange *exchange)
{
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* a cancel does not wait for the resolver */
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)exchange->timeout_ms);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)exchange->connect_timeout_ms);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)READ_BYTES);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->reason);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, receive_header);
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

/* Fill exchange from the request; refuse what no request may be. */
static bool prepare(struct exchange *exchange, const char *scheme, struct error *error)
{
    const struct http_request *request = exchange->request;
    struct url url;
    if (!url_read(request->url, scheme, &url))
        return error_set(error, ERROR_CONFIG, "not an %s or %ss URL with a host", scheme, scheme);
    snprintf(exchange->host, sizeof exchange->host, "%s", url.host);
    snprintf(exchange->port, sizeof exchange->port, "%s", url.port);
    if (request->targets == HTTP_PUBLIC_TARGETS && !address_is_public_host(url.host))
        return error_set(error, ERROR_CONFIG, "%s is not a public address", url.host);
    exchange->proxy = http_proxy(request, url.scheme);
    exchange->through_proxy = is_proxied(request->url, exchange->proxy);
    exchange->timeout_ms = request->timeout_ms ? request->timeout_ms : TIMEOUT_MS;
    exchange->connect_timeout_ms =
        request->connect_timeout_ms ? request->connect_timeout_ms : CONNECT_TIMEOUT_MS;
    if (exchange->timeout_ms <= 0)
        return error_set(error, ERROR_TIMEOUT, "no time left to ask %s:%s", url.host, url.port);
    if (exchange->connect_timeout_ms > exchange->timeout_ms)
        exchange->connect_timeout_ms = exchange->timeout_ms;
    return true;
}

/* Drive the transfer to its end; *status is what the other side said last. */
static bool carry_out(struct http_client *client, struct exchange *exchange, CURLcode *result,
                      long *status, struct error *error)
{
    int64_t started_ms = clock_monotonic_ms();
    bool ended = perform(client, result);
    exchange->response->duration_ms = clock_monotonic_ms() - started_ms;
    curl_easy_getinfo(client->easy, CURLINFO_RESPONSE_CODE, status);
    return ended || error_set(error, ERROR_CANCELLED, "request to %s:%s cancelled", exchange->host,
                              exchange->port);
}

bool http_exchange(struct http_client *client, const struct http_request *request,
                   struct http_response *response, struct error *error)
{
    struct exchange exchange = { .request = request, .response = response };
    CLEANUP(list_finish) struct curl_slist *headers = NULL;
    CURLcode result;
    long status = 0;
    curl_easy_reset(client->easy);
    http_response_reset(response, request->response_limit_bytes);
    if (!prepare(&exchange, "http", error) || !set_headers(client->easy, request, &headers, error))
        return false;
    set_limits(client->easy, &exchange);
    set_route(client->easy, &exchange, "http,https");
    set_trust(client->easy, request);
    set_method(client->easy, request);
    curl_easy_setopt(client->easy, CURLOPT_URL, request->url);
    if (!carry_out(client, &exchange, &result, &status, error))
        return false;
    if (result == CURLE_OK &&
        !inflate_append(&response->body, response->packed.data, response->packed.length))
        result = CURLE_WRITE_ERROR;
    if (result != CURLE_OK && !exchange.cut)
        return explain(client->easy, &exchange, result, error);
    response->status = (int)status;
    return true;
}

/* --- mail ---------------------------------------------------------------------------------- */

static bool set_addresses(CURL *easy, const struct http_mail *mail, struct curl_slist **to,
                          struct error *error)
{
    for (size_t i = 0; i <= mail->to_count; i++) {
        const char *address = i < mail->to_count ? mail->to[i] : mail->from;
        if (!http_mail_is_address(address))
            return error_set(error, ERROR_CONFIG, "not a mail address: %.80s", address);
        struct curl_slist *longer = i < mail->to_count ? curl_slist_append(*to, address) : *to;
        if (!longer)
            return error_set(error, ERROR_CONFIG, "a mail without a recipient");
        *to = longer;
    }
    curl_easy_setopt(easy, CURLOPT_MAIL_FROM, mail->from);
    curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, *to);
    return true;
}

static void set_letter(CURL *easy, const struct http_mail *mail, struct http_mail_letter *letter)
{
    CLEANUP(buf_finish) struct buf url = { 0 };
    http_mail_url(mail->url, mail->hello, mail->from, &url);
    curl_easy_setopt(easy, CURLOPT_URL, buf_cstr(&url));
    curl_easy_setopt(easy, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
    curl_easy_setopt(easy, CURLOPT_USE_SSL,
                     (long)(mail->require_tls ? CURLUSESSL_ALL : CURLUSESSL_NONE));
    if (mail->user) {
        curl_easy_setopt(easy, CURLOPT_USERNAME, mail->user);
        curl_easy_setopt(easy, CURLOPT_PASSWORD, mail->password ? mail->password : "");
    }
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, http_mail_give);
    curl_easy_setopt(easy, CURLOPT_READDATA, letter);
    curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)mail->message_bytes);
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
}

bool http_mail(struct http_client *client, const struct http_mail *mail,
               struct http_response *response, struct error *error)
{
    const struct http_request request = {
        .url = mail->url,
        .timeout_ms = mail->timeout_ms,
        .targets = mail->targets,
        .no_proxy = true,
        .ca_file = mail->ca_file,
        .client_cert_file = mail->client_cert_file,
        .client_key_file = mail->client_key_file,
    };
    struct exchange exchange = { .request = &request, .response = response };
    struct http_mail_letter letter = { mail->message, mail->message_bytes };
    CLEANUP(list_finish) struct curl_slist *to = NULL;
    CURLcode result;
    long status = 0;
    curl_easy_reset(client->easy);
    http_response_reset(response, 0);
    if (!prepare(&exchange, "smtp", error) || !set_addresses(client->easy, mail, &to, error))
        return false;
    set_limits(client->easy, &exchange);
    set_route(client->easy, &exchange, "smtp,smtps");
    set_trust(client->easy, &request);
    set_letter(client->easy, mail, &letter);
    if (!carry_out(client, &exchange, &result, &status, error))
        return false;
    if (result != CURLE_OK && status < 400) /* not an answer to the mail itself */
        return explain(client->easy, &exchange, result, error);
    response->status = (int)status;
    http_mail_read(mail->to, mail->to_count, response);
    return true;
}
