/* The `azure` section of the configuration. */
#include "collectors/azure/auth.h"
#include "collectors/azure/cloud.h"

static const char *check_url(const void *value)
{
    const char *const *url = value;
    return *url && !http_url_is_safe(*url) ? "must be https://; http:// only for loopback" : NULL;
}

static const char *const method_words[] = { "auto", "client_secret", "workload_identity",
                                            "managed_identity", NULL };

/* clang-format off */
const struct option auth_options[] = {
    { "cloud", OPTION_WORD(struct auth_config, cloud), .words = cloud_words,
      .help = "The Azure cloud, which sets the hosts below." },
    { "method", OPTION_WORD(struct auth_config, method), .words = method_words,
      .help = "How to sign in; auto takes what the other keys or the AZURE_* variables allow." },
    { "tenant_id", OPTION_TEXT(struct auth_config, tenant_id),
      .help = "Directory (tenant) id. Default: AZURE_TENANT_ID." },
    { "client_id", OPTION_TEXT(struct auth_config, client_id),
      .help = "Application (client) id, or that of a managed identity. Default: AZURE_CLIENT_ID." },
    { "client_secret", OPTION_SECRET(struct auth_config, client_secret),
      .help = "Secret of the application. Default: AZURE_CLIENT_SECRET." },
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
