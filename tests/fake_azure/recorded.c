#include "recorded.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cjson/cJSON.h>

#include "core/compiler.h"

/* The four lists a user may choose a file for, by the ends of their paths. */
enum chosen { ASSESSMENTS, METADATA, SCORES, CONTROLS, PLANS, CHOSEN_COUNT };

struct recorded {
    char subscription[64];
    struct buf chosen[CHOSEN_COUNT]; /* empty: none */
    char *folder;
    cJSON *index; /* of index.json; NULL when the folder has none */
};

static bool read_file(const char *path, struct buf *out)
{
    char chunk[16384];
    size_t count;
    FILE *file = fopen(path, "rb");
    if (!file)
        return false;
    while ((count = fread(chunk, 1, sizeof chunk, file)) > 0)
        buf_append(out, chunk, count);
    fclose(file);
    return true;
}

/* A file by its path, or by its path below the folder. */
static bool read_below(const struct recorded *recorded, const char *path, struct buf *out)
{
    CLEANUP(buf_finish) struct buf below = { 0 };
    if (read_file(path, out))
        return true;
    buf_printf(&below, "%s/%s", recorded->folder, path);
    return read_file(buf_cstr(&below), out);
}

/* The first "/subscriptions/<id>" of a text, lower case. */
static void find_subscription(struct recorded *recorded, const struct buf *text)
{
    const char *at = strcasestr(buf_cstr(text), "/subscriptions/");
    if (*recorded->subscription || !at)
        return;
    at += strlen("/subscriptions/");
    snprintf(recorded->subscription, sizeof recorded->subscription, "%.*s", (int)strcspn(at, "/\""),
             at);
}

struct recorded *recorded_open(const struct fake_options *options, char *why, size_t why_bytes)
{
    const char *files[CHOSEN_COUNT] = { options->recorded_assessments, options->recorded_metadata,
                                        options->recorded_scores, options->recorded_controls,
                                        options->recorded_plans };
    CLEANUP(buf_finish) struct buf index = { 0 };
    struct recorded *recorded = calloc(1, sizeof *recorded);
    if (!recorded)
        abort();
    recorded->folder = strdup(options->recorded);
    for (int i = 0; i < CHOSEN_COUNT; i++) {
        if (files[i] && !read_below(recorded, files[i], &recorded->chosen[i])) {
            snprintf(why, why_bytes, "cannot read %s", files[i]);
            recorded_close(recorded);
            return NULL;
        }
        find_subscription(recorded, &recorded->chosen[i]);
    }
    if (read_below(recorded, "index.json", &index))
        recorded->index = cJSON_ParseWithLength(buf_cstr(&index), index.length);
    if (!*recorded->subscription)
        strcpy(recorded->subscription, "00000000-0000-0000-0000-000000000000");
    return recorded;
}

void recorded_close(struct recorded *recorded)
{
    if (!recorded)
        return;
    for (int i = 0; i < CHOSEN_COUNT; i++)
        buf_finish(&recorded->chosen[i]);
    cJSON_Delete(recorded->index);
    free(recorded->folder);
    free(recorded);
}

/* Which chosen list a path asks for: CHOSEN_COUNT when none. *single: one object of it. */
static enum chosen chosen_of(const struct recorded *recorded, const char *path, bool *single)
{
    /* clang-format off */
    static const struct { const char *end; enum chosen chosen; bool single; } ends[] = {
        { "/assessments", ASSESSMENTS, false },
        { "/assessmentMetadata", METADATA, false },
        { "/secureScores", SCORES, false },
        { "/secureScores/ascScore", SCORES, true },
        { "/secureScoreControls", CONTROLS, false },
        { "/secureScores/ascScore/secureScoreControls", CONTROLS, false },
        { "/pricings", PLANS, false },
    };
    /* clang-format on */
    char base[160];
    size_t length = (size_t)snprintf(base, sizeof base,
                                     "/subscriptions/%s/providers/"
                                     "Microsoft.Security",
                                     recorded->subscription);
    const char *rest = path + length;
    if (strncasecmp(path, base, length) != 0)
        rest = strncasecmp(path, "/providers/Microsoft.Security/assessmentMetadata", 48) == 0
                   ? path + strlen("/providers/Microsoft.Security")
                   : "";
    for (size_t i = 0; i < ARRAY_COUNT(ends); i++)
        if (strcasecmp(rest, ends[i].end) == 0) {
            *single = ends[i].single;
            return ends[i].chosen;
        }
    return CHOSEN_COUNT;
}

