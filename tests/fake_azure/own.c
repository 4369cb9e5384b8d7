#include "own.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cjson/cJSON.h>

#include "core/clock.h"
#include "core/compiler.h"
#include "core/hash.h"

enum { NAME_BYTES = 64, ITEMS_MAX = 40 };

/* A text being read, and the rows as they stand. */
struct reader {
    const char *text, *at;
    cJSON *rows; /* an array of objects */
    struct own_fault *fault;
    bool failed;
};

/* --- words ------------------------------------------------------------------------------------ */

static void skip(struct reader *reader)
{
    for (;;) {
        reader->at += strspn(reader->at, " \t\r\n");
        if (strncmp(reader->at, "//", 2) != 0)
            return;
        reader->at += strcspn(reader->at, "\n");
    }
}

static size_t token_length(const char *at)
{
    size_t word = strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.");
    return word ? word : *at != 0;
}

/* Only the first fault is told. Returns false. */
static bool fail(struct reader *reader, const char *expected)
{
    struct own_fault *fault = reader->fault;
    if (reader->failed)
        return false;
    reader->failed = true;
    fault->line = 1;
    fault->position = 0;
    for (const char *c = reader->text; c < reader->at; c++) {
        fault->position = *c == '\n' ? 0 : fault->position + 1;
        fault->line += *c == '\n';
    }
    size_t length = token_length(reader->at);
    snprintf(fault->token, sizeof fault->token, "%.*s", (int)(length ? length : 5),
             length ? reader->at : "<EOF>");
    snprintf(fault->expected, sizeof fault->expected, "%s", expected);
    return false;
}

/* Whether this word, or sign, is next; it is passed. */
static bool take(struct reader *reader, const char *word)
{
    size_t length = strlen(word);
    skip(reader);
    if (strncasecmp(reader->at, word, length) != 0 ||
        (isalnum((unsigned char)*word) && token_length(reader->at) != length))
        return false;
    reader->at += length;
    return true;
}

static bool want(struct reader *reader, const char *word)
{
    return take(reader, word) || fail(reader, word);
}

static bool take_name(struct reader *reader, char out[NAME_BYTES])
{
    skip(reader);
    size_t length = token_length(reader->at);
    if (!isalpha((unsigned char)*reader->at) || length >= NAME_BYTES)
        return fail(reader, "a name");
    snprintf(out, NAME_BYTES, "%.*s", (int)length, reader->at);
    reader->at += length;
    return true;
}

/* --- values ----------------------------------------------------------------------------------- */

static cJSON *value_of(struct reader *reader, const cJSON *row);

/* A copy of what stands at a path, names without case; null when nothing does. */
static cJSON *look(const cJSON *row, const char *path)
{
    char name[NAME_BYTES];
    while (row && *path) {
        size_t length = strcspn(path, ".");
        snprintf(name, sizeof name, "%.*s", (int)length, path);
        row = cJSON_GetObjectItem(row, name);
        path += length + (path[length] == '.');
    }
    return row ? cJSON_Duplicate(row, true) : cJSON_CreateNull();
}

static const char *text_of(const cJSON *value, char out[NAME_BYTES])
{
    if (cJSON_IsString(value))
        return value->valuestring;
    if (!cJSON_IsNumber(value))
        return "";
    snprintf(out, NAME_BYTES, "%.15g", value->valuedouble);
    return out;
}

static cJSON *convert(const char *function, const cJSON *value)
{
    char digits[NAME_BYTES], *end;
    const char *text = text_of(value, digits);
    if (!strcasecmp(function, "tostring"))
        return cJSON_CreateString(text);
    if (!strcasecmp(function, "tolower")) {
        cJSON *lower = cJSON_CreateString(text);
        for (char *c = lower->valuestring; *c; c++)
            *c = (char)tolower((unsigned char)*c);
        return lower;
    }
    if (!strcasecmp(function, "isnotempty") || !strcasecmp(function, "isempty"))
        return cJSON_CreateBool(!*text == !strcasecmp(function, "isempty"));
    double number = strtod(text, &end);
    if (!*text || *end)
        return cJSON_CreateNull();
    bool whole = strcasecmp(function, "todouble") != 0 && strcasecmp(function, "toreal") != 0;
    return cJSON_CreateNumber(whole ? floor(number) : number);
}

