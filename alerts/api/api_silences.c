#include "alerts/api/api_silences.h"

#include <string.h>

#include "core/clock.h"

/* --- answering ------------------------------------------------------------------------------ */

static void append_instant(struct json_writer *writer, const char *name, int64_t at)
{
    char text[32];
    json_add_text(writer, name, clock_format_rfc3339_ms(at * 1000, text));
}

static void append_silence(struct json_writer *writer, const struct silence *silence, int64_t now)
{
    json_open(writer, NULL, '{');
    json_add_text(writer, "id", silence->id);
    json_open(writer, "status", '{');
    json_add_text(writer, "state", silence_state_words[silence_state(silence, now)]);
    json_close(writer, '}');
    append_instant(writer, "updatedAt", silence->updated_at);
    json_add_text(writer, "comment", silence->comment);
    json_add_text(writer, "createdBy", silence->created_by);
    append_instant(writer, "endsAt", silence->ends_at);
    json_open(writer, "matchers", '[');
    for (size_t i = 0; i < silence->matchers.count; i++) {
        const struct match *match = &silence->matchers.matches[i];
        json_open(writer, NULL, '{');
        json_add_bool(writer, "isEqual",
                      match->operator== MATCH_EQUAL || match->operator== MATCH_REGEX);
        json_add_bool(writer, "isRegex",
                      match->operator== MATCH_REGEX || match->operator== MATCH_NOT_REGEX);
        json_add_text(writer, "name", match->name);
        json_add_text(writer, "value", match->value);
        json_close(writer, '}');
    }
    json_close(writer, ']');
    append_instant(writer, "startsAt", silence->starts_at);
    json_close(writer, '}');
}

/* Whether a silence's matchers, not alerts, satisfy the filters. False when that cannot be told. */
static bool fits(struct api_call *call, const struct silence *silence,
                 const struct match_list *filters, bool *fit, struct error *error)
{
    *fit = true;
    for (size_t i = 0; i < filters->count && *fit; i++) {
        const struct match *filter = &filters->matches[i];
        const char *value = NULL;
        for (size_t k = 0; k < silence->matchers.count; k++)
            if (!strcmp(silence->matchers.matches[k].name, filter->name))
                value = silence->matchers.matches[k].value;
        bool negative = filter->operator== MATCH_NOT_EQUAL || filter->operator== MATCH_NOT_REGEX;
        enum match_answer answer =
            !value && negative ? MATCH_NO : match_value(filter, value ? value : "", &call->budget);
        if (answer == MATCH_LIMIT)
            return api_call_too_expensive(error);
        *fit = answer == MATCH_YES;
    }
    return true;
}

int api_silences_answer(struct api_call *call)
{
    CLEANUP(match_finish) struct match_list filters = { 0 };
    CLEANUP(silence_list_finish) struct silence_list list = { 0 };
    struct json_writer writer = { .out = call->out };
    struct error error;
    int status;
    if (!api_call_filters(call, &filters, &status))
        return status;
    if (!api_call_silences(call, &list, &error))
        return api_call_error(call, &error);
    json_open(&writer, NULL, '[');
    for (size_t i = 0; i < list.count; i++) {
        bool fit;
        if (!fits(call, &list.silences[i], &filters, &fit, &error))
            return api_call_error(call, &error);
        if (fit)
            append_silence(&writer, &list.silences[i], call->context->now);
    }
    json_close(&writer, ']');
    return 200;
}

int api_silences_answer_one(struct api_call *call, const char *id)
{
    CLEANUP(silence_list_finish) struct silence_list list = { 0 };
    struct json_writer writer = { .out = call->out };
    struct error error;
    if (!api_call_silences(call, &list, &error))
        return api_call_error(call, &error);
    for (size_t i = 0; i < list.count; i++) {
        if (strcmp(list.silences[i].id, id) != 0)
            continue;
        append_silence(&writer, &list.silences[i], call->context->now);
        return 200;
    }
    return api_call_fail(call, 404, "no such silence");
}

