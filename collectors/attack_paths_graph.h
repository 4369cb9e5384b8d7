#pragma once
/* The graph attack paths run through, while rows arrive: entities, steps from one to the next, what
 * a path leads through in order, and what most of them lead through. */
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"

struct attack_paths_graph;
struct attack_paths_graph *attack_paths_graph_create(void);
void attack_paths_graph_destroy(struct attack_paths_graph *graph); /* NULL is fine */

/* An entity of a path; texts are copied. */
struct attack_paths_node {
    const char *path, *key; /* of the path and, in it, of the entity */
    const char *name, *type, *resource_id;
};
void attack_paths_graph_add(struct attack_paths_graph *graph, const struct attack_paths_node *node);

/* A step of a path. Entities that are not known, or not yet, make no step. */
void attack_paths_graph_link(struct attack_paths_graph *graph, const char *path, const char *from,
                             const char *to);

/* All has been added: what follows may be asked. */
void attack_paths_graph_finish(struct attack_paths_graph *graph);

/* An entity of a path, NULL when it is not known. May be asked before. */
const struct attack_paths_node *attack_paths_graph_find(const struct attack_paths_graph *graph,
                                                        const char *path, const char *key);

/* Call with the entities of the shortest way from one to the other, both included, in order; not at
 * all when there is none. */
typedef void attack_paths_visit(const struct attack_paths_node *node, void *context);
void attack_paths_graph_walk(struct attack_paths_graph *graph, const char *path, const char *from,
                             const char *to, attack_paths_visit *visit, void *context);

/* How many paths lead through the resource of an entity; 0 when it is none. */
size_t attack_paths_graph_paths(const struct attack_paths_graph *graph,
                                const struct attack_paths_node *node);
