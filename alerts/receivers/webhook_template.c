#include "alerts/receivers/webhook_template.h"

#include <string.h>

#include "alerts/receivers/sample.h"
#include "core/json_check.h"

enum { NEAR_BYTES = 40 }; /* of a body around what is wrong in it */

static bool render(const struct webhook_config *config, const struct template *compiled,
                   const struct notification *notification, struct buf *out)
{
    return template_render_json(compiled, (enum template_escape)config->markup,
                                (size_t)config->limit, notification, out);
}

/* A body is an object or a list. */
static bool is_body(const struct buf *body, struct error *error)
{
    const char *text = buf_cstr(body);
    size_t at = strspn(text, " \t\r\n");
    if (text[at] != '{' && text[at] != '[')
        return error_set(error, ERROR_CONFIG, "the body is no JSON object or array");
    if (json_check(text, body->length, &at))
        return true;
    size_t from = at > NEAR_BYTES ? at - NEAR_BYTES : 0;
    return error_set(error, ERROR_CONFIG, "the body is no JSON, wrong behind byte %zu: %.*s", at,
                     (int)(at - from), text + from);
}

bool webhook_template_build(const struct webhook_config *config, struct notification *notification,
                            struct receiver_request *request, struct error *error)
{
    const struct template *compiled = template_compile_json(
        config->template ? config->template : "", notification_fields, &request->arena, error);
    if (!compiled)
        return false;
    for (;;) {
        buf_reset(&request->body);
        bool fits = render(config, compiled, notification, &request->body);
        request->truncated = notification->truncated;
        if (fits)
            return is_body(&request->body, error);
        if (!notification_shrink(notification, &request->arena))
            return error_set(error, ERROR_LIMIT, "a message that does not fit %lld bytes",
                             (long long)config->limit);
    }
}

/* Every form of a sample: what fits must be JSON, and the last must fit. */
static bool try_sample(const struct webhook_config *config, const struct template *compiled,
                       int which, struct error *error)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(buf_finish) struct buf body = { 0 };
    struct notification notification;
    bool fits;
    sample_make(which, &arena, &notification);
    do {
        buf_reset(&body);
        fits = render(config, compiled, &notification, &body);
        if (fits && !is_body(&body, error))
            return false;
    } while (notification_shrink(&notification, &arena));
    return fits || error_set(error, ERROR_CONFIG, "the least of it has more than %lld bytes",
                             (long long)config->limit);
}

void webhook_template_check(const struct webhook_config *config, const char *file,
                            struct option_report *report)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct error error;
    int line = config->line.template;
    const struct template *compiled =
        template_compile_json(config->template, notification_fields, &arena, &error);
    if (!compiled) {
        options_complain(report, file, line, "template", "%s", error.message);
        return;
    }
    for (int i = 0; i < SAMPLE_COUNT; i++)
        if (!try_sample(config, compiled, i, &error)) {
            options_complain(report, file, line, "template", "told of %s: %s", sample_name(i),
                             error.message);
            return;
        }
}
