#include "alerts/text/template.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/text/match.h"
#include "alerts/text/template_escape.h"
#include "alerts/text/text.h"
#include "collectors/snapshot/finding.h"
#include "core/clock.h"
#include "core/near.h"

enum {
    TEXT_BYTES = 16 * 1024,
    OUTPUT_BYTES = 32 * 1024,
    NESTING_MAX = 8,
    STEPS_MAX = 100000, /* nodes rendered: nested lists must not multiply without end */
    NAMES_MAX = 128,    /* fields offered as near ones */
    CUT_MIN = 10,
    CUT_MAX = 32768,
};

enum node_kind { NODE_TEXT, NODE_VALUE, NODE_SECTION, NODE_INVERTED, NODE_CUT };

struct node {
    enum node_kind kind;
    const char *text; /* NODE_TEXT, of `length` bytes */
    size_t length;
    const struct record_field *field; /* the others */
    const char *key;                  /* of a label; NULL = the field itself */
    const char *word;                 /* what a section compares it with; NULL = nothing */
    int level;                        /* the scope that has the field */
    bool is_place;                    /* it is one of place_fields there */
    bool bare;                        /* without markup: {{&field}} */
    size_t most;                      /* NODE_CUT: bytes of text */
    struct node *first, *next;
};

struct template
{
    struct node *first;
};

/* What {{#labels}} offers of each label. */
static const struct record_field label_fields[] = {
    { "name", RECORD_TEXT(struct match_label, name) },
    { "value", RECORD_TEXT(struct match_label, value) },
    { 0 },
};

/* Where an element stands in its list. */
struct place {
    bool first, last;
};
static const struct record_field place_fields[] = {
    { "@first", RECORD_BOOL(struct place, first) },
    { "@last", RECORD_BOOL(struct place, last) },
    { 0 },
};

/* --- compiling -------------------------------------------------------------------------------- */
struct parser {
    const char *start, *at;
    struct arena *arena;
    const struct record_field *scopes[NESTING_MAX + 1];
    int level; /* of the innermost scope */
    bool json; /* a body: what stands in quotes is text */
    bool quoted, cutting;
    struct error *error;
};

struct tag {
    char sigil; /* # ^ / ! & or 0 */
    char name[128];
    const char *begin, *end; /* the braces */
    const char *text_end;    /* where the text before it ends */
    const char *resume;      /* where the text behind it begins */
};

static bool complain(struct parser *parser, const char *where, const char *what, const char *name)
{
    int line = 1;
    for (const char *c = parser->start; c < where; c++)
        line += *c == '\n';
    return error_set(parser->error, ERROR_CONFIG, "line %d: %s%s", line, what, name);
}

/* A tag that writes nothing and stands alone in its line takes the line with it. */
static void widen_to_line(struct parser *parser, struct tag *tag)
{
    const char *before = tag->begin, *after = tag->end;
    while (before > parser->start && (before[-1] == ' ' || before[-1] == '\t'))
        before--;
    while (*after == ' ' || *after == '\t' || *after == '\r')
        after++;
    if ((before == parser->start || before[-1] == '\n') && (*after == '\n' || !*after)) {
        tag->text_end = before;
        tag->resume = after + (*after == '\n');
    }
}

/* The next tag at or behind parser->at; *found false when there is none. */
static bool next_tag(struct parser *parser, struct tag *tag, bool *found)
{
    const char *begin = strstr(parser->at, "{{");
    *found = begin != NULL;
    if (!begin)
        return true;
    const char *end = strstr(begin, "}}"), *name = begin + 2;
    if (!end)
        return complain(parser, begin, "{{ without }}", "");
    *tag = (struct tag){ .begin = begin, .end = end + 2, .text_end = begin, .resume = end + 2 };
    if (*name && strchr(parser->json ? "#^/!&" : "#^/!", *name))
        tag->sigil = *name++;
    if (tag->sigil && tag->sigil != '&')
        widen_to_line(parser, tag);
    if (tag->sigil == '!')
        return true;
    while (*name == ' ')
        name++;
    while (end > name && end[-1] == ' ')
        end--;
    size_t length = (size_t)(end - name);
    if (!length || length >= sizeof tag->name)
        return complain(parser, begin, "a tag without a name", "");
    memcpy(tag->name, name, length);
    if (strchr("{&>=", *name))
        return complain(parser, begin, "this kind of tag is not supported: {{", tag->name);
    return true;
}

