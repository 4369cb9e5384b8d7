#include "fake.h"

#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/compiler.h"
#include "core/hash.h"
#include "options.h"
#include "recorded.h"

enum { GENERATION_S = 60 }; /* between two generations of a tenant whose clock is fixed */

static void step(struct fake *fake, bool real_time)
{
    const struct tenant *tenant = &fake->tenant;
    int64_t at = tenant->options.now + (int64_t)GENERATION_S * (tenant->generation + 1);
    evolve_step(&fake->evolve, &fake->tenant, real_time ? clock_now_s() : at);
}

void fake_advance(struct fake *fake, unsigned long steps)
{
    for (; steps; steps--)
        step(fake, !fake->options.fixed_now);
}

void fake_rewind(struct fake *fake, unsigned long generation)
{
    evolve_finish(&fake->evolve);
    tenant_finish(&fake->tenant);
    tenant_build(&fake->tenant, &fake->options.tenant, fake->options.tenant_id);
    while (fake->tenant.generation < generation)
        step(fake, false);
}

static void prepare(struct fake *fake, const struct options_more *more)
{
    char why[300];
    for (size_t i = 0; i < more->fault_count; i++)
        if (!faults_add(&fake->faults, more->faults[i], why, sizeof why)) {
            fprintf(stderr, "fake_azure: --fault: %s\n", why);
            exit(2);
        }
    queries_embedded(&fake->queries);
    if (more->queries && !queries_folder(&fake->queries, more->queries)) {
        fprintf(stderr, "fake_azure: --queries: cannot read %s\n", more->queries);
        exit(2);
    }
    if (fake->options.recorded) {
        fake->recorded = recorded_open(&fake->options, why, sizeof why);
        if (!fake->recorded) {
            fprintf(stderr, "fake_azure: --recorded: %s\n", why);
            exit(2);
        }
    }
    hash_random(fake->sign_key, sizeof fake->sign_key);
    pthread_mutex_init(&fake->lock, NULL);
    fake_rewind(fake, fake->options.start_generation);
}

struct fake *fake_create(int count, char **words)
{
    struct fake *fake = calloc(1, sizeof *fake);
    struct options_more more = { 0 };
    if (!fake)
        abort();
    options_read(count, words, &fake->options, &more);
    prepare(fake, &more);
    return fake;
}

void fake_destroy(struct fake *fake)
{
    queries_finish(&fake->queries);
    buf_finish(&fake->names);
    recorded_close(fake->recorded);
    evolve_finish(&fake->evolve);
    tenant_finish(&fake->tenant);
    pthread_mutex_destroy(&fake->lock);
    free(fake);
}