/* A recorded list answers for its single object and the other way round; else bytes as they are. */
static void answer_chosen(const struct buf *body, bool single, struct reply *reply)
{
    cJSON *root = cJSON_ParseWithLength(buf_cstr(body), body->length);
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(root, "value");
    char *first = single && list ? cJSON_PrintUnformatted(cJSON_GetArrayItem(list, 0)) : NULL;
    reply->status = 200;
    if (first)
        buf_text(&reply->body, first);
    else if (!single && cJSON_GetObjectItemCaseSensitive(root, "properties"))
        buf_printf(&reply->body, "{\"value\":[%s]}", buf_cstr(body));
    else
        buf_append(&reply->body, body->data, body->length);
    cJSON_free(first);
    cJSON_Delete(root);
}

/* The path of a recorded URL: without host and query. */
static void path_of(const char *url, char *out, size_t bytes)
{
    const char *host = strstr(url, "://");
    const char *path = host ? strchr(host + 3, '/') : url;
    path = path ? path : "/";
    snprintf(out, bytes, "%.*s", (int)strcspn(path, "?"), path);
}

static bool answer_indexed(const struct request *request, struct reply *reply)
{
    const struct recorded *recorded = request->fake->recorded;
    const cJSON *entry;
    char path[1024];
    cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(recorded->index, "entries"))
    {
        const cJSON *url = cJSON_GetObjectItemCaseSensitive(entry, "url");
        const cJSON *file = cJSON_GetObjectItemCaseSensitive(entry, "file");
        const cJSON *method = cJSON_GetObjectItemCaseSensitive(entry, "method");
        const cJSON *status = cJSON_GetObjectItemCaseSensitive(entry, "status");
        const cJSON *headers = cJSON_GetObjectItemCaseSensitive(entry, "headers");
        const cJSON *type = cJSON_GetObjectItemCaseSensitive(headers, "content-type");
        if (!cJSON_IsString(url) || !cJSON_IsString(method) || !cJSON_IsNumber(status) ||
            strcmp(method->valuestring, request->method) != 0)
            continue;
        path_of(url->valuestring, path, sizeof path);
        if (strcasecmp(path, request->path) != 0)
            continue;
        reply->status = (int)status->valuedouble;
        if (cJSON_IsString(type))
            reply->type = type->valuestring;
        return !cJSON_IsString(file) || read_below(recorded, file->valuestring, &reply->body);
    }
    return false;
}

static void answer_subscriptions(const struct request *request, struct reply *reply)
{
    const char *id = request->fake->recorded->subscription;
    reply->status = 200;
    buf_printf(&reply->body,
               "{\"value\":[{\"id\":\"/subscriptions/%s\",\"subscriptionId\":\"%s\","
               "\"tenantId\":\"%s\",\"displayName\":\"Recorded subscription\",\"state\":\"Enabled\""
               "}]}",
               id, id, request->fake->options.tenant_id);
}

void recorded_answer(struct request *request, struct reply *reply)
{
    const struct recorded *recorded = request->fake->recorded;
    bool single = false;
    enum chosen chosen = chosen_of(recorded, request->path, &single);
    if (strcasecmp(request->path, "/providers/Microsoft.ResourceGraph/resources") == 0)
        reply_error(reply, 500, "InternalServerError", "Encountered an internal server error.");
    else if (strcasecmp(request->path, "/subscriptions") == 0)
        answer_subscriptions(request, reply);
    else if (chosen < CHOSEN_COUNT && recorded->chosen[chosen].length)
        answer_chosen(&recorded->chosen[chosen], single, reply);
    else if (answer_indexed(request, reply))
        return;
    else if (chosen < CHOSEN_COUNT && !single)
        reply_text(reply, 200, "{\"value\":[]}");
    else
        reply_error(reply, 404, "ResourceNotFound", "The resource was not recorded.");
}
