#include "token.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "core/clock.h"
#include "core/compiler.h"
#include "core/hash.h"

/* One field of an urlencoded form, decoded; NULL when it is not there. */
static const char *form_field(const struct buf *body, const char *name, char *out, size_t bytes)
{
    const char *at = buf_cstr(body);
    size_t length = strlen(name), used = 0;
    while (strncmp(at, name, length) != 0 || at[length] != '=') {
        at = strchr(at, '&');
        if (!at++)
            return NULL;
    }
    for (at += length + 1; *at && *at != '&' && used + 1 < bytes; at++) {
        unsigned code;
        if (*at == '%' && sscanf(at + 1, "%2x", &code) == 1) {
            out[used++] = (char)code;
            at += 2;
        } else {
            out[used++] = *at == '+' ? ' ' : *at;
        }
    }
    out[used] = '\0';
    return out;
}

static void refuse_entra(struct reply *reply, int status, const char *error, int number,
                         const char *what)
{
    struct json_writer writer = { .out = &reply->body };
    char id[37], time[32], text[900];
    time_t now = (time_t)clock_now_s();
    struct tm parts;
    gmtime_r(&now, &parts);
    strftime(time, sizeof time, "%Y-%m-%d %H:%M:%SZ", &parts);
    hash_uuid(id);
    snprintf(text, sizeof text, "AADSTS%d: %s Trace ID: %s Correlation ID: %s Timestamp: %s",
             number, what, id, id, time);
    reply->status = status;
    json_open(&writer, NULL, '{');
    json_add_text(&writer, "error", error);
    json_add_text(&writer, "error_description", text);
    json_open(&writer, "error_codes", '[');
    json_add_integer(&writer, NULL, number);
    json_close(&writer, ']');
    json_add_text(&writer, "timestamp", time);
    json_add_text(&writer, "trace_id", id);
    json_add_text(&writer, "correlation_id", id);
    json_add_text(&writer, "error_uri", "https://login.microsoftonline.com/error");
    json_close(&writer, '}');
}

/* Whom a token is for, by the scope or the resource that was asked for. */
static enum token_audience audience_of(const char *asked)
{
    return strcasestr(asked, "//graph.microsoft.")                ? TOKEN_MICROSOFT_GRAPH
           : strcasestr(asked, "//api.securitycenter.microsoft.") ? TOKEN_DEFENDER_API
                                                                  : TOKEN_RESOURCE_MANAGER;
}

/* "fake-token~principal~expiry~number~audience.signature" */
static void issue(struct request *request, const char *principal, const char *asked,
                  struct buf *out)
{
    char payload[200];
    struct fake *fake = request->fake;
    snprintf(payload, sizeof payload, "fake-token~%.60s~%lld~%llu~%d", principal,
             (long long)clock_now_s() + fake->options.token_lifetime_s,
             (unsigned long long)++fake->tokens_issued, audience_of(asked));
    fake_sign(fake, payload, out);
}

/* True when the credential in the form is the right one. */
static bool credential(const struct request *request, struct reply *reply)
{
    const struct fake_options *options = &request->fake->options;
    char value[16384];
    if (form_field(&request->body, "client_secret", value, sizeof value)) {
        const struct fault *renewed = faults_state(&request->fake->faults, FAULT_NEW_SECRET);
        if (strcmp(value, renewed ? renewed->body : options->secret) == 0)
            return true;
        if (renewed) {
            refuse_entra(reply, 401, "invalid_client", 7000222,
                         "The provided client secret keys for app are expired.");
            return false;
        }
        refuse_entra(reply, 401, "invalid_client", 7000215,
                     "Invalid client secret provided. Ensure the secret being sent in the request "
                     "is the client secret value, not the client secret ID, for a secret added to "
                     "app.");
        return false;
    }
    if (!form_field(&request->body, "client_assertion", value, sizeof value)) {
        refuse_entra(reply, 401, "invalid_client", 7000216,
                     "'client_assertion', 'client_secret' or 'request' is required for the "
                     "'client_credentials' grant type.");
        return false;
    }
    if (*value && (!options->federated_token || strcmp(value, options->federated_token) == 0))
        return true;
    refuse_entra(reply, 401, "invalid_client", 70021,
                 "No matching federated identity record found for presented assertion.");
    return false;
}

