#include "exporter/openapi.h"

#include <string.h>

#include "alerts/api/api_own.h"
#include "alerts/view/view_report.h"
#include "exporter/data_format.h"
#include "exporter/gain_route.h"
#include "exporter/report_route.h"
#include "version.h"

static const struct api_parameter by_labels = {
    "filter", "Matchers as rules have them, over the labels of alerts about findings", NULL, false
};
static const struct api_parameter by_columns = {
    "filter", "Matchers as rules have them, over the columns of text", NULL, false
};
static const struct api_parameter order = { "order", "Which come first", view_order_words, false };
#define A_PAGE &api_own_limit, &api_own_after, &api_own_format
static const struct api_parameter *const in_order[] = { &by_labels, A_PAGE, &order, NULL };
static const struct api_parameter *const of_findings[] = { &by_labels, A_PAGE, NULL };
static const struct api_parameter *const of_others[] = { &by_columns, A_PAGE, NULL };

static const struct api_parameter *const *parameters_of(const struct view_table *table)
{
    return table->ordered ? in_order : table->of_findings ? of_findings : of_others;
}

/* --- schemas ---------------------------------------------------------------------------------- */

static void add_words(struct json_writer *writer, const char *const *words)
{
    json_open(writer, "enum", '[');
    for (size_t i = 0; words[i]; i++)
        json_add_text(writer, NULL, words[i]);
    json_close(writer, ']');
}

/* or_null: it may be absent. */
static void add_type(struct json_writer *writer, const char *type, bool or_null)
{
    if (!or_null) {
        json_add_text(writer, "type", type);
        return;
    }
    json_open(writer, "type", '[');
    json_add_text(writer, NULL, type);
    json_add_text(writer, NULL, "null");
    json_close(writer, ']');
}

static void add_column(struct json_writer *writer, const struct view_column *column)
{
    json_open(writer, column->name, '{');
    switch (column->kind) {
    case VIEW_TEXT:
        add_type(writer, "string", true);
        break;
    case VIEW_INTEGER:
        add_type(writer, "integer", false);
        break;
    case VIEW_NUMBER:
        add_type(writer, "number", true);
        break;
    case VIEW_TIME:
        add_type(writer, "string", true);
        json_add_text(writer, "format", "date-time");
        break;
    case VIEW_FLAG:
        add_type(writer, "boolean", false);
        break;
    }
    json_add_text(writer, "description", column->help);
    json_close(writer, '}');
}

static void add_field_type(struct json_writer *writer, const struct record_field *field)
{
    switch (field->type) {
    case RECORD_TYPE_WORD:
        add_type(writer, "string", false);
        add_words(writer, field->words);
        return;
    case RECORD_TYPE_BOOL:
        add_type(writer, "boolean", false);
        return;
    case RECORD_TYPE_UNSIGNED:
    case RECORD_TYPE_INTEGER:
    case RECORD_TYPE_DURATION:
        add_type(writer, "integer", false);
        return;
    case RECORD_TYPE_NUMBER:
        add_type(writer, "number", true);
        return;
    case RECORD_TYPE_LABELS:
        add_type(writer, "object", false);
        json_open(writer, "additionalProperties", '{');
        add_type(writer, "string", false);
        json_close(writer, '}');
        return;
    case RECORD_TYPE_LIST:
        add_type(writer, "array", false);
        return;
    default:
        add_type(writer, "string", false);
        return;
    }
}

static void add_field(struct json_writer *writer, const struct record_field *field)
{
    json_open(writer, field->name, '{');
    add_field_type(writer, field);
    json_add_text(writer, "description", field->help);
    json_close(writer, '}');
}

/* What a row is: a name for every column or field, all of them always there. */
static void add_row(struct json_writer *writer, const char *name, const char *help,
                    const struct view_column *columns, const struct record_field *fields,
                    const char *raw)
{
    json_open(writer, name, '{');
    json_add_text(writer, "type", "object");
    json_add_text(writer, "description", help);
    json_open(writer, "properties", '{');
    for (size_t i = 0; columns && columns[i].name; i++)
        add_column(writer, &columns[i]);
    for (size_t i = 0; fields && fields[i].type; i++)
        if (!fields[i].derived)
            add_field(writer, &fields[i]);
    if (raw) {
        json_open(writer, raw, '{');
        json_add_text(writer, "type", "object");
        json_close(writer, '}');
    }
    json_close(writer, '}');
    json_open(writer, "required", '[');
    for (size_t i = 0; columns && columns[i].name; i++)
        json_add_text(writer, NULL, columns[i].name);
    for (size_t i = 0; fields && fields[i].type; i++)
        if (!fields[i].derived)
            json_add_text(writer, NULL, fields[i].name);
    if (raw)
        json_add_text(writer, NULL, raw);
    json_close(writer, ']');
    json_add_bool(writer, "additionalProperties", false);
    json_close(writer, '}');
}

