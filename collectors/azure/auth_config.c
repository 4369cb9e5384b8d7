#include "collectors/azure/auth_config.h"

#include <stdlib.h>

#include "collectors/azure/cloud.h"
#include "core/http.h"

/* --- the table ----------------------------------------------------------------------------- */

static const char *check_url(const void *value)
{
    const char *const *url = value;
    return *url && !http_url_is_safe(*url) ? "must be https://; http:// only for loopback" : NULL;
}

static const char *const method_words[] = { "auto",
                                            "client_secret",
                                            "client_certificate",
                                            "workload_identity",
                                            "managed_identity",
                                            "azure_cli",
                                            NULL };
static const char *const algorithm_words[] = { "PS256", "RS256", NULL };

/* clang-format off */
const struct option auth_config_options[] = {
    { "cloud", OPTION_WORD(struct auth_config, cloud), .words = cloud_words,
      .help = "The Azure cloud, which sets the hosts below." },
    { "method", OPTION_WORD(struct auth_config, method), .words = method_words,
      .help = "How to sign in; auto takes what the other keys or the AZURE_* variables allow, else "
              "a managed identity, else the az command line." },
    { "tenant_id", OPTION_TEXT(struct auth_config, tenant_id),
      OPTION_LINE(struct auth_config, line),
      .help = "Directory (tenant) id. Default: AZURE_TENANT_ID." },
    { "client_id", OPTION_TEXT(struct auth_config, client_id),
      .help = "Application (client) id, or that of a managed identity. Default: AZURE_CLIENT_ID." },
    { "client_secret", OPTION_SECRET(struct auth_config, client_secret),
      .help = "Secret of the application. Default: AZURE_CLIENT_SECRET." },
    { "client_certificate_file", OPTION_PATH(struct auth_config, client_certificate_file),
      .help = "Certificate of the application with its private key, PEM or PFX. Default: "
              "AZURE_CLIENT_CERTIFICATE_PATH." },
    { "client_certificate_password",
      OPTION_SECRET(struct auth_config, client_certificate_password),
      .help = "What opens it. Default: AZURE_CLIENT_CERTIFICATE_PASSWORD." },
    { "client_certificate_algorithm", OPTION_WORD(struct auth_config, algorithm),
      .words = algorithm_words,
      .help = "How the certificate signs; RS256 for AD FS and old clouds." },
    { "federated_token_file", OPTION_PATH(struct auth_config, federated_token_file),
      .help = "Token of a workload identity. Default: AZURE_FEDERATED_TOKEN_FILE." },
    { "authority_host", OPTION_URL(struct auth_config, authority_host),
      .check = check_url,
      .help = "Where tokens come from. Default: AZURE_AUTHORITY_HOST, or the cloud's." },
    { "resource_manager", OPTION_URL(struct auth_config, resource_manager),
      .check = check_url, .help = "Azure Resource Manager. Default: the cloud's." },
    { "microsoft_graph", OPTION_URL(struct auth_config, microsoft_graph),
      .check = check_url,
      .help = "Microsoft Graph, for advanced hunting. Default: the cloud's." },
    { "endpoint_api", OPTION_URL(struct auth_config, endpoint_api),
      .check = check_url,
      .help = "The API of Defender for Endpoint. Default: that of the public cloud; others need "
              "theirs." },
    { 0 }
};
/* clang-format on */

/* --- what holds ---------------------------------------------------------------------------- */

static bool is_set(const char *text)
{
    return text && *text;
}

const char *auth_config_text(const char *configured, const char *variable, const char *otherwise)
{
    if (is_set(configured))
        return configured;
    const char *value = getenv(variable);
    return is_set(value) ? value : otherwise;
}

const char *auth_config_tenant_id(const struct auth_config *config)
{
    const char *own = config->tenant_id ? config->tenant_id : "";
    return config->name ? own : auth_config_text(own, "AZURE_TENANT_ID", "");
}

const char *auth_config_authority(const struct auth_config *config)
{
    const char *own = config->authority_host ? config->authority_host : "";
    const char *cloud = cloud_table[config->cloud].authority_host;
    return config->name ? (*own ? own : cloud)
                        : auth_config_text(own, "AZURE_AUTHORITY_HOST", cloud);
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

const char *auth_config_audience(const struct auth_config *config)
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

/* The variables that ask for a way to sign in, in the order of Azure's own clients. */
static const struct {
    const char *name, *variable;
    enum auth_method method;
} hints[] = {
    { "client secret", "AZURE_CLIENT_SECRET", AUTH_CLIENT_SECRET },
    { "client certificate", "AZURE_CLIENT_CERTIFICATE_PATH", AUTH_CLIENT_CERTIFICATE },
    { "workload identity", "AZURE_FEDERATED_TOKEN_FILE", AUTH_WORKLOAD_IDENTITY },
};

enum auth_method auth_config_method(const struct auth_config *config)
{
    const char *const keys[ARRAY_COUNT(hints)] = { secret_text(&config->client_secret),
                                                   config->client_certificate_file,
                                                   config->federated_token_file };
    if (config->method != AUTH_AUTO)
        return config->method;
    for (size_t i = 0; i < ARRAY_COUNT(hints); i++)
        if (is_set(keys[i]))
            return hints[i].method;
    for (size_t i = 0; i < ARRAY_COUNT(hints); i++)
        if (is_set(getenv(hints[i].variable)))
            return hints[i].method;
    return AUTH_AUTO;
}

void auth_config_unset(struct buf *out)
{
    for (size_t i = 0; i < ARRAY_COUNT(hints); i++)
        buf_printf(out, "%s%s: %s is not set", out->length ? "; " : "", hints[i].name,
                   hints[i].variable);
}
