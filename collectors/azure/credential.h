#pragma once
/* One way to sign in: what it needs, and one request for a token. It keeps none. One thread at a
 * time. The kinds are entra.c, platform.c and az.c. */
#include "collectors/azure/auth_config.h"
#include "collectors/azure/meter.h"
#include "core/http.h"

struct credential {
    const struct credential_kind *kind;
    enum auth_algorithm algorithm;
    char *tenant_id, *client_id, *authority_host, *audience;
    char *file;           /* of the certificate, or of a federated token */
    char *endpoint;       /* of a platform: the URL up to its query's resource */
    char *key_folder;     /* Azure Arc: where its keys are; NULL = it is not that */
    struct secret secret; /* of the client, of a certificate, or of App Service; read again at
                             every sign-in when it is a file's */
};

/* One request for a token. */
struct credential_ask {
    struct http_client *client;
    int64_t deadline_ms;
    int64_t endpoints_ms; /* the same for what is asked by network: no later */
    const char *claims; /* JSON that the token has to have; NULL = none */
    const struct meter *meter;
};

struct credential_token {
    struct secret text;
    int64_t life_s;
    bool absent; /* after a failure: nothing of the kind is here, so another may be tried */
};

struct credential_kind {
    const char *name;    /* "client secret": for logs and pages */
    const char *refused; /* what a refusal means that Azure does not explain */
    /* Fill in what is the kind's own; no network. */
    bool (*set_up)(struct credential *credential, const struct auth_config *config,
                   struct error *error);
    bool (*fetch)(struct credential *credential, const struct credential_ask *ask,
                  struct credential_token *token, struct error *error);
};

/* Every text is copied. ERROR_CONFIG says which key or variable is missing. */
bool credential_init(struct credential *credential, const struct credential_kind *kind,
                     const struct auth_config *config, struct error *error) MUST_USE;
void credential_finish(struct credential *credential);

/* A number that changes when a file does that this reads; 0 = it reads none. */
uint64_t credential_stamp(const struct credential *credential);

/* --- for the kinds -------------------------------------------------------------------------- */

/* Append "name=value", encoded, behind a '&' where something stands before it. */
void credential_add_field(struct buf *out, const char *name, const char *value);

/* Send it within the ask's time and count it. */
bool credential_send(const struct credential_ask *ask, struct http_request *request,
                     struct http_response *response, struct error *error) MUST_USE;

/* The token of an answer, or why there is none. is_local: by the platform, not by Entra ID. */
bool credential_take(const struct credential *credential, const struct http_response *response,
                     bool is_local, struct credential_token *token, struct error *error) MUST_USE;

/* Wipe and free what held a secret. */
void credential_wipe(struct buf *buf);
void credential_wipe_response(struct http_response *response);