static bool unknown(struct parser *parser, const struct tag *tag)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    const char *names[NAMES_MAX + 1];
    size_t count = 0;
    for (int level = parser->level; level >= 0; level--)
        for (const struct record_field *f = parser->scopes[level]; f->type && count < NAMES_MAX;
             f++)
            names[count++] = f->name;
    names[count] = NULL;
    buf_printf(&text, "%s}}", tag->name);
    near_append(tag->name, names, &text);
    return complain(parser, tag->begin, "unknown field {{", buf_cstr(&text));
}

/* What follows a field's name: the key of a label, the word it is compared with. */
static bool resolve_rest(struct parser *parser, const struct tag *tag, struct node *node)
{
    const char *rest = tag->name + strlen(node->field->name);
    if (*rest == '.' && node->field->type != RECORD_TYPE_LABELS)
        return unknown(parser, tag);
    if (*rest == '.') {
        size_t length = strcspn(++rest, "=");
        node->key = arena_copy(parser->arena, rest, length);
        rest += length;
    }
    if (!*rest)
        return true;
    if (tag->sigil != '#' && tag->sigil != '^')
        return complain(parser, tag->begin, "compares, write {{#", tag->name);
    if (!node->key && node->field->type >= RECORD_TYPE_LABELS)
        return unknown(parser, tag);
    node->word = arena_text(parser->arena, rest + 1);
    for (size_t i = 0; node->field->type == RECORD_TYPE_WORD; i++)
        if (!node->field->words[i])
            return complain(parser, tag->begin, "no word of that field: {{", tag->name);
        else if (!strcmp(node->field->words[i], node->word))
            break;
    return true;
}

/* {{@first}} and {{@last}}, of the innermost list. */
static bool resolve_place(struct parser *parser, const struct tag *tag, struct node *node)
{
    for (const struct record_field *f = place_fields; f->type && parser->level; f++)
        if (!strcmp(f->name, tag->name)) {
            node->field = f;
            node->level = parser->level;
            node->is_place = true;
            return true;
        }
    return unknown(parser, tag);
}

/* Find the field a tag names, in the innermost scope that has it. */
static bool resolve(struct parser *parser, const struct tag *tag, struct node *node)
{
    size_t length = strcspn(tag->name, ".=");
    if (*tag->name == '@')
        return resolve_place(parser, tag, node);
    for (node->level = parser->level; node->level >= 0; node->level--)
        for (const struct record_field *f = parser->scopes[node->level]; f->type; f++) {
            if (strlen(f->name) != length || memcmp(f->name, tag->name, length) != 0)
                continue;
            node->field = f;
            return resolve_rest(parser, tag, node);
        }
    return unknown(parser, tag);
}

static bool is_line_start(const struct parser *parser, const char *at)
{
    return at == parser->start || at[-1] == '\n';
}

/* The text up to `end` of a body: in quotes, line breaks and the blanks a line begins with are left
 * out. */
static bool put_body(struct parser *parser, const char *end, struct buf *out)
{
    for (const char *at = parser->at; at < end; at++) {
        if (parser->quoted && (*at == '\n' || *at == '\r'))
            continue;
        if (parser->quoted && is_line_start(parser, at))
            at += strspn(at, " \t");
        if (at >= end)
            break;
        bool escapes = parser->quoted && *at == '\\';
        if (escapes && at + 1 == end)
            return complain(parser, at, "a backslash without the character it escapes", "");
        if (*at == '"' && parser->cutting)
            return complain(parser, at, "a quote inside of {{#cut}}", "");
        if (parser->quoted && (unsigned char)*at < ' ')
            return complain(parser, at, "a control character in quotes", "");
        if (*at == '"')
            parser->quoted = !parser->quoted;
        buf_char(out, *at);
        if (escapes)
            buf_char(out, *++at);
    }
    return true;
}

static bool add_text(struct parser *parser, const char *end, struct node ***tail)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    if (end <= parser->at)
        return true;
    if (!parser->json)
        buf_append(&text, parser->at, (size_t)(end - parser->at));
    else if (!put_body(parser, end, &text))
        return false;
    struct node *node = arena_zalloc(parser->arena, sizeof *node);
    node->kind = NODE_TEXT;
    node->length = text.length;
    node->text = arena_copy(parser->arena, buf_cstr(&text), text.length);
    **tail = node;
    *tail = &node->next;
    return true;
}

