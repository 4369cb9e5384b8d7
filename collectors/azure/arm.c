#include "collectors/azure/arm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "collectors/azure/claims.h"
#include "collectors/azure/meter.h"
#include "core/bounds.h"
#include "core/clock.h"
#include "core/hash.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/utf8.h"
#include "version.h"

enum {
    TRIES_MAX = 5,
    BACKOFF_BASE_S = 1,
    BACKOFF_CAP_S = 60,
    BACKOFF_JITTER_PERCENT = 20,
    REQUEST_TIMEOUT_MS = 60000, /* ARM's own gateway gives up earlier */
    CONNECT_TIMEOUT_MS = 10000,
    WAIT_STEP_MS = 50,      /* how soon a cancelled session is noticed */
    ERROR_TEXT_BYTES = 420, /* leaves room for status, request id and context */
    PLAIN_MAX_BYTES = 4096, /* read of an answer that is not JSON */
    FAULT_DEPTH_MAX = 3,
    FAULT_DETAILS_MAX = 4,
    CHALLENGE_BYTES = 12 << 10, /* of a WWW-Authenticate header */
};

/* Where an API is. */
struct host {
    char *url;
    char origin[300]; /* "" when no token may be sent there */
    struct auth *auth;
};

struct arm {
    struct host hosts[AUTH_RESOURCE_COUNT];
    struct meter meter;
    struct pacer *pacers[ARM_API_COUNT];
    bool gives_up_early;
    atomic_bool answered;
};

/* The headers with the quota; the lowest number counts.
 * source: Microsoft Learn, Request limits and throttling. */
static const struct {
    const char *name, *label;
    enum pacer_kind pacer;
    enum auth_resource resource;
    const char *remaining[5];
} apis[ARM_API_COUNT] = {
    [ARM_GRAPH] = { "resource graph",
                    METER_GRAPH,
                    PACER_WINDOW,
                    AUTH_RESOURCE_MANAGER,
                    { "x-ms-user-quota-remaining" } },
    [ARM_LIST] = { "resource manager",
                   METER_LIST,
                   PACER_BUCKET,
                   AUTH_RESOURCE_MANAGER,
                   { "x-ms-ratelimit-remaining-subscription-reads",
                     "x-ms-ratelimit-remaining-subscription-resource-requests",
                     "x-ms-ratelimit-remaining-tenant-reads" } },
    [ARM_HUNTING] = { "advanced hunting",
                      METER_HUNTING,
                      PACER_BUCKET,
                      AUTH_MICROSOFT_GRAPH,
                      { 0 } },
    [ARM_DEFENDER] = { "defender api", METER_DEFENDER, PACER_BUCKET, AUTH_DEFENDER_API, { 0 } },
};

/* What a host is called, and the key that sets it. */
static const struct {
    const char *name, *key;
} host_words[AUTH_RESOURCE_COUNT] = {
    [AUTH_RESOURCE_MANAGER] = { "resource manager", "azure.resource_manager" },
    [AUTH_MICROSOFT_GRAPH] = { "Microsoft Graph", "azure.microsoft_graph" },
    [AUTH_DEFENDER_API] = { "Defender API", "azure.endpoint_api" },
};

const struct family *const arm_families[] = {
    &meter_requests.family,
    &meter_durations.family,
    &meter_throttled.family,
    &meter_quota.family,
    &meter_backoff.family,
    &meter_token_expiry.family,
    NULL,
};

static void host_init(struct host *host, const char *url, struct auth *auth)
{
    *host = (struct host){ .url = memory_copy(url ? url : ""), .auth = auth };
    if (!http_url_is_safe(host->url) || !http_origin(host->url, host->origin))
        *host->origin = 0;
}

struct arm *arm_create(const struct arm_config *config, struct auth *auth,
                       struct metric_store *metrics)
{
    struct arm *arm = MEMORY_NEW(struct arm);
    host_init(&arm->hosts[AUTH_RESOURCE_MANAGER], config->resource_manager, auth);
    host_init(&arm->hosts[AUTH_MICROSOFT_GRAPH], config->microsoft_graph.url,
              config->microsoft_graph.auth);
    host_init(&arm->hosts[AUTH_DEFENDER_API], config->endpoint_api.url, config->endpoint_api.auth);
    arm->gives_up_early = config->gives_up_early;
    arm->meter = (struct meter){ metrics, auth ? auth_tenant_id(auth) : "" };
    for (int api = 0; api < ARM_API_COUNT; api++) {
        arm->pacers[api] = pacer_create(apis[api].pacer);
        if (*arm->hosts[apis[api].resource].url)
            meter_declare(&arm->meter, apis[api].label);
    }
    return arm;
}

