#include "mutate.h"

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "core/compiler.h"
#include "graph.h"
#include "token.h"

static void answer_html(struct reply *reply, int status)
{
    static const struct {
        int status;
        const char *title;
    } titles[] = {
        { 500, "500 Internal Server Error" },
        { 502, "502 Bad Gateway" },
        { 503, "503 Service Unavailable" },
        { 504, "504 Gateway Time-out" },
    };
    const char *title = titles[0].title;
    for (size_t i = 0; i < ARRAY_COUNT(titles); i++)
        if (titles[i].status == status)
            title = titles[i].title;
    reply->status = status;
    reply->type = "text/html";
    buf_printf(&reply->body,
               "<!DOCTYPE html>\r\n<html><head><title>%s</title></head>\r\n<body>"
               "<center><h1>%s</h1></center><hr><center>Microsoft-Azure-Application-Gateway/v2"
               "</center></body></html>\r\n",
               title, title);
    reply_header(reply, "x-ms-failure-cause", "gateway");
}

static void answer_throttled(struct reply *reply, const struct fault *fault)
{
    if (strcmp(fault->body, "empty") == 0 || strcmp(fault->body, "object") == 0) {
        reply_text(reply, 429, *fault->body == 'e' ? "" : "{}");
        if (fault->retry_after >= 0)
            reply_header(reply, "Retry-After", "%ld", fault->retry_after);
    } else {
        graph_throttled(reply, fault->retry_after);
    }
}

static void answer_not_registered(struct reply *reply, const struct fault *fault)
{
    if (fault->status == 404)
        reply_error(reply, 404, "Subscription Not Registered",
                    "Subscription is not registered with Microsoft Defender for Cloud.");
    else
        reply_error(reply, 409, "MissingSubscriptionRegistration",
                    "The subscription is not registered to use namespace 'Microsoft.Security'. See "
                    "https://aka.ms/rps-not-found for how to register subscriptions.");
}

void mutate_answer(struct request *request, struct reply *reply, const struct fault *fault)
{
    switch (fault->name) {
    case FAULT_401:
    case FAULT_EXPIRED_TOKEN:
        token_refuse(reply, fault->name == FAULT_EXPIRED_TOKEN);
        break;
    case FAULT_403:
        reply_unauthorised(request, reply, request->path);
        break;
    case FAULT_NOT_REGISTERED:
        answer_not_registered(reply, fault);
        break;
    case FAULT_429:
        answer_throttled(reply, fault);
        break;
    case FAULT_EMPTY_5XX:
        reply_text(reply, fault->status ? (int)fault->status : 503, "");
        break;
    case FAULT_REDIRECT:
        reply_text(reply, 302, "");
        reply_header(reply, "Location", "http://127.0.0.1:1%s", request->path);
        break;
    case FAULT_HANG:
        break;
    default:
        answer_html(reply, fault->name == FAULT_500   ? 500
                           : fault->name == FAULT_502 ? 502
                           : fault->name == FAULT_503 ? 503
                                                      : 504);
    }
}

/* Texts become objects, everything else becomes text; the identity stays. */
static void confuse(cJSON *value)
{
    for (cJSON *next, *member = value->child; member; member = next) {
        next = member->next;
        bool identity = member->string &&
                        (strcmp(member->string, "id") == 0 || strcmp(member->string, "name") == 0 ||
                         strcmp(member->string, "type") == 0);
        if (identity || !member->string)
            continue;
        if (cJSON_IsObject(member)) {
            confuse(member);
            continue;
        }
        cJSON *wrong =
            cJSON_IsString(member) ? cJSON_CreateObject() : cJSON_CreateString("not a number");
        if (cJSON_IsString(member))
            cJSON_AddStringToObject(wrong, "value", member->valuestring);
        cJSON_ReplaceItemInObjectCaseSensitive(value, member->string, wrong);
    }
}

static void add_deep(cJSON *row, long depth)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    for (long i = 0; i < depth; i++)
        buf_char(&text, '[');
    for (long i = 0; i < depth; i++)
        buf_char(&text, ']');
    cJSON_AddItemToObject(row, "extended", cJSON_CreateRaw(buf_cstr(&text)));
}

static void add_huge(cJSON *row, long bytes)
{
    char *text = malloc((size_t)bytes + 1);
    if (!text)
        abort();
    memset(text, 'A', (size_t)bytes);
    text[bytes] = '\0';
    cJSON_DeleteItemFromObjectCaseSensitive(row, "title");
    cJSON_AddStringToObject(row, "title", text);
    free(text);
}

