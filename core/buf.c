#include "core/buf.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

enum { BUF_BYTES_MIN = 240 };

void buf_reserve(struct buf *buf, size_t bytes)
{
    size_t need = buf->length + bytes + 1;
    if (need <= buf->capacity)
        return;
    size_t capacity = buf->capacity + buf->capacity / 2;
    if (capacity < need)
        capacity = need;
    if (capacity < BUF_BYTES_MIN)
        capacity = BUF_BYTES_MIN;
    buf->data = memory_resize(buf->data, capacity);
    buf->capacity = capacity;
    buf->data[buf->length] = 0;
}

void buf_append(struct buf *buf, const void *bytes, size_t count)
{
    if (buf->overflowed)
        return;
    if (buf->limit_bytes && count > buf->limit_bytes - buf->length) {
        buf->overflowed = true;
        return;
    }
    buf_reserve(buf, count);
    if (count)
        memcpy(buf->data + buf->length, bytes, count);
    buf->length += count;
    buf->data[buf->length] = 0;
}

void buf_text(struct buf *buf, const char *text)
{
    buf_append(buf, text, strlen(text));
}

void buf_char(struct buf *buf, char c)
{
    if (buf->limit_bytes || buf->length + 1 >= buf->capacity) {
        buf_append(buf, &c, 1);
        return;
    }
    buf->data[buf->length++] = c;
    buf->data[buf->length] = 0;
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    char small[512];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(small, sizeof small, format, arguments);
    va_end(arguments);
    if (length < 0)
        memory_abort("text cannot be formatted: %s", format);
    if ((size_t)length < sizeof small) {
        buf_append(buf, small, (size_t)length);
        return;
    }
    char *large = memory_resize(NULL, (size_t)length + 1);
    va_start(arguments, format);
    vsnprintf(large, (size_t)length + 1, format, arguments);
    va_end(arguments);
    buf_append(buf, large, (size_t)length);
    free(large);
}

void buf_integer(struct buf *buf, int64_t value)
{
    char digits[24];
    char *at = digits + sizeof digits;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        *--at = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (value < 0)
        *--at = '-';
    buf_append(buf, at, (size_t)(digits + sizeof digits - at));
}

/* printf writes the locale's decimal comma; expositions have a point. */
static void point_for_comma(char *text)
{
    for (char *c = text; *c; c++)
        if (*c == ',')
            *c = '.';
}

/* Up to six decimals when they give back the same value: almost every number we print. */
static bool append_decimals(struct buf *buf, double value)
{
    double magnitude = fabs(value);
    if (magnitude < 1e-3 || magnitude >= 1e9)
        return false;
    double millionths = floor(magnitude * 1e6 + 0.5);
    if (millionths / 1e6 != magnitude)
        return false;
    uint64_t whole = (uint64_t)millionths / 1000000, part = (uint64_t)millionths % 1000000;
    if (value < 0)
        buf_char(buf, '-');
    buf_integer(buf, (int64_t)whole);
    char decimals[8] = ".000000";
    for (int i = 6; i > 0; i--, part /= 10)
        decimals[i] = (char)('0' + part % 10);
    size_t length = 7;
    while (decimals[length - 1] == '0')
        length--;
    buf_append(buf, decimals, length);
    return true;
}

void buf_number(struct buf *buf, double value)
{
    if (isnan(value)) {
        buf_text(buf, "NaN");
        return;
    }
    if (isinf(value)) {
        buf_text(buf, value > 0 ? "+Inf" : "-Inf");
        return;
    }
    if (fabs(value) < 9007199254740992.0 && value == (double)(int64_t)value) {
        buf_integer(buf, (int64_t)value);
        return;
    }
    if (append_decimals(buf, value))
        return;
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    point_for_comma(text);
    buf_text(buf, text);
}

const char *buf_cstr(const struct buf *buf)
{
    return buf->data ? buf->data : "";
}

void buf_reset(struct buf *buf)
{
    buf->length = 0;
    buf->overflowed = false;
    if (buf->data)
        buf->data[0] = 0;
}

void buf_finish(struct buf *buf)
{
    free(buf->data);
    *buf = (struct buf){ 0 };
}
