#pragma once
/* A YAML text as a plain tree with line numbers; the only file that names the YAML library.
 * One document; no anchors, aliases or tags; at most 20 levels and 10,000 keys a mapping. */
#include <stdbool.h>
#include <stddef.h>

#include "core/arena.h"
#include "core/error.h"

enum options_yaml_kind {
    OPTIONS_YAML_NULL, /* nothing, ~ or null */
    OPTIONS_YAML_TEXT, /* any other scalar, as written, quotes and escapes resolved */
    OPTIONS_YAML_LIST,
    OPTIONS_YAML_MAPPING,
};

struct options_yaml_node {
    enum options_yaml_kind kind;
    int line;
    char *key;      /* in a mapping; NULL elsewhere */
    int first_line; /* when not 0: the key stood in this line before */
    char *text;     /* OPTIONS_YAML_TEXT only */
    size_t count;   /* of a list or mapping, and its members: */
    struct options_yaml_node *first, *last;
    struct options_yaml_node *next; /* the sibling after this one */
};

/* Parse `length` bytes. root: in arena; an empty text is OPTIONS_YAML_NULL.
 * line: where the error is, 0 = nowhere in particular. */
bool options_yaml_parse(const char *text, size_t length, struct arena *arena,
                        struct options_yaml_node **root, int *line, struct error *error) MUST_USE;

/* The member of a mapping with this key that came first, or NULL. Takes any node and NULL. */
struct options_yaml_node *options_yaml_find(const struct options_yaml_node *node, const char *key);