void arm_destroy(struct arm *arm)
{
    if (!arm)
        return;
    for (int api = 0; api < ARM_API_COUNT; api++)
        pacer_destroy(arm->pacers[api]);
    for (int resource = 0; resource < AUTH_RESOURCE_COUNT; resource++)
        free(arm->hosts[resource].url);
    free(arm);
}

bool arm_has_answered(const struct arm *arm)
{
    return atomic_load(&arm->answered);
}

/* --- waiting ------------------------------------------------------------------------------- */

static bool is_cancelled(const struct arm_session *session)
{
    return session->cancelled && atomic_load(session->cancelled);
}

/* Sleep in steps; ERROR_CANCELLED when the session or its client is told to stop. */
static bool wait_ms(struct arm_session *session, enum arm_api api, int64_t duration_ms,
                    struct error *error)
{
    int64_t began_ms = clock_monotonic_ms(), end_ms = began_ms + duration_ms;
    bool goes_on = !is_cancelled(session);
    for (int64_t now_ms = began_ms; goes_on && now_ms < end_ms; now_ms = clock_monotonic_ms()) {
        int64_t left_ms = end_ms - now_ms;
        goes_on =
            http_client_wait(session->client, left_ms < WAIT_STEP_MS ? left_ms : WAIT_STEP_MS) &&
            !is_cancelled(session);
    }
    meter_waited(&session->arm->meter, apis[api].label, clock_monotonic_ms() - began_ms);
    return goes_on ||
           error_set(error, ERROR_CANCELLED, "cancelled while waiting for %s", apis[api].name);
}

/* Wait until the quota allows a request. */
static bool wait_for_quota(struct arm_session *session, enum arm_api api, struct error *error)
{
    struct pacer *pacer = session->arm->pacers[api];
    for (;;) {
        if (is_cancelled(session))
            return error_set(error, ERROR_CANCELLED, "cancelled");
        int64_t now_ms = clock_monotonic_ms();
        int64_t delay_ms = pacer_ask_within(pacer, session->rank,
                                            api == ARM_GRAPH ? session->budget : NULL, now_ms);
        if (!delay_ms)
            return true;
        if (now_ms + delay_ms > session->deadline_ms)
            return error_set(error, ERROR_THROTTLED,
                             "no time left to wait for the quota of %s (%lld more seconds)",
                             apis[api].name, (long long)(delay_ms + 999) / 1000);
        if (!wait_ms(session, api, delay_ms, error))
            return false;
    }
}

void arm_expect(const struct arm_session *session, enum arm_api api, int64_t requests)
{
    if (session->rank == PACER_SWEEP)
        pacer_expect(session->arm->pacers[api], requests, clock_monotonic_ms());
}

/* Wait before another try, unless the deadline comes first: then *error says so. After 429 from
 * the API itself (paced) its pacer makes everybody wait, this call too. */
static bool wait_to_retry(struct arm_session *session, enum arm_api api, int tries, bool paced,
                          struct error *error)
{
    int64_t delay_ms = error->retry_after_s * 1000;
    if (!delay_ms && !paced)
        delay_ms = clock_jitter(clock_backoff_s(tries, BACKOFF_BASE_S, BACKOFF_CAP_S) * 1000,
                                BACKOFF_JITTER_PERCENT);
    int64_t now_ms = clock_monotonic_ms();
    if (now_ms >= session->deadline_ms)
        return false;
    if (now_ms + delay_ms >= session->deadline_ms)
        return error_wrap(error, "no time left to wait %lld s and try again",
                          (long long)(delay_ms + 999) / 1000);
    return paced || wait_ms(session, api, delay_ms, error);
}

/* --- one request --------------------------------------------------------------------------- */

/* The address to call, encoded, then checked: an absolute one must be of the configured origin. */
static bool full_url(const struct arm *arm, const struct arm_call *call, struct buf *out,
                     struct error *error)
{
    enum auth_resource resource = apis[call->api].resource;
    const struct host *host = &arm->hosts[resource];
    CLEANUP(buf_finish) struct buf encoded = { 0 };
    char origin[300];
    http_encode_url(&encoded, call->url);
    const char *url = buf_cstr(&encoded);
    if (!*host->url)
        return error_set(error, ERROR_CONFIG, "this cloud's %s is not known: set %s",
                         host_words[resource].name, host_words[resource].key);
    if (!*host->origin)
        return error_set(error, ERROR_CONFIG, "the %s URL must be https (http only for loopback)",
                         host_words[resource].name);
    if (*url == '/') {
        buf_text(out, host->url);
    } else if (!http_origin(url, origin) || strcmp(origin, host->origin) != 0 ||
               !http_url_is_safe(url)) {
        return error_set(error, ERROR_INCOMPLETE, "the next link leaves %s for %s", host->origin,
                         http_origin(url, origin) ? origin : "something that is no URL");
    }
    buf_text(out, url);
    return true;
}

