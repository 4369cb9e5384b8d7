#pragma once
/* Titles and texts written by the operator, in a small safe subset of Mustache:
 *   {{field}}              the value, as the receiver escapes it
 *   {{labels.name}}        a label or annotation of the (first) alert
 *   {{#field}}...{{/field}} once when the field is true, or once per element of a list
 *   {{^field}}...{{/field}} when it is false or empty
 *   {{! comment }}
 * No partials, lambdas, set delimiters or code; a field that does not exist is a load error.
 * The fields are rows of page_fields (page.h), and so is their documentation. */
#include <stddef.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/error.h"

enum template_type {
    TEMPLATE_END,
    TEMPLATE_TEXT,     /* const char * */
    TEMPLATE_INTEGER,  /* int64_t */
    TEMPLATE_NUMBER,   /* double */
    TEMPLATE_BOOL,     /* bool */
    TEMPLATE_INSTANT,  /* int64_t, printed as RFC 3339; 0 is false */
    TEMPLATE_DURATION, /* int64_t seconds, printed as "3d4h" */
    TEMPLATE_LIST,     /* a pointer to elements, `count_offset` a size_t, `fields` of one element */
    TEMPLATE_LABELS,   /* struct match_label list: {{name.key}} */
};

struct template_field {
    const char *name;
    enum template_type type;
    size_t offset, count_offset, element_bytes;
    const struct template_field *fields;
    const char *help;
};

struct template;

/* Compile. The result lives in the arena. ERROR_CONFIG: "unknown field {{x}}; did you mean ...",
 * with the line inside the text. Text at most 16 KiB, nesting at most 8. */
const struct template *template_compile(const char *text, const struct template_field *fields,
                                        struct arena *arena, struct error *error) MUST_USE;

/* Append the text for this data, the struct that the fields describe; at most 32 KiB are appended,
 * then an ellipsis. */
void template_render(const struct template *compiled, const void *data, struct buf *out);

/* Append the list of fields as Markdown, for the rules reference. */
void template_document(const struct template_field *fields, struct buf *out);
