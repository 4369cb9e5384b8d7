/* What the body of a 2xx says. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "alerts/receivers/receiver.h"
#include "core/json.h"

enum { TEXT_BYTES = 512 };

/* Words of a failure that passes by itself. */
static const char *const passing[] = { "429",     "500",     "502",        "503",      "504",
                                       "throttl", "limited", "rate limit", "too many", "timeout",
                                       "timed ",  "unavail", "try again",  "internal", NULL };

/* Statuses that are none of success; others stand for how far a server got. */
static const char *const failures[] = { "error", "fail", "invalid", "throttl", "denied", NULL };

static bool holds_any(const char *text, const char *const *words)
{
    for (; *words; words++)
        if (strcasestr(text, *words))
            return true;
    return false;
}

static struct receiver_verdict objection(const char *text)
{
    bool passes = holds_any(text, passing);
    return (struct receiver_verdict){ passes ? RECEIVER_RETRY : RECEIVER_REFUSED,
                                      passes ? RECEIVER_SERVER_ERROR : RECEIVER_CLIENT_ERROR,
                                      "accepted by its status, refused by its body" };
}

static bool is_no(const struct json *value)
{
    return json_type(value) == JSON_BOOL && !json_bool(value, true);
}

/* An error: a text, an object or a list with something in it, or true. */
static bool is_error(const struct json *value)
{
    const char *text = json_text(value);
    return (text && *text) || json_first(value) || json_bool(value, false);
}

static bool object_objects(const struct json *object)
{
    const char *status = json_text(json_get(object, "status"));
    return is_no(json_get(object, "ok")) || is_no(json_get(object, "success")) ||
           is_error(json_get(object, "error")) || is_error(json_get(object, "errors")) ||
           (status && holds_any(status, failures));
}

/* Slack's errors are one word: no_service, invalid_payload. */
static bool is_error_word(const char *text)
{
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_");
    return !text[length] && strchr(text, '_');
}

static void document_finish(struct json **document)
{
    json_free(*document);
}

/* The beginning of the body as text, without a byte order mark and white space around it. */
static void beginning(const struct buf *body, char out[TEXT_BYTES])
{
    const char *text = buf_cstr(body);
    text += strncmp(text, "\xef\xbb\xbf", 3) ? 0 : 3;
    while (isspace((unsigned char)*text))
        text++;
    size_t length = strnlen(text, TEXT_BYTES - 1);
    while (length && isspace((unsigned char)text[length - 1]))
        length--;
    memcpy(out, text, length);
    out[length] = 0;
}

struct receiver_verdict receiver_body_verdict(const struct buf *body)
{
    const struct receiver_verdict sent = { RECEIVER_SENT, RECEIVER_OTHER, "" };
    struct error error;
    char text[TEXT_BYTES];
    beginning(body, text);
    if (*text == '<')
        return (struct receiver_verdict){ RECEIVER_RETRY, RECEIVER_OTHER,
                                          "a web page instead of an answer" };
    const char *from = strpbrk(buf_cstr(body), "{[");
    size_t before = from ? (size_t)(from - buf_cstr(body)) : 0;
    CLEANUP(document_finish)
    struct json *document =
        *text == '{' || *text == '[' ? json_parse(from, body->length - before, &error) : NULL;
    if (document ? object_objects(document) : holds_any(text, failures) || is_error_word(text))
        return objection(text);
    return sent;
}