/* The requests left by a header; -1 when it is absent or no such number. */
static int64_t header_quota(const struct http_response *response, const char *name)
{
    char text[32], *end;
    if (!http_header(response, name, text, sizeof text) || !*text)
        return -1;
    long long number = strtoll(text, &end, 10);
    return *end || number < 0 ? -1 : bounds_integer(BOUND_QUOTA, number);
}

static int64_t retry_after_s(const struct http_response *response)
{
    return bounds_integer(BOUND_RETRY_AFTER_S, http_retry_after_s(response, clock_now_s()));
}

/* Pass an answer on to pacer and metrics. */
static void count_answer(struct arm *arm, enum arm_api api, int64_t sent_ms,
                         const struct http_response *response)
{
    char text[32];
    struct pacer_answer answer = {
        .status = response->status,
        .sent_ms = sent_ms,
        .remaining = -1,
        .resets_after_s = -1,
    };
    if (response->status) {
        atomic_store(&arm->answered, true);
        for (const char *const *name = apis[api].remaining; *name; name++) {
            int64_t number = header_quota(response, *name);
            if (number >= 0 && (answer.remaining < 0 || number < answer.remaining))
                answer.remaining = number;
        }
        if (http_header(response, "x-ms-user-quota-resets-after", text, sizeof text))
            answer.resets_after_s = pacer_parse_resets_after(text);
        answer.retry_after_s = retry_after_s(response);
    }
    pacer_answer(arm->pacers[api], clock_monotonic_ms(), &answer);
    meter_request(&arm->meter, apis[api].label, response->status, response->duration_ms);
    if (answer.remaining >= 0)
        metric_put(arm->meter.metrics, &meter_quota, (double)answer.remaining,
                   METRIC_LABELS(apis[api].label, arm->meter.tenant_id));
}

static bool send_request(struct arm_session *session, const struct arm_call *call, const char *url,
                         const char *authorization, struct http_response *response,
                         struct error *error)
{
    char request_id[37];
    const struct http_header headers[] = {
        { "Authorization", authorization },
        { "Accept", "application/json" },
        { "User-Agent", "defender_exporter/" VERSION },
        { "x-ms-client-request-id", hash_uuid(request_id) },
        { "Content-Type", "application/json" }, /* the last: only with a body */
    };
    int64_t sent_ms = clock_monotonic_ms();
    int64_t left_ms = session->deadline_ms - sent_ms;
    const struct http_request request = {
        .method = call->method,
        .url = url,
        .headers = headers,
        .header_count = ARRAY_COUNT(headers) - !call->body,
        .body = call->body,
        .body_bytes = call->body ? strlen(call->body) : 0,
        .timeout_ms = left_ms > REQUEST_TIMEOUT_MS ? REQUEST_TIMEOUT_MS
                      : left_ms > 0                ? left_ms
                                                   : -1,
        .connect_timeout_ms = CONNECT_TIMEOUT_MS,
        .response_limit_bytes = call->response_limit_bytes,
    };
    bool answered = http_exchange(session->client, &request, response, error);
    count_answer(session->arm, call->api, sent_ms, response);
    return answered;
}

/* Put Azure's id of the request behind the message: support asks for it. */
static void add_request_id(struct error *error, const struct http_response *response)
{
    char id[64];
    if (!http_header(response, "x-ms-request-id", id, sizeof id) &&
        !http_header(response, "x-ms-correlation-request-id", id, sizeof id) &&
        !http_header(response, "request-id", id, sizeof id)) /* Microsoft Graph's */
        return;
    size_t length = strlen(error->message);
    snprintf(error->message + length, sizeof error->message - length, " (request %s)", id);
}

