#include "core/bounds.h"

#include <stdio.h>
#include <string.h>

#include "core/compiler.h"
#include "core/hash.h"
#include "core/utf8.h"

#define DAY_S INT64_C(86400)

/* clang-format off */
static const struct { int64_t least, most; } numbers[BOUND_NUMBER_COUNT] = {
    [BOUND_RETRY_AFTER_S]  = { 0, 900 },
    [BOUND_RESETS_AFTER_S] = { 0, 900 },
    [BOUND_QUOTA]          = { 0, 1000000 },
    [BOUND_TOKEN_LIFE_S]   = { 0, 2 * DAY_S },
    [BOUND_TOTAL]          = { 0, 1000000000 },
    [BOUND_INSTANT]        = { 0, UINT32_MAX },
    [BOUND_INTEGER]        = { -(INT64_C(1) << 53), INT64_C(1) << 53 },
};

static const struct { size_t bytes, items; } texts[BOUND_TEXT_COUNT] = {
    [BOUND_TITLE] = { 256, 0 },
    [BOUND_ID]    = { 2048 - 1, 0 },
    [BOUND_LONG]  = { 16384, 0 },
    [BOUND_LIST]  = { 4096, 32 },
    [BOUND_IDS]   = { 131072, 0 },
};

/* Characters nobody sees that change what is seen. source: Unicode 15, Cc, Cf, Zl, Zp; UTS 39. */
static const struct { uint32_t first, last; } invisible[] = {
    { 0x0000, 0x001f }, { 0x007f, 0x009f }, { 0x00ad, 0x00ad }, { 0x034f, 0x034f },
    { 0x061c, 0x061c }, { 0x115f, 0x1160 }, { 0x17b4, 0x17b5 }, { 0x180b, 0x180f },
    { 0x200b, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f }, { 0x3164, 0x3164 },
    { 0xfeff, 0xfeff }, { 0xffa0, 0xffa0 }, { 0xfff9, 0xfffb }, { 0xe0000, 0xe007f },
};
/* clang-format on */

enum { NO_POINT = 0x110000, FORM_BYTES = 16 };
static const char mark[] = "\xe2\x80\xa6";

/* The character at text, and its bytes; a byte that is no UTF-8 is none. */
static uint32_t point_at(const char *text, size_t left, size_t *bytes)
{
    static const unsigned char bits[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
    *bytes = utf8_length(text, left);
    if (!*bytes) {
        *bytes = 1;
        return NO_POINT;
    }
    uint32_t point = (unsigned char)*text & bits[*bytes];
    for (size_t i = 1; i < *bytes; i++)
        point = point << 6 | ((unsigned char)text[i] & 0x3f);
    return point;
}

static bool is_visible(enum bound_text bound, uint32_t point)
{
    if (point == NO_POINT)
        return false;
    if (bound == BOUND_LONG && (point == '\n' || point == '\t' || point == '\r'))
        return true;
    for (size_t i = 0; i < ARRAY_COUNT(invisible); i++)
        if (point >= invisible[i].first && point <= invisible[i].last)
            return false;
    return true;
}

int64_t bounds_number(enum bound_number bound, double number)
{
    if (!(number > (double)numbers[bound].least))
        return numbers[bound].least;
    if (number >= (double)numbers[bound].most)
        return numbers[bound].most;
    return (int64_t)number;
}

int64_t bounds_integer(enum bound_number bound, int64_t number)
{
    return number < numbers[bound].least  ? numbers[bound].least
           : number > numbers[bound].most ? numbers[bound].most
                                          : number;
}

/* How many bytes from here on are plain, eight at a time: the last step goes no further than the
 * text, and looks at some once more. */
static size_t plain_bytes(const char *text, size_t length)
{
    static const uint64_t ones = UINT64_C(0x0101010101010101), highs = ones * 0x80;
    uint64_t word;
    for (size_t at = 0; length >= sizeof word && at < length; at += sizeof word) {
        size_t step = length - at < sizeof word ? length - sizeof word : at;
        memcpy(&word, text + step, sizeof word);
        uint64_t control = word - ones * ' ', delete = (word ^ ones * 0x7f) - ones;
        if ((control | delete | word) & highs)
            return at;
    }
    return length >= sizeof word ? length : 0;
}

static size_t count_items(const char *text, size_t length)
{
    size_t items = 1;
    for (size_t i = 0; i < length; i++)
        items += text[i] == ',';
    return items;
}

bool bounds_fits(enum bound_text bound, const char *text, size_t length)
{
    size_t bytes, most = texts[bound].items;
    if (length > texts[bound].bytes || (most && length >= most && count_items(text, length) > most))
        return false;
    for (size_t i = plain_bytes(text, length); i < length; i += bytes) {
        unsigned char c = (unsigned char)text[i];
        bytes = 1;
        bool plain = c >= ' ' && c < 0x7f; /* nearly all are */
        if (!plain && !is_visible(bound, point_at(text + i, length - i, &bytes)))
            return false;
    }
    return true;
}

/* The bytes of a list up to where its mark goes: all of it, or the items before the last allowed.
 */
static size_t listed_bytes(enum bound_text bound, const char *text, size_t length)
{
    size_t items = 1, end = length, most = texts[bound].items;
    for (size_t i = 0; i < length && most; i++)
        if (text[i] == ',' && ++items == most)
            end = i;
    return items > most ? end : length;
}

/* What stands for a character that cannot be seen. */
static size_t show(uint32_t point, char form[FORM_BYTES])
{
    return (size_t)(point == NO_POINT ? snprintf(form, FORM_BYTES, "\xef\xbf\xbd") /* U+FFFD */
                                      : snprintf(form, FORM_BYTES, "\\u%04x", (unsigned)point));
}

/* The text as it can be seen; at most so many bytes of it, and whether that was all. */
static bool put_visible(enum bound_text bound, const char *text, size_t length, size_t most,
                        struct buf *out)
{
    size_t start = out->length, bytes;
    for (size_t i = 0; i < length; i += bytes) {
        char form[FORM_BYTES];
        uint32_t point = point_at(text + i, length - i, &bytes);
        bool visible = is_visible(bound, point);
        size_t form_bytes = bytes;
        if (!visible)
            form_bytes = show(point, form);
        if (out->length - start + form_bytes > most)
            return false;
        buf_append(out, visible ? text + i : form, form_bytes);
    }
    return true;
}

void bounds_text(enum bound_text bound, const char *text, size_t length, struct buf *out)
{
    char hash[17] = "";
    size_t start = out->length, most = texts[bound].bytes;
    size_t listed = listed_bytes(bound, text, length);
    if (listed == length && put_visible(bound, text, length, most, out))
        return;
    out->length = start;
    if (bound == BOUND_ID) {
        struct hash_sha256 digest;
        hash_sha256(text, length, &digest);
        hash_hex(digest.bytes, 8, hash);
    }
    put_visible(bound, text, listed, most - strlen(hash) - (sizeof mark - 1) - (listed < length),
                out);
    buf_text(out, listed < length ? "," : "");
    buf_text(out, mark);
    buf_text(out, hash);
}