static bool parse(struct parser *parser, const struct tag *open, int depth, struct node **first);

/* {{#cut 300}}...{{/cut}} */
static bool parse_cut(struct parser *parser, struct tag *tag, int depth, struct node *node)
{
    char *end;
    long most = strtol(tag->name + 4, &end, 10);
    if (*end || most < CUT_MIN || most > CUT_MAX)
        return complain(parser, tag->begin, "not 10 to 32768 bytes: {{#", tag->name);
    if (depth == NESTING_MAX)
        return complain(parser, tag->begin, "nested too deep: {{#", tag->name);
    if (parser->cutting || (parser->json && !parser->quoted))
        return complain(parser, tag->begin, "cuts no text in quotes: {{#", tag->name);
    node->kind = NODE_CUT;
    node->most = (size_t)most;
    tag->name[3] = 0;
    parser->cutting = true;
    bool ok = parse(parser, tag, depth + 1, &node->first);
    parser->cutting = false;
    return ok;
}

static bool parse_section(struct parser *parser, const struct tag *tag, int depth,
                          struct node *node)
{
    bool is_list = !node->key && (node->field->type == RECORD_TYPE_LIST ||
                                  node->field->type == RECORD_TYPE_LABELS);
    bool quoted = parser->quoted;
    node->kind = tag->sigil == '#' ? NODE_SECTION : NODE_INVERTED;
    if (depth == NESTING_MAX)
        return complain(parser, tag->begin, "nested too deep: {{#", tag->name);
    bool has_scope = is_list && node->kind == NODE_SECTION;
    if (has_scope)
        parser->scopes[++parser->level] =
            node->field->type == RECORD_TYPE_LIST ? node->field->fields : label_fields;
    if (!parse(parser, tag, depth + 1, &node->first))
        return false;
    parser->level -= has_scope;
    return parser->quoted == quoted ||
           complain(parser, tag->begin, "a quote begins or ends inside of {{#", tag->name);
}

/* One tag that is no comment and closes nothing. */
static bool parse_tag(struct parser *parser, struct tag *tag, int depth, struct node *node)
{
    node->kind = NODE_VALUE;
    node->bare = tag->sigil == '&';
    if (tag->sigil == '#' && !strncmp(tag->name, "cut ", 4))
        return parse_cut(parser, tag, depth, node);
    if (!resolve(parser, tag, node))
        return false;
    if (tag->sigil == '#' || tag->sigil == '^')
        return parse_section(parser, tag, depth, node);
    enum record_type type = node->field->type;
    if (!node->key && type >= RECORD_TYPE_LABELS)
        return complain(parser, tag->begin, "holds several things, write {{#", tag->name);
    bool is_number = type == RECORD_TYPE_BOOL || type == RECORD_TYPE_UNSIGNED ||
                     type == RECORD_TYPE_INTEGER || type == RECORD_TYPE_NUMBER;
    return !parser->json || parser->quoted || is_number ||
           complain(parser, tag->begin, "is a text and stands without quotes: {{", tag->name);
}

/* Whether {{/name}} closes a section; of one that compares the field is enough. */
static bool closes(const struct tag *open, const char *name)
{
    size_t length = strcspn(open->name, "=");
    return !strcmp(open->name, name) ||
           (strlen(name) == length && !memcmp(open->name, name, length));
}

/* Parse up to the end of the section `open`, or of the text when it is NULL. */
static bool parse(struct parser *parser, const struct tag *open, int depth, struct node **first)
{
    struct node **tail = first;
    for (;;) {
        struct tag tag = { 0 };
        bool found;
        if (!next_tag(parser, &tag, &found))
            return false;
        if (!add_text(parser, found ? tag.text_end : parser->at + strlen(parser->at), &tail))
            return false;
        if (!found)
            return !open || complain(parser, open->begin, "never closed: {{#", open->name);
        parser->at = tag.resume;
        if (tag.sigil == '!')
            continue;
        if (tag.sigil == '/')
            return (open && closes(open, tag.name)) ||
                   complain(parser, tag.begin, "closes what is not open: {{/", tag.name);
        struct node *node = arena_zalloc(parser->arena, sizeof *node);
        if (!parse_tag(parser, &tag, depth, node))
            return false;
        *tail = node;
        tail = &node->next;
    }
}

