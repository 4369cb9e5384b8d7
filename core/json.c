#include "core/json.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/arena.h"
#include "core/json_plain.h"
#include "core/memory.h"
#include "core/utf8.h"

/* --- memory -----------------------------------------------------------------------------------
 * cJSON's hooks are process-wide, so the hook asks the thread: inside a walk everything comes from
 * the walk's arena and is dropped with it, elsewhere from malloc. */
static _Thread_local struct arena *row_arena;

static void *hook_malloc(size_t bytes)
{
    if (row_arena)
        return arena_alloc(row_arena, bytes);
    return memory_resize(NULL, bytes);
}

static void hook_free(void *memory)
{
    if (!row_arena)
        free(memory);
}

static void hooks_set(void)
{
    cJSON_Hooks hooks = { hook_malloc, hook_free };
    cJSON_InitHooks(&hooks);
}

static void hooks_need(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, hooks_set);
}

/* --- reading ---------------------------------------------------------------------------------- */
static const cJSON *node(const struct json *value)
{
    return (const cJSON *)value;
}

static const struct json *opaque(const cJSON *value)
{
    return (const struct json *)value;
}

struct json *json_parse(const char *text, size_t length, struct error *error)
{
    hooks_need();
    const char *end = NULL;
    size_t mark = utf8_mark_length(text, length);
    text += mark;
    length -= mark;
    cJSON *document = length ? cJSON_ParseWithLengthOpts(text, length, &end, false) : NULL;
    if (!document) {
        error_set(error, ERROR_PARSE, length ? "not JSON, wrong near byte %zu" : "empty text",
                  end ? (size_t)(end - text) : 0);
        return NULL;
    }
    while (end < text + length && (unsigned char)*end <= ' ')
        end++;
    if (end < text + length && *end) {
        cJSON_Delete(document);
        error_set(error, ERROR_PARSE, "not JSON, more text after byte %zu", (size_t)(end - text));
        return NULL;
    }
    return (struct json *)document;
}

void json_free(struct json *document)
{
    cJSON_Delete((cJSON *)document);
}

const struct json *json_get(const struct json *object, const char *name)
{
    if (!cJSON_IsObject(node(object)))
        return NULL;
    for (const cJSON *member = node(object)->child; member; member = member->next)
        if (!strcmp(member->string, name))
            return opaque(member);
    for (const cJSON *member = node(object)->child; member; member = member->next)
        if (!strcasecmp(member->string, name))
            return opaque(member);
    return NULL;
}

const struct json *json_path(const struct json *value, const char *path)
{
    char step[128];
    while (value && *path) {
        size_t length = strcspn(path, ".");
        if (length >= sizeof step)
            return NULL;
        memcpy(step, path, length);
        step[length] = 0;
        value = json_get(value, step);
        path += length + (path[length] == '.');
    }
    return value;
}

enum json_type json_type(const struct json *value)
{
    if (!value)
        return JSON_NONE;
    switch (node(value)->type & 0xff) {
    case cJSON_NULL:
        return JSON_NULL;
    case cJSON_True:
    case cJSON_False:
        return JSON_BOOL;
    case cJSON_Number:
        return JSON_NUMBER;
    case cJSON_String:
        return JSON_TEXT;
    case cJSON_Array:
        return JSON_ARRAY;
    case cJSON_Object:
        return JSON_OBJECT;
    default:
        return JSON_NONE;
    }
}

const char *json_type_word(enum json_type type)
{
    static const char *const words[] = { "nothing", "null",  "boolean", "number",
                                         "text",    "array", "object" };
    return words[type];
}

bool json_is_mended(const struct json *row)
{
    return cJSON_IsObject(node(row)) && node(row)->valueint;
}

const char *json_text(const struct json *value)
{
    return cJSON_IsString(node(value)) ? node(value)->valuestring : NULL;
}

double json_number(const struct json *value, double otherwise)
{
    bool finite = cJSON_IsNumber(node(value)) && isfinite(node(value)->valuedouble);
    return finite ? node(value)->valuedouble : otherwise;
}

bool json_bool(const struct json *value, bool otherwise)
{
    return cJSON_IsBool(node(value)) ? cJSON_IsTrue(node(value)) : otherwise;
}

const struct json *json_first(const struct json *value)
{
    return value ? opaque(node(value)->child) : NULL;
}

const struct json *json_next(const struct json *member)
{
    return member ? opaque(node(member)->next) : NULL;
}

const char *json_name(const struct json *member)
{
    return member ? node(member)->string : NULL;
}

size_t json_count(const struct json *value)
{
    size_t count = 0;
    for (const struct json *member = json_first(value); member; member = json_next(member))
        count++;
    return count;
}

/* --- plain texts ------------------------------------------------------------------------------ */
static bool is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

struct json *json_parse_in(struct arena *arena, const char *text, size_t length,
                           struct error *error)
{
    char *at = arena_copy(arena, text, length);
    const char *end = at + length;
    cJSON *document = json_plain_value(arena, &at, end);
    while (document && is_blank(*at))
        at++;
    if (document && at == end)
        return (struct json *)document;
    hooks_need();
    row_arena = arena;
    struct json *parsed = json_parse(text, length, error);
    row_arena = NULL;
    return parsed;
}

