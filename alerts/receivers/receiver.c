#include "alerts/receivers/receiver.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/address.h"
#include "core/hash.h"
#include "version.h"

enum { CONNECT_MS = 5000, TIMEOUT_MS = 15000, ANSWER_BYTES = 64 * 1024 };

/* source: Alertmanager notify/util.go. */
const char *const receiver_reason_words[] = {
    "clientError",     "serverError",
    "authError",       "rateLimited",
    "contextCanceled", "contextDeadlineExceeded",
    "other",           NULL,
};

/* clang-format off */
const struct option receiver_http_options[] = {
    { "allow_private", OPTION_BOOL(struct receiver_http, allow_private),
      .otherwise = "false",
      .help = "Allow a target with a loopback, private or link-local address." },
    { "proxy", OPTION_TEXT(struct receiver_http, proxy),
      .help = "Proxy URL, instead of HTTPS_PROXY; hosts in NO_PROXY are asked directly." },
    { "ca_file", OPTION_PATH(struct receiver_http, ca_file),
      .help = "Certificates to trust, PEM." },
    { "client_cert_file", OPTION_PATH(struct receiver_http, client_cert_file),
      .help = "Client certificate, PEM." },
    { "client_key_file", OPTION_PATH(struct receiver_http, client_key_file),
      .help = "Its key, PEM." },
    { "headers", OPTION_TEXT_MAP(struct receiver_http, headers),
      .help = "Further headers." },
    { "bearer_token", OPTION_SECRET(struct receiver_http, bearer_token),
      .help = "Token for Authorization: Bearer." },
    { "basic_user", OPTION_TEXT(struct receiver_http, basic_user),
      .help = "User for basic authorisation." },
    { "basic_password", OPTION_SECRET(struct receiver_http, basic_password),
      .help = "Its password." },
    { 0 }
};
/* clang-format on */

void receiver_request_finish(struct receiver_request *request)
{
    buf_finish(&request->url);
    buf_finish(&request->body);
    arena_finish(&request->arena);
    *request = (struct receiver_request){ 0 };
}

void receiver_header(struct receiver_request *request, const char *name, const char *value)
{
    if (request->http.header_count == RECEIVER_HEADERS_MAX)
        return;
    request->headers[request->http.header_count++] =
        (struct http_header){ arena_text(&request->arena, name),
                              arena_text(&request->arena, value) };
}

static void authorise(struct receiver_request *request, const struct receiver_http *http)
{
    CLEANUP(buf_finish) struct buf value = { 0 };
    CLEANUP(buf_finish) struct buf pair = { 0 };
    if (secret_text(&http->bearer_token)) {
        buf_printf(&value, "Bearer %s", secret_text(&http->bearer_token));
    } else if (http->basic_user) {
        const char *password = secret_text(&http->basic_password);
        buf_printf(&pair, "%s:%s", http->basic_user, password ? password : "");
        buf_text(&value, "Basic ");
        hash_base64(pair.data, pair.length, &value);
    }
    if (value.length)
        receiver_header(request, "Authorization", buf_cstr(&value));
}

void receiver_prepare(struct receiver_request *request, const struct receiver_http *http,
                      const char *url, const char *content_type)
{
    buf_reset(&request->url);
    buf_reset(&request->body);
    arena_reset(&request->arena);
    buf_text(&request->url, url);
    request->is_mail = false;
    request->truncated = false;
    request->http = (struct http_request){
        .method = "POST",
        .timeout_ms = TIMEOUT_MS,
        .connect_timeout_ms = CONNECT_MS,
        .response_limit_bytes = ANSWER_BYTES,
        .response_may_be_cut = true,
        .targets = http->allow_private ? HTTP_ANY_TARGET : HTTP_PUBLIC_TARGETS,
        .proxy = http->proxy,
        .ca_file = http->ca_file,
        .client_cert_file = http->client_cert_file,
        .client_key_file = http->client_key_file,
    };
    receiver_header(request, "Content-Type", content_type);
    receiver_header(request, "User-Agent", "defender_exporter/" VERSION);
    authorise(request, http);
    for (size_t i = 0; i < http->headers.count; i++)
        receiver_header(request, http->headers.pairs[i].name, http->headers.pairs[i].value);
}

bool receiver_seal(struct receiver_request *request)
{
    request->http.url = buf_cstr(&request->url);
    request->http.headers = request->headers;
    request->http.body = buf_cstr(&request->body);
    request->http.body_bytes = request->body.length;
    return true;
}

bool receiver_fit(const void *config, const struct receiver_context *context,
                  struct notification *notification, receiver_write *write,
                  size_t (*measure)(const struct buf *body), size_t limit,
                  struct receiver_request *request, struct error *error)
{
    for (;;) {
        buf_reset(&request->body);
        write(config, context, notification, &request->body);
        size_t size = measure ? measure(&request->body) : request->body.length;
        request->truncated = notification->truncated;
        if (size <= limit)
            return true;
        if (!notification_shrink(notification, &request->arena))
            return error_set(error, ERROR_LIMIT, "a message of %zu, at most %zu fit", size, limit);
    }
}

