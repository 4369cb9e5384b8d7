#include "collectors/azure/auth.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collectors/azure/cloud.h"
#include "collectors/azure/meter.h"
#include "collectors/azure/token.h"
#include "core/bounds.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/log.h"
#include "core/memory.h"

enum {
    REQUEST_TIMEOUT_MS = 30000,
    LOCAL_CONNECT_TIMEOUT_MS = 2000, /* IMDS answers at once or not at all */
    ANSWER_LIMIT_BYTES = 256 << 10,
    EARLY_S = 300,     /* renew so long before the end of a life over ten minutes */
    RETRY_MS = 30000,  /* between tries to renew a token that is still valid */
    WAIT_STEP_MS = 20, /* while another thread fetches */
    DESCRIPTION_MAX = 400,
};

#define IMDS_ENDPOINT "http://169.254.169.254"
#define IMDS_PATH "/metadata/identity/oauth2/token?api-version=2018-02-01"
#define APP_SERVICE_QUERY "?api-version=2019-08-01"
#define ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

struct auth {
    enum auth_method method; /* never AUTH_AUTO */
    enum auth_resource resource;
    char *tenant_id, *client_id, *authority_host, *token_file, *audience;
    char *endpoint;                /* managed identity: the URL up to its query's resource */
    struct secret client_secret;   /* read again at every sign-in when it is a file's */
    struct secret identity_header; /* App Service; none = IMDS */
    int64_t (*now_ms)(void);
    struct metric_store *metrics;

    pthread_mutex_t mutex; /* for what follows */
    struct secret token;
    int64_t expires_ms, refresh_ms; /* of the token */
    int64_t retry_ms;               /* no renewal before, after one that failed */
    bool fetching;                  /* one thread does it, with the mutex free */
    uint64_t fetches;               /* ended ones */
    struct error failure;           /* of the last one; ERROR_NONE = it worked */
};

/* --- set-up -------------------------------------------------------------------------------- */

static bool is_set(const char *text)
{
    return text && *text;
}

/* The configured text, else the variable's, else the last resort; "" when there is none. */
static const char *choose(const char *configured, const char *variable, const char *otherwise)
{
    if (is_set(configured))
        return configured;
    const char *value = getenv(variable);
    return is_set(value) ? value : otherwise;
}

static char *without_slashes(const char *text)
{
    char *copy = memory_copy(text);
    for (size_t length = strlen(copy); length && copy[length - 1] == '/';)
        copy[--length] = 0;
    return copy;
}

const char *auth_config_tenant_id(const struct auth_config *config)
{
    return choose(config->tenant_id, "AZURE_TENANT_ID", "");
}

const char *auth_config_host(const struct auth_config *config, enum auth_resource resource)
{
    const struct cloud *cloud = &cloud_table[config->cloud];
    const char *const hosts[AUTH_RESOURCE_COUNT][2] = {
        [AUTH_RESOURCE_MANAGER] = { config->resource_manager, cloud->resource_manager },
        [AUTH_MICROSOFT_GRAPH] = { config->microsoft_graph, cloud->microsoft_graph },
        [AUTH_DEFENDER_API] = { config->endpoint_api, cloud->endpoint_api },
    };
    const char *const *host = hosts[resource];
    return is_set(host[0]) ? host[0] : host[1] ? host[1] : "";
}

/* Hosts are made configurable, audiences are the cloud's; where it has none the host is one. */
static const char *audience_of(const struct auth_config *config)
{
    const struct cloud *cloud = &cloud_table[config->cloud];
    const char *const audiences[AUTH_RESOURCE_COUNT] = {
        [AUTH_RESOURCE_MANAGER] = cloud->audience,
        [AUTH_MICROSOFT_GRAPH] = cloud->microsoft_graph,
        [AUTH_DEFENDER_API] = cloud->defender_audience,
    };
    const char *audience = audiences[config->resource];
    return audience ? audience : auth_config_host(config, config->resource);
}

static enum auth_method choose_method(const struct auth_config *config)
{
    if (config->method != AUTH_AUTO)
        return config->method;
    if (is_set(secret_text(&config->client_secret)))
        return AUTH_CLIENT_SECRET;
    if (is_set(config->federated_token_file))
        return AUTH_WORKLOAD_IDENTITY;
    if (is_set(getenv("AZURE_CLIENT_SECRET")))
        return AUTH_CLIENT_SECRET;
    return is_set(getenv("AZURE_FEDERATED_TOKEN_FILE")) ? AUTH_WORKLOAD_IDENTITY
                                                        : AUTH_MANAGED_IDENTITY;
}

