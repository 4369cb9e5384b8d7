#pragma once
/* The stand-in as a whole: what it was told, what it serves, what it counted. */
#include <pthread.h>
#include <stdatomic.h>

#include "evolve.h"
#include "fault.h"
#include "query.h"

enum { FAKE_ENDPOINTS_MAX = 24, FAKE_STATUS_MAX = 600 };

struct fake_options {
    struct tenant_options tenant;
    unsigned port, start_generation;
    long evolve_s, quota_requests, token_lifetime_s, page_rows;
    bool quota, log, fixed_now, empty;
    const char *certificate, *key; /* files */
    const char *secret, *client_id, *tenant_id, *federated_token;
    const char *client_certificate, *identity_header, *arc_keys;
    const char *recorded, *recorded_assessments, *recorded_metadata, *recorded_scores,
        *recorded_controls, *recorded_plans;
};

struct fake_quota {
    char principal[64];
    int64_t window_ends_ms;
    long used;
};

struct recorded;

struct fake {
    struct fake_options options;
    struct queries queries;
    struct recorded *recorded; /* NULL: the generated tenant is served */
    uint8_t sign_key[32];
    atomic_bool stopping;
    pthread_mutex_t lock; /* what follows */
    struct tenant tenant;
    struct evolve evolve;
    struct faults faults;
    struct buf names; /* what everything is called: the inside of a JSON string; empty = as drawn */
    struct fake_quota quotas[16];
    uint64_t tokens_issued, throttled;
    char arc_key[37]; /* the one that was named last; "" = it was used */
    struct {
        const char *label;
        uint64_t requests, statuses[FAKE_STATUS_MAX];
    } endpoints[FAKE_ENDPOINTS_MAX];
};

/* Made as the words of a command line say; prints what is wrong with them and ends the program. */
struct fake *fake_create(int count, char **words);
void fake_destroy(struct fake *fake);

/* Go so many generations on. The lock is held. */
void fake_advance(struct fake *fake, unsigned long steps);

/* Start again and go to this generation. The lock is held. */
void fake_rewind(struct fake *fake, unsigned long generation);

/* "payload.hex": a text only this process can have made. */
void fake_sign(const struct fake *fake, const char *payload, struct buf *out);

/* The payload of such a text (in place); false when it is none of ours. */
bool fake_verify(const struct fake *fake, char *text);
