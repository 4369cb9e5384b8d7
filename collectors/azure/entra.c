#include "collectors/azure/entra.h"

#include <string.h>

#include "collectors/azure/assertion.h"
#include "collectors/azure/claims.h"
#include "core/certificate.h"
#include "core/clock.h"
#include "core/memory.h"

#define ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#define ADFS "adfs" /* stands where a tenant does, beside Azure Stack Hub; it knows no claims */

/* --- set-up -------------------------------------------------------------------------------- */

static bool set_up_application(const struct credential *credential, struct error *error)
{
    const char *tenant = credential->tenant_id;
    if (!*tenant)
        return error_set(error, ERROR_CONFIG, "no tenant: set azure.tenant_id or AZURE_TENANT_ID");
    if (tenant[strspn(tenant, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-")])
        return error_set(error, ERROR_CONFIG, "the tenant id is neither an id nor a domain name");
    if (!*credential->client_id)
        return error_set(error, ERROR_CONFIG,
                         "no application: set azure.client_id or AZURE_CLIENT_ID");
    return http_url_is_safe(credential->authority_host) ||
           error_set(error, ERROR_CONFIG,
                     "the authority host must be an https URL (http only for loopback)");
}

/* A configured secret with the file it was read from, else the variable's. */
static void take_secret(struct credential *credential, const struct secret *configured,
                        const char *variable)
{
    const char *own = secret_text(configured);
    const char *text = auth_config_text(own, variable, "");
    secret_set(&credential->secret, text);
    if (text == own && configured->file)
        credential->secret.file = memory_copy(configured->file);
}

static bool set_up_secret(struct credential *credential, const struct auth_config *config,
                          struct error *error)
{
    if (!set_up_application(credential, error))
        return false;
    take_secret(credential, &config->client_secret, "AZURE_CLIENT_SECRET");
    return *secret_text(&credential->secret) ||
           error_set(error, ERROR_CONFIG,
                     "no client secret: set azure.client_secret_file or AZURE_CLIENT_SECRET");
}

static bool set_up_certificate(struct credential *credential, const struct auth_config *config,
                               struct error *error)
{
    if (!set_up_application(credential, error))
        return false;
    credential->file = memory_copy(
        auth_config_text(config->client_certificate_file, "AZURE_CLIENT_CERTIFICATE_PATH", ""));
    if (!*credential->file)
        return error_set(error, ERROR_CONFIG,
                         "no client certificate: set azure.client_certificate_file or "
                         "AZURE_CLIENT_CERTIFICATE_PATH");
    take_secret(credential, &config->client_certificate_password,
                "AZURE_CLIENT_CERTIFICATE_PASSWORD");
    return true;
}

static bool set_up_workload(struct credential *credential, const struct auth_config *config,
                            struct error *error)
{
    if (!set_up_application(credential, error))
        return false;
    credential->file = memory_copy(
        auth_config_text(config->federated_token_file, "AZURE_FEDERATED_TOKEN_FILE", ""));
    return *credential->file ||
           error_set(error, ERROR_CONFIG,
                     "no token file: set azure.federated_token_file or AZURE_FEDERATED_TOKEN_FILE");
}

/* --- requests ------------------------------------------------------------------------------ */

/* The form as far as it is that of every kind. */
static void begin_form(const struct credential *credential, struct buf *form)
{
    CLEANUP(buf_finish) struct buf scope = { 0 };
    size_t length = strlen(credential->audience);
    while (length && credential->audience[length - 1] == '/')
        length--;
    buf_append(&scope, credential->audience, length);
    buf_text(&scope, "/.default");
    buf_reserve(form, 16384); /* secrets leave no copies behind in memory that was grown */
    credential_add_field(form, "grant_type", "client_credentials");
    credential_add_field(form, "client_id", credential->client_id);
    credential_add_field(form, "scope", buf_cstr(&scope));
}

static void add_claims(const struct credential *credential, const char *claims, struct buf *form)
{
    CLEANUP(buf_finish) struct buf merged = { 0 };
    if (strcmp(credential->tenant_id, ADFS) == 0)
        return;
    claims_merge(claims, &merged);
    credential_add_field(form, "claims", buf_cstr(&merged));
}

static void add_assertion(struct buf *form, const char *assertion)
{
    credential_add_field(form, "client_assertion_type", ASSERTION_TYPE);
    credential_add_field(form, "client_assertion", assertion);
}

static void put_url(const struct credential *credential, struct buf *url)
{
    bool adfs = strcmp(credential->tenant_id, ADFS) == 0;
    buf_printf(url, "%s/%s/oauth2/%stoken", credential->authority_host, credential->tenant_id,
               adfs ? "" : "v2.0/");
}

static bool send_form(struct credential *credential, const struct credential_ask *ask,
                      struct buf *form, struct credential_token *token, struct error *error)
{
    CLEANUP(credential_wipe_response) struct http_response response = { 0 };
    CLEANUP(buf_finish) struct buf url = { 0 };
    put_url(credential, &url);
    add_claims(credential, ask->claims, form);
    const struct http_header headers[] = {
        { "Content-Type", "application/x-www-form-urlencoded" },
        { "Accept", "application/json" },
    };
    struct http_request request = {
        .method = "POST",
        .url = buf_cstr(&url),
        .headers = headers,
        .header_count = ARRAY_COUNT(headers),
        .body = form->data,
        .body_bytes = form->length,
    };
    if (!credential_send(ask, &request, &response, error))
        return error_wrap(error, "token endpoint");
    return credential_take(credential, &response, false, token, error);
}

static bool fetch_by_secret(struct credential *credential, const struct credential_ask *ask,
                            struct credential_token *token, struct error *error)
{
    CLEANUP(credential_wipe) struct buf form = { 0 };
    begin_form(credential, &form);
    secret_refresh(&credential->secret);
    credential_add_field(&form, "client_secret", secret_text(&credential->secret));
    return send_form(credential, ask, &form, token, error);
}

static bool fetch_by_certificate(struct credential *credential, const struct credential_ask *ask,
                                 struct credential_token *token, struct error *error)
{
    CLEANUP(credential_wipe) struct buf form = { 0 };
    CLEANUP(credential_wipe) struct buf jwt = { 0 };
    CLEANUP(buf_finish) struct buf url = { 0 };
    int64_t now = clock_now_s();
    secret_refresh(&credential->secret);
    struct certificate *certificate =
        certificate_read(credential->file, secret_text(&credential->secret), error);
    if (!certificate)
        return false;
    put_url(credential, &url);
    const struct assertion assertion = {
        .audience = buf_cstr(&url),
        .client_id = credential->client_id,
        .padding = credential->algorithm == AUTH_RS256 ? CERTIFICATE_PKCS1 : CERTIFICATE_PSS,
        .now = now,
    };
    int64_t ends_at = certificate_ends_at(certificate);
    bool ok = assertion_write(&assertion, certificate, &jwt, error);
    certificate_free(certificate);
    if (!ok)
        return false;
    begin_form(credential, &form);
    add_assertion(&form, buf_cstr(&jwt));
    if (send_form(credential, ask, &form, token, error))
        return true;
    if (error->code == ERROR_AUTH && ends_at && ends_at < now)
        error_wrap(error, "certificate file %s: the certificate has run out", credential->file);
    return false;
}

static bool fetch_by_workload(struct credential *credential, const struct credential_ask *ask,
                              struct credential_token *token, struct error *error)
{
    CLEANUP(secret_finish) struct secret assertion = { 0 };
    CLEANUP(credential_wipe) struct buf form = { 0 };
    if (!secret_read(&assertion, credential->file, error))
        return error_wrap(error, "federated token");
    begin_form(credential, &form);
    add_assertion(&form, secret_text(&assertion));
    return send_form(credential, ask, &form, token, error);
}

const struct credential_kind entra_client_secret = { "client secret", "token refused",
                                                     set_up_secret, fetch_by_secret };
const struct credential_kind entra_client_certificate = { "client certificate", "token refused",
                                                          set_up_certificate,
                                                          fetch_by_certificate };
const struct credential_kind entra_workload_identity = { "workload identity", "token refused",
                                                         set_up_workload, fetch_by_workload };