/* https, loopback, or the link-local addresses the platform answers on: nothing that could carry a
 * token over a network in clear. */
static bool is_identity_endpoint(const char *url)
{
    char origin[300], rest;
    unsigned third, fourth, port;
    return http_url_is_safe(url) ||
           (http_origin(url, origin) &&
            sscanf(origin, "http://169.254.%3u.%3u:%5u%c", &third, &fourth, &port, &rest) == 3);
}

static bool setup_managed_identity(struct auth *auth, const struct auth_config *config,
                                   struct error *error)
{
    const char *app_endpoint = getenv("IDENTITY_ENDPOINT");
    const char *app_header = getenv("IDENTITY_HEADER");
    bool is_app = !is_set(config->imds_endpoint) && is_set(app_endpoint) && is_set(app_header);
    CLEANUP(buf_finish) struct buf url = { 0 };
    if (is_app) {
        secret_set(&auth->identity_header, app_header);
        buf_printf(&url, "%s" APP_SERVICE_QUERY, app_endpoint);
    } else {
        char *host = without_slashes(
            choose(config->imds_endpoint, "AZURE_POD_IDENTITY_AUTHORITY_HOST", IMDS_ENDPOINT));
        buf_printf(&url, "%s" IMDS_PATH, host);
        free(host);
    }
    auth->endpoint = memory_copy(buf_cstr(&url));
    if (!is_identity_endpoint(auth->endpoint))
        return error_set(error, ERROR_CONFIG,
                         "the managed identity endpoint must be https, loopback or link-local");
    return true;
}

static bool setup_application(struct auth *auth, const struct auth_config *config,
                              struct error *error)
{
    if (!*auth->tenant_id)
        return error_set(error, ERROR_CONFIG, "no tenant: set azure.tenant_id or AZURE_TENANT_ID");
    if (auth->tenant_id[strspn(auth->tenant_id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrst"
                                                "uvwxyz0123456789.-")])
        return error_set(error, ERROR_CONFIG, "the tenant id is neither an id nor a domain name");
    if (!*auth->client_id)
        return error_set(error, ERROR_CONFIG,
                         "no application: set azure.client_id or AZURE_CLIENT_ID");
    if (!http_url_is_safe(auth->authority_host))
        return error_set(error, ERROR_CONFIG,
                         "the authority host must be an https URL (http only for loopback)");
    if (auth->method == AUTH_WORKLOAD_IDENTITY) {
        auth->token_file =
            memory_copy(choose(config->federated_token_file, "AZURE_FEDERATED_TOKEN_FILE", ""));
        return *auth->token_file || error_set(error, ERROR_CONFIG,
                                              "no token file: set azure.federated_token_file or "
                                              "AZURE_FEDERATED_TOKEN_FILE");
    }
    const char *secret = choose(secret_text(&config->client_secret), "AZURE_CLIENT_SECRET", "");
    secret_set(&auth->client_secret, secret);
    if (secret == secret_text(&config->client_secret) && config->client_secret.file)
        auth->client_secret.file = memory_copy(config->client_secret.file);
    if (!*secret_text(&auth->client_secret))
        return error_set(error, ERROR_CONFIG,
                         "no client secret: set azure.client_secret_file or "
                         "AZURE_CLIENT_SECRET");
    return true;
}

struct auth *auth_create(const struct auth_config *config, struct metric_store *metrics,
                         struct error *error)
{
    const struct cloud *cloud = &cloud_table[config->cloud];
    struct auth *auth = MEMORY_NEW(struct auth);
    pthread_mutex_init(&auth->mutex, NULL);
    auth->method = choose_method(config);
    auth->metrics = metrics;
    auth->now_ms = config->now_ms ? config->now_ms : clock_monotonic_ms;
    auth->tenant_id = memory_copy(auth_config_tenant_id(config));
    auth->client_id = memory_copy(choose(config->client_id, "AZURE_CLIENT_ID", ""));
    auth->authority_host = without_slashes(
        choose(config->authority_host, "AZURE_AUTHORITY_HOST", cloud->authority_host));
    auth->audience = memory_copy(audience_of(config));
    auth->resource = config->resource;
    if (auth->method == AUTH_MANAGED_IDENTITY ? setup_managed_identity(auth, config, error)
                                              : setup_application(auth, config, error)) {
        meter_declare(metrics, METER_TOKEN);
        return auth;
    }
    auth_destroy(auth);
    return NULL;
}

void auth_destroy(struct auth *auth)
{
    if (!auth)
        return;
    char *texts[] = { auth->tenant_id,  auth->client_id, auth->authority_host,
                      auth->token_file, auth->audience,  auth->endpoint };
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
        free(texts[i]);
    secret_finish(&auth->client_secret);
    secret_finish(&auth->identity_header);
    secret_finish(&auth->token);
    pthread_mutex_destroy(&auth->mutex);
    free(auth);
}

