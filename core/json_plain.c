#include "core/json_plain.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/utf8.h"

enum {
    DEPTH_MAX = 16,
    DIGITS_MAX = 15,       /* of what is exact as an integer */
    NUMBER_BYTES_MAX = 60, /* the library reads no more */
};

struct plain {
    char *at;
    const char *end;
    struct arena *arena;
    unsigned depth;
};

static char next(struct plain *plain)
{
    while (*plain->at == ' ' || *plain->at == '\n' || *plain->at == '\t' || *plain->at == '\r')
        plain->at++;
    return *plain->at;
}

/* Four hexadecimal digits; UINT32_MAX when they are none. */
static uint32_t read_unit(const char *at)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    uint32_t unit = 0;
    for (int i = 0; i < 4; i++) {
        const char *digit = at[i] ? strchr(digits, at[i]) : NULL;
        if (!digit)
            return UINT32_MAX;
        unit = unit << 4 | ((uint32_t)(digit - digits) & 15);
    }
    return unit;
}

/* Write a character; returns its last byte. */
static char *put_point(uint32_t point, char *to)
{
    if (point < 0x80) {
        *to = (char)point;
        return to;
    }
    int more = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    static const unsigned char heads[] = { 0, 0xc0, 0xe0, 0xf0 };
    *to = (char)(heads[more] | point >> 6 * more);
    while (more--)
        *++to = (char)(0x80 | (point >> 6 * more & 0x3f));
    return to;
}

/* The character whose number stands at *from, where its "u" is, which is moved to its end; units of
 * a pair are one. NULL when it is none, or ends texts. */
static char *put_unit(char **from, char *to)
{
    uint32_t point = read_unit(*from + 1);
    bool is_high = point >= 0xd800 && point < 0xdc00;
    if (!point || point == UINT32_MAX || (point >= 0xdc00 && point < 0xe000))
        return NULL;
    *from += 4;
    if (is_high) {
        uint32_t low = (*from)[1] == '\\' && (*from)[2] == 'u' ? read_unit(*from + 3) : 0;
        if (low < 0xdc00 || low >= 0xe000)
            return NULL;
        point = 0x10000 + ((point & 0x3ff) << 10 | (low & 0x3ff));
        *from += 6;
    }
    return put_point(point, to);
}

/* What the escape at *from stands for; *from is moved to its end. Returns the last byte written. */
static char *put_escape(char **from, char *to)
{
    static const char letters[] = "\"\\/bfnrt", characters[] = "\"\\/\b\f\n\r\t";
    char letter = *++*from;
    const char *found = letter ? strchr(letters, letter) : NULL;
    if (letter == 'u')
        return put_unit(from, to);
    if (!found)
        return NULL;
    *to = characters[found - letters];
    return to;
}

/* The text that begins at this quote; NULL when it is not plain. */
static char *read_text(struct plain *plain)
{
    char *begin = plain->at + 1, *from, *to;
    from = begin + utf8_plain_length(begin, (size_t)(plain->end - begin));
    while ((unsigned char)*from >= ' ' && *from != '"' && *from != '\\')
        from++;
    for (to = from; *from != '"'; from++, to++) {
        if ((unsigned char)*from < ' ')
            return NULL;
        *to = *from;
        if (*from == '\\' && !(to = put_escape(&from, to)))
            return NULL;
    }
    *to = 0;
    plain->at = from + 1;
    return begin;
}

static const char *skip_digits(const char *at)
{
    while (*at >= '0' && *at <= '9')
        at++;
    return at;
}

/* A number with a fraction, an exponent or many digits, which must be as JSON has them. */
static bool read_long_number(struct plain *plain, cJSON *value)
{
    const char *begin = plain->at, *first = begin + (*begin == '-'), *at = skip_digits(first);
    char *end;
    bool ok = at > first && (*first != '0' || at == first + 1);
    if (*at == '.') {
        const char *fraction = at + 1;
        at = skip_digits(fraction);
        ok = ok && at > fraction;
    }
    if (*at == 'e' || *at == 'E') {
        const char *exponent = at + 1 + (at[1] == '+' || at[1] == '-');
        at = skip_digits(exponent);
        ok = ok && at > exponent;
    }
    if (!ok || at - begin > NUMBER_BYTES_MAX || strchr("0123456789.eE+-", *at))
        return false;
    value->type = cJSON_Number;
    value->valuedouble = strtod(begin, &end);
    plain->at = end;
    return end == at;
}

static bool read_number(struct plain *plain, cJSON *value)
{
    bool negative = *plain->at == '-';
    char *first = plain->at + negative, *at = first;
    int64_t number = 0;
    for (; *at >= '0' && *at <= '9' && at - first < DIGITS_MAX; at++)
        number = number * 10 + *at - '0';
    bool short_form = at > first && (*first != '0' || (at == first + 1 && !negative));
    if (!short_form || strchr("0123456789.eE+-", *at))
        return read_long_number(plain, value);
    value->type = cJSON_Number;
    value->valuedouble = (double)(negative ? -number : number);
    plain->at = at;
    return true;
}

static bool read_word(struct plain *plain, const char *word, int type, cJSON *value)
{
    size_t length = strlen(word);
    value->type = type;
    if (strncmp(plain->at, word, length) != 0)
        return false;
    plain->at += length;
    return true;
}

static cJSON *read_value(struct plain *plain);

/* The members of an array or object up to its bracket. */
static bool read_members(struct plain *plain, char close, cJSON *value)
{
    cJSON **link = &value->child;
    value->type = close == '}' ? cJSON_Object : cJSON_Array;
    plain->at++;
    if (next(plain) == close)
        return plain->at++, true;
    if (++plain->depth > DEPTH_MAX)
        return false;
    for (;; plain->at++) {
        char *name = NULL;
        if (close == '}') {
            if (next(plain) != '"' || !(name = read_text(plain)) || next(plain) != ':')
                return false;
            plain->at++;
        }
        cJSON *member = read_value(plain);
        if (!member)
            return false;
        member->string = name;
        *link = member;
        link = &member->next;
        if (next(plain) != ',')
            break;
    }
    plain->depth--;
    return *plain->at++ == close;
}

/* NULL when it is not plain. */
static cJSON *read_value(struct plain *plain)
{
    cJSON *value = arena_alloc(plain->arena, sizeof *value);
    bool ok;
    *value = (cJSON){ 0 };
    switch (next(plain)) {
    case '{':
        ok = read_members(plain, '}', value);
        break;
    case '[':
        ok = read_members(plain, ']', value);
        break;
    case '"':
        value->type = cJSON_String;
        ok = (value->valuestring = read_text(plain)) != NULL;
        break;
    case 't':
        ok = read_word(plain, "true", cJSON_True, value);
        break;
    case 'f':
        ok = read_word(plain, "false", cJSON_False, value);
        break;
    case 'n':
        ok = read_word(plain, "null", cJSON_NULL, value);
        break;
    default:
        ok = read_number(plain, value);
        break;
    }
    return ok ? value : NULL;
}

cJSON *json_plain_value(struct arena *arena, char **at, const char *end)
{
    struct plain plain = { .at = *at, .end = end, .arena = arena };
    cJSON *value = read_value(&plain);
    *at = plain.at;
    return value;
}