static const struct template *compile(const char *text, const struct record_field *fields,
                                      bool json, struct arena *arena, struct error *error)
{
    if (strlen(text) > TEXT_BYTES) {
        error_set(error, ERROR_CONFIG, "longer than %d bytes", TEXT_BYTES);
        return NULL;
    }
    struct parser parser = { text, text, arena, { fields }, .json = json, .error = error };
    struct template *compiled = arena_zalloc(arena, sizeof *compiled);
    bool ok = parse(&parser, NULL, 0, &compiled->first) &&
              (!parser.quoted || complain(&parser, text, "a quote is never closed", ""));
    return ok ? compiled : NULL;
}

const struct template *template_compile(const char *text, const struct record_field *fields,
                                        struct arena *arena, struct error *error)
{
    return compile(text, fields, false, arena, error);
}

const struct template *template_compile_json(const char *text, const struct record_field *fields,
                                             struct arena *arena, struct error *error)
{
    return compile(text, fields, true, arena, error);
}

/* --- rendering -------------------------------------------------------------------------------- */
struct rendering {
    struct buf out;
    const void *scopes[NESTING_MAX + 1];
    struct place places[NESTING_MAX + 1];
    int level, steps;
    size_t ceiling; /* what comes behind so many bytes is of no use */
    bool json;
    enum template_escape markup;
};

static void rendering_finish(struct rendering *rendering)
{
    buf_finish(&rendering->out);
}

static const char *label_value(const struct node *node, const void *data)
{
    const struct match_label *labels = data;
    size_t count =
        *(const size_t *)((const char *)data - node->field->offset + node->field->count_offset);
    for (size_t i = 0; i < count; i++)
        if (!strcmp(labels[i].name, node->key))
            return labels[i].value;
    return "";
}

/* At most four decimals: a text is for people. */
static double rounded(double value)
{
    return fabs(value) < 1e9 ? floor(value * 1e4 + 0.5) / 1e4 : value;
}

/* Append a value; nothing for what counts as false, so that a section can ask the same. */
static void put_value(const struct node *node, const void *record, struct buf *out)
{
    const struct record_field *field = node->field;
    const void *value = (const char *)record + field->offset;
    char text[40];
    switch (field->type) {
    case RECORD_TYPE_TEXT:
        if (*(const char *const *)value)
            buf_text(out, *(const char *const *)value);
        return;
    case RECORD_TYPE_CHARS:
        buf_text(out, value);
        return;
    case RECORD_TYPE_WORD:
        buf_text(out, field->words[*(const int *)value]);
        return;
    case RECORD_TYPE_BOOL:
        buf_text(out, *(const bool *)value ? "true" : "false");
        return;
    case RECORD_TYPE_UNSIGNED:
        buf_integer(out, *(const uint32_t *)value);
        return;
    case RECORD_TYPE_INTEGER:
        buf_integer(out, *(const int64_t *)value);
        return;
    case RECORD_TYPE_NUMBER:
        if (!field->measured || !isnan(*(const double *)value))
            buf_number(out, rounded(*(const double *)value));
        return;
    case RECORD_TYPE_INSTANT:
        if (*(const int64_t *)value)
            buf_text(out, clock_format_rfc3339(*(const int64_t *)value, text));
        return;
    case RECORD_TYPE_DURATION:
        text_age(out, *(const int64_t *)value);
        return;
    case RECORD_TYPE_FINDING:
        if (*(const bool *)((const char *)record + field->count_offset))
            buf_text(out, finding_id_text(value, text));
        return;
    case RECORD_TYPE_LABELS:
        buf_text(out, label_value(node, value));
        return;
    case RECORD_TYPE_LIST:
    case RECORD_END:
        return;
    }
}

static bool is_word(const struct node *node, const void *record)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    put_value(node, record, &text);
    return !strcmp(buf_cstr(&text), node->word);
}

static bool is_true(const struct node *node, const void *record)
{
    if (node->word)
        return is_word(node, record);
    const void *value = (const char *)record + node->field->offset;
    switch (node->field->type) {
    case RECORD_TYPE_BOOL:
        return *(const bool *)value;
    case RECORD_TYPE_UNSIGNED:
        return *(const uint32_t *)value != 0;
    case RECORD_TYPE_INTEGER:
    case RECORD_TYPE_DURATION:
    case RECORD_TYPE_INSTANT:
        return *(const int64_t *)value != 0;
    case RECORD_TYPE_NUMBER:
        return node->field->measured ? !isnan(*(const double *)value) : *(const double *)value != 0;
    default: {
        CLEANUP(buf_finish) struct buf text = { 0 };
        put_value(node, record, &text);
        return text.length > 0;
    }
    }
}

