#include "core/utf8.h"

#include <endian.h>
#include <stdint.h>
#include <string.h>

size_t utf8_mark_length(const char *text, size_t length)
{
    enum { BYTES = sizeof UTF8_BYTE_ORDER_MARK - 1 };
    return length >= BYTES && !memcmp(text, UTF8_BYTE_ORDER_MARK, BYTES) ? BYTES : 0;
}

size_t utf8_length(const char *text, size_t left)
{
    const unsigned char *bytes = (const unsigned char *)text;
    unsigned char first = left ? bytes[0] : 0xff;
    size_t length = first < 0x80   ? 1
                    : first < 0xc2 ? 0
                    : first < 0xe0 ? 2
                    : first < 0xf0 ? 3
                    : first < 0xf5 ? 4
                                   : 0;
    if (length > left)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
    if ((first == 0xe0 && bytes[1] < 0xa0) || (first == 0xed && bytes[1] > 0x9f) ||
        (first == 0xf0 && bytes[1] < 0x90) || (first == 0xf4 && bytes[1] > 0x8f))
        return 0;
    return length;
}

/* --- plain text ------------------------------------------------------------------------------- */
#define EACH(byte) (UINT64_MAX / 255 * (byte))

/* High bits: set in the lowest byte that is meant, in none below it. */
static uint64_t equal_bytes(uint64_t word, unsigned char byte)
{
    word ^= EACH(byte);
    return (word - EACH(1)) & ~word;
}

static uint64_t quoted_bytes(uint64_t word)
{
    return (word | (word - EACH(' ')) | equal_bytes(word, '"') | equal_bytes(word, '\\') |
            equal_bytes(word, 0x7f)) &
           EACH(0x80);
}

size_t utf8_plain_length(const char *text, size_t length)
{
    size_t plain = 0;
    while (plain < length) {
        uint64_t word = 0;
        size_t left = length - plain;
        if (left < sizeof word)
            memcpy(&word, text + plain, left); /* what is behind it is NUL */
        else
            memcpy(&word, text + plain, sizeof word);
        uint64_t quoted = quoted_bytes(le64toh(word));
        if (quoted)
            return plain + (size_t)__builtin_ctzll(quoted) / 8;
        plain += sizeof word;
    }
    return length;
}