static bool try_once(struct arm_session *session, const struct arm_call *call, const char *url,
                     struct buf *authorization, struct http_response *response, struct error *error)
{
    response->status = 0;
    struct auth *auth = session->arm->hosts[apis[call->api].resource].auth;
    if (!auth_header(auth, session->client, session->deadline_ms, authorization, error) ||
        !wait_for_quota(session, call->api, error) ||
        !send_request(session, call, url, buf_cstr(authorization), response, error))
        return false;
    if (response->status == 200)
        return true;
    if (response->status / 100 == 2) { /* 206 is a part, 202 a promise, 204 nothing */
        error_set(error, ERROR_INCOMPLETE, "%d instead of 200: not the whole answer",
                  response->status);
        error->http_status = response->status;
        add_request_id(error, response);
        return false;
    }
    arm_error(response->status, buf_cstr(&response->body), response->body.length, error);
    error->retry_after_s = retry_after_s(response);
    add_request_id(error, response);
    return false;
}

static void wipe_finish(struct buf *buf)
{
    if (buf->data)
        explicit_bzero(buf->data, buf->capacity);
    buf_finish(buf);
}

/* A token was refused: have another fetched, with the claims that the answer demands. */
static void ask_anew(const struct arm *arm, enum arm_api api, const struct http_response *response,
                     const char *authorization)
{
    char header[CHALLENGE_BYTES];
    CLEANUP(buf_finish) struct buf claims = { 0 };
    bool demanded = http_header(response, "WWW-Authenticate", header, sizeof header) &&
                    claims_read(header, &claims);
    if (demanded)
        log_info(MSG("Azure demands more of the token"), TEXT("claims", buf_cstr(&claims)));
    auth_invalidate(arm->hosts[apis[api].resource].auth, authorization,
                    demanded ? buf_cstr(&claims) : NULL);
}

/* True when the call may be tried again, after the wait that is due. */
static bool may_retry(struct arm_session *session, enum arm_api api, int tries,
                      const struct http_response *response, struct error *error)
{
    bool gave_up = error->code == ERROR_THROTTLED && !error->http_status; /* wait_for_quota did */
    bool silent = session->arm->gives_up_early && !arm_has_answered(session->arm) &&
                  !response->status; /* also where there was no token to ask with */
    return error_is_transient(error) && !gave_up && !silent &&
           tries < (session->tries ? session->tries : TRIES_MAX) &&
           wait_to_retry(session, api, tries, response->status == 429, error);
}

bool arm_call(struct arm_session *session, const struct arm_call *call,
              struct http_response *response, struct error *error)
{
    CLEANUP(buf_finish) struct buf url = { 0 };
    CLEANUP(wipe_finish) struct buf authorization = { 0 };
    bool renewed = false;
    if (!full_url(session->arm, call, &url, error))
        return false;
    for (int tries = 1;; tries++) {
        if (try_once(session, call, buf_cstr(&url), &authorization, response, error))
            return true;
        if (response->status == 401 && !renewed) {
            renewed = true;
            ask_anew(session->arm, call->api, response, buf_cstr(&authorization));
        } else if (!may_retry(session, call->api, tries, response, error)) {
            return false;
        }
    }
}

/* --- errors -------------------------------------------------------------------------------- */

static enum error_code code_of(int status, const char *text)
{
    if (status == 409 && (strcasestr(text, "SubscriptionRegistration") ||
                          strcasestr(text, "SubscriptionNotRegistered") ||
                          strcasestr(text, "Subscription Not Registered")))
        return ERROR_NOT_FOUND;
    switch (status) {
    case 401:
        return ERROR_AUTH;
    case 403:
        return ERROR_FORBIDDEN;
    case 404:
    case 410:
        return ERROR_NOT_FOUND;
    case 408:
        return ERROR_TIMEOUT;
    case 429:
        return ERROR_THROTTLED;
    default:
        return status >= 500 ? ERROR_SERVER : ERROR_REQUEST;
    }
}

/* One line of at most ERROR_TEXT_BYTES: control characters and runs of blanks become one blank; a
 * cut falls between characters. */
static void fold_line(const char *text, size_t length, char out[ERROR_TEXT_BYTES])
{
    size_t used = 0;
    for (size_t i = 0; i < length && used < ERROR_TEXT_BYTES - 1; i++) {
        bool blank = (unsigned char)text[i] <= ' ' || text[i] == 0x7f;
        if (!blank)
            out[used++] = text[i];
        else if (used && out[used - 1] != ' ')
            out[used++] = ' ';
    }
    if (used == ERROR_TEXT_BYTES - 1) {
        used -= 3;
        while (used && ((unsigned char)out[used] & 0xc0) == 0x80)
            used--;
        memcpy(out + used, "...", 3);
        used += 3;
    } else {
        while (used && (out[used - 1] == ' ' || out[used - 1] == '.'))
            used--;
    }
    out[used] = 0;
}

