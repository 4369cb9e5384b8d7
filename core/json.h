#pragma once
/* Reading JSON; json.c and json_plain.c alone name the library. One thread at a time per value.
 * Limits: nesting 1000, and what the caller's buffers hold. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/error.h"

struct json; /* a value inside a document */

/* Parse a whole text; a byte order mark before it is skipped, here and in a page. The result is
 * freed with json_free. NULL and *error on bad input. */
struct json *json_parse(const char *text, size_t length, struct error *error) MUST_USE;
void json_free(struct json *document);

/* The same for many small texts: the result lives in the arena and is not to be freed. */
struct json *json_parse_in(struct arena *arena, const char *text, size_t length,
                           struct error *error) MUST_USE;

/* Member of an object, its name compared without case (Azure's casing varies).
 * NULL in, NULL or not there: NULL out. */
const struct json *json_get(const struct json *object, const char *name);

/* Follow "properties.status.code". NULL when a step is missing. */
const struct json *json_path(const struct json *value, const char *path);

enum json_type { JSON_NONE, JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_TEXT, JSON_ARRAY, JSON_OBJECT };
enum json_type json_type(const struct json *value); /* JSON_NONE for NULL */
const char *json_type_word(enum json_type type);    /* "text", "number" ... */

const char *json_text(const struct json *value);                /* NULL unless a text */
double json_number(const struct json *value, double otherwise); /* finite; 1e999 is none */
bool json_bool(const struct json *value, bool otherwise);
const struct json *json_first(const struct json *value); /* of an array or object */
const struct json *json_next(const struct json *member);
const char *json_name(const struct json *member); /* NULL in arrays */
size_t json_count(const struct json *value);

/* Called with one element of the page's row array, valid until return, of any type.
 * False stops the walk with *error. */
typedef bool json_row(void *context, const struct json *row, struct error *error);

/* Hand on the rows of a page {"...":..., "<rows_member>":[{...},{...}], ...} one by one; only one
 * row is parsed at a time.
 * rows_member: "data" (Resource Graph) or "value" (ARM lists), compared exactly.
 * envelope: appended the same object with the row array left out, for json_parse.
 * A row that is not JSON is mended where that is possible: what is no character (a lone surrogate)
 * is U+FFFD, a number that is none (NaN) is null; any other breaks the page.
 * ERROR_PARSE when the text is no such object (also when it is cut) or rows_member is missing. Rows
 * handed on before an error are to be thrown away. */
bool json_walk_rows(const char *page, size_t length, const char *rows_member, json_row *row,
                    void *context, struct buf *envelope, struct error *error) MUST_USE;

/* Whether a row has a U+FFFD where it had no text. */
bool json_is_mended(const struct json *row);

/* Writing: values are appended to a buf, commas and nesting are kept by the writer.
 *   struct json_writer w = { .out = &buf };
 *   json_open(&w, NULL, '{'); json_add_text(&w, "status", "firing"); json_close(&w, '}');
 * name is NULL inside arrays and at the top. */
struct json_writer {
    struct buf *out;
    unsigned depth;
    uint64_t has_members; /* one bit a level */
};
void json_open(struct json_writer *writer, const char *name, char bracket);         /* '{' or '[' */
void json_close(struct json_writer *writer, char bracket);                          /* '}' or ']' */
void json_add_text(struct json_writer *writer, const char *name, const char *text); /* NULL: null */
void json_add_integer(struct json_writer *writer, const char *name, int64_t value);
void json_add_number(struct json_writer *writer, const char *name, double value);
void json_add_bool(struct json_writer *writer, const char *name, bool value);
void json_add_raw(struct json_writer *writer, const char *name, const char *json);

/* Append a quoted, escaped JSON string; bytes that are not UTF-8 become U+FFFD. */
void json_quote(struct buf *out, const char *text, size_t length);