/* --- changing ------------------------------------------------------------------------------- */

static bool read_matchers(const struct json *list, struct arena *arena, struct match_list *matchers,
                          struct error *error)
{
    size_t bytes = 0;
    for (const struct json *one = json_first(list); one; one = json_next(one)) {
        const char *name = json_text(json_get(one, "name"));
        const char *value = json_text(json_get(one, "value"));
        bool regex = json_bool(json_get(one, "isRegex"), false);
        bool equal = json_bool(json_get(one, "isEqual"), true);
        enum match_operator operator= regex ? equal ? MATCH_REGEX : MATCH_NOT_REGEX
        : equal                             ? MATCH_EQUAL
                                            : MATCH_NOT_EQUAL;
        if (!name || !value)
            return error_set(error, ERROR_REQUEST, "a matcher needs a name and a value");
        bytes += strlen(name) + strlen(value);
        if (matchers->count == API_CALL_MATCHERS_MAX || bytes > API_CALL_MATCHER_BYTES_MAX)
            return error_set(error, ERROR_LIMIT, "more than %d matchers, or %d bytes of them",
                             API_CALL_MATCHERS_MAX, API_CALL_MATCHER_BYTES_MAX);
        if (!match_add(matchers, name, operator, value, arena, error))
            return false;
    }
    return true;
}

static bool read_instant(const struct json *body, const char *name, int64_t *at,
                         struct error *error)
{
    const char *text = json_text(json_get(body, name));
    if (!text || !clock_parse_rfc3339(text, at) || !*at)
        return error_set(error, ERROR_REQUEST, "%s must be an RFC 3339 time", name);
    return true;
}

bool api_silences_read(const char *text, size_t length, struct arena *arena,
                       struct silence *silence, struct error *error)
{
    const struct json *body = json_parse_in(arena, text, length, error);
    if (!body)
        return false;
    const char *id = json_text(json_get(body, "id"));
    silence->created_by = json_text(json_get(body, "createdBy"));
    silence->comment = json_text(json_get(body, "comment"));
    if (id && *id && strlen(id) != sizeof silence->id - 1)
        return error_set(error, ERROR_NOT_FOUND, "no such silence");
    if (id)
        strncpy(silence->id, id, sizeof silence->id - 1);
    if (!silence->created_by || !silence->comment)
        return error_set(error, ERROR_REQUEST, "createdBy and comment are needed");
    return read_instant(body, "startsAt", &silence->starts_at, error) &&
           read_instant(body, "endsAt", &silence->ends_at, error) &&
           read_matchers(json_get(body, "matchers"), arena, &silence->matchers, error);
}

static void finish_matchers(struct silence *silence)
{
    match_finish(&silence->matchers);
}

int api_silences_put(struct api_call *call)
{
    CLEANUP(finish_matchers) struct silence silence = { 0 };
    struct json_writer writer = { .out = call->out };
    struct error error;
    const struct api_request *request = call->request;
    const struct audit_by by = { "", request->peer };
    if (!api_silences_read(request->body, request->body_bytes, &call->arena, &silence, &error) ||
        !silence_limits_allow(call->context->settings->silence_limits, &silence, call->context->now,
                              &error) ||
        !silence_put(call->database, &silence, &by, call->context->now, &error))
        return api_call_error(call, &error);
    evaluator_wake(call->context->evaluator);
    json_open(&writer, NULL, '{');
    json_add_text(&writer, "silenceID", silence.id);
    json_close(&writer, '}');
    return 200;
}

int api_silences_expire(struct api_call *call, const char *id)
{
    struct error error;
    const struct audit_by by = { "", call->request->peer };
    if (!silence_expire(call->database, id, &by, call->context->now, &error))
        return api_call_error(call, &error);
    evaluator_wake(call->context->evaluator);
    return 200;
}
