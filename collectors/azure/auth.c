#include "collectors/azure/auth.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "collectors/azure/az.h"
#include "collectors/azure/credential.h"
#include "collectors/azure/entra.h"
#include "collectors/azure/meter.h"
#include "collectors/azure/platform.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/memory.h"

enum {
    EARLY_S = 300,     /* renew so long before the end of a life over ten minutes */
    RETRY_MS = 30000,  /* between tries to renew a token that is still valid */
    WAIT_STEP_MS = 20, /* while another thread fetches */
    WAYS_MAX = 2,      /* to sign in, tried one after the other until one works */
};

struct auth {
    enum auth_resource resource;
    char *tenant_id;
    int64_t (*now_ms)(void);
    int64_t sign_in_ms;
    struct meter meter;
    struct credential ways[WAYS_MAX]; /* of the thread that fetches */
    size_t way_count;

    pthread_mutex_t mutex; /* for what follows */
    int chosen;            /* of the ways; -1 = none has worked yet */
    struct secret token;
    uint64_t stamp;                 /* of the files it was fetched with */
    char *claims;                   /* what the next one has to have; NULL = nothing more */
    int64_t expires_ms, refresh_ms; /* of the token */
    int64_t retry_ms;               /* no renewal before, after one that failed */
    bool fetching;                  /* one thread does it, with the mutex free */
    uint64_t fetches;               /* ended ones */
    struct error failure;           /* of the last one; ERROR_NONE = it worked */
};

/* --- set-up -------------------------------------------------------------------------------- */

static const struct credential_kind *const kinds[AUTH_METHOD_COUNT] = {
    [AUTH_CLIENT_SECRET] = &entra_client_secret,
    [AUTH_CLIENT_CERTIFICATE] = &entra_client_certificate,
    [AUTH_WORKLOAD_IDENTITY] = &entra_workload_identity,
    [AUTH_MANAGED_IDENTITY] = &platform_managed_identity,
    [AUTH_AZ] = &az_command_line,
};

/* What is asked for, or all that may be there: what is asked for and fails is a mistake to tell of,
 * not a reason to sign in as somebody else. */
static bool add_ways(struct auth *auth, const struct auth_config *config, struct error *error)
{
    enum auth_method method = auth_config_method(config);
    const struct credential_kind *const wanted[WAYS_MAX] = {
        method == AUTH_AUTO ? &platform_managed_identity : kinds[method],
        method == AUTH_AUTO ? &az_command_line : NULL,
    };
    bool ok = true;
    for (size_t i = 0; ok && i < WAYS_MAX && wanted[i]; i++)
        ok = credential_init(&auth->ways[auth->way_count++], wanted[i], config, error);
    return ok;
}

struct auth *auth_create(const struct auth_config *config, struct metric_store *metrics,
                         struct error *error)
{
    struct auth *auth = MEMORY_NEW(struct auth);
    pthread_mutex_init(&auth->mutex, NULL);
    auth->now_ms = config->now_ms ? config->now_ms : clock_monotonic_ms;
    auth->tenant_id = memory_copy(auth_config_tenant_id(config));
    auth->meter = (struct meter){ metrics, auth->tenant_id };
    auth->resource = config->resource;
    auth->sign_in_ms = config->sign_in_ms;
    auth->chosen = -1;
    if (add_ways(auth, config, error)) {
        meter_declare(&auth->meter, METER_TOKEN);
        return auth;
    }
    auth_destroy(auth);
    return NULL;
}

void auth_destroy(struct auth *auth)
{
    if (!auth)
        return;
    for (size_t i = 0; i < auth->way_count; i++)
        credential_finish(&auth->ways[i]);
    free(auth->tenant_id);
    free(auth->claims);
    secret_finish(&auth->token);
    pthread_mutex_destroy(&auth->mutex);
    free(auth);
}

const char *auth_method_text(struct auth *auth)
{
    pthread_mutex_lock(&auth->mutex);
    int way = auth->chosen < 0 ? 0 : auth->chosen;
    pthread_mutex_unlock(&auth->mutex);
    return auth->ways[way].kind->name;
}

const char *auth_tenant_id(const struct auth *auth)
{
    return auth->tenant_id;
}

/* --- one token ----------------------------------------------------------------------------- */

