#include "core/options_yaml.h"

#include <string.h>
#include <yaml.h>

#include "core/memory.h"

enum { DEPTH_MAX = 20, KEYS_MAX = 10000 };

struct reader {
    yaml_parser_t parser;
    yaml_event_t event; /* the current one */
    const char *text, *end;
    struct arena *arena;
    int line; /* of the error */
    struct error *error;
};

static int line_of(yaml_mark_t mark)
{
    return (int)mark.line + 1;
}

static bool refuse(struct reader *reader, const char *reason)
{
    reader->line = line_of(reader->event.start_mark);
    return error_set(reader->error, ERROR_CONFIG, "%s", reason);
}

/* Whether the line the reader is at begins with a tab, or with one among blanks. */
static bool is_indented_with_tab(const struct reader *reader)
{
    const char *at = reader->text;
    for (int line = 1; line < reader->line && at < reader->end; at++)
        line += *at == '\n';
    while (at < reader->end && *at == ' ')
        at++;
    return at < reader->end && *at == '\t';
}

/* What the library found wrong. It knows no line for bytes that are not UTF-8, only an offset. */
static bool refuse_syntax(struct reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    reader->line = line_of(parser->problem_mark);
    if (parser->error == YAML_READER_ERROR) {
        reader->line = 1;
        for (size_t i = 0; i < parser->problem_offset; i++)
            reader->line += reader->text[i] == '\n';
    }
    if (parser->error == YAML_SCANNER_ERROR && is_indented_with_tab(reader))
        return error_set(reader->error, ERROR_CONFIG,
                         "a tab: what is nested is indented with blanks");
    if (parser->context && parser->context_mark.line != parser->problem_mark.line)
        return error_set(reader->error, ERROR_CONFIG, "%s, %s in line %d", parser->problem,
                         parser->context, line_of(parser->context_mark));
    return error_set(reader->error, ERROR_CONFIG, "%s", parser->problem);
}

static bool next_event(struct reader *reader)
{
    yaml_event_delete(&reader->event);
    memset(&reader->event, 0, sizeof reader->event);
    return yaml_parser_parse(&reader->parser, &reader->event) || refuse_syntax(reader);
}

static struct options_yaml_node *new_node(struct reader *reader, enum options_yaml_kind kind)
{
    struct options_yaml_node *node = arena_zalloc(reader->arena, sizeof *node);
    node->kind = kind;
    node->line = line_of(reader->event.start_mark);
    return node;
}

static void add_child(struct options_yaml_node *parent, struct options_yaml_node *child)
{
    if (parent->last)
        parent->last->next = child;
    else
        parent->first = child;
    parent->last = child;
    parent->count++;
}

static bool is_null(const char *text)
{
    static const char *const nulls[] = { "", "~", "null", "Null", "NULL" };
    for (size_t i = 0; i < sizeof nulls / sizeof *nulls; i++) {
        if (!strcmp(text, nulls[i]))
            return true;
    }
    return false;
}

static bool read_scalar(struct reader *reader, struct options_yaml_node **out)
{
    const char *value = (const char *)reader->event.data.scalar.value;
    size_t length = reader->event.data.scalar.length;
    if (memchr(value, '\0', length))
        return refuse(reader, "a text holds a NUL character");
    bool plain = reader->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    *out = new_node(reader, plain && is_null(value) ? OPTIONS_YAML_NULL : OPTIONS_YAML_TEXT);
    (*out)->text = arena_copy(reader->arena, value, length);
    return true;
}

static bool read_key(struct reader *reader, const struct options_yaml_node *mapping, char **key,
                     int *first_line)
{
    const struct options_yaml_node *before = NULL;
    if (reader->event.type != YAML_SCALAR_EVENT ||
        memchr(reader->event.data.scalar.value, '\0', reader->event.data.scalar.length))
        return refuse(reader, "a key must be a plain text");
    if (mapping->count == KEYS_MAX)
        return refuse(reader, "a mapping has more than 10000 keys");
    *key = arena_copy(reader->arena, (const char *)reader->event.data.scalar.value,
                      reader->event.data.scalar.length);
    before = options_yaml_find(mapping, *key);
    *first_line = before ? before->line : 0;
    return next_event(reader);
}

