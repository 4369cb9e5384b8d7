#pragma once
/* A source is an instance of a collector: what is asked of one tenant under one name. The
 * configuration makes a list of them; everything that is kept or shown per source follows it. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/arena.h"

struct collector;

struct source {
    const struct collector *collector; /* what kind it is; the list holds it */
    const char *tenant;                /* whom it asks; "" = the tenant the program signs in to */
    const char *name;                  /* what people call it: in labels, logs and requests */
    const char *key; /* unique in a list; under it the database and files know what came of it */
    size_t index;    /* its place in `list` */
    struct source_list *list;
    const char *tenant_id; /* whom it asks, as Azure calls it; "" = not known. Given NULL: tenant */
    const char *portal; /* host of links to what it finds; "" = the configuration's. NULL: "" */
};

struct source_list {
    atomic_int references;
    size_t count;
    struct source *sources;
    struct arena arena;
};

/* A list of these, with one reference; texts are copied, index and list are filled in. The order
 * is discovery, reference, data; then as the collectors say; then by key: never the caller's. */
struct source_list *source_list_create(const struct source *sources, size_t count);

/* A source of each of these collectors (ends with NULL), named as they are. */
struct source_list *source_list_of(const struct collector *const *kinds);

/* Whether a text can be a key: letters, digits, '_', '.', '-', at most 100. Keys name files, rows
 * and columns of labels joined with ','. A list of other keys is a mistake of ours: it aborts. */
bool source_key_is_valid(const char *key);

void source_list_acquire(struct source_list *list);
void source_list_release(struct source_list *list); /* NULL is fine */

/* The source of a key, or of a name; NULL when there is none. */
const struct source *source_list_find(const struct source_list *list, const char *key);
const struct source *source_list_named(const struct source_list *list, const char *name);

/* Whether both hold the same sources. */
bool source_list_equal(const struct source_list *left, const struct source_list *right);