/* --- configuration ---------------------------------------------------------------------------- */
void receiver_check(const struct receiver_http *http, const char *file, int line,
                    struct option_report *report)
{
    static const char *const reserved[] = { "content-type", "content-length",      "host",
                                            "user-agent",   "transfer-encoding",   "connection",
                                            "webhook-",     "x-hub-signature-256", "ce-" };
    bool authorised = secret_text(&http->bearer_token) || http->basic_user;
    for (size_t i = 0; i < http->headers.count; i++) {
        const struct option_pair *pair = &http->headers.pairs[i];
        bool taken = authorised && !strcasecmp(pair->name, "authorization");
        for (size_t j = 0; j < ARRAY_COUNT(reserved); j++) {
            size_t length = strlen(reserved[j]);
            bool is_prefix = reserved[j][length - 1] == '-';
            taken |=
                !strncasecmp(pair->name, reserved[j], length) && (is_prefix || !pair->name[length]);
        }
        if (taken)
            options_complain(report, file, pair->line, "headers", "%s is set by the program",
                             pair->name);
        if (strpbrk(pair->name, " \t\r\n:") || strpbrk(pair->value, "\r\n"))
            options_complain(report, file, pair->line, "headers", "not a header: %s", pair->name);
    }
    if (http->headers.count > RECEIVER_HEADERS_MAX / 2)
        options_complain(report, file, line, "headers", "more than %d", RECEIVER_HEADERS_MAX / 2);
    if (http->client_key_file && !http->client_cert_file)
        options_complain(report, file, line, "client_key_file", "needs client_cert_file");
    if (secret_text(&http->bearer_token) && http->basic_user)
        options_complain(report, file, line, "bearer_token", "excludes basic_user");
    if (secret_text(&http->basic_password) && !http->basic_user)
        options_complain(report, file, line, "basic_password", "needs basic_user");
}

bool receiver_is_public(const char *url)
{
    char origin[300], host[300];
    if (!http_origin(url, origin))
        return true;
    snprintf(host, sizeof host, "%s", strstr(origin, "://") + 3);
    *strrchr(host, ':') = 0; /* there always is a port */
    return address_is_public_host(host);
}

void receiver_check_url(const struct receiver_http *http, const char *key, const char *url,
                        const char *file, int line, struct option_report *report)
{
    char origin[300];
    if (!url)
        return; /* a missing one is in the report already */
    if (!http_origin(url, origin))
        options_complain(report, file, line, key, "not an http or https URL with a host");
    else if (!http->allow_private && !receiver_is_public(url))
        options_complain(report, file, line, key,
                         "its host is " RECEIVER_NOT_PUBLIC " http.allow_private: true");
}

/* --- verdicts --------------------------------------------------------------------------------- */
static struct receiver_verdict no_answer(const struct error *error)
{
    struct receiver_verdict verdict = { RECEIVER_RETRY, RECEIVER_OTHER, "no answer" };
    if (error->code == ERROR_CONFIG)
        verdict = (struct receiver_verdict){ RECEIVER_REFUSED, RECEIVER_OTHER, "not sent" };
    if (error->code == ERROR_TIMEOUT)
        verdict.reason = RECEIVER_DEADLINE;
    if (error->code == ERROR_CANCELLED)
        verdict.reason = RECEIVER_CANCELED;
    return verdict;
}

/* What a status that is not success means, whatever follows from it. */
static const struct {
    int from, to;
    enum receiver_reason reason;
    const char *text;
} meanings[] = {
    { 300, 399, RECEIVER_CLIENT_ERROR, "redirects are not followed" },
    { 401, 401, RECEIVER_AUTH_ERROR, "credentials refused" },
    { 403, 403, RECEIVER_AUTH_ERROR, "not allowed" },
    { 407, 407, RECEIVER_AUTH_ERROR, "the proxy wants credentials" },
    { 404, 404, RECEIVER_CLIENT_ERROR, "no such address" },
    { 410, 410, RECEIVER_CLIENT_ERROR, "gone for good" },
    { 413, 413, RECEIVER_CLIENT_ERROR, "too large" },
    { 415, 415, RECEIVER_CLIENT_ERROR, "content type refused" },
    { 429, 429, RECEIVER_RATE_LIMITED, "too many requests" },
    { 400, 499, RECEIVER_CLIENT_ERROR, "request refused" },
    { 500, 599, RECEIVER_SERVER_ERROR, "the receiver has an error" },
    { 0, 999, RECEIVER_OTHER, "not a status" },
};

static bool is_tried_again(int status)
{
    static const short statuses[] = { 401, 403, 407, 408, 425, 429 };
    for (size_t i = 0; i < ARRAY_COUNT(statuses); i++)
        if (statuses[i] == status)
            return true;
    return status / 100 == 5;
}

struct receiver_verdict receiver_judge(const struct receiver_answers *answers,
                                       const struct http_response *response,
                                       const struct error *error)
{
    int status = response->status;
    if (!status)
        return no_answer(error);
    if (status / 100 == 2 && answers->reads_body)
        return receiver_body_verdict(&response->body);
    if (status / 100 == 2)
        return (struct receiver_verdict){ RECEIVER_SENT, RECEIVER_OTHER, "" };
    struct receiver_verdict verdict = { RECEIVER_REFUSED, RECEIVER_OTHER, "" };
    if (is_tried_again(status) || status == answers->retry)
        verdict.outcome = RECEIVER_RETRY;
    if (status == 410 && answers->gone_disables)
        verdict.outcome = RECEIVER_DISABLED;
    size_t row = 0;
    while (row + 1 < ARRAY_COUNT(meanings) &&
           (status < meanings[row].from || status > meanings[row].to))
        row++;
    verdict.reason = meanings[row].reason;
    verdict.text = meanings[row].text;
    return verdict;
}

struct receiver_verdict receiver_classify(const struct http_response *response,
                                          const struct error *error)
{
    static const struct receiver_answers answers = { .gone_disables = true };
    return receiver_judge(&answers, response, error);
}
