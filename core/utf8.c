#include "core/utf8.h"

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

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

/* Whether one of eight bytes is meant; *at goes to it. */
static bool stops_here(const char *text, size_t bytes, size_t *at)
{
    uint64_t word = 0;
    memcpy(&word, text + *at, bytes); /* what is behind it is NUL */
    uint64_t quoted = quoted_bytes(le64toh(word));
    *at += quoted ? (size_t)__builtin_ctzll(quoted) / 8 : 0;
    return quoted;
}

/* As many blocks of sixteen bytes as are plain, where the processor looks at that many at once. */
static size_t plain_blocks(const char *text, size_t length)
{
    size_t plain = 0;
#ifdef __SSE2__
    const __m128i space = _mm_set1_epi8(' '), quote = _mm_set1_epi8('"'),
                  escape = _mm_set1_epi8('\\'), delete = _mm_set1_epi8(0x7f);
    for (__m128i block; length - plain >= sizeof block; plain += sizeof block) {
        block = _mm_loadu_si128((const void *)(text + plain));
        __m128i special = _mm_or_si128(_mm_cmpeq_epi8(block, quote), _mm_cmpeq_epi8(block, escape));
        __m128i below = _mm_cmplt_epi8(block, space); /* bytes from 0x80 are negative */
        special = _mm_or_si128(_mm_or_si128(special, below), _mm_cmpeq_epi8(block, delete));
        if (_mm_movemask_epi8(special))
            break;
    }
#else
    (void)text;
    (void)length;
#endif
    return plain;
}

size_t utf8_plain_length(const char *text, size_t length)
{
    enum { BYTES = sizeof(uint64_t) };
    size_t plain = plain_blocks(text, length);
    for (; length - plain >= BYTES; plain += BYTES)
        if (stops_here(text, BYTES, &plain))
            return plain;
    if (plain == length)
        return length;
    size_t last = length < BYTES ? 0 : length - BYTES; /* what is before plain, is plain */
    if (length < BYTES ? stops_here(text, length, &last) : stops_here(text, BYTES, &last))
        return last;
    return length;
}
