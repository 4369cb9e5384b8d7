#pragma once
/* The tenant's life: what changes from one generation to the next, and the record of it. */
#include "tenant.h"

enum evolve_kind {
    EVOLVE_OPENED,
    EVOLVE_FIXED,
    EVOLVE_REOPENED,
    EVOLVE_RERATED,
    EVOLVE_EXEMPTED,
    EVOLVE_DELETED
};
extern const char *const evolve_words[];

struct evolve_event {
    uint32_t generation;
    int64_t at;
    uint32_t assessment;    /* index; for rules: the machine */
    int16_t rule;           /* -1: the event is of the assessment */
    uint8_t kind, from, to; /* statuses; risks of EVOLVE_RERATED */
};

struct evolve {
    struct evolve_event *events;
    size_t count, capacity;
    uint32_t *deleted; /* resources that are gone, the oldest first */
    size_t deleted_count, deleted_capacity;
    uint32_t *exempted; /* assessments whose exemption runs out, the oldest first */
    size_t exempted_count, exempted_capacity;
};

/* One generation further. at: when it happens, Unix seconds. */
void evolve_step(struct evolve *evolve, struct tenant *tenant, int64_t at);
void evolve_finish(struct evolve *evolve);
