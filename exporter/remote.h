#pragma once
/* A running exporter that a command asks: where it is, how to log in, whom to trust. */
#include "core/http.h"
#include "core/secret.h"
#include "exporter/flags.h"

struct remote {
    struct buf url;     /* "https://host:9887/prefix" */
    struct buf socket;  /* of a unix socket; "" = none */
    struct secret authorization; /* of the header; NULL text = no login */
    const char *ca_file, *cert_file, *key_file; /* of the flags; NULL = the system's; none */
};

/* By the flags, else by the configuration that they name. ERROR_CONFIG, ERROR_IO. */
bool remote_init(struct remote *remote, const struct flags *flags, struct error *error) MUST_USE;
void remote_finish(struct remote *remote);

/* Append ?name=value to what is asked, & where there is one; nothing when value is NULL. */
void remote_parameter(struct remote *remote, const char *name, const char *value);

/* One request for the url as it is; the answer is to be finished, also after a failure. */
bool remote_get(const struct remote *remote, int64_t timeout_ms, bool no_proxy,
                struct http_response *response, struct error *error) MUST_USE;

/* The same of the API; the body of a 200 is appended. What could not be looked at is said beside
 * it, on standard error. */
bool remote_ask(const struct remote *remote, struct buf *out, struct error *error) MUST_USE;
