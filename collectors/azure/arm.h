#pragma once
/* An authorised call to Azure Resource Manager, or to another API of the tenant: pacing per
 * principal, retries with back-off and jitter, quota headers, one clear error for every error body.
 * Any thread. source: Microsoft Learn, Request limits and throttling. */
#include <stdbool.h>
#include <stdint.h>

#include "collectors/azure/auth.h"
#include "collectors/azure/pacer.h"
#include "core/http.h"
#include "core/json.h"
#include "core/metric.h"

/* Where the APIs are, and whose tokens they take. */
struct arm_config {
    const char *resource_manager; /* "https://management.azure.com", no trailing slash */
    struct arm_other {
        const char *url; /* NULL or "" = not known */
        struct auth *auth;
    } microsoft_graph, endpoint_api;
    bool gives_up_early; /* before anything has answered, a call without answer, or without a token,
                            is not repeated */
};

struct arm;
struct arm *arm_create(const struct arm_config *config, struct auth *auth,
                       struct metric_store *metrics);
void arm_destroy(struct arm *arm);

/* Whether anything has answered a call since the start, with whatever status. Any thread. */
bool arm_has_answered(const struct arm *arm);

/* What one collection uses: a connection, a deadline, a switch to stop. */
struct arm_session {
    struct arm *arm;
    struct http_client *client;   /* http_client_cancel ends a request and any waiting at once */
    int64_t deadline_ms;          /* clock_monotonic_ms */
    const atomic_bool *cancelled; /* ends waiting and stops the next request; may be NULL */
    int tries;                    /* at most so many attempts a call; 0 = the usual number */
    enum pacer_rank rank;         /* who waits for whom when the quota is short */
    struct pacer_budget *budget;  /* of Resource Graph; outlives the session; NULL = none */
};

/* The quota a call counts against, and the `api` label of its metrics. */
enum arm_api { ARM_GRAPH, ARM_LIST, ARM_HUNTING, ARM_DEFENDER, ARM_API_COUNT };

struct arm_call {
    enum arm_api api;
    const char *method; /* "GET" or "POST" */
    const char *url;  /* a path ("/subscriptions?api-version=...") or an absolute URL, whose origin
                         must be the configured one: else ERROR_INCOMPLETE and no token is sent */
    const char *body; /* JSON; NULL = none */
    size_t response_limit_bytes; /* 0 = 64 MiB */
};

/* Call until it works, fails for good, or the deadline passes. Only 200 is success: any other 2xx
 * is ERROR_INCOMPLETE.
 * response: as in http_exchange. error->code is another for forbidden, not found, throttled ...;
 * the message has Azure's code, message and innermost detail, and the request id. */
bool arm_call(struct arm_session *session, const struct arm_call *call,
              struct http_response *response, struct error *error) MUST_USE;

/* A session that sweeps still needs so many requests: see pacer_expect. Of others: nothing. */
void arm_expect(const struct arm_session *session, enum arm_api api, int64_t requests);

/* Turn an error answer into *error: every variant the providers send, also HTML and none.
 * Always returns false. Pure: for tests and other clients. */
bool arm_error(int status, const char *body, size_t length, struct error *error);

/* True when Azure says that the answer would be larger than it sends: ask for less. */
bool arm_too_large(const struct error *error);

/* True when Azure does not know the api-version that was asked for: try an older one. */
bool arm_version_refused(const struct error *error);

extern const struct family *const arm_families[]; /* what arm and auth write to the store */