/* The text of the first member that is one. */
static const char *first_text(const struct json *object, const char *const names[])
{
    for (; *names; names++) {
        const char *text = json_text(json_path(object, *names));
        if (text && *text)
            return text;
    }
    return NULL;
}

/* Append "code: message", then what stands deeper. Messages that only repeat, or only ask to note
 * a time and an id, are left out. */
static void describe(const struct json *fault, int depth, struct buf *out)
{
    static const char *const codes[] = { "code", "ErrorCode", NULL };
    static const char *const messages[] = { "message", "message.value", NULL };
    const char *code = first_text(fault, codes), *message = first_text(fault, messages);
    const char *token = json_text(json_get(fault, "token"));
    if (message && !strncmp(message, "Please provide below info", 25))
        message = NULL;
    if (message && code && !strcasecmp(message, code))
        message = NULL;
    if (code && strstr(buf_cstr(out), code))
        code = NULL;
    if (message && strstr(buf_cstr(out), message))
        message = NULL;
    if ((code || message) && out->length)
        buf_text(out, buf_cstr(out)[out->length - 1] == '.' ? " " : ": ");
    buf_printf(out, "%s%s%s", code ? code : "", code && message ? ": " : "",
               message ? message : "");
    if (json_type(json_get(fault, "line")) == JSON_NUMBER)
        buf_printf(out, " at line %.0f, character %.0f", json_number(json_get(fault, "line"), 0),
                   json_number(json_get(fault, "characterPositionInLine"), 0));
    if (token)
        buf_printf(out, " near \"%.40s\"", token);
    if (depth == FAULT_DEPTH_MAX)
        return;
    const struct json *inner = json_get(fault, "innererror");
    if (json_type(inner) == JSON_OBJECT)
        describe(inner, depth + 1, out);
    inner = json_get(fault, "details");
    inner = json_type(inner) == JSON_ARRAY ? json_first(inner) : NULL;
    for (int count = 0; inner && count < FAULT_DETAILS_MAX; inner = json_next(inner), count++)
        describe(inner, depth + 1, out);
}

static void describe_json(const struct json *body, struct buf *out)
{
    const struct json *fault = json_get(body, "error");
    const char *description = json_text(json_get(body, "error_description"));
    if (json_text(fault))
        buf_printf(out, "%s%s%s", json_text(fault), description ? ": " : "",
                   description ? description : "");
    else
        describe(json_type(fault) == JSON_OBJECT ? fault : body, 0, out);
    if (!out->length)
        buf_text(out, "JSON without an error message");
}

/* A page for people, from a gateway or a proxy: its title says the most. */
static void describe_html(const char *page, struct buf *out)
{
    const char *title = strcasestr(page, "<title");
    title = title ? strchr(title, '>') : NULL;
    buf_text(out, "HTML page instead of JSON");
    if (!title)
        return;
    buf_text(out, ": ");
    buf_append(out, title + 1, strcspn(title + 1, "<"));
}

bool arm_error(int status, const char *body, size_t length, struct error *error)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    CLEANUP(buf_finish) struct buf head = { 0 };
    struct error ignored;
    size_t mark = utf8_mark_length(body, length);
    body += mark;
    length -= mark;
    struct json *document = json_parse(body, length, &ignored);
    buf_append(&head, body, length < PLAIN_MAX_BYTES ? length : PLAIN_MAX_BYTES);
    const char *start = buf_cstr(&head) + strspn(buf_cstr(&head), " \t\r\n");
    if (json_type(document) == JSON_OBJECT)
        describe_json(document, &text);
    else if (*start == '<')
        describe_html(start, &text);
    else if (!*start)
        buf_text(&text, "no reason given (empty answer)");
    else
        buf_printf(&text, "text instead of JSON: %.200s", start);
    json_free(document);
    char line[ERROR_TEXT_BYTES];
    fold_line(buf_cstr(&text), text.length, line);
    error_set(error, code_of(status, line), "%d %s", status, line);
    error->http_status = status;
    return false;
}

bool arm_too_large(const struct error *error)
{
    return error->http_status == 413 || strstr(error->message, "ResponsePayloadTooLarge");
}

bool arm_version_refused(const struct error *error)
{
    static const char *const codes[] = { "InvalidApiVersionParameter", "NoRegisteredProviderFound",
                                         "UnsupportedApiVersion", "InvalidResourceType" };
    bool is_refusal = error->code == ERROR_REQUEST || error->code == ERROR_NOT_FOUND;
    for (size_t i = 0; is_refusal && i < ARRAY_COUNT(codes); i++)
        if (strstr(error->message, codes[i]))
            return true;
    return false;
}