static cJSON *call(struct reader *reader, const cJSON *row, const char *function)
{
    static const char *const known[] = { "tostring", "tolower",  "isnotempty", "isempty",
                                         "toint",    "todouble", "toreal",     "tolong" };
    bool found = false;
    for (size_t i = 0; i < ARRAY_COUNT(known); i++)
        found = found || !strcasecmp(known[i], function);
    if (!found) {
        fail(reader, "a function");
        return NULL;
    }
    cJSON *inner = value_of(reader, row), *made = inner ? convert(function, inner) : NULL;
    cJSON_Delete(inner);
    if (made && want(reader, ")"))
        return made;
    cJSON_Delete(made);
    return NULL;
}

/* A text, number, path or call; NULL after a fault. */
static cJSON *value_of(struct reader *reader, const cJSON *row)
{
    char name[NAME_BYTES];
    skip(reader);
    char quote = *reader->at;
    if (quote == '\'' || quote == '"') {
        const char *end = strchr(reader->at + 1, quote);
        if (!end) {
            fail(reader, "the end of a text");
            return NULL;
        }
        CLEANUP(buf_finish) struct buf text = { 0 };
        buf_append(&text, reader->at + 1, (size_t)(end - reader->at - 1));
        reader->at = end + 1;
        return cJSON_CreateString(buf_cstr(&text));
    }
    if (isdigit((unsigned char)quote)) {
        char *end;
        double number = strtod(reader->at, &end);
        reader->at = end;
        return cJSON_CreateNumber(number);
    }
    const char *start = reader->at;
    if (!take_name(reader, name))
        return NULL;
    if (!take(reader, "("))
        return look(row, name);
    cJSON *made = call(reader, row, name);
    if (!made && reader->failed && !strcmp(reader->fault->expected, "a function")) {
        reader->at = start; /* it is the name that is wrong */
        reader->failed = false;
        fail(reader, "a function");
    }
    return made;
}

/* --- operators -------------------------------------------------------------------------------- */

static bool compare(const char *sign, const cJSON *left, const cJSON *right)
{
    char a[NAME_BYTES], b[NAME_BYTES];
    const char *one = text_of(left, a), *other = text_of(right, b);
    if (*sign == '<' || *sign == '>') {
        double difference = atof(one) - atof(other);
        bool equal = sign[1] == '=' && difference == 0;
        return *one && (equal || (*sign == '<' ? difference < 0 : difference > 0));
    }
    if (!strcmp(sign, "contains") || !strcmp(sign, "has"))
        return strcasestr(one, other) != NULL;
    bool same = strchr(sign, '~') ? !strcasecmp(one, other) : !strcmp(one, other);
    return *sign == '!' ? !same : same;
}

/* One condition of one row. */
static bool holds(struct reader *reader, const cJSON *row)
{
    static const char *const signs[] = { "==", "!=", "=~", "!~",       ">=",
                                         "<=", ">",  "<",  "contains", "has" };
    cJSON *left = value_of(reader, row), *right = NULL;
    bool is = cJSON_IsTrue(left);
    if (left && !cJSON_IsBool(left)) {
        size_t sign = 0;
        while (sign < ARRAY_COUNT(signs) && !take(reader, signs[sign]))
            sign++;
        if (sign == ARRAY_COUNT(signs))
            fail(reader, "a comparison");
        else
            right = value_of(reader, row);
        is = right && compare(signs[sign], left, right);
    }
    cJSON_Delete(left);
    cJSON_Delete(right);
    return is;
}

static bool all_hold(struct reader *reader, const cJSON *row)
{
    bool is = holds(reader, row);
    while (!reader->failed && take(reader, "and"))
        is = holds(reader, row) && is;
    return is;
}

/* "name = value", or a path alone, which is called as its last word; into `out`. */
static bool set_item(struct reader *reader, const cJSON *row, cJSON *out)
{
    char name[NAME_BYTES];
    const char *start;
    skip(reader);
    start = reader->at;
    if (!take_name(reader, name))
        return false;
    skip(reader);
    bool named = *reader->at == '=' && reader->at[1] != '=';
    if (named)
        reader->at++;
    else
        reader->at = start;
    cJSON *value = value_of(reader, row);
    const char *last = strrchr(name, '.');
    if (!value)
        return false;
    cJSON_DeleteItemFromObject(out, name);
    cJSON_AddItemToObject(out, named || !last ? name : last + 1, value);
    return true;
}

/* What an operator makes of one row; NULL = it is gone. */
typedef cJSON *each(struct reader *reader, const cJSON *row);

static cJSON *where_row(struct reader *reader, const cJSON *row)
{
    return all_hold(reader, row) ? cJSON_Duplicate(row, true) : NULL;
}

