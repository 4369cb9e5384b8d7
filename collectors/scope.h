#pragma once
/* Which subscriptions are looked at: what the operator includes and excludes, by id, name, tag and
 * management group; and what within them, by cloud. Pure. */
#include <stdbool.h>

#include "collectors/snapshot/cloud_kind.h"
#include "core/options.h"

/* `subscriptions` of the configuration. */
struct scope_config {
    struct option_texts include, exclude; /* ids */
    struct option_texts include_names, exclude_names;
    struct option_texts include_tags, exclude_tags;
    struct option_texts include_groups, exclude_groups;
    struct option_texts include_clouds, exclude_clouds; /* words of cloud_kind */
};
extern const struct option scope_options[];

/* What is known of a subscription. */
struct scope_facts {
    const char *id, *name;
    const char *groups; /* names of its management groups, the nearest first, a line each */
    const char *tags;   /* "name=value", a line each */
};

/* Why one is not looked at. */
enum scope_why {
    SCOPE_WANTED,
    SCOPE_NOT_INCLUDED,
    SCOPE_BY_ID, /* excluded, as the next ones */
    SCOPE_BY_NAME,
    SCOPE_BY_TAG,
    SCOPE_BY_GROUP,
    SCOPE_OTHER_TENANT, /* which tells of it */
    SCOPE_WHY_COUNT
};
extern const char *const scope_why_words[]; /* "" for SCOPE_WANTED; ends with NULL */

/* A copy of the configuration's. */
struct scope;
struct scope *scope_create(const struct scope_config *config);
void scope_destroy(struct scope *scope); /* NULL is fine */
bool scope_equal(const struct scope *scope, const struct scope_config *config);

/* Whether it lets everything through; NULL does. */
bool scope_is_open(const struct scope *scope);

/* Whether it cannot be judged without tags, or management groups. */
bool scope_needs_containers(const struct scope *scope);

/* One that any include names, or where there is none, and no exclude. scope: NULL is fine. */
enum scope_why scope_judge(const struct scope *scope, const struct scope_facts *facts);

/* The clouds of which nothing is looked at, a bit each; scope: NULL is fine. */
unsigned scope_clouds_out(const struct scope *scope);

/* The same of a configuration. */
unsigned scope_clouds_left(const struct scope_config *config);

/* The ids the operator named, ends with NULL. */
const char *const *scope_included(const struct scope *scope);