const char *auth_method_text(const struct auth *auth)
{
    static const char *const words[] = {
        [AUTH_CLIENT_SECRET] = "client secret",
        [AUTH_WORKLOAD_IDENTITY] = "workload identity",
        [AUTH_MANAGED_IDENTITY] = "managed identity",
    };
    return words[auth->method];
}

const char *auth_tenant_id(const struct auth *auth)
{
    return auth->tenant_id;
}

/* --- answers ------------------------------------------------------------------------------- */

/* What the common refusals mean. source: Microsoft Entra authentication error codes. */
static const struct {
    const char *code, *meaning;
} refusals[] = {
    { "AADSTS7000215:", "client secret refused" },
    { "AADSTS7000222:", "client secret expired" },
    { "AADSTS7000218:", "client secret missing" },
    { "AADSTS700016:", "application not found in the tenant" },
    { "AADSTS7000112:", "application disabled" },
    { "AADSTS90002:", "tenant not found" },
    { "AADSTS900023:", "tenant id not valid" },
    { "AADSTS900021:", "tenant id not valid" },
    { "AADSTS70021:", "federated token refused" },
    { "AADSTS700211:", "federated token refused: unknown issuer" },
    { "AADSTS700212:", "federated token refused: unknown audience" },
    { "AADSTS700213:", "federated token refused: unknown subject" },
    { "AADSTS700024:", "federated token expired" },
    { "AADSTS500011:", "audience not known in the tenant" },
    { "AADSTS53003:", "blocked by a conditional access policy" },
};

static const char *refusal_meaning(const struct auth *auth, const char *description)
{
    for (size_t i = 0; i < ARRAY_COUNT(refusals); i++)
        if (!strncmp(description, refusals[i].code, strlen(refusals[i].code)))
            return refusals[i].meaning;
    return auth->method == AUTH_MANAGED_IDENTITY ? "managed identity refused" : "token refused";
}

/* The first line without the ids that differ each time and without its full stop. */
static void trim_description(char *text)
{
    char *trace = strstr(text, " Trace ID:");
    if (trace)
        *trace = 0;
    size_t length = strcspn(text, "\r\n");
    while (length && (text[length - 1] == '.' || text[length - 1] == ' '))
        length--;
    text[length] = 0;
}

static bool refused(const struct auth *auth, const struct http_response *response,
                    struct error *error)
{
    bool is_local = auth->method == AUTH_MANAGED_IDENTITY;
    int status = response->status;
    enum error_code code = status == 429 ? ERROR_THROTTLED
                           : status >= 500 || (is_local && (status == 404 || status == 410))
                               ? ERROR_SERVER
                               : ERROR_AUTH;
    struct error ignored;
    struct json *body = json_parse(buf_cstr(&response->body), response->body.length, &ignored);
    const char *word = json_text(json_get(body, "error"));
    const char *description = json_text(json_get(body, "error_description"));
    char text[DESCRIPTION_MAX];
    snprintf(text, sizeof text, "%s", description ? description : "");
    trim_description(text);
    if (code == ERROR_AUTH && *text)
        error_set(error, code, "%s: %s", refusal_meaning(auth, text), text);
    else
        error_set(error, code, "token endpoint answered %d%s%.60s%s%s", status, word ? " " : "",
                  word ? word : "", *text ? ": " : "", text);
    json_free(body);
    error->http_status = status;
    error->retry_after_s =
        bounds_integer(BOUND_RETRY_AFTER_S, http_retry_after_s(response, clock_now_s()));
    return false;
}

/* --- requests ------------------------------------------------------------------------------ */

static void wipe_finish(struct buf *buf)
{
    if (buf->data)
        explicit_bzero(buf->data, buf->capacity);
    buf_finish(buf);
}

static void wipe_response(struct http_response *response)
{
    wipe_finish(&response->body);
    http_response_finish(response);
}

static void add_field(struct buf *out, const char *name, const char *value)
{
    if (out->length)
        buf_char(out, '&');
    buf_text(out, name);
    buf_char(out, '=');
    http_escape(out, value);
}

/* The form of a client credentials grant. source: Microsoft identity platform, OAuth 2.0
 * client credentials flow. */