/* --- pages ------------------------------------------------------------------------------------ */
enum { COPY_BYTES = 256 << 10 };

struct walk {
    const char *at, *end;
    struct arena arena;
    bool has_nul; /* somewhere "\\u0000": texts would end there */
    struct buf copy;
    const char *copied; /* what of the page the copy begins with; NULL = nothing that is of use */
};

static void walk_finish(struct walk *walk)
{
    row_arena = NULL;
    arena_finish(&walk->arena);
    buf_finish(&walk->copy);
}

static char next_char(struct walk *walk)
{
    while (walk->at < walk->end && (unsigned char)*walk->at <= ' ')
        walk->at++;
    return walk->at < walk->end ? *walk->at : 0;
}

/* Parse a value into the walk's arena. */
static cJSON *parse_value(struct walk *walk, const char *text, size_t length, const char **end)
{
    row_arena = &walk->arena;
    cJSON *value = length ? cJSON_ParseWithLengthOpts(text, length, end, false) : NULL;
    row_arena = NULL;
    return value;
}

/* Parse the value at walk->at into the arena and step behind it; NULL when it is none. */
static const cJSON *next_value(struct walk *walk)
{
    const char *end = NULL;
    arena_reset(&walk->arena);
    const cJSON *value = parse_value(walk, walk->at, (size_t)(walk->end - walk->at), &end);
    if (value)
        walk->at = end;
    return value;
}

/* Behind a text that begins here; NULL when it does not end. */
static const char *skip_text(const char *at, const char *end)
{
    for (at++; at < end && *at != '"'; at++)
        at += *at == '\\';
    return at < end ? at + 1 : NULL;
}

/* Behind the value at `at`, well written or not, by its brackets; NULL when it does not end. */
static const char *skip_value(const char *at, const char *end)
{
    size_t depth = 0;
    while (at && at < end) {
        if (!depth && (*at == ',' || *at == ']' || *at == '}'))
            return at;
        if (*at == '"') {
            at = skip_text(at, end);
            continue;
        }
        depth += *at == '{' || *at == '[';
        depth -= depth && (*at == '}' || *at == ']');
        at++;
    }
    return NULL;
}

/* The code unit of "\uXXXX"; -1 when it is none. */
static int code_unit(const char *at, const char *end)
{
    char digits[5] = "", *last;
    if (end - at < 6 || at[0] != '\\' || at[1] != 'u' || at[2] == '+' || at[2] == '-')
        return -1;
    memcpy(digits, at + 2, 4);
    long unit = strtol(digits, &last, 16);
    return *last || strspn(digits, " \t") ? -1 : (int)unit;
}

/* Copy one escape; what stands for no character becomes U+FFFD. Returns how long it was. */
static size_t mend_escape(const char *at, const char *end, struct buf *out, bool *replaced)
{
    int unit = code_unit(at, end), next = unit < 0 ? -1 : code_unit(at + 6, end);
    bool high = unit >= 0xd800 && unit < 0xdc00, low = unit >= 0xdc00 && unit < 0xe000;
    bool pair = high && next >= 0xdc00 && next < 0xe000;
    bool known = at + 1 < end && strchr("\"\\/bfnrt", at[1]) && at[1];
    size_t length = pair ? 12 : unit >= 0 ? 6 : at + 1 < end ? 2 : 1;
    if (pair || known || (unit > 0 && !high && !low)) {
        buf_append(out, at, length);
        return length;
    }
    buf_text(out, UTF8_REPLACEMENT);
    *replaced = true;
    return unit >= 0 ? length : 1;
}

/* Numbers JSON does not have; absent is what they mean. */
static size_t mend_word(const char *at, const char *end, struct buf *out)
{
    static const char *const words[] = { "NaN", "Infinity", "-Infinity" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t length = strlen(words[i]);
        if ((size_t)(end - at) >= length && !memcmp(at, words[i], length)) {
            buf_text(out, "null");
            return length;
        }
    }
    buf_char(out, *at);
    return 1;
}

/* A row that cannot be parsed as it stands, mended: escapes that are no character, numbers that are
 * none. NULL when it is no JSON all the same. */
static const cJSON *mend_row(struct walk *walk, const char *end)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    bool inside = false, replaced = false;
    for (const char *at = walk->at; at < end;) {
        inside ^= *at == '"';
        if (inside && *at == '\\') {
            at += mend_escape(at, end, &text, &replaced);
        } else if (inside || *at == '"') {
            buf_char(&text, *at++);
        } else {
            at += mend_word(at, end, &text);
        }
    }
    arena_reset(&walk->arena);
    const char *copy = arena_copy(&walk->arena, buf_cstr(&text), text.length);
    const char *rest = NULL;
    cJSON *value = parse_value(walk, copy, text.length, &rest);
    while (value && rest < copy + text.length && (unsigned char)*rest <= ' ')
        rest++;
    if (!value || rest != copy + text.length)
        return NULL;
    value->valueint = replaced; /* means nothing else in objects */
    return value;
}