/* The outcome of a fetch. */
struct outcome {
    struct credential_token token;
    struct error failure; /* ERROR_NONE = it worked */
    uint64_t stamp;
    int way; /* that worked */
};

static void finish_outcome(struct outcome *outcome)
{
    secret_finish(&outcome->token.text);
}

/* Nothing works: say of each why. What can pass by itself decides whether it is tried again. */
static void join_failures(const struct auth *auth, const struct error failures[WAYS_MAX],
                          struct error *error)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    auth_config_unset(&text);
    *error = failures[0];
    for (size_t i = 0; i < auth->way_count; i++) {
        const char *name = auth->ways[i].kind->name, *message = failures[i].message;
        size_t length = strlen(name);
        if (!strncmp(message, name, length) && !strncmp(message + length, ": ", 2))
            message += length + 2;
        buf_printf(&text, "; %s: %s", name, message);
    }
    error_set(error, failures[0].code, "no way to sign in works: %s", buf_cstr(&text));
}

/* Ask the way that worked before; before any has, each in turn until one is there. */
static void fetch(struct auth *auth, int chosen, const struct credential_ask *ask,
                  struct outcome *outcome)
{
    struct error failures[WAYS_MAX] = { 0 };
    size_t first = chosen < 0 ? 0 : (size_t)chosen;
    size_t end = chosen < 0 ? auth->way_count : first + 1;
    for (size_t i = first; i < end; i++) {
        struct credential *way = &auth->ways[i];
        outcome->token.absent = false;
        outcome->stamp = credential_stamp(way);
        outcome->way = (int)i;
        if (way->kind->fetch(way, ask, &outcome->token, &failures[i])) {
            outcome->failure = (struct error){ 0 };
            return;
        }
        outcome->failure = failures[i];
        if (i + 1 < end && !outcome->token.absent)
            return;
    }
    if (end - first > 1)
        join_failures(auth, failures, &outcome->failure);
}

/* --- cache --------------------------------------------------------------------------------- */

int64_t auth_refresh_after_s(int64_t life_s)
{
    int64_t most_s = life_s - life_s / 5;
    return life_s > (int64_t)2 * EARLY_S && life_s - EARLY_S < most_s ? life_s - EARLY_S : most_s;
}

/* Keep the outcome of a fetch, with the mutex held; it gets the token it replaces. Whether there is
 * a token that may still be used. */
static bool store_outcome(struct auth *auth, struct outcome *outcome)
{
    int64_t now_ms = auth->now_ms();
    auth->fetching = false;
    auth->fetches++;
    auth->failure = outcome->failure;
    auth->retry_ms = now_ms + RETRY_MS;
    if (outcome->failure.code == ERROR_NONE) {
        struct secret old = auth->token;
        int64_t life_s = outcome->token.life_s;
        auth->token = outcome->token.text;
        outcome->token.text = old;
        auth->chosen = outcome->way;
        auth->stamp = outcome->stamp;
        auth->expires_ms = now_ms + life_s * 1000;
        auth->refresh_ms = now_ms + auth_refresh_after_s(life_s) * 1000;
        auth->retry_ms = 0;
    }
    return secret_text(&auth->token) && now_ms < auth->expires_ms;
}

/* Say what came of a fetch, with the mutex free. */
static void tell(const struct auth *auth, const struct outcome *outcome, bool first, bool usable)
{
    bool fetched = outcome->failure.code == ERROR_NONE;
    if (fetched && auth->resource == AUTH_RESOURCE_MANAGER) {
        metric_put(auth->meter.metrics, &meter_token_expiry,
                   (double)(clock_now_s() + outcome->token.life_s), METRIC_LABELS(auth->tenant_id));
        if (first)
            log_info(MSG("signed in"), TEXT("by", auth->ways[outcome->way].kind->name),
                     TEXT("tenant_id", auth->tenant_id));
    } else if (!fetched && usable)
        log_warn(MSG("token not renewed, the old one is still valid"), ERR(&outcome->failure));
}

