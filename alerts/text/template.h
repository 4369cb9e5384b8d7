#pragma once
/* Titles and texts written by the operator, in a small safe subset of Mustache:
 *   {{field}}              the value; each receiver escapes the finished text as it must
 *   {{labels.name}}        a label or annotation of the (first) alert, "" when it has none
 *   {{#field}}...{{/field}} once when the field is not empty, 0 or false; once per element of a
 *                          list, whose own fields then come first
 *   {{^field}}...{{/field}} when it is empty, 0 or false
 *   {{! comment }}
 * A line that holds nothing but one of the last three leaves no line behind. No partials, lambdas,
 * set delimiters or code; a field that does not exist is a load error. The fields are rows of
 * notification_fields (notification.h), and so is their documentation. */
#include "alerts/text/record.h"
#include "core/buf.h"

struct template;

/* Compile. The result lives in the arena. ERROR_CONFIG: "line 2: unknown field {{x}}; did you mean
 * ...", lines counted inside the text. Text at most 16 KiB, nesting at most 8. */
const struct template *template_compile(const char *text, const struct record_field *fields,
                                        struct arena *arena, struct error *error) MUST_USE;

/* Append the text for this data, the struct that the fields describe; at most 32 KiB are appended,
 * then an ellipsis. */
void template_render(const struct template *compiled, const void *data, struct buf *out);

/* Append the list of fields as Markdown, for the rules reference. */
void template_document(const struct record_field *fields, struct buf *out);