static void copy_from_here(struct walk *walk)
{
    size_t left = (size_t)(walk->end - walk->at);
    buf_reset(&walk->copy);
    buf_append(&walk->copy, walk->at, left < COPY_BYTES ? left : COPY_BYTES);
    walk->copied = walk->at;
}

/* The row at walk->at when it is plain, as nearly all are; NULL otherwise, and when it is larger
 * than a copy. */
static const cJSON *plain_row(struct walk *walk)
{
    cJSON *value = NULL;
    bool is_last = false; /* there is no other copy to look at */
    while (!value && !is_last) {
        is_last = !walk->copied || walk->at >= walk->copied + walk->copy.length;
        if (is_last)
            copy_from_here(walk);
        char *at = walk->copy.data + (walk->at - walk->copied);
        is_last = is_last || walk->at == walk->copied;
        arena_reset(&walk->arena);
        value = json_plain_value(&walk->arena, &at, walk->copy.data + walk->copy.length);
        if (value)
            walk->at = walk->copied + (at - walk->copy.data);
        else
            walk->copied = NULL; /* half read, and so changed */
    }
    return value;
}

/* The row at walk->at; NULL: none that can be read. False when the page ends in it. */
static bool next_row(struct walk *walk, const cJSON **value)
{
    *value = walk->has_nul ? NULL : plain_row(walk);
    if (!*value && !walk->has_nul)
        *value = next_value(walk);
    if (*value)
        return true;
    const char *end = skip_value(walk->at, walk->end);
    if (!end || end == walk->at)
        return false;
    *value = mend_row(walk, end);
    walk->at = end;
    return true;
}

static bool broken(const struct walk *walk, const char *page, const char *what, struct error *error)
{
    return error_set(error, ERROR_PARSE, "%s near byte %zu of %zu", what, (size_t)(walk->at - page),
                     (size_t)(walk->end - page));
}

static bool walk_array(struct walk *walk, const char *page, json_row *row, void *context,
                       struct error *error)
{
    if (next_char(walk) != '[')
        return broken(walk, page, "rows are no array", error);
    walk->at++;
    if (next_char(walk) == ']') {
        walk->at++;
        return true;
    }
    for (;;) {
        const cJSON *value;
        next_char(walk);
        if (!next_row(walk, &value) || !value)
            return broken(walk, page, "a row is not JSON, or the page is cut", error);
        if (!row(context, opaque(value), error))
            return false;
        char separator = next_char(walk);
        if (separator != ',' && separator != ']')
            return broken(walk, page, "a row is followed by neither comma nor bracket", error);
        walk->at++;
        if (separator == ']')
            return true;
    }
}

/* Backslashes are rare: looked for by themselves. */
static bool has_nul(const char *page, size_t length)
{
    const char *end = page + length;
    for (const char *at = page; (at = memchr(at, '\\', (size_t)(end - at))); at++)
        if (end - at >= 6 && !memcmp(at, "\\u0000", 6))
            return true;
    return false;
}

bool json_walk_rows(const char *page, size_t length, const char *rows_member, json_row *row,
                    void *context, struct buf *envelope, struct error *error)
{
    hooks_need();
    CLEANUP(walk_finish)
    struct walk walk = { .at = page + utf8_mark_length(page, length), .end = page + length };
    bool found = false;
    walk.has_nul = has_nul(page, length);
    if (next_char(&walk) != '{')
        return broken(&walk, page, "not a JSON object", error);
    buf_char(envelope, *walk.at++);
    for (bool first = true; next_char(&walk) != '}' || !first; first = false) {
        const char *member = walk.at;
        const cJSON *name = next_char(&walk) == '"' ? next_value(&walk) : NULL;
        if (!name)
            return broken(&walk, page, "a member without a name, or the page is cut", error);
        bool is_rows = !strcmp(name->valuestring, rows_member);
        if (next_char(&walk) != ':')
            return broken(&walk, page, "a name without a value", error);
        walk.at++;
        if (is_rows && found)
            return broken(&walk, page, "two row arrays", error);
        if (is_rows) {
            found = true;
            if (!walk_array(&walk, page, row, context, error))
                return false;
        } else {
            next_char(&walk);
            if (!next_value(&walk))
                return broken(&walk, page, "a value is not JSON, or the page is cut", error);
            if (envelope->data[envelope->length - 1] != '{')
                buf_char(envelope, ',');
            buf_append(envelope, member, (size_t)(walk.at - member));
        }
        char separator = next_char(&walk);
        if (separator == '}')
            break;
        if (separator != ',')
            return broken(&walk, page, "the page is cut", error);
        walk.at++;
        next_char(&walk);
    }
    walk.at++;
    if (next_char(&walk))
        return broken(&walk, page, "more text after the page", error);
    buf_char(envelope, '}');
    if (!found)
        return error_set(error, ERROR_PARSE, "the answer has no \"%s\"", rows_member);
    return true;
}
