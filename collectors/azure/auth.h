#pragma once
/* Tokens for Azure, of whichever way to sign in there is: cached, renewed early and when a file is
 * replaced, single flight. Any thread. source: Microsoft identity platform. */
#include <stdbool.h>
#include <stdint.h>

#include "collectors/azure/auth_config.h"
#include "core/error.h"
#include "core/http.h"
#include "core/metric.h"

struct auth;

/* No network here; every text is copied. ERROR_CONFIG says which key or variable is missing. */
struct auth *auth_create(const struct auth_config *config, struct metric_store *metrics,
                         struct error *error);
void auth_destroy(struct auth *auth);

/* "Bearer ..." for the Authorization header, copied to out (NUL-terminated buf, reset first).
 * A new one is fetched when the cached one is past 80 % of its life, or a file it was fetched with
 * is another; while that fails and the old one is valid, the old one is used. ERROR_AUTH carries
 * Azure's own AADSTS text; where several ways to sign in were tried, it says why each failed. */
bool auth_header(struct auth *auth, struct http_client *client, int64_t deadline_ms,
                 struct buf *out, struct error *error) MUST_USE;

/* The token was refused (401): the next auth_header fetches a new one, unless another thread
 * already did since `refused_header` was handed out. claims: what the new one has to have, JSON;
 * NULL = nothing more. */
void auth_invalidate(struct auth *auth, const char *refused_header, const char *claims);

/* How long after its arrival a token of this life is renewed. Pure. source: Azure Identity. */
int64_t auth_refresh_after_s(int64_t life_s);

/* "client secret", "managed identity" ...: for logs and pages; also before one of several was
 * found to work. */
const char *auth_method_text(struct auth *auth);
const char *auth_tenant_id(const struct auth *auth); /* "" when not known (managed identity) */
