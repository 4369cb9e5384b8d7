#include "core/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const words[ERROR_CODE_COUNT] = {
    [ERROR_NONE] = "none",           [ERROR_CONFIG] = "config",
    [ERROR_PARSE] = "parse",         [ERROR_LIMIT] = "limit",
    [ERROR_NETWORK] = "network",     [ERROR_TIMEOUT] = "timeout",
    [ERROR_CANCELLED] = "cancelled", [ERROR_AUTH] = "auth",
    [ERROR_FORBIDDEN] = "forbidden", [ERROR_NOT_FOUND] = "not_found",
    [ERROR_THROTTLED] = "throttled", [ERROR_REQUEST] = "request",
    [ERROR_SERVER] = "server",       [ERROR_INCOMPLETE] = "incomplete",
    [ERROR_IO] = "io",
};

/* What it quotes comes from outside: a message is one line all the same. */
static void keep_one_line(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            *text = ' ';
}

bool error_set(struct error *error, enum error_code code, const char *format, ...)
{
    struct error filled = { .code = code };
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(filled.message, sizeof filled.message, format, arguments);
    va_end(arguments);
    keep_one_line(filled.message);
    *error = filled;
    return false;
}

bool error_wrap(struct error *error, const char *format, ...)
{
    char context[sizeof error->message / 3], message[sizeof error->message / 3 * 2 - 2];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(context, sizeof context, format, arguments);
    va_end(arguments);
    keep_one_line(context);
    memcpy(message, error->message, sizeof message);
    message[sizeof message - 1] = 0;
    snprintf(error->message, sizeof error->message, "%s: %s", context, message);
    return false;
}

bool error_is_transient(const struct error *error)
{
    switch (error->code) {
    case ERROR_NETWORK:
    case ERROR_TIMEOUT:
    case ERROR_THROTTLED:
    case ERROR_SERVER:
        return true;
    default:
        return false;
    }
}

const char *error_word(enum error_code code)
{
    return (unsigned)code < ERROR_CODE_COUNT ? words[code] : "unknown";
}
