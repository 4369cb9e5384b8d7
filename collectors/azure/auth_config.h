#pragma once
/* `azure` of the configuration and each entry of `tenants`: where and how to sign in. Absent texts
 * come from the AZURE_* variables, then from the cloud. Of an entry of `tenants` whose tenant it
 * is, and where its tokens come from, stands there and in its cloud, never in a variable. */
#include <stdint.h>

#include "core/options.h"
#include "core/secret.h"

/* AUTO: the first that a key or a variable asks for, else what is found, in the order of Azure's
 * own clients: the platform's managed identity, then the az command line. */
enum auth_method {
    AUTH_AUTO,
    AUTH_CLIENT_SECRET,
    AUTH_CLIENT_CERTIFICATE,
    AUTH_WORKLOAD_IDENTITY,
    AUTH_MANAGED_IDENTITY,
    AUTH_AZ,
    AUTH_METHOD_COUNT
};

/* Who takes the token: each has its own audience. */
enum auth_resource {
    AUTH_RESOURCE_MANAGER,
    AUTH_MICROSOFT_GRAPH,
    AUTH_DEFENDER_API, /* of Defender for Endpoint and its Vulnerability Management */
    AUTH_RESOURCE_COUNT
};

/* How an assertion is signed. RS256: for AD FS, and for clouds that know no PS256. */
enum auth_algorithm { AUTH_PS256, AUTH_RS256 };

struct auth_config {
    const char *name; /* of an entry of `tenants`; NULL = it is `azure` itself */
    int line;         /* of its tenant_id */
    bool wrong;       /* part of it could not be read */
    int cloud;        /* row of cloud_table */
    enum auth_method method;
    enum auth_algorithm algorithm;
    const char *tenant_id, *client_id;
    const char *authority_host;       /* "https://login.microsoftonline.com" */
    const char *resource_manager;     /* "https://management.azure.com" */
    const char *microsoft_graph;      /* "https://graph.microsoft.com" */
    const char *endpoint_api;         /* "https://api.security.microsoft.com" */
    const char *federated_token_file; /* re-read at every renewal, as the certificate */
    const char *client_certificate_file;
    struct secret client_secret, client_certificate_password;
    enum auth_resource resource; /* no key */
    int64_t sign_in_ms; /* no key: how long endpoints may take for a token; 0 = as long as the call
                           that needs it */
    /* for tests; no keys */
    const char
        *imds_endpoint;      /* "http://169.254.169.254"; also AZURE_POD_IDENTITY_AUTHORITY_HOST */
    const char *arc_folder;  /* "/var/opt/azcmagent/tokens" */
    int64_t (*now_ms)(void); /* ages of tokens; NULL = clock_monotonic_ms */
};
extern const struct option auth_config_options[];

/* The configured text, else the variable's, else the last resort. */
const char *auth_config_text(const char *configured, const char *variable, const char *otherwise);

/* What holds when keys and variables are looked at; "" = not known. */
const char *auth_config_tenant_id(const struct auth_config *config);
const char *auth_config_authority(const struct auth_config *config);
const char *auth_config_host(const struct auth_config *config, enum auth_resource resource);

/* Whom the token is for. Hosts are made configurable, audiences are the cloud's; where it has none
 * the host is one. */
const char *auth_config_audience(const struct auth_config *config);

/* The way to sign in that a key asks for, or else a variable; AUTH_AUTO = none does. */
enum auth_method auth_config_method(const struct auth_config *config);

/* Append why nothing asks for one: "client secret: AZURE_CLIENT_SECRET is not set; ..." */
void auth_config_unset(struct buf *out);
