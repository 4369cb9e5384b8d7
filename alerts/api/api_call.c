#include "alerts/api/api_call.h"

#include <stdlib.h>
#include <string.h>

#include "alerts/store/readers.h"
#include "alerts/store/schema.h"

/* The regular expressions of a request may take so long. */
enum {
    LIST_LIMIT = 100,
    LIST_LIMIT_MAX = 1000,
    MATCH_US = 2000000,
    BUSY_MS = 200, /* a web server waits for no one who writes long */
};

int api_call_fail(struct api_call *call, int status, const char *message)
{
    buf_reset(call->out);
    buf_text(call->out, call->fails_in_object ? "{\"error\":" : "");
    json_quote(call->out, message, strlen(message));
    buf_text(call->out, call->fails_in_object ? "}" : "");
    return status;
}

int api_call_error(struct api_call *call, const struct error *error)
{
    switch (error->code) {
    case ERROR_NOT_FOUND:
        return api_call_fail(call, 404, error->message);
    case ERROR_REQUEST:
    case ERROR_CONFIG:
    case ERROR_PARSE:
    case ERROR_LIMIT:
        return api_call_fail(call, 400, error->message);
    case ERROR_TIMEOUT:
        return api_call_fail(call, 503, error->message);
    default:
        return api_call_fail(call, 500, error->message);
    }
}

const char *api_call_query(const struct api_call *call, const char *name)
{
    for (size_t i = 0; i < call->request->query_count; i++)
        if (!strcmp(call->request->queries[i].name, name))
            return call->request->queries[i].value;
    return NULL;
}

bool api_call_flag(const struct api_call *call, const char *name, bool otherwise, bool *value)
{
    const char *text = api_call_query(call, name);
    *value = text ? !strcmp(text, "true") : otherwise;
    return !text || *value || !strcmp(text, "false");
}

int64_t api_call_limit(const struct api_call *call)
{
    const char *text = api_call_query(call, "limit");
    char *end;
    long long limit = text ? strtoll(text, &end, 10) : LIST_LIMIT;
    if (text && (*end || limit < 1))
        return 0;
    return limit < LIST_LIMIT_MAX ? limit : LIST_LIMIT_MAX;
}

bool api_call_filters(struct api_call *call, struct match_list *filters, int *status)
{
    struct error error;
    size_t bytes = 0;
    for (size_t i = 0; i < call->request->query_count; i++) {
        const struct api_query *query = &call->request->queries[i];
        if (strcmp(query->name, "filter") != 0)
            continue;
        bytes += strlen(query->value);
        bool ok = bytes <= API_CALL_MATCHER_BYTES_MAX
                      ? match_parse(query->value, filters, &call->arena, &error)
                      : error_set(&error, ERROR_LIMIT, "more than %d bytes of filters",
                                  API_CALL_MATCHER_BYTES_MAX);
        if (ok && filters->count > API_CALL_MATCHERS_MAX)
            ok = error_set(&error, ERROR_LIMIT, "more than %d filters", API_CALL_MATCHERS_MAX);
        if (!ok) {
            *status = api_call_fail(call, 400, error.message);
            return false;
        }
    }
    return true;
}

bool api_call_silences(struct api_call *call, struct silence_list *list, struct error *error)
{
    struct evaluator *evaluator = call->context->evaluator;
    if (!silence_load(call->database, evaluator ? evaluator_silences(evaluator) : NULL,
                      call->context->now, list, error))
        return false;
    list->budget = &call->budget;
    return true;
}

bool api_call_too_expensive(struct error *error)
{
    return error_set(error, ERROR_LIMIT, "the regular expressions of this request take too long");
}

void api_call_finish(struct api_call *call)
{
    readers_give(call->readers, call->database);
    arena_finish(&call->arena);
}

bool api_call_open(struct api_call *call, bool read_only, struct error *error)
{
    const struct database_config config = {
        .path = call->context->database_path,
        .migrations = schema_migrations,
        .busy_ms = BUSY_MS,
        .read_only = read_only,
    };
    call->budget.left_us = MATCH_US;
    call->readers = read_only ? call->context->readers : NULL;
    call->database =
        call->readers ? readers_take(call->readers, error) : database_open(&config, error);
    return call->database != NULL;
}
