#include "token.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "assertion.h"
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

/* What FAULT_CLAIMS demands of a token. source: Microsoft identity platform, claims challenges. */
#define DEMANDED "\"nbf\":{\"essential\":true,\"value\":\"1604106651\"}"

/* What a token knows of claims. */
enum { TOKEN_CAPABLE = 1, TOKEN_HAS_DEMANDED = 2 };

static int claims_of(const struct request *request)
{
    char claims[4096] = "";
    if (!form_field(&request->body, "claims", claims, sizeof claims))
        return 0;
    return (strcasestr(claims, "\"xms_cc\":{\"values\":[\"cp1\"]}") ? TOKEN_CAPABLE : 0) |
           (strstr(claims, DEMANDED) ? TOKEN_HAS_DEMANDED : 0);
}

/* "fake-token~principal~expiry~number~audience~claims.signature" */
void token_issue(struct request *request, const char *principal, const char *asked, struct buf *out)
{
    char payload[200];
    struct fake *fake = request->fake;
    snprintf(payload, sizeof payload, "fake-token~%.60s~%lld~%llu~%d~%d", principal,
             (long long)clock_now_s() + fake->options.token_lifetime_s,
             (unsigned long long)++fake->tokens_issued, audience_of(asked), claims_of(request));
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
    if (options->client_certificate) {
        char url[500], client[128] = "";
        snprintf(url, sizeof url, "%s%s", request->origin, request->path);
        form_field(&request->body, "client_id", client, sizeof client);
        struct assertion_refusal why =
            assertion_check(options->client_certificate, value, url, client);
        if (why.number)
            refuse_entra(reply, 401, "invalid_client", why.number, why.text);
        return !why.number;
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
    token_issue(request, client, value, &token);
    reply->status = 200;
    buf_printf(&reply->body,
               "{\"token_type\":\"Bearer\",\"expires_in\":%ld,\"ext_expires_in\":%ld,"
               "\"access_token\":\"%s\"}",
               options->token_lifetime_s, options->token_lifetime_s, buf_cstr(&token));
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

/* Continuous Access Evaluation: who understands demands is told which, others are just refused. */
static void demand_claims(struct reply *reply, int claims)
{
    static const char wanted[] = "{\"access_token\":{" DEMANDED "}}";
    CLEANUP(buf_finish) struct buf text = { 0 };
    if (!(claims & TOKEN_CAPABLE)) {
        token_refuse(reply, false);
        return;
    }
    hash_base64(wanted, strlen(wanted), &text);
    reply_error(reply, 401, "InvalidAuthenticationToken",
                "Continuous access evaluation resulted in claims challenge with result: "
                "InteractionRequired and code: TokenIssuedBeforeRevocationTimestamp");
    reply_header(reply, "WWW-Authenticate",
                 "Bearer realm=\"\", authorization_uri=\"https://login.microsoftonline.com/common/"
                 "oauth2/authorize\", client_id=\"00000003-0000-0000-c000-000000000000\", error="
                 "\"insufficient_claims\", claims=\"%s\"",
                 buf_cstr(&text));
}

bool token_check(struct request *request, enum token_audience wanted, struct reply *reply)
{
    const char *header = request_header(request, "Authorization");
    char text[400], principal[64];
    long long expiry;
    int audience, claims = 0;
    if (!header || strncasecmp(header, "Bearer ", 7) != 0) {
        reply_error(reply, 401, "AuthenticationFailed",
                    "Authentication failed. The 'Authorization' header is missing.");
        reply_header(reply, "WWW-Authenticate",
                     "Bearer authorization_uri=\"https://login.windows.net/\"");
        return false;
    }
    if (snprintf(text, sizeof text, "%s", header + 7) >= (int)sizeof text ||
        !fake_verify(request->fake, text) ||
        sscanf(text, "fake-token~%63[^~]~%lld~%*u~%d~%d", principal, &expiry, &audience, &claims) !=
            4) {
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
    if (faults_state(&request->fake->faults, FAULT_CLAIMS) && !(claims & TOKEN_HAS_DEMANDED)) {
        demand_claims(reply, claims);
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