/* Set a member wherever it is, in the row or below it. */
static void set_deep(cJSON *value, const char *name, const char *json)
{
    if (cJSON_HasObjectItem(value, name))
        cJSON_ReplaceItemInObject(value, name, cJSON_CreateRaw(json));
    for (cJSON *member = value->child; member; member = member->next)
        if (cJSON_IsObject(member))
            set_deep(member, name, json);
}

/* Another row has come than Azure counted: let the counts fit. */
static void add_to(cJSON *root, const char *name, double more)
{
    cJSON *number = cJSON_GetObjectItemCaseSensitive(root, name);
    if (number)
        cJSON_SetNumberValue(number, number->valuedouble + more);
}

/* A row that cannot be read as it should be; kind: fault.body. */
static void make_odd(const struct request *request, cJSON *root, cJSON *rows, const char *kind)
{
    cJSON *row = rows->child;
    static const struct {
        const char *kind, *member, *json;
    } values[] = {
        { "no-id", "id", "null" },
        { "no-id", "subscriptionId", "null" },
        { "no-status", "statusCode", "null" },
        { "no-status", "complianceStatus", "null" },
        { "no-status", "status", "null" },
        { "status", "statusCode", "\"Sideways\"" },
        { "status", "code", "\"Sideways\"" },
        { "date", "statusChangeDate", "\"2026-13-45T99:00:00Z\"" },
        { "date", "timeGenerated", "\"2026-13-45T99:00:00Z\"" },
        { "surrogate", "title", "\"cut \\ud83d\"" },
        { "surrogate", "displayName", "\"cut \\ud83d\"" },
        { "nan", "ratio", "NaN" },
        { "nan", "percentage", "\"NaN\"" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(values); i++)
        if (strcmp(values[i].kind, kind) == 0)
            set_deep(row, values[i].member, values[i].json);
    cJSON *more = strcmp(kind, "twice") == 0    ? cJSON_Duplicate(row, true)
                  : strcmp(kind, "null") == 0   ? cJSON_CreateNull()
                  : strcmp(kind, "number") == 0 ? cJSON_CreateNumber(7)
                                                : NULL;
    if (!more)
        return;
    add_to(root, "totalRecords", 1);
    if (*request->token) {
        cJSON_Delete(more);
        return; /* on the first page only */
    }
    cJSON_AddItemToArray(rows, more);
    add_to(root, "count", 1);
}

static void set_text(cJSON *root, const char *name, const char *text)
{
    cJSON_DeleteItemFromObjectCaseSensitive(root, name);
    cJSON_AddStringToObject(root, name, text);
}

/* The link or token of this request once more. */
static void repeat_token(const struct request *request, cJSON *root, bool graph)
{
    CLEANUP(buf_finish) struct buf link = { 0 };
    if (!*request->token)
        return;
    buf_printf(&link, "%s%s?api-version=%s&$skiptoken=%s", request->origin, request->path,
               request->version, request->token);
    set_text(root, graph ? "$skipToken" : "nextLink", graph ? request->token : buf_cstr(&link));
}

static void spoil(struct request *request, cJSON *root, const struct fault *fault)
{
    bool graph = cJSON_GetObjectItemCaseSensitive(root, "data") != NULL;
    cJSON *rows = cJSON_GetObjectItemCaseSensitive(root, graph ? "data" : "value");
    cJSON *row = cJSON_IsArray(rows) ? cJSON_GetArrayItem(rows, 0) : root;
    cJSON *total = cJSON_GetObjectItemCaseSensitive(root, "totalRecords");
    if (fault->name == FAULT_WRONG_TYPES && row)
        confuse(row);
    else if (fault->name == FAULT_ODD && row && cJSON_IsArray(rows))
        make_odd(request, root, rows, fault->body);
    else if (fault->name == FAULT_DEEP && row)
        add_deep(row, fault->depth);
    else if (fault->name == FAULT_HUGE && row)
        add_huge(row, fault->bytes);
    else if (fault->name == FAULT_REPEAT_TOKEN)
        repeat_token(request, root, graph);
    else if (fault->name == FAULT_TOTAL_DRIFT && total)
        cJSON_SetNumberValue(total, total->valuedouble + 7);
    else if (fault->name == FAULT_FOREIGN_NEXTLINK && !graph)
        set_text(root, "nextLink", "http://127.0.0.1:1/subscriptions?api-version=2022-12-01");
    if (fault->name == FAULT_TRUNCATED) {
        cJSON_DeleteItemFromObjectCaseSensitive(root, graph ? "$skipToken" : "nextLink");
        if (graph)
            set_text(root, "resultTruncated", "true");
    }
    if (fault->name == FAULT_EMPTY && cJSON_IsArray(rows)) {
        while (rows->child)
            cJSON_DeleteItemFromArray(rows, 0);
        cJSON_DeleteItemFromObjectCaseSensitive(root, graph ? "$skipToken" : "nextLink");
        if (total) {
            cJSON_SetNumberValue(total, 0);
            cJSON_SetNumberValue(cJSON_GetObjectItemCaseSensitive(root, "count"), 0);
        }
    }
}

void mutate_links(struct reply *reply)
{
    cJSON *root = cJSON_ParseWithLength(buf_cstr(&reply->body), reply->body.length);
    const cJSON *link = cJSON_GetObjectItemCaseSensitive(root, "nextLink");
    if (cJSON_IsString(link)) {
        CLEANUP(buf_finish) struct buf raw = { 0 };
        buf_printf(&raw, "%s" MUTATE_RAW_TAIL, link->valuestring);
        set_text(root, "nextLink", buf_cstr(&raw));
        char *text = cJSON_PrintUnformatted(root);
        buf_reset(&reply->body);
        buf_text(&reply->body, text);
        cJSON_free(text);
    }
    cJSON_Delete(root);
}

/* Replace a text member by before + name, unescaped. */
static void set_name(cJSON *object, const char *member, const char *before, const char *name)
{
    if (!cJSON_IsString(cJSON_GetObjectItemCaseSensitive(object, member)))
        return;
    CLEANUP(buf_finish) struct buf raw = { 0 };
    buf_printf(&raw, "\"%s%s\"", before, name);
    cJSON_ReplaceItemInObjectCaseSensitive(object, member, cJSON_CreateRaw(buf_cstr(&raw)));
}

/* The last segment of the id of a row's resource. */
static void set_resource(cJSON *row, const char *name)
{
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(row, "resourceId");
    const char *slash = cJSON_IsString(id) ? strrchr(id->valuestring, '/') : NULL;
    if (!slash)
        return;
    CLEANUP(buf_finish) struct buf before = { 0 };
    buf_append(&before, id->valuestring, (size_t)(slash + 1 - id->valuestring));
    set_name(row, "resourceId", buf_cstr(&before), name);
}

void mutate_names(struct reply *reply, const char *name)
{
    static const char *const members[] = { "title", "displayName", "riskFactors",
                                           "managementGroup" };
    cJSON *root = cJSON_ParseWithLength(buf_cstr(&reply->body), reply->body.length);
    cJSON *rows = cJSON_GetObjectItemCaseSensitive(root, "data"), *row;
    if (!rows)
        rows = cJSON_GetObjectItemCaseSensitive(root, "value");
    cJSON_ArrayForEach(row, rows)
    {
        cJSON *properties = cJSON_GetObjectItemCaseSensitive(row, "properties");
        set_resource(row, name);
        for (size_t i = 0; i < ARRAY_COUNT(members); i++) {
            set_name(row, members[i], "", name);
            set_name(properties, members[i], "", name);
        }
    }
    char *text = rows ? cJSON_PrintUnformatted(root) : NULL;
    if (text) {
        buf_reset(&reply->body);
        buf_text(&reply->body, text);
        cJSON_free(text);
    }
    cJSON_Delete(root);
}

void mutate_body(struct request *request, struct reply *reply, const struct fault *fault)
{
    if (fault->name == FAULT_SHIFT)
        return; /* was done while the page was made */
    if (fault->name == FAULT_PARTIAL) {
        reply->status = 206;
        reply_header(reply, "Content-Range", "bytes 0-%zu/%zu", reply->body.length - 1,
                     2 * reply->body.length);
        return;
    }
    if (fault->name == FAULT_INVALID_JSON) {
        reply->body.length -= reply->body.length / 3;
        buf_text(&reply->body, "\"}, oops ]]");
        return;
    }
    if (fault->name == FAULT_BOM) {
        struct buf body = { 0 };
        buf_text(&body, "\xef\xbb\xbf");
        buf_append(&body, reply->body.data, reply->body.length);
        buf_finish(&reply->body);
        reply->body = body;
        return;
    }
    cJSON *root = cJSON_ParseWithLength(buf_cstr(&reply->body), reply->body.length);
    if (!root)
        return;
    spoil(request, root, fault);
    char *text = cJSON_PrintUnformatted(root);
    buf_reset(&reply->body);
    buf_text(&reply->body, text);
    cJSON_free(text);
    cJSON_Delete(root);
}
