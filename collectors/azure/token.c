#include "collectors/azure/token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/bounds.h"
#include "core/clock.h"
#include "core/json.h"

static const double MILLISECONDS_FROM = 1e11; /* an instant in seconds is smaller until year 5138 */

/* A number that may be written as a text. */
static bool lenient_number(const struct json *value, double *number)
{
    const char *text = json_text(value);
    char *end = NULL;
    if (json_type(value) != JSON_NUMBER && !text)
        return false;
    *number = text ? strtod(text, &end) : json_number(value, 0);
    return (!text || (end != text && !end[strspn(end, " ")])) && *number == *number;
}

/* "11/25/2099 11:00:00 PM +00:00", "06/19/2099 23:42:01 +00:00": how .NET prints an instant. */
static bool read_us_date(const char *text, int64_t *at)
{
    char iso[64], half[3] = "";
    unsigned month, day, year, hour, minute, second;
    int used = 0;
    if (sscanf(text, "%2u/%2u/%4u %2u:%2u:%2u%n", &month, &day, &year, &hour, &minute, &second,
               &used) != 6)
        return false;
    const char *rest = text + used;
    rest += strspn(rest, " ");
    if (!strncasecmp(rest, "AM", 2) || !strncasecmp(rest, "PM", 2)) {
        memcpy(half, rest, 2);
        rest += 2 + strspn(rest + 2, " ");
        if (hour < 1 || hour > 12)
            return false;
        hour = hour % 12 + (*half == 'P' || *half == 'p' ? 12 : 0);
    }
    int length = snprintf(iso, sizeof iso, "%04u-%02u-%02uT%02u:%02u:%02u%.20s", year, month, day,
                          hour, minute, second, rest);
    return length < (int)sizeof iso && clock_parse_rfc3339(iso, at);
}

/* ISO 8601, with a blank before its zone or not. */
static bool read_iso_date(const char *text, int64_t *at)
{
    char joined[64];
    size_t used = 0;
    for (; *text && used + 1 < sizeof joined; text++)
        if (*text != ' ' || used < 11) /* the one between date and time stays */
            joined[used++] = *text;
    joined[used] = 0;
    return !*text && used && clock_parse_rfc3339(joined, at);
}

/* The instant a token ends: seconds, milliseconds or a date. source: what identity endpoints of App
 * Service, Service Fabric, Azure Arc and Machine Learning were reported to send. */
static bool read_instant(const struct json *value, int64_t *at)
{
    double number;
    const char *text = json_text(value);
    if (lenient_number(value, &number)) {
        bool is_ms = number >= MILLISECONDS_FROM;
        *at = bounds_number(BOUND_INSTANT, is_ms ? number / 1000 : number);
        return true;
    }
    return text && (read_us_date(text, at) || read_iso_date(text, at)) && *at > 0;
}

static int64_t life_of(const struct json *body, int64_t now)
{
    double seconds;
    int64_t at, life_s = 0;
    if (lenient_number(json_get(body, "expires_in"), &seconds))
        life_s = bounds_number(BOUND_TOKEN_LIFE_S, seconds);
    else if (read_instant(json_get(body, "expires_on"), &at))
        life_s = bounds_integer(BOUND_TOKEN_LIFE_S, at - now);
    return life_s ? life_s : TOKEN_SHORT_LIFE_S;
}

static bool is_header_safe(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text <= ' ' || (unsigned char)*text >= 0x7f)
            return false;
    return true;
}

bool token_read(const struct buf *body, int64_t now, struct secret *token, int64_t *life_s,
                struct error *error)
{
    struct json *document = json_parse(buf_cstr(body), body->length, error);
    if (!document)
        return error_wrap(error, "token answer");
    const char *text = json_text(json_get(document, "access_token"));
    bool usable = text && *text && is_header_safe(text);
    if (usable) {
        secret_set(token, text);
        *life_s = life_of(document, now);
    }
    json_free(document);
    return usable || error_set(error, ERROR_PARSE, "token answer without a usable access_token");
}
