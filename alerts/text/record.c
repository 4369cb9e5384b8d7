#include "alerts/text/record.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "alerts/text/match.h"
#include "collectors/snapshot/finding.h"
#include "core/clock.h"
#include "core/hash.h"

static const void *at(const struct record_field *field, const void *data)
{
    return (const char *)data + field->offset;
}

static const void *count_at(const struct record_field *field, const void *data)
{
    return (const char *)data + field->count_offset;
}

/* --- writing ---------------------------------------------------------------------------------- */
static void write_labels(const struct record_field *field, const void *data,
                         struct json_writer *writer)
{
    const struct match_label *labels = at(field, data);
    size_t count = *(const size_t *)count_at(field, data);
    json_open(writer, field->name, '{');
    for (size_t i = 0; i < count; i++)
        json_add_text(writer, labels[i].name, labels[i].value);
    json_close(writer, '}');
}

/* Whether the member is what reading an absent one gives. */
static bool is_nothing(const struct record_field *field, const void *data)
{
    static const char zeros[sizeof(int64_t)];
    const char *const *text = at(field, data);
    switch (field->type) {
    case RECORD_TYPE_TEXT:
        return !*text || !**text;
    case RECORD_TYPE_BOOL:
        return !*(const bool *)at(field, data);
    case RECORD_TYPE_NUMBER:
        if (field->measured)
            return isnan(*(const double *)at(field, data));
        return !memcmp(at(field, data), zeros, sizeof zeros);
    case RECORD_TYPE_INTEGER:
    case RECORD_TYPE_INSTANT:
    case RECORD_TYPE_DURATION:
        return !memcmp(at(field, data), zeros, sizeof zeros);
    case RECORD_TYPE_LABELS:
    case RECORD_TYPE_LIST:
        return !*(const size_t *)count_at(field, data);
    default:
        return false;
    }
}

static void write_members(const struct record_field *fields, const void *data, bool sparse,
                          struct json_writer *writer);

static void write_list(const struct record_field *field, const void *data, bool sparse,
                       struct json_writer *writer)
{
    const char *elements = *(const char *const *)at(field, data);
    size_t count = *(const size_t *)count_at(field, data);
    json_open(writer, field->name, '[');
    for (size_t i = 0; i < count; i++) {
        json_open(writer, NULL, '{');
        write_members(field->fields, elements + i * field->element_bytes, sparse, writer);
        json_close(writer, '}');
    }
    json_close(writer, ']');
}

static void write_field(const struct record_field *field, const void *data, bool sparse,
                        struct json_writer *writer)
{
    const void *value = at(field, data);
    char text[40] = "";
    switch (field->type) {
    case RECORD_TYPE_TEXT: {
        const char *known = *(const char *const *)value;
        json_add_text(writer, field->name, known ? known : "");
        return;
    }
    case RECORD_TYPE_CHARS:
        json_add_text(writer, field->name, value);
        return;
    case RECORD_TYPE_WORD:
        json_add_text(writer, field->name, field->words[*(const int *)value]);
        return;
    case RECORD_TYPE_BOOL:
        json_add_bool(writer, field->name, *(const bool *)value);
        return;
    case RECORD_TYPE_UNSIGNED:
        json_add_integer(writer, field->name, *(const uint32_t *)value);
        return;
    case RECORD_TYPE_INTEGER:
    case RECORD_TYPE_DURATION:
        json_add_integer(writer, field->name, *(const int64_t *)value);
        return;
    case RECORD_TYPE_NUMBER:
        json_add_number(writer, field->name, *(const double *)value);
        return;
    case RECORD_TYPE_INSTANT:
        if (*(const int64_t *)value)
            clock_format_rfc3339(*(const int64_t *)value, text);
        json_add_text(writer, field->name, text);
        return;
    case RECORD_TYPE_FINDING:
        if (*(const bool *)count_at(field, data))
            hash_hex(value, sizeof(struct finding_id), text);
        json_add_text(writer, field->name, text);
        return;
    case RECORD_TYPE_LABELS:
        write_labels(field, data, writer);
        return;
    case RECORD_TYPE_LIST:
        write_list(field, data, sparse || field->sparse, writer);
        return;
    case RECORD_END:
        return;
    }
}

static void write_members(const struct record_field *fields, const void *data, bool sparse,
                          struct json_writer *writer)
{
    for (const struct record_field *field = fields; field->type; field++)
        if (!field->derived && !(sparse && is_nothing(field, data)))
            write_field(field, data, sparse, writer);
}