static void add_reference(struct json_writer *writer, const char *name, const char *kind,
                          const char *of)
{
    CLEANUP(buf_finish) struct buf path = { 0 };
    buf_printf(&path, "#/components/%s/%s", kind, of);
    json_open(writer, name, '{');
    json_add_text(writer, "$ref", buf_cstr(&path));
    json_close(writer, '}');
}

/* --- answers ---------------------------------------------------------------------------------- */

/* A page of rows. first: of these members, what it begins with. */
enum member { MEMBER_AT, MEMBER_LACKING = 2, MEMBER_NEXT };
static void add_page(struct json_writer *writer, const char *rows, const char *row,
                     enum member first)
{
    static const struct view_column members[] = {
        { "at", VIEW_TIME, "When it was put in order" },
        { "total", VIEW_INTEGER, "Rows of all pages" },
        { "lacking", VIEW_TEXT, "What could not be looked at, so that rows may be missing" },
        { "next", VIEW_TEXT, "What `after` has to be for the next page; null behind the last" },
    };
    json_open(writer, "schema", '{');
    json_add_text(writer, "type", "object");
    json_open(writer, "properties", '{');
    for (size_t i = first; i < ARRAY_COUNT(members); i++)
        add_column(writer, &members[i]);
    json_open(writer, rows, '{');
    json_add_text(writer, "type", "array");
    add_reference(writer, "items", "schemas", row);
    json_close(writer, '}');
    json_close(writer, '}');
    json_open(writer, "required", '[');
    for (size_t i = first; i < ARRAY_COUNT(members); i++)
        json_add_text(writer, NULL, members[i].name);
    json_add_text(writer, NULL, rows);
    json_close(writer, ']');
    json_add_bool(writer, "additionalProperties", false);
    json_close(writer, '}');
}

/* type: "text/csv; charset=utf-8", of which what is bare names the content. */
static void open_type(struct json_writer *writer, const char *type)
{
    CLEANUP(buf_finish) struct buf bare = { 0 };
    buf_append(&bare, type, strcspn(type, ";"));
    json_open(writer, buf_cstr(&bare), '{');
}

static void open_content(struct json_writer *writer, enum view_format format)
{
    open_type(writer, data_format_types[format]);
}

static void add_text_of(struct json_writer *writer, const char *type)
{
    open_type(writer, type);
    json_open(writer, "schema", '{');
    json_add_text(writer, "type", "string");
    json_close(writer, '}');
    json_close(writer, '}');
}

static void add_texts(struct json_writer *writer)
{
    for (int format = VIEW_NDJSON; format < VIEW_FORMAT_COUNT; format++)
        add_text_of(writer, data_format_types[format]);
}

/* Refusals that every path may answer with; not_found: this one that, too. */
static void add_refusals(struct json_writer *writer, bool cached, bool not_found)
{
    if (cached)
        add_reference(writer, "304", "responses", "known");
    add_reference(writer, "400", "responses", "refused");
    if (not_found)
        add_reference(writer, "404", "responses", "refused");
    if (cached)
        add_reference(writer, "429", "responses", "later");
    add_reference(writer, "503", "responses", "later");
}

static void add_refusal(struct json_writer *writer, const char *name, const char *help)
{
    json_open(writer, name, '{');
    json_add_text(writer, "description", help);
    json_open(writer, "content", '{');
    open_content(writer, VIEW_JSON);
    add_reference(writer, "schema", "schemas", "error");
    json_close(writer, '}');
    add_text_of(writer, WEB_TEXT); /* of the web server, before a path is looked at */
    json_close(writer, '}');
    json_close(writer, '}');
}

/* --- paths ------------------------------------------------------------------------------------ */

static void add_parameter(struct json_writer *writer, const struct api_parameter *parameter,
                          const char *in)
{
    json_open(writer, NULL, '{');
    json_add_text(writer, "name", parameter->name);
    json_add_text(writer, "in", in);
    if (!strcmp(in, "path"))
        json_add_bool(writer, "required", true);
    json_add_text(writer, "description", parameter->help);
    json_open(writer, "schema", '{');
    json_add_text(writer, "type", parameter->number ? "integer" : "string");
    if (parameter->number)
        json_add_integer(writer, "minimum", 1);
    if (parameter->words)
        add_words(writer, parameter->words);
    json_close(writer, '}');
    json_close(writer, '}');
}

/* A path begins, up to the answer 200, whose content follows. */
static void open_path(struct json_writer *writer, const char *path, const char *help,
                      const struct api_parameter *const *parameters)
{
    static const struct api_parameter id = { "id", "Of the message", NULL, false };
    CLEANUP(buf_finish) struct buf whole = { 0 };
    buf_printf(&whole, "/api/v1/%s", path);
    json_open(writer, buf_cstr(&whole), '{');
    json_open(writer, "get", '{');
    json_add_text(writer, "summary", help);
    json_open(writer, "parameters", '[');
    if (strstr(path, "{id}"))
        add_parameter(writer, &id, "path");
    for (size_t i = 0; parameters[i]; i++)
        add_parameter(writer, parameters[i], "query");
    json_close(writer, ']');
    json_open(writer, "responses", '{');
    json_open(writer, "200", '{');
    json_add_text(writer, "description", help);
    json_open(writer, "content", '{');
}