void token_entra(struct request *request, struct reply *reply)
{
    const struct fake_options *options = &request->fake->options;
    char value[512], client[128];
    if (*request->captures[0] && strcasecmp(request->captures[0], options->tenant_id) != 0) {
        char text[400];
        snprintf(text, sizeof text,
                 "Tenant '%s' not found. Check to make sure you have the correct "
                 "tenant ID and are signing into the correct cloud.",
                 request->captures[0]);
        refuse_entra(reply, 400, "invalid_request", 90002, text);
        return;
    }
    if (!form_field(&request->body, "grant_type", value, sizeof value)) {
        refuse_entra(reply, 400, "invalid_request", 900144,
                     "The request body must contain the following parameter: 'grant_type'.");
        return;
    }
    if (strcmp(value, "client_credentials") != 0) {
        refuse_entra(reply, 400, "unsupported_grant_type", 70003,
                     "The app requested an unsupported grant type.");
        return;
    }
    if (!form_field(&request->body, "client_id", client, sizeof client) ||
        strcasecmp(client, options->client_id) != 0) {
        refuse_entra(reply, 400, "unauthorized_client", 700016,
                     "Application with that identifier was not found in the directory.");
        return;
    }
    if (!form_field(&request->body, "scope", value, sizeof value) || !strstr(value, "/.default")) {
        refuse_entra(reply, 400, "invalid_scope", 1002012,
                     "The provided value for scope is not valid. Client credential flows must have "
                     "a scope value with /.default suffixed to the resource identifier.");
        return;
    }
    if (!credential(request, reply))
        return;
    CLEANUP(buf_finish) struct buf token = { 0 };
    issue(request, client, value, &token);
    reply->status = 200;
    buf_printf(&reply->body,
               "{\"token_type\":\"Bearer\",\"expires_in\":%ld,\"ext_expires_in\":%ld,"
               "\"access_token\":\"%s\"}",
               options->token_lifetime_s, options->token_lifetime_s, buf_cstr(&token));
}

void token_metadata_service(struct request *request, struct reply *reply)
{
    const struct fake_options *options = &request->fake->options;
    const struct fault *skew = faults_state(&request->fake->faults, FAULT_SKEW);
    const char *metadata = request_header(request, "Metadata");
    const char *resource = request_parameter(request, "resource");
    const char *client = request_parameter(request, "client_id");
    int64_t now = clock_now_s() + (skew ? skew->seconds : 0);
    if (!metadata || strcmp(metadata, "true") != 0) {
        reply_text(reply, 400,
                   "{\"error\":\"invalid_request\",\"error_description\":"
                   "\"Required metadata header not specified\"}");
        return;
    }
    if (!resource || !request_parameter(request, "api-version")) {
        reply_text(reply, 400,
                   "{\"error\":\"invalid_request\",\"error_description\":"
                   "\"Required query variable 'resource' or 'api-version' is missing\"}");
        return;
    }
    if (client && strcasecmp(client, options->client_id) != 0) {
        reply_text(reply, 400,
                   "{\"error\":\"invalid_request\",\"error_description\":"
                   "\"Identity not found\"}");
        return;
    }
    CLEANUP(buf_finish) struct buf token = { 0 };
    struct json_writer writer = { .out = &reply->body };
    char text[32];
    issue(request, "managed-identity", resource, &token);
    reply->status = 200;
    json_open(&writer, NULL, '{'); /* numbers are texts here */
    json_add_text(&writer, "access_token", buf_cstr(&token));
    json_add_text(&writer, "client_id", options->client_id);
    const struct fault *date = faults_state(&request->fake->faults, FAULT_EXPIRES_ON);
    if (date) {
        time_t end = (time_t)(now + options->token_lifetime_s);
        struct tm parts;
        strftime(text, sizeof text,
                 strcmp(date->body, "us") == 0 ? "%m/%d/%Y %I:%M:%S %p +00:00" : "%FT%TZ",
                 gmtime_r(&end, &parts));
    } else {
        snprintf(text, sizeof text, "%ld", options->token_lifetime_s);
        json_add_text(&writer, "expires_in", text);
        json_add_text(&writer, "ext_expires_in", text);
        snprintf(text, sizeof text, "%lld", (long long)now + options->token_lifetime_s);
    }
    json_add_text(&writer, "expires_on", text);
    snprintf(text, sizeof text, "%lld", (long long)now - 300);
    json_add_text(&writer, "not_before", text);
    json_add_text(&writer, "resource", resource);
    json_add_text(&writer, "token_type", "Bearer");
    json_close(&writer, '}');
}

