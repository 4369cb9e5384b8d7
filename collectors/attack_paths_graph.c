#include "collectors/attack_paths_graph.h"

#include <stdlib.h>
#include <string.h>

#include "core/intern.h"
#include "core/memory.h"

/* Steps and ways are of numbers of nodes. An entity that two paths share is two nodes. */
struct step {
    uint32_t from, to;
};

struct use {
    uint32_t resource, path;
};

struct attack_paths_graph {
    struct intern texts; /* of nodes */
    struct intern keys;  /* "path|entity": number n is nodes[n - 1] */
    struct attack_paths_node *nodes;
    size_t capacity;
    struct step *steps; /* sorted by finish */
    size_t step_count, step_capacity;
    uint32_t *before; /* on the way: number of the node a node was reached from; 0 = not reached */
    uint32_t *queue;
    size_t *paths; /* by number in texts: paths that lead through this resource */
};

struct attack_paths_graph *attack_paths_graph_create(void)
{
    return MEMORY_NEW(struct attack_paths_graph);
}

void attack_paths_graph_destroy(struct attack_paths_graph *graph)
{
    if (!graph)
        return;
    intern_finish(&graph->texts);
    intern_finish(&graph->keys);
    free(graph->nodes);
    free(graph->steps);
    free(graph->before);
    free(graph->queue);
    free(graph->paths);
    free(graph);
}

static const char *keep(struct attack_paths_graph *graph, const char *text)
{
    return intern_text(&graph->texts, intern_put(&graph->texts, text, strlen(text)));
}

static size_t node_count(const struct attack_paths_graph *graph)
{
    return graph->keys.count ? graph->keys.count - 1 : 0;
}

static void write_key(struct buf *out, const char *path, const char *key)
{
    buf_reset(out);
    buf_printf(out, "%s|%s", path, key);
}

/* 0 = not known. */
static uint32_t number_of(const struct attack_paths_graph *graph, const char *path, const char *key)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    write_key(&text, path, key);
    uint32_t number = intern_find(&graph->keys, text.data, text.length);
    return number == UINT32_MAX ? 0 : number;
}

void attack_paths_graph_add(struct attack_paths_graph *graph, const struct attack_paths_node *node)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    size_t before = node_count(graph);
    write_key(&text, node->path, node->key);
    if (intern_put(&graph->keys, text.data, text.length) <= before)
        return; /* it is known */
    MEMORY_GROW(graph->nodes, before, graph->capacity);
    graph->nodes[before] = (struct attack_paths_node){
        .path = keep(graph, node->path),
        .key = keep(graph, node->key),
        .name = keep(graph, node->name),
        .type = keep(graph, node->type),
        .resource_id = keep(graph, node->resource_id),
    };
}

void attack_paths_graph_link(struct attack_paths_graph *graph, const char *path, const char *from,
                             const char *to)
{
    const struct step step = { number_of(graph, path, from), number_of(graph, path, to) };
    if (!step.from || !step.to)
        return;
    MEMORY_GROW(graph->steps, graph->step_count, graph->step_capacity);
    graph->steps[graph->step_count++] = step;
}

const struct attack_paths_node *attack_paths_graph_find(const struct attack_paths_graph *graph,
                                                        const char *path, const char *key)
{
    uint32_t number = number_of(graph, path, key);
    return number ? &graph->nodes[number - 1] : NULL;
}

/* --- finish ----------------------------------------------------------------------------------- */

static int compare_steps(const void *left, const void *right)
{
    const struct step *a = left, *b = right;
    if (a->from != b->from)
        return a->from < b->from ? -1 : 1;
    return (a->to > b->to) - (a->to < b->to);
}

static int compare_uses(const void *left, const void *right)
{
    const struct use *a = left, *b = right;
    if (a->resource != b->resource)
        return a->resource < b->resource ? -1 : 1;
    return (a->path > b->path) - (a->path < b->path);
}

static uint32_t text_number(const struct attack_paths_graph *graph, const char *text)
{
    return intern_find(&graph->texts, text, strlen(text));
}

static void count_paths(struct attack_paths_graph *graph)
{
    size_t count = node_count(graph);
    struct use *uses = MEMORY_ARRAY(struct use, count + 1);
    for (size_t i = 0; i < count; i++)
        uses[i] = (struct use){ text_number(graph, graph->nodes[i].resource_id),
                                text_number(graph, graph->nodes[i].path) };
    if (count)
        qsort(uses, count, sizeof *uses, compare_uses);
    for (size_t i = 0; i < count; i++)
        graph->paths[uses[i].resource] += !i || compare_uses(&uses[i - 1], &uses[i]) != 0;
    graph->paths[0] = 0; /* what is no resource */
    free(uses);
}

void attack_paths_graph_finish(struct attack_paths_graph *graph)
{
    if (graph->step_count)
        qsort(graph->steps, graph->step_count, sizeof *graph->steps, compare_steps);
    graph->before = MEMORY_ARRAY(uint32_t, node_count(graph) + 1);
    graph->queue = MEMORY_ARRAY(uint32_t, node_count(graph) + 1);
    graph->paths = MEMORY_ARRAY(size_t, graph->texts.count + 1);
    count_paths(graph);
}

/* --- asking ----------------------------------------------------------------------------------- */

static size_t first_step(const struct attack_paths_graph *graph, uint32_t from)
{
    size_t low = 0, high = graph->step_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (graph->steps[middle].from < from)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Fill `before` from one node to the other; how many were reached: queue has them. */
static size_t search(struct attack_paths_graph *graph, uint32_t from, uint32_t to)
{
    size_t reached = 0;
    graph->before[from] = from;
    graph->queue[reached++] = from;
    for (size_t i = 0; i < reached && !graph->before[to]; i++) {
        uint32_t node = graph->queue[i];
        for (size_t at = first_step(graph, node);
             at < graph->step_count && graph->steps[at].from == node; at++) {
            uint32_t next = graph->steps[at].to;
            if (graph->before[next])
                continue;
            graph->before[next] = node;
            graph->queue[reached++] = next;
        }
    }
    return reached;
}

void attack_paths_graph_walk(struct attack_paths_graph *graph, const char *path, const char *from,
                             const char *to, attack_paths_visit *visit, void *context)
{
    uint32_t first = number_of(graph, path, from), last = number_of(graph, path, to);
    if (!first || !last)
        return;
    size_t reached = search(graph, first, last), length = 0;
    uint32_t *way = MEMORY_ARRAY(uint32_t, reached + 1);
    for (uint32_t at = last; graph->before[last]; at = graph->before[at]) {
        way[length++] = at;
        if (at == first)
            break;
    }
    while (length)
        visit(&graph->nodes[way[--length] - 1], context);
    for (size_t i = 0; i < reached; i++)
        graph->before[graph->queue[i]] = 0;
    free(way);
}

size_t attack_paths_graph_paths(const struct attack_paths_graph *graph,
                                const struct attack_paths_node *node)
{
    return graph->paths[text_number(graph, node->resource_id)];
}