static void render(struct rendering *rendering, const struct node *node);

static void render_section(struct rendering *rendering, const struct node *node, const void *record)
{
    const struct record_field *field = node->field;
    bool wanted = node->kind == NODE_SECTION;
    if (node->key || field->type < RECORD_TYPE_LABELS) {
        if (is_true(node, record) == wanted)
            render(rendering, node->first);
        return;
    }
    size_t count = *(const size_t *)((const char *)record + field->count_offset);
    const void *value = (const char *)record + field->offset;
    bool is_list = field->type == RECORD_TYPE_LIST;
    const char *elements = is_list ? *(const char *const *)value : value;
    size_t bytes = is_list ? field->element_bytes : sizeof(struct match_label);
    if (!wanted) {
        if (!count)
            render(rendering, node->first);
        return;
    }
    rendering->level++;
    for (size_t i = 0; i < count; i++) {
        rendering->scopes[rendering->level] = elements + i * bytes;
        rendering->places[rendering->level] = (struct place){ !i, i + 1 == count };
        render(rendering, node->first);
    }
    rendering->level--;
}

/* A value of a body: first what would be markup, then what JSON escapes. */
static void put_escaped(const struct rendering *rendering, const struct node *node,
                        const void *record, struct buf *out)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    CLEANUP(buf_finish) struct buf marked = { 0 };
    CLEANUP(buf_finish) struct buf quoted = { 0 };
    put_value(node, record, &text);
    template_escape_markup(node->bare ? TEMPLATE_ESCAPE_PLAIN : rendering->markup, buf_cstr(&text),
                           &marked);
    json_quote(&quoted, buf_cstr(&marked), marked.length);
    buf_append(out, quoted.data + 1, quoted.length - 2);
}

static void render_cut(struct rendering *rendering, const struct node *node)
{
    struct buf *out = &rendering->out;
    size_t start = out->length, ceiling = rendering->ceiling;
    rendering->ceiling = start + node->most * TEMPLATE_ESCAPE_UNIT_BYTES;
    render(rendering, node->first);
    rendering->ceiling = ceiling;
    template_escape_cut(out, start, node->most, rendering->json);
}

static void render(struct rendering *rendering, const struct node *node)
{
    for (; node; node = node->next) {
        if (++rendering->steps > STEPS_MAX || rendering->out.length > rendering->ceiling)
            return;
        const void *record =
            node->is_place ? &rendering->places[node->level] : rendering->scopes[node->level];
        if (node->kind == NODE_TEXT)
            buf_append(&rendering->out, node->text, node->length);
        else if (node->kind == NODE_CUT)
            render_cut(rendering, node);
        else if (node->kind != NODE_VALUE)
            render_section(rendering, node, record);
        else if (rendering->json)
            put_escaped(rendering, node, record, &rendering->out);
        else
            put_value(node, record, &rendering->out);
    }
}

void template_render(const struct template *compiled, const void *data, struct buf *out)
{
    CLEANUP(rendering_finish)
    struct rendering rendering = { .scopes = { data }, .ceiling = OUTPUT_BYTES };
    render(&rendering, compiled->first);
    bool cut = text_cut_bytes(out, buf_cstr(&rendering.out), OUTPUT_BYTES);
    if (!cut && rendering.steps > STEPS_MAX)
        buf_text(out, "\xe2\x80\xa6");
}

bool template_render_json(const struct template *compiled, enum template_escape markup,
                          size_t limit, const void *data, struct buf *out)
{
    CLEANUP(rendering_finish)
    struct rendering rendering = {
        .scopes = { data }, .ceiling = limit, .json = true, .markup = markup
    };
    render(&rendering, compiled->first);
    buf_append(out, buf_cstr(&rendering.out), rendering.out.length);
    return rendering.steps <= STEPS_MAX && rendering.out.length <= limit;
}

/* --- reference -------------------------------------------------------------------------------- */
static void document(const struct record_field *fields, const char *indent, struct buf *out)
{
    for (const struct record_field *field = fields; field->type; field++) {
        buf_printf(out, "%s- `%s`: %s\n", indent, field->name, field->help);
        if (field->type == RECORD_TYPE_LIST)
            document(field->fields, "  ", out);
    }
}

void template_document(const struct record_field *fields, struct buf *out)
{
    document(fields, "", out);
}