/* Fetch with the mutex free; entered and left with the mutex held. */
static void renew(struct auth *auth, struct http_client *client, int64_t deadline_ms)
{
    CLEANUP(finish_outcome) struct outcome outcome = { 0 };
    int chosen = auth->chosen;
    char *claims = auth->claims;
    auth->claims = NULL;
    auth->fetching = true;
    pthread_mutex_unlock(&auth->mutex);
    int64_t most_ms = clock_monotonic_ms() + auth->sign_in_ms;
    const struct credential_ask ask = {
        .client = client,
        .deadline_ms = deadline_ms,
        .endpoints_ms = auth->sign_in_ms && most_ms < deadline_ms ? most_ms : deadline_ms,
        .claims = claims,
        .meter = &auth->meter,
    };
    fetch(auth, chosen, &ask, &outcome);
    pthread_mutex_lock(&auth->mutex);
    bool usable = store_outcome(auth, &outcome);
    if (outcome.failure.code != ERROR_NONE && !auth->claims)
        auth->claims = claims; /* the next one still has to have them */
    else
        free(claims);
    pthread_mutex_unlock(&auth->mutex);
    tell(auth, &outcome, chosen < 0, usable);
    pthread_mutex_lock(&auth->mutex);
}

/* Whether a file the token was fetched with is another by now; with the mutex held. */
static bool has_other_files(const struct auth *auth)
{
    return auth->chosen >= 0 && auth->stamp != credential_stamp(&auth->ways[auth->chosen]);
}

/* Wait for the thread that fetches; entered and left with the mutex held. */
static bool wait_for_other(struct auth *auth, struct http_client *client, int64_t deadline_ms,
                           struct error *error)
{
    uint64_t seen = auth->fetches;
    while (auth->fetching && auth->fetches == seen) {
        pthread_mutex_unlock(&auth->mutex);
        bool goes_on = http_client_wait(client, WAIT_STEP_MS);
        pthread_mutex_lock(&auth->mutex);
        if (!goes_on)
            return error_set(error, ERROR_CANCELLED, "cancelled while waiting for a token");
        if (clock_monotonic_ms() >= deadline_ms)
            return error_set(error, ERROR_TIMEOUT, "no token in time");
    }
    return true;
}

/* A token that may be used, in auth->token; entered and left with the mutex held. */
static bool ensure(struct auth *auth, struct http_client *client, int64_t deadline_ms,
                   struct error *error)
{
    for (;;) {
        int64_t now_ms = auth->now_ms();
        bool valid = secret_text(&auth->token) && now_ms < auth->expires_ms;
        if (valid && (now_ms < auth->retry_ms || auth->fetching ||
                      (now_ms < auth->refresh_ms && !has_other_files(auth))))
            return true;
        bool is_mine = !auth->fetching;
        if (is_mine)
            renew(auth, client, deadline_ms);
        else if (!wait_for_other(auth, client, deadline_ms, error))
            return false;
        if (auth->failure.code == ERROR_NONE)
            continue;
        if (valid && auth->now_ms() < auth->expires_ms)
            return true;
        /* The other thread's being cancelled or out of time says nothing about the endpoint. */
        if (is_mine ||
            (auth->failure.code != ERROR_CANCELLED && auth->failure.code != ERROR_TIMEOUT)) {
            *error = auth->failure;
            return false;
        }
    }
}

bool auth_header(struct auth *auth, struct http_client *client, int64_t deadline_ms,
                 struct buf *out, struct error *error)
{
    buf_reset(out);
    pthread_mutex_lock(&auth->mutex);
    bool ok = ensure(auth, client, deadline_ms, error);
    if (ok) {
        buf_text(out, "Bearer ");
        buf_text(out, secret_text(&auth->token));
    }
    pthread_mutex_unlock(&auth->mutex);
    return ok;
}

void auth_invalidate(struct auth *auth, const char *refused_header, const char *claims)
{
    static const char prefix[] = "Bearer ";
    pthread_mutex_lock(&auth->mutex);
    const char *token = secret_text(&auth->token);
    if (token && !strncmp(refused_header, prefix, sizeof prefix - 1) &&
        secret_equal(token, refused_header + sizeof prefix - 1)) {
        auth->expires_ms = auth->refresh_ms = 0;
        auth->retry_ms = 0;
        free(auth->claims);
        auth->claims = claims ? memory_copy(claims) : NULL;
    }
    pthread_mutex_unlock(&auth->mutex);
}
