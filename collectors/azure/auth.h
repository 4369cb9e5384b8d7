#pragma once
/* Tokens for Azure: client secret, workload identity file, managed identity (IMDS); cached,
 * renewed early, single flight. Any thread. source: Microsoft identity platform. */
#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"
#include "core/http.h"
#include "core/metric.h"
#include "core/options.h"
#include "core/secret.h"

enum auth_method { AUTH_AUTO, AUTH_CLIENT_SECRET, AUTH_WORKLOAD_IDENTITY, AUTH_MANAGED_IDENTITY };

/* Who takes the token: each has its own audience. */
enum auth_resource {
    AUTH_RESOURCE_MANAGER,
    AUTH_MICROSOFT_GRAPH,
    AUTH_DEFENDER_API, /* of Defender for Endpoint and its Vulnerability Management */
    AUTH_RESOURCE_COUNT
};

/* `azure` of the configuration: where and how. Absent texts come from the AZURE_* variables, then
 * from the cloud. */
struct auth_config {
    int cloud; /* row of cloud_table */
    enum auth_method method;
    const char *tenant_id, *client_id;
    const char *authority_host;       /* "https://login.microsoftonline.com" */
    const char *resource_manager;     /* "https://management.azure.com" */
    const char *microsoft_graph;      /* "https://graph.microsoft.com" */
    const char *endpoint_api;         /* "https://api.security.microsoft.com" */
    const char *federated_token_file; /* re-read at every renewal */
    struct secret client_secret;
    enum auth_resource resource; /* no key */
    /* for tests; no keys */
    const char
        *imds_endpoint;      /* "http://169.254.169.254"; also AZURE_POD_IDENTITY_AUTHORITY_HOST */
    int64_t (*now_ms)(void); /* ages of tokens; NULL = clock_monotonic_ms */
};
extern const struct option auth_options[];

/* What holds when keys and variables are looked at; "" = not known. */
const char *auth_config_tenant_id(const struct auth_config *config);
const char *auth_config_host(const struct auth_config *config, enum auth_resource resource);

struct auth;

/* No network here; every text is copied. ERROR_CONFIG says which key or variable is missing. */
struct auth *auth_create(const struct auth_config *config, struct metric_store *metrics,
                         struct error *error);
void auth_destroy(struct auth *auth);

/* "Bearer ..." for the Authorization header, copied to out (NUL-terminated buf, reset first).
 * A new one is fetched when the cached one is past 80 % of its life; while that fails and the old
 * one is valid, the old one is used. ERROR_AUTH carries Azure's own AADSTS text. */
bool auth_header(struct auth *auth, struct http_client *client, int64_t deadline_ms,
                 struct buf *out, struct error *error) MUST_USE;

/* The token was refused (401): the next auth_header fetches a new one, unless another thread
 * already did since `refused_header` was handed out. */
void auth_invalidate(struct auth *auth, const char *refused_header);

/* How long after its arrival a token of this life is renewed. Pure. source: Azure Identity. */
int64_t auth_refresh_after_s(int64_t life_s);

/* "client secret", "workload identity", "managed identity": for logs and the landing page. */
const char *auth_method_text(const struct auth *auth);
const char *auth_tenant_id(const struct auth *auth); /* "" when not known (managed identity) */
