#include "query.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/compiler.h"
#include "known_queries.h"

enum { EXPAND_DEFAULT = 128, EXPAND_MAX = 400 }; /* mv-expand: Resource Graph query language */

/* Comment lines out, white space collapsed to one space. partitioned: the comment line that holds
 * {{partitions}} belongs to the query. */
static char *normalised(const char *text, bool partitioned)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    while (*text) {
        size_t length = strcspn(text, "\n");
        size_t indent = strspn(text, " \t\r");
        bool comment = strncmp(text + indent, "//", 2) == 0;
        const char *placeholder = strstr(text, "{{partitions}}");
        if (comment && partitioned && placeholder && placeholder < text + length) {
            comment = false;
            text += indent + 3;
            length -= indent + 3;
        }
        for (size_t i = 0; i < length && !comment; i++) {
            if (!isspace((unsigned char)text[i]))
                buf_char(&out, text[i]);
            else if (out.length && out.data[out.length - 1] != ' ')
                buf_char(&out, ' ');
        }
        if (out.length && out.data[out.length - 1] != ' ')
            buf_char(&out, ' ');
        text += length + (text[length] == '\n');
    }
    while (out.length && out.data[out.length - 1] == ' ')
        out.data[--out.length] = '\0';
    return strdup(buf_cstr(&out));
}

/* Where a clause that starts at text ends: a comma or a pipe outside brackets and quotes. */
static size_t clause_length(const char *text)
{
    int depth = 0;
    size_t i = 0;
    for (; text[i]; i++) {
        if (text[i] == '\'')
            i += 1 + strcspn(text + i + 1, "'");
        else if (strchr("([", text[i]))
            depth++;
        else if (strchr(")]", text[i]))
            depth--;
        else if (depth == 0 && strchr(",|", text[i]))
            break;
        if (!text[i])
            break;
    }
    return i;
}

static const struct field *find_field(const struct rows *rows, const char *name, size_t length)
{
    for (const struct field *field = rows->fields; field->name; field++)
        if (strlen(field->name) == length && strncmp(field->name, name, length) == 0)
            return field;
    return NULL;
}

/* The columns of the last `project`; all of them when there is none (a summary). */
static bool read_columns(struct query *query, const char *name)
{
    const char *at = NULL, *next = query->text;
    while ((next = strstr(next, "| project ")))
        at = next += strlen("| project ");
    if (!at) {
        for (const struct field *field = query->rows->fields; field->name; field++)
            query->columns[query->column_count++] = field;
        return true;
    }
    for (;;) {
        at += strspn(at, " ");
        size_t length = clause_length(at),
               word = strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_"
                                 "abcdefghijklmnopqrstuvwxyz0123456789");
        const struct field *field = find_field(query->rows, at, word);
        if (!field || query->column_count == QUERY_COLUMNS_MAX) {
            fprintf(stderr, "fake_azure: query %s: column \"%.*s\" is not known: it is refused\n",
                    name, (int)word, at);
            return false;
        }
        query->columns[query->column_count++] = field;
        at += length;
        if (*at++ != ',')
            return true;
    }
}

static void read_flags(struct query *query)
{
    static const char *const failing[] = {
        "| where tostring(properties.status.code) != 'Healthy'",
        "| where tostring(properties.status.code) == 'Unhealthy'",
        "| where complianceStatus != 'Compliant'",
    };
    const char *expand = strstr(query->text, "mv-expand ");
    const char *limit = expand ? strstr(expand, " limit ") : NULL;
    for (size_t i = 0; i < ARRAY_COUNT(failing); i++)
        query->failing_only |= strstr(query->text, failing[i]) != NULL;
    query->every_score = !strstr(query->text, "| where name =~ 'ascScore'") &&
                         !strstr(query->text, "| where id contains '/secureScores/ascScore/'");
    query->expand_limit = limit ? (size_t)atoi(limit + strlen(" limit ")) : EXPAND_DEFAULT;
    if (query->expand_limit > EXPAND_MAX)
        query->expand_limit = EXPAND_MAX;
}

static void add_variant(struct queries *queries, const char *name, const char *text,
                        bool partitioned)
{
    struct query query = { .rows = rows_find(name) };
    if (!query.rows)
        return;
    query.text = normalised(text, partitioned);
    read_flags(&query);
    if (!read_columns(&query, name)) {
        free(query.text);
        return;
    }
    queries->list = realloc(queries->list, (queries->count + 1) * sizeof *queries->list);
    if (!queries->list)
        abort();
    queries->list[queries->count++] = query;
}

static void add(struct queries *queries, const char *name, const char *text)
{
    add_variant(queries, name, text, false);
    if (strstr(text, "{{partitions}}"))
        add_variant(queries, name, text, true);
}