static cJSON *project_row(struct reader *reader, const cJSON *row)
{
    cJSON *out = cJSON_CreateObject();
    while (set_item(reader, row, out) && take(reader, ","))
        continue;
    return out;
}

static cJSON *extend_row(struct reader *reader, const cJSON *row)
{
    cJSON *out = cJSON_Duplicate(row, true);
    while (set_item(reader, out, out) && take(reader, ","))
        continue;
    return out;
}

/* Read the operator once for each row, and once for none: it is checked in any case. */
static void apply(struct reader *reader, each *of)
{
    const char *start = reader->at;
    cJSON *nothing = cJSON_CreateObject(), *rows = cJSON_CreateArray(), *row;
    cJSON_Delete(of(reader, nothing));
    const char *end = reader->at;
    cJSON_ArrayForEach(row, reader->rows)
    {
        reader->at = start;
        cJSON *made = reader->failed ? NULL : of(reader, row);
        if (made)
            cJSON_AddItemToArray(rows, made);
    }
    reader->at = reader->failed ? reader->at : end;
    cJSON_Delete(nothing);
    cJSON_Delete(reader->rows);
    reader->rows = rows;
}

/* --- order ------------------------------------------------------------------------------------ */

struct order {
    const cJSON *row, *key;
    bool down;
    size_t place;
};

static int compare_rows(const void *left, const void *right)
{
    const struct order *a = left, *b = right;
    int order = 0;
    if (cJSON_IsNumber(a->key) && cJSON_IsNumber(b->key)) {
        order = (a->key->valuedouble > b->key->valuedouble) -
                (a->key->valuedouble < b->key->valuedouble);
    } else {
        char one[NAME_BYTES], other[NAME_BYTES];
        order = strcmp(a->key ? text_of(a->key, one) : "", b->key ? text_of(b->key, other) : "");
    }
    if (!order)
        return a->place < b->place ? -1 : 1;
    return a->down ? -order : order;
}

/* "name [asc|desc]"; of several the first is the first. */
static bool order_by(struct reader *reader)
{
    char name[NAME_BYTES];
    if (!take_name(reader, name))
        return false;
    bool up = take(reader, "asc");
    if (!up)
        take(reader, "desc"); /* as it is without a word */
    if (take(reader, ",") && !order_by(reader))
        return false;
    size_t count = (size_t)cJSON_GetArraySize(reader->rows), i = 0;
    struct order *orders = calloc(count + 1, sizeof *orders);
    cJSON *sorted = cJSON_CreateArray(), *row;
    if (!orders)
        abort();
    cJSON_ArrayForEach(row, reader->rows)
    {
        orders[i] = (struct order){ row, cJSON_GetObjectItem(row, name), !up, i };
        i++;
    }
    qsort(orders, count, sizeof *orders, compare_rows);
    for (i = 0; i < count; i++)
        cJSON_AddItemToArray(sorted, cJSON_Duplicate(orders[i].row, true));
    free(orders);
    cJSON_Delete(reader->rows);
    reader->rows = sorted;
    return true;
}

static bool limit(struct reader *reader, double most)
{
    while (cJSON_GetArraySize(reader->rows) > (int)most)
        cJSON_DeleteItemFromArray(reader->rows, cJSON_GetArraySize(reader->rows) - 1);
    return true;
}

static bool read_number(struct reader *reader, double *out)
{
    cJSON *number = value_of(reader, NULL);
    bool is = cJSON_IsNumber(number);
    *out = is ? number->valuedouble : 0;
    cJSON_Delete(number);
    return is || fail(reader, "a number");
}

/* --- summarize -------------------------------------------------------------------------------- */

/* "[name =] count()"; by names. */
static bool summarize(struct reader *reader)
{
    char count[NAME_BYTES] = "count_", by[ITEMS_MAX][NAME_BYTES];
    size_t names = 0;
    if (!take(reader, "count")) {
        if (!take_name(reader, count) || !want(reader, "=") || !want(reader, "count"))
            return false;
    }
    if (!want(reader, "(") || !want(reader, ")"))
        return false;
    if (take(reader, "by"))
        do
            if (names == ITEMS_MAX || !take_name(reader, by[names++]))
                return fail(reader, "a name");
        while (take(reader, ","));
    cJSON *groups = cJSON_CreateArray(), *row, *group;
    cJSON_ArrayForEach(row, reader->rows)
    {
        cJSON *key = cJSON_CreateObject();
        for (size_t i = 0; i < names; i++)
            cJSON_AddItemToObject(key, by[i], look(row, by[i]));
        cJSON_ArrayForEach(group, groups)
        {
            cJSON *number = cJSON_DetachItemFromObject(group, count);
            bool same = cJSON_Compare(group, key, true);
            cJSON_AddItemToObject(group, count, number);
            if (!same)
                continue;
            number->valuedouble++;
            number->valueint++;
            break;
        }
        if (group) {
            cJSON_Delete(key);
            continue;
        }
        cJSON_AddNumberToObject(key, count, 1);
        cJSON_AddItemToArray(groups, key);
    }
    cJSON_Delete(reader->rows);
    reader->rows = groups;
    return true;
}