static bool build_form(struct auth *auth, struct buf *form, struct error *error)
{
    CLEANUP(secret_finish) struct secret assertion = { 0 };
    char *audience = without_slashes(auth->audience);
    CLEANUP(buf_finish) struct buf scope = { 0 };
    buf_printf(&scope, "%s/.default", audience);
    free(audience);
    buf_reserve(form, 16384); /* secrets leave no copies behind in memory that was grown */
    add_field(form, "grant_type", "client_credentials");
    add_field(form, "client_id", auth->client_id);
    add_field(form, "scope", buf_cstr(&scope));
    if (auth->method == AUTH_CLIENT_SECRET) {
        secret_refresh(&auth->client_secret);
        add_field(form, "client_secret", secret_text(&auth->client_secret));
        return true;
    }
    if (!secret_read(&assertion, auth->token_file, error))
        return error_wrap(error, "federated token");
    add_field(form, "client_assertion_type", ASSERTION_TYPE);
    add_field(form, "client_assertion", secret_text(&assertion));
    return true;
}

static bool ask_authority(struct auth *auth, struct http_client *client, int64_t timeout_ms,
                          struct http_response *response, struct error *error)
{
    CLEANUP(wipe_finish) struct buf form = { 0 };
    CLEANUP(buf_finish) struct buf url = { 0 };
    if (!build_form(auth, &form, error))
        return false;
    buf_printf(&url, "%s/%s/oauth2/v2.0/token", auth->authority_host, auth->tenant_id);
    const struct http_header headers[] = {
        { "Content-Type", "application/x-www-form-urlencoded" },
        { "Accept", "application/json" },
    };
    const struct http_request request = {
        .method = "POST",
        .url = buf_cstr(&url),
        .headers = headers,
        .header_count = ARRAY_COUNT(headers),
        .body = form.data,
        .body_bytes = form.length,
        .timeout_ms = timeout_ms,
        .response_limit_bytes = ANSWER_LIMIT_BYTES,
    };
    return http_exchange(client, &request, response, error) || error_wrap(error, "token endpoint");
}

static bool ask_platform(const struct auth *auth, struct http_client *client, int64_t timeout_ms,
                         struct http_response *response, struct error *error)
{
    CLEANUP(buf_finish) struct buf url = { 0 };
    buf_text(&url, auth->endpoint);
    add_field(&url, "resource", auth->audience);
    if (*auth->client_id)
        add_field(&url, "client_id", auth->client_id);
    const char *key = secret_text(&auth->identity_header);
    const struct http_header header = { key ? "X-IDENTITY-HEADER" : "Metadata",
                                        key ? key : "true" };
    const struct http_request request = {
        .method = "GET",
        .url = buf_cstr(&url),
        .headers = &header,
        .header_count = 1,
        .timeout_ms = timeout_ms,
        .connect_timeout_ms = LOCAL_CONNECT_TIMEOUT_MS,
        .response_limit_bytes = ANSWER_LIMIT_BYTES,
        .no_proxy = true,
    };
    return http_exchange(client, &request, response, error) ||
           error_wrap(error, "managed identity (no azure.client_secret_file or "
                             "azure.federated_token_file is set)");
}

/* One request for a token. */
static bool fetch(struct auth *auth, struct http_client *client, int64_t deadline_ms,
                  struct secret *token, int64_t *life_s, struct error *error)
{
    int64_t left_ms = deadline_ms - clock_monotonic_ms();
    if (left_ms <= 0)
        return error_set(error, ERROR_TIMEOUT, "no time left to ask for a token");
    int64_t timeout_ms = left_ms < REQUEST_TIMEOUT_MS ? left_ms : REQUEST_TIMEOUT_MS;
    CLEANUP(wipe_response) struct http_response response = { 0 };
    bool answered = auth->method == AUTH_MANAGED_IDENTITY
                        ? ask_platform(auth, client, timeout_ms, &response, error)
                        : ask_authority(auth, client, timeout_ms, &response, error);
    if (answered || error->code == ERROR_NETWORK || error->code == ERROR_TIMEOUT)
        meter_request(auth->metrics, METER_TOKEN, response.status, response.duration_ms);
    if (!answered)
        return false;
    if (response.status != 200)
        return refused(auth, &response, error);
    return token_read(&response.body, http_sent_at(&response, clock_now_s()), token, life_s, error);
}

/* --- cache --------------------------------------------------------------------------------- */

int64_t auth_refresh_after_s(int64_t life_s)
{
    int64_t most_s = life_s - life_s / 5;
    return life_s > (int64_t)2 * EARLY_S && life_s - EARLY_S < most_s ? life_s - EARLY_S : most_s;
}

/* Store the outcome of a fetch. token: gets the one it replaces. True when there is a token that
 * may still be used. */