static void close_content(struct json_writer *writer)
{
    json_close(writer, '}');
    json_close(writer, '}');
}

static void close_path(struct json_writer *writer)
{
    for (int i = 0; i < 3; i++)
        json_close(writer, '}');
}

static void add_paths(struct json_writer *writer)
{
    static const struct api_parameter *const none[] = { NULL };
    for (const struct view_table *const *one = view_tables; *one; one++) {
        open_path(writer, (*one)->name, (*one)->help, parameters_of(*one));
        open_content(writer, VIEW_JSON);
        add_page(writer, (*one)->name, (*one)->name, MEMBER_AT);
        json_close(writer, '}');
        add_texts(writer);
        close_content(writer);
        add_refusals(writer, true, false);
        close_path(writer);
    }
    for (const struct api_own_path *one = api_own_paths; one->path; one++) {
        open_path(writer, one->path, one->help, one->parameters);
        open_content(writer, VIEW_JSON);
        if (one->rows)
            add_page(writer, one->rows, one->row,
                     one->source ? MEMBER_LACKING : MEMBER_NEXT);
        else
            add_reference(writer, "schema", "schemas", one->row);
        json_close(writer, '}');
        if (one->rows)
            add_texts(writer);
        close_content(writer);
        add_refusals(writer, false, !one->rows);
        close_path(writer);
    }
    open_path(writer, "report", "what happened since, to be read", report_route_parameters);
    for (int format = 0; format < REPORT_FORMAT_COUNT; format++)
        add_text_of(writer, report_route_types[format]);
    close_content(writer);
    add_refusals(writer, false, false);
    close_path(writer);
    open_path(writer, "fix_first/gain", "what recommendations gain together",
              gain_route_parameters);
    open_content(writer, VIEW_JSON);
    add_reference(writer, "schema", "schemas", "gain");
    json_close(writer, '}');
    close_content(writer);
    add_refusals(writer, false, false);
    close_path(writer);
    open_path(writer, "openapi.json", "this document", none);
    open_content(writer, VIEW_JSON);
    json_open(writer, "schema", '{');
    json_add_text(writer, "type", "object");
    json_close(writer, '}');
    json_close(writer, '}');
    close_content(writer);
    close_path(writer);
}

/* --- the document ----------------------------------------------------------------------------- */

static void add_components(struct json_writer *writer)
{
    static const struct view_column error[] = { { "error", VIEW_TEXT, "Why, in a sentence" },
                                                { 0 } };
    json_open(writer, "components", '{');
    json_open(writer, "schemas", '{');
    for (const struct view_table *const *one = view_tables; *one; one++)
        add_row(writer, (*one)->name, (*one)->help, (*one)->columns, NULL, NULL);
    for (const struct api_own_path *one = api_own_paths; one->path; one++)
        add_row(writer, one->row, one->help, one->columns, one->fields, one->raw);
    add_row(writer, "gain", "What recommendations gain together", gain_route_columns, NULL, NULL);
    add_row(writer, "error", "Why not", error, NULL, NULL);
    json_close(writer, '}');
    json_open(writer, "responses", '{');
    json_open(writer, "known", '{');
    json_add_text(writer, "description", "Nothing changed since the answer with that ETag");
    json_close(writer, '}');
    add_refusal(writer, "refused", "What was asked is wrong");
    add_refusal(writer, "later", "Not now: Retry-After says when to ask again");
    json_close(writer, '}');
    json_open(writer, "securitySchemes", '{');
    json_open(writer, "login", '{');
    json_add_text(writer, "type", "http");
    json_add_text(writer, "scheme", "basic");
    json_close(writer, '}');
    json_close(writer, '}');
    json_close(writer, '}');
}

/* With a login or without: the web configuration decides. */
static void add_security(struct json_writer *writer)
{
    json_open(writer, "security", '[');
    json_open(writer, NULL, '{');
    json_close(writer, '}');
    json_open(writer, NULL, '{');
    json_open(writer, "login", '[');
    json_close(writer, ']');
    json_close(writer, '}');
    json_close(writer, ']');
}

void openapi_write(const char *prefix, struct buf *out)
{
    struct json_writer writer = { .out = out };
    json_open(&writer, NULL, '{');
    json_add_text(&writer, "openapi", "3.1.0");
    json_open(&writer, "info", '{');
    json_add_text(&writer, "title", "defender_exporter");
    json_add_text(&writer, "version", VERSION);
    json_close(&writer, '}');
    json_open(&writer, "servers", '[');
    json_open(&writer, NULL, '{');
    json_add_text(&writer, "url", *prefix ? prefix : "/");
    json_close(&writer, '}');
    json_close(&writer, ']');
    add_security(&writer);
    json_open(&writer, "paths", '{');
    add_paths(&writer);
    json_close(&writer, '}');
    add_components(&writer);
    json_close(&writer, '}');
}