static bool read_node(struct reader *reader, int depth, struct options_yaml_node **out);

/* The members of a list or mapping, up to its end event. */
static bool read_members(struct reader *reader, int depth, struct options_yaml_node *parent)
{
    yaml_event_type_t end =
        parent->kind == OPTIONS_YAML_LIST ? YAML_SEQUENCE_END_EVENT : YAML_MAPPING_END_EVENT;
    if (depth >= DEPTH_MAX)
        return refuse(reader, "nested deeper than 20 levels");
    if (!next_event(reader))
        return false;
    while (reader->event.type != end) {
        struct options_yaml_node *child = NULL;
        char *key = NULL;
        int line = line_of(reader->event.start_mark), first_line = 0;
        if (parent->kind == OPTIONS_YAML_MAPPING && !read_key(reader, parent, &key, &first_line))
            return false;
        if (!read_node(reader, depth + 1, &child) || !next_event(reader))
            return false;
        child->key = key;
        child->line = line;
        child->first_line = first_line;
        add_child(parent, child);
    }
    return true;
}

static bool is_decorated(const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return event->data.scalar.anchor || event->data.scalar.tag;
    case YAML_SEQUENCE_START_EVENT:
        return event->data.sequence_start.anchor || event->data.sequence_start.tag;
    case YAML_MAPPING_START_EVENT:
        return event->data.mapping_start.anchor || event->data.mapping_start.tag;
    default:
        return event->type == YAML_ALIAS_EVENT;
    }
}

/* The node that begins with the current event; its last event is the current one afterwards. */
static bool read_node(struct reader *reader, int depth, struct options_yaml_node **out)
{
    if (is_decorated(&reader->event))
        return refuse(reader, "YAML anchors (&), aliases (*) and tags (!) are not supported");
    if (reader->event.type == YAML_SCALAR_EVENT)
        return read_scalar(reader, out);
    bool list = reader->event.type == YAML_SEQUENCE_START_EVENT;
    *out = new_node(reader, list ? OPTIONS_YAML_LIST : OPTIONS_YAML_MAPPING);
    return read_members(reader, depth, *out);
}

static bool read_stream(struct reader *reader, struct options_yaml_node **root)
{
    if (!next_event(reader) || !next_event(reader)) /* stream start */
        return false;
    *root = new_node(reader, OPTIONS_YAML_NULL);
    if (reader->event.type == YAML_STREAM_END_EVENT)
        return true;
    if (!next_event(reader) || !read_node(reader, 0, root)) /* document start */
        return false;
    if (!next_event(reader) || !next_event(reader)) /* document end */
        return false;
    if (reader->event.type != YAML_STREAM_END_EVENT)
        return refuse(reader, "a second YAML document begins here; one is allowed");
    return true;
}

bool options_yaml_parse(const char *text, size_t length, struct arena *arena,
                        struct options_yaml_node **root, int *line, struct error *error)
{
    struct reader reader = { .text = text, .end = text + length, .arena = arena, .error = error };
    if (!yaml_parser_initialize(&reader.parser))
        memory_abort("out of memory: the YAML parser cannot begin");
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, length);
    bool ok = read_stream(&reader, root);
    *line = reader.line;
    yaml_event_delete(&reader.event);
    yaml_parser_delete(&reader.parser);
    return ok;
}

struct options_yaml_node *options_yaml_find(const struct options_yaml_node *node, const char *key)
{
    struct options_yaml_node *child = node ? node->first : NULL;
    while (child && (!child->key || strcmp(child->key, key) != 0))
        child = child->next;
    return child;
}