static bool store_outcome(struct auth *auth, const struct error *failure, struct secret *token,
                          int64_t life_s)
{
    pthread_mutex_lock(&auth->mutex);
    int64_t now_ms = auth->now_ms();
    auth->fetching = false;
    auth->fetches++;
    auth->failure = *failure;
    auth->retry_ms = now_ms + RETRY_MS;
    if (failure->code == ERROR_NONE) {
        struct secret old = auth->token;
        auth->token = *token;
        *token = old;
        auth->expires_ms = now_ms + life_s * 1000;
        auth->refresh_ms = now_ms + auth_refresh_after_s(life_s) * 1000;
        auth->retry_ms = 0;
    }
    bool usable = secret_text(&auth->token) && now_ms < auth->expires_ms;
    pthread_mutex_unlock(&auth->mutex);
    return usable;
}

/* Fetch with the mutex free; entered and left with the mutex held. */
static void renew(struct auth *auth, struct http_client *client, int64_t deadline_ms)
{
    CLEANUP(secret_finish) struct secret token = { 0 };
    struct error failure = { 0 };
    int64_t life_s = 0;
    auth->fetching = true;
    pthread_mutex_unlock(&auth->mutex);
    bool fetched = fetch(auth, client, deadline_ms, &token, &life_s, &failure);
    bool usable = store_outcome(auth, &failure, &token, life_s);
    secret_finish(&token);
    if (fetched && auth->resource == AUTH_RESOURCE_MANAGER) {
        /* a reload may have changed the tenant */
        metric_clear(auth->metrics, &meter_token_expiry.family);
        metric_put(auth->metrics, &meter_token_expiry, (double)(clock_now_s() + life_s),
                   METRIC_LABELS(auth->tenant_id));
    } else if (!fetched && usable)
        log_warn(MSG("token not renewed, the old one is still valid"), ERR(&failure));
    pthread_mutex_lock(&auth->mutex);
}

/* Wait for the thread that fetches; entered and left with the mutex held. */
static bool wait_for_other(struct auth *auth, struct http_client *client, int64_t deadline_ms,
                           struct error *error)
{
    uint64_t seen = auth->fetches;
    while (auth->fetching && auth->fetches == seen) {
        pthread_mutex_unlock(&auth->mutex);
        bool goes_on = http_client_wait(client, WAIT_STEP_MS);
        pthread_mutex_lock(&auth->mutex);
        if (!goes_on)
            return error_set(error, ERROR_CANCELLED, "cancelled while waiting for a token");
        if (clock_monotonic_ms() >= deadline_ms)
            return error_set(error, ERROR_TIMEOUT, "no token in time");
    }
    return true;
}

/* A token that may be used, in auth->token; entered and left with the mutex held. */
static bool ensure(struct auth *auth, struct http_client *client, int64_t deadline_ms,
                   struct error *error)
{
    for (;;) {
        int64_t now_ms = auth->now_ms();
        bool valid = secret_text(&auth->token) && now_ms < auth->expires_ms;
        if (valid && (now_ms < auth->refresh_ms || now_ms < auth->retry_ms || auth->fetching))
            return true;
        bool is_mine = !auth->fetching;
        if (is_mine)
            renew(auth, client, deadline_ms);
        else if (!wait_for_other(auth, client, deadline_ms, error))
            return false;
        if (auth->failure.code == ERROR_NONE)
            continue;
        if (valid && auth->now_ms() < auth->expires_ms)
            return true;
        /* The other thread's being cancelled or out of time says nothing about the endpoint. */
        if (is_mine ||
            (auth->failure.code != ERROR_CANCELLED && auth->failure.code != ERROR_TIMEOUT)) {
            *error = auth->failure;
            return false;
        }
    }
}

bool auth_header(struct auth *auth, struct http_client *client, int64_t deadline_ms,
                 struct buf *out, struct error *error)
{
    buf_reset(out);
    pthread_mutex_lock(&auth->mutex);
    bool ok = ensure(auth, client, deadline_ms, error);
    if (ok) {
        buf_text(out, "Bearer ");
        buf_text(out, secret_text(&auth->token));
    }
    pthread_mutex_unlock(&auth->mutex);
    return ok;
}

void auth_invalidate(struct auth *auth, const char *refused_header)
{
    static const char prefix[] = "Bearer ";
    pthread_mutex_lock(&auth->mutex);
    const char *token = secret_text(&auth->token);
    if (token && !strncmp(refused_header, prefix, sizeof prefix - 1) &&
        secret_equal(token, refused_header + sizeof prefix - 1)) {
        auth->expires_ms = auth->refresh_ms = 0;
        auth->retry_ms = 0;
    }
    pthread_mutex_unlock(&auth->mutex);
}