void queries_embedded(struct queries *queries)
{
    for (size_t i = 0; i < ARRAY_COUNT(known_queries) - 1; i++)
        add(queries, known_queries[i].name, known_queries[i].text);
}

static void add_file(struct queries *queries, const char *folder, const char *name)
{
    CLEANUP(buf_finish) struct buf path = { 0 }, text = { 0 };
    char chunk[4096], stem[128];
    size_t length = strlen(name), count;
    if (length < 5 || length >= sizeof stem || strcmp(name + length - 4, ".kql") != 0)
        return;
    snprintf(stem, sizeof stem, "%.*s", (int)(length - 4), name);
    buf_printf(&path, "%s/%s", folder, name);
    FILE *file = fopen(buf_cstr(&path), "r");
    if (!file)
        return;
    while ((count = fread(chunk, 1, sizeof chunk, file)) > 0)
        buf_append(&text, chunk, count);
    fclose(file);
    add(queries, stem, buf_cstr(&text));
}

bool queries_folder(struct queries *queries, const char *folder)
{
    DIR *directory = opendir(folder);
    if (!directory)
        return false;
    for (const struct dirent *entry; (entry = readdir(directory));)
        add_file(queries, folder, entry->d_name);
    closedir(directory);
    return true;
}

/* The length of a list of texts in quotes. */
static size_t list_length(const char *text)
{
    size_t length = 0;
    while (text[length] == '\'') {
        length += 1 + strcspn(text + length + 1, "'");
        length += text[length] == '\'';
        if (strncmp(text + length, ", '", 3) == 0)
            length += 2;
    }
    return length;
}

/* The length of a placeholder in quotes, for a list of texts; 0 = that is none. */
static size_t list_placeholder(const char *known)
{
    static const char *const lists[] = { "'{{ids}}'", "'{{tags}}'" };
    for (size_t i = 0; i < ARRAY_COUNT(lists); i++)
        if (strncmp(known, lists[i], strlen(lists[i])) == 0)
            return strlen(lists[i]);
    return 0;
}

/* Compare with a known text; a {{placeholder}} stands for characters of numbers and times, one of
 * ids or tags in quotes for a list of such texts. */
static bool matches(const char *known, const char *text, struct view *view)
{
    char value[64];
    while (*known) {
        size_t placeholder = view->ids ? 0 : list_placeholder(known);
        if (placeholder) {
            size_t list = list_length(text);
            view->ids = strndup(text, list);
            known += placeholder;
            text += list;
            continue;
        }
        if (strncmp(known, "{{", 2) != 0) {
            if (*known++ != *text++)
                return false;
            continue;
        }
        size_t length = strspn(text, "0123456789-:.TZ");
        bool is_until = strncmp(known, "{{to}}", 6) == 0;
        bool is_since = !strncmp(known, "{{since}}", 9) || !strncmp(known, "{{from}}", 8);
        if (length == 0 || length >= sizeof value || !strstr(known, "}}"))
            return false;
        snprintf(value, sizeof value, "%.*s", (int)length, text);
        if ((is_since || is_until) &&
            !clock_parse_rfc3339(value, is_since ? &view->since : &view->until))
            return false;
        if (strncmp(known, "{{partitions}}", 14) == 0)
            view->partitions = atol(value);
        else if (!is_since && !is_until)
            view->partition = atol(value);
        known = strstr(known, "}}") + 2;
        text += length;
    }
    return *text == '\0';
}

const struct query *queries_match(const struct queries *queries, const char *text,
                                  struct view *view)
{
    char *plain = normalised(text, false);
    const struct query *found = NULL;
    for (size_t i = 0; i < queries->count && !found; i++) {
        view->since = view->until = view->partition = view->partitions = 0;
        free(view->ids);
        view->ids = NULL;
        if (matches(queries->list[i].text, plain, view))
            found = &queries->list[i];
    }
    free(plain);
    return found;
}

void queries_finish(struct queries *queries)
{
    for (size_t i = 0; i < queries->count; i++)
        free(queries->list[i].text);
    free(queries->list);
    *queries = (struct queries){ 0 };
}

void query_write(const struct query *query, const void *row, struct json_writer *writer)
{
    json_open(writer, NULL, '{');
    for (size_t i = 0; i < query->column_count; i++) {
        const struct field *field = query->columns[i];
        const char *at = (const char *)row + field->offset;
        if (field->type == FIELD_TEXT)
            json_add_text(writer, field->name, *(const char *const *)(const void *)at);
        else if (field->type == FIELD_JSON)
            json_add_raw(writer, field->name, *(const char *const *)(const void *)at);
        else if (field->type == FIELD_INTEGER)
            json_add_integer(writer, field->name, *(const int64_t *)(const void *)at);
        else
            json_add_number(writer, field->name, *(const double *)(const void *)at);
    }
    json_close(writer, '}');
}