void record_write(const struct record_field *fields, const void *data, struct json_writer *writer)
{
    write_members(fields, data, false, writer);
}

void record_write_sparse(const struct record_field *fields, const void *data,
                         struct json_writer *writer)
{
    write_members(fields, data, true, writer);
}

/* --- reading ---------------------------------------------------------------------------------- */
static const char *kept(struct arena *arena, const char *text)
{
    return arena ? arena_text(arena, text) : text;
}

static bool wrong(const struct record_field *field, const struct json *value, struct error *error)
{
    return error_set(error, ERROR_PARSE, "%s is %s", field->name,
                     json_text(value) ? "a text that is none of its kind"
                                      : json_type_word(json_type(value)));
}

static unsigned digit(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static bool read_finding(const struct record_field *field, const char *text, void *data)
{
    uint8_t *bytes = (uint8_t *)data + field->offset;
    bool *has = (bool *)((char *)data + field->count_offset);
    *has = *text != 0;
    if (!*has)
        return true;
    if (strlen(text) != 2 * sizeof(struct finding_id) ||
        strspn(text, "0123456789abcdef") != strlen(text))
        return false;
    for (size_t i = 0; i < sizeof(struct finding_id); i++)
        bytes[i] = (uint8_t)(digit(text[2 * i]) << 4 | digit(text[2 * i + 1]));
    return true;
}

/* Everything that is a text in JSON. False when it is none of its kind. */
static bool read_text(const struct record_field *field, const char *text, struct arena *arena,
                      void *data)
{
    void *value = (char *)data + field->offset;
    switch (field->type) {
    case RECORD_TYPE_TEXT:
        *(const char **)value = kept(arena, text);
        return true;
    case RECORD_TYPE_CHARS:
        for (const char *c = text; *c; c++)
            if ((unsigned char)*c < ' ' || (unsigned char)*c >= 0x7f)
                return false;
        return (size_t)snprintf(value, field->capacity, "%s", text) < field->capacity;
    case RECORD_TYPE_WORD:
        for (int i = 0; field->words[i]; i++)
            if (!strcmp(field->words[i], text)) {
                *(int *)value = i;
                return true;
            }
        return false;
    case RECORD_TYPE_INSTANT:
        return clock_parse_rfc3339(text, value);
    default:
        return read_finding(field, text, data);
    }
}

static bool read_number(const struct record_field *field, double number, void *value)
{
    if (field->type == RECORD_TYPE_NUMBER) {
        *(double *)value = number;
        return true;
    }
    double limit = field->type == RECORD_TYPE_UNSIGNED ? UINT32_MAX : 9007199254740992.0;
    if (!(number <= limit && number >= (field->type == RECORD_TYPE_UNSIGNED ? 0 : -limit)))
        return false;
    if (field->type == RECORD_TYPE_UNSIGNED)
        *(uint32_t *)value = (uint32_t)number;
    else
        *(int64_t *)value = (int64_t)number;
    return true;
}

static bool read_labels(const struct record_field *field, const struct json *object,
                        struct arena *arena, void *data)
{
    struct match_label *labels = (void *)((char *)data + field->offset);
    size_t *count = (void *)((char *)data + field->count_offset);
    for (const struct json *member = json_first(object); member; member = json_next(member)) {
        const char *value = json_text(member);
        if (!value || *count == field->capacity)
            return false;
        labels[*count].name = kept(arena, json_name(member));
        labels[(*count)++].value = kept(arena, value);
    }
    return true;
}

static bool read_list(const struct record_field *field, const struct json *array,
                      struct arena *arena, void *data, struct error *error)
{
    size_t count = json_count(array), index = 0;
    char *elements = arena_zalloc(arena, count * field->element_bytes + 1);
    for (const struct json *item = json_first(array); item; item = json_next(item), index++)
        if (!record_read(field->fields, item, arena, elements + index * field->element_bytes,
                         error))
            return error_wrap(error, "%s %zu", field->name, index + 1);
    *(char **)((char *)data + field->offset) = elements;
    *(size_t *)((char *)data + field->count_offset) = count;
    return true;
}

static bool read_field(const struct record_field *field, const struct json *value,
                       struct arena *arena, void *data, struct error *error)
{
    void *target = (char *)data + field->offset;
    enum json_type type = json_type(value);
    switch (field->type) {
    case RECORD_TYPE_BOOL:
        *(bool *)target = json_bool(value, false);
        return type == JSON_BOOL || wrong(field, value, error);
    case RECORD_TYPE_UNSIGNED:
    case RECORD_TYPE_INTEGER:
    case RECORD_TYPE_DURATION:
    case RECORD_TYPE_NUMBER:
        return (type == JSON_NUMBER && read_number(field, json_number(value, 0), target)) ||
               wrong(field, value, error);
    case RECORD_TYPE_LABELS:
        return (type == JSON_OBJECT && read_labels(field, value, arena, data)) ||
               wrong(field, value, error);
    case RECORD_TYPE_LIST:
        return type == JSON_ARRAY ? read_list(field, value, arena, data, error)
                                  : wrong(field, value, error);
    default:
        return (type == JSON_TEXT && read_text(field, json_text(value), arena, data)) ||
               wrong(field, value, error);
    }
}

/* What an absent or null member is worth, where zero is not the answer. */
static void read_nothing(const struct record_field *field, enum json_type type, void *data)
{
    void *target = (char *)data + field->offset;
    if (field->type == RECORD_TYPE_TEXT)
        *(const char **)target = "";
    if (field->type == RECORD_TYPE_NUMBER && (type == JSON_NULL || field->measured))
        *(double *)target = NAN;
}

/* Whether an object has members of these fields only, in their order: as they were written. */
static bool is_in_order(const struct record_field *fields, const struct json *object)
{
    const struct json *next = json_first(object);
    for (; next && fields->type; fields++)
        if (!fields->derived && !strcmp(json_name(next), fields->name))
            next = json_next(next);
    return !next;
}

bool record_read(const struct record_field *fields, const struct json *object, struct arena *arena,
                 void *data, struct error *error)
{
    if (json_type(object) != JSON_OBJECT)
        return error_set(error, ERROR_PARSE, "no object but %s", json_type_word(json_type(object)));
    bool in_order = is_in_order(fields, object);
    const struct json *next = json_first(object);
    for (const struct record_field *field = fields; field->type; field++) {
        bool is_next = next && !strcmp(json_name(next), field->name);
        const struct json *value = field->derived ? NULL
                                   : is_next      ? next
                                   : in_order     ? NULL
                                                  : json_get(object, field->name);
        next = value ? json_next(value) : next;
        enum json_type type = json_type(value);
        if (type == JSON_NONE || type == JSON_NULL)
            read_nothing(field, type, data);
        else if (!read_field(field, value, arena, data, error))
            return false;
    }
    return true;
}

/* --- reading what is written plainly ---------------------------------------------------------- */
/* The text that begins at a quote, and what follows it; NULL when there is none. */
static char *cut_text(char **at)
{
    char *begin = *at + 1, *end = **at == '"' ? strchr(begin, '"') : NULL;
    if (!end)
        return NULL;
    *end = 0;
    *at = end + 1;
    return begin;
}

/* A name, and its colon. */
static const char *cut_name(char **at)
{
    const char *name = cut_text(at);
    return name && *(*at)++ == ':' ? name : NULL;
}

static bool cut_labels(const struct record_field *field, char **at, void *data)
{
    struct match_label *labels = (void *)((char *)data + field->offset);
    size_t *count = (void *)((char *)data + field->count_offset);
    if (*(*at)++ != '{')
        return false;
    for (;; ++*at) {
        const char *name = cut_name(at), *value = name ? cut_text(at) : NULL;
        if (!value || *count == field->capacity)
            return false;
        labels[(*count)++] = (struct match_label){ name, value };
        if (**at != ',')
            return *(*at)++ == '}';
    }
}

static bool cut_value(const struct record_field *field, char **at, void *data)
{
    if (field->type == RECORD_TYPE_LABELS)
        return cut_labels(field, at, data);
    const char *text = cut_text(at); /* of what is kept as a text, alone */
    return text &&
           (field->type <= RECORD_TYPE_WORD || field->type == RECORD_TYPE_INSTANT ||
            field->type == RECORD_TYPE_FINDING) &&
           read_text(field, text, NULL, data);
}

bool record_read_sparse(const struct record_field *fields, char *object, size_t length, void *data)
{
    char *at = object;
    if (memchr(object, '\\', length) || *at++ != '{')
        return false;
    for (;; at++) {
        const char *name = cut_name(&at);
        if (!name)
            return false;
        for (; fields->type && (fields->derived || strcmp(fields->name, name) != 0); fields++)
            read_nothing(fields, JSON_NONE, data);
        if (!fields->type || !cut_value(fields++, &at, data))
            return false;
        if (*at != ',')
            break;
    }
    for (; fields->type; fields++)
        read_nothing(fields, JSON_NONE, data);
    return *at == '}' && at + 1 == object + length;
}
