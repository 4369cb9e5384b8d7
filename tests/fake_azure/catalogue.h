#pragma once
/* The recommendations and secure score controls of the generated tenant. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"

enum kind {
    KIND_SUBSCRIPTION,
    KIND_VM,
    KIND_ARC,
    KIND_ON_PREMISE,
    KIND_STORAGE,
    KIND_SQL,
    KIND_DATABASE,
    KIND_VAULT,
    KIND_AKS,
    KIND_WEB,
    KIND_REGISTRY,
    KIND_SUBNET,
    KIND_COSMOS,
    KIND_AWS,
    KIND_GCP,
    KIND_PLAIN_COUNT, /* the others are of --multicloud alone */
    KIND_AWS_OLD = KIND_PLAIN_COUNT,
    KIND_GCP_OLD,
    KIND_GITHUB,
    KIND_DEVOPS,
    KIND_COUNT
};

enum os { OS_WINDOWS, OS_LINUX, OS_COUNT };

enum { CONTROL_COUNT = 15, CONTROL_NONE = -1 };

struct control {
    const char *title;
    int max;
    char key[37];
};

struct recommendation {
    char key[37];
    const char *title, *severity, *category, *assessment_type, *effort, *impact;
    const char *description, *remediation, *policy;
    const char *threats;     /* a JSON array */
    const char *deprecation; /* "MM/yyyy" or NULL */
    unsigned kinds;          /* bit per enum kind */
    int control;             /* index, or CONTROL_NONE */
    int baseline;            /* enum os of the two OS baseline recommendations, else -1 */
    bool preview;
    bool grouped;           /* it has sub-assessments */
    const char *individual; /* recommendationCategory of one of a kind of its own, else "" */
};

struct catalogue {
    struct recommendation *rows; /* sorted by key */
    size_t count;
    size_t individual; /* how many of these are individual */
    int baseline[OS_COUNT]; /* index into rows */
    struct control controls[CONTROL_COUNT];
    struct arena texts;
};

/* base: without the individual ones, which stand beside grouped ones of their kinds. multicloud:
 * with recommendations for repositories. */
void catalogue_build(struct catalogue *catalogue, uint64_t seed, size_t base, size_t individual,
                     bool multicloud);
void catalogue_finish(struct catalogue *catalogue);
