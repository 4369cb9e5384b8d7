#pragma once
/* Titles and texts written by the operator, in a small safe subset of Mustache:
 *   {{field}}              the value; each receiver escapes the finished text as it must
 *   {{labels.name}}        a label or annotation of the (first) alert, "" when it has none
 *   {{#field}}...{{/field}} once when the field is not empty, 0 or false; once per element of a
 *                          list, whose own fields then come first
 *   {{^field}}...{{/field}} when it is empty, 0 or false
 *   {{#field=word}}...{{/field}} when it is that word; {{^field=word}} when it is not
 *   {{@first}} {{@last}}   whether an element is the first or last of its list
 *   {{#cut 300}}...{{/cut}} what it holds, at most 300 bytes of text, the last an ellipsis
 *   {{! comment }}
 * A line that holds nothing but a section's tag or a comment leaves no line behind. No partials,
 * lambdas, set delimiters or code; a field that does not exist is a load error. The fields are rows
 * of notification_fields (notification.h), and so is their documentation. */
#include "alerts/text/record.h"
#include "alerts/text/template_escape.h"
#include "core/buf.h"

struct template;

/* Compile. The result lives in the arena. ERROR_CONFIG: "line 2: unknown field {{x}}; did you mean
 * ...", lines counted inside the text. Text at most 16 KiB, nesting at most 8. */
const struct template *template_compile(const char *text, const struct record_field *fields,
                                        struct arena *arena, struct error *error) MUST_USE;

/* Append the text for this data, the struct that the fields describe; at most 32 KiB are appended,
 * then an ellipsis. */
void template_render(const struct template *compiled, const void *data, struct buf *out);

/* The same for a body that is JSON. A text stands in quotes, where line breaks of the template and
 * the blanks behind them are left out; {{&field}} is the value without markup. ERROR_CONFIG also
 * where quotes do not fit the sections. */
const struct template *template_compile_json(const char *text, const struct record_field *fields,
                                             struct arena *arena, struct error *error) MUST_USE;

/* Append the body, each value escaped for JSON, and before that as the markup wants it. False when
 * it is of no use: longer than limit. It need not be JSON: commas are the operator's. */
bool template_render_json(const struct template *compiled, enum template_escape markup,
                          size_t limit, const void *data, struct buf *out) MUST_USE;

/* Append the list of fields as Markdown, for the rules reference. */
void template_document(const struct record_field *fields, struct buf *out);