/* --- the whole -------------------------------------------------------------------------------- */

static bool step(struct reader *reader)
{
    double number;
    if (take(reader, "where"))
        apply(reader, where_row);
    else if (take(reader, "project"))
        apply(reader, project_row);
    else if (take(reader, "extend"))
        apply(reader, extend_row);
    else if (take(reader, "summarize"))
        return summarize(reader);
    else if (take(reader, "order") || take(reader, "sort"))
        return want(reader, "by") && order_by(reader);
    else if (take(reader, "limit") || take(reader, "take"))
        return read_number(reader, &number) && limit(reader, number);
    else if (take(reader, "top"))
        return read_number(reader, &number) && want(reader, "by") && order_by(reader) &&
               limit(reader, number);
    else
        return fail(reader, "an operator");
    return !reader->failed;
}

/* A resource as the table has it; some cores are null. */
static cJSON *resource_row(const struct view *view, const struct resource *resource)
{
    static const char *const places[] = { "westeurope", "northeurope", "germanywestcentral" };
    CLEANUP(arena_finish) struct arena arena = { 0 };
    const char *id = tenant_lower(&arena, resource->id), *name = strrchr(id, '/') + 1;
    const char *provider = strstr(id, "/providers/"), *group = strstr(id, "/resourcegroups/");
    char type[256] = "", instant[32];
    if (provider)
        snprintf(type, sizeof type, "%.*s", (int)(name - 1 - (provider + 11)), provider + 11);
    cJSON *row = cJSON_CreateObject();
    cJSON_AddStringToObject(row, "id", id);
    cJSON_AddStringToObject(row, "name", name);
    cJSON_AddStringToObject(row, "type", type);
    cJSON_AddStringToObject(row, "subscriptionId",
                            view->tenant->subscriptions[resource->subscription].id);
    cJSON_AddStringToObject(row, "resourceGroup",
                            group ? arena_copy(&arena, group + 16, strcspn(group + 16, "/")) : "");
    cJSON_AddStringToObject(row, "location", places[resource->serial % ARRAY_COUNT(places)]);
    cJSON *properties = cJSON_AddObjectToObject(row, "properties");
    if (resource->serial % 5)
        cJSON_AddNumberToObject(properties, "cores", resource->serial % 5);
    else
        cJSON_AddNullToObject(properties, "cores");
    cJSON_AddStringToObject(properties, "timeCreated",
                            clock_format_rfc3339(1700000000 + resource->serial * 3600, instant));
    return row;
}

static cJSON *resources(const struct view *view)
{
    cJSON *rows = cJSON_CreateArray();
    for (size_t i = 0; i < view->tenant->resource_count; i++) {
        const struct resource *resource = &view->tenant->resources[i];
        if (tenant_is_in_table(resource) && view->in_scope[resource->subscription] &&
            tenant_existed(resource, view->generation))
            cJSON_AddItemToArray(rows, resource_row(view, resource));
    }
    return rows;
}

bool own_run(const struct view *view, const char *text, struct own_result *result,
             struct own_fault *fault)
{
    struct reader reader = { .text = text, .at = text, .fault = fault };
    *result = (struct own_result){ 0 };
    if (!take(&reader, "resources"))
        return fail(&reader, "a table");
    reader.rows = resources(view);
    while (!reader.failed && take(&reader, "|"))
        if (!step(&reader))
            break;
    skip(&reader);
    if (!reader.failed && *reader.at)
        fail(&reader, "|");
    size_t count = (size_t)cJSON_GetArraySize(reader.rows);
    cJSON *row;
    result->rows = calloc(count + 1, sizeof *result->rows);
    if (!result->rows)
        abort();
    cJSON_ArrayForEach(row, reader.rows) result->rows[result->count++] =
        cJSON_PrintUnformatted(row);
    cJSON_Delete(reader.rows);
    return !reader.failed;
}

void own_finish(struct own_result *result)
{
    for (size_t i = 0; i < result->count; i++)
        free(result->rows[i]);
    free(result->rows);
    *result = (struct own_result){ 0 };
}