void token_refuse(struct reply *reply, bool expired)
{
    const char *code = expired ? "ExpiredAuthenticationToken" : "InvalidAuthenticationToken";
    reply_error(reply, 401, code, "%s",
                expired ? "The access token expiry UTC time is earlier than the current UTC time."
                        : "The access token is invalid.");
    reply_header(reply, "WWW-Authenticate",
                 "Bearer authorization_uri=\"https://login.windows.net/\""
                 ", error=\"invalid_token\", error_description=\"%s\"",
                 code);
}

bool token_check(struct request *request, enum token_audience wanted, struct reply *reply)
{
    const char *header = request_header(request, "Authorization");
    char text[400], principal[64];
    long long expiry;
    int audience;
    if (!header || strncasecmp(header, "Bearer ", 7) != 0) {
        reply_error(reply, 401, "AuthenticationFailed",
                    "Authentication failed. The 'Authorization' header is missing.");
        reply_header(reply, "WWW-Authenticate",
                     "Bearer authorization_uri=\"https://login.windows.net/\"");
        return false;
    }
    if (snprintf(text, sizeof text, "%s", header + 7) >= (int)sizeof text ||
        !fake_verify(request->fake, text) ||
        sscanf(text, "fake-token~%63[^~]~%lld~%*u~%d", principal, &expiry, &audience) != 3) {
        token_refuse(reply, false);
        return false;
    }
    if (expiry <= clock_now_s()) {
        token_refuse(reply, true);
        return false;
    }
    if (audience != (int)wanted) {
        reply_error(reply, 401, "InvalidAuthenticationTokenAudience",
                    "The access token has been obtained for the wrong audience or resource.");
        return false;
    }
    memcpy(request->principal, principal, sizeof principal);
    return true;
}

/* --- what the az command line asks first ------------------------------------------------------ */

void token_discovery(struct request *request, struct reply *reply)
{
    reply->status = 200;
    buf_printf(&reply->body,
               "{\"tenant_discovery_endpoint\":\"%s/%s/v2.0/.well-known/"
               "openid-configuration\",\"api-version\":\"1.1\",\"metadata\":[]}",
               request->origin, request->fake->options.tenant_id);
}

void token_openid(struct request *request, struct reply *reply)
{
    const char *origin = request->origin, *tenant = request->fake->options.tenant_id;
    reply->status = 200;
    buf_printf(&reply->body,
               "{\"token_endpoint\":\"%s/%s/oauth2/v2.0/token\",\"issuer\":\"%s/%s/v2.0"
               "\",\"authorization_endpoint\":\"%s/%s/oauth2/v2.0/authorize\",\"jwks_uri\":"
               "\"%s/%s/discovery/v2.0/keys\",\"response_types_supported\":[\"code\"]}",
               origin, tenant, origin, tenant, origin, tenant, origin, tenant);
}

/* An authority that is Active Directory Federation Services, as beside Azure Stack Hub; clients do
 * not ask login.microsoftonline.com whether they may trust such a one. */
void token_adfs(struct request *request, struct reply *reply)
{
    const char *origin = request->origin;
    reply->status = 200;
    buf_printf(&reply->body,
               "{\"issuer\":\"%s/adfs\",\"authorization_endpoint\":\"%s/adfs/oauth2/authorize/\","
               "\"token_endpoint\":\"%s/adfs/oauth2/token/\",\"jwks_uri\":"
               "\"%s/adfs/discovery/keys\",\"response_types_supported\":[\"code\"]}",
               origin, origin, origin, origin);
}

void token_tenants(struct request *request, struct reply *reply)
{
    reply->status = 200;
    buf_printf(&reply->body,
               "{\"value\":[{\"id\":\"/tenants/%s\",\"tenantId\":\"%s\",\"displayName\":"
               "\"Contoso\",\"tenantCategory\":\"Home\"}]}",
               request->fake->options.tenant_id, request->fake->options.tenant_id);
}
