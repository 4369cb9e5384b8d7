#include "core/utf8.h"

#include <endian.h>
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

#ifdef __SSE2__
/* A bit for each of sixteen bytes that is meant. */
static unsigned quoted_of_sixteen(__m128i block)
{
    __m128i below = _mm_cmplt_epi8(block, _mm_set1_epi8(' ')); /* bytes from 0x80 are negative */
    __m128i quote = _mm_or_si128(_mm_cmpeq_epi8(block, _mm_set1_epi8('"')),
                                 _mm_cmpeq_epi8(block, _mm_set1_epi8('\\')));
    __m128i delete = _mm_cmpeq_epi8(block, _mm_set1_epi8(0x7f));
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(below, quote), delete));
}
#endif

static bool is_quoted(char byte)
{
    return (signed char)byte < ' ' || byte == 0x7f || byte == '"' ||
           byte == '\\'; /* and below 0: UTF-8 */
}

/* Where a step of so many bytes begins that goes no further than the text: the last one looks at
 * plain bytes once more. */
static size_t step_at(size_t plain, size_t length, size_t step)
{
    return length - plain < step ? length - step : plain;
}

size_t utf8_plain_length(const char *text, size_t length)
{
    size_t plain = 0;
#ifdef __SSE2__
    if (length >= 8 && length < 16 &&
        !quoted_of_sixteen(_mm_unpacklo_epi64(_mm_loadl_epi64((const void *)text),
                                              _mm_loadl_epi64((const void *)(text + length - 8)))))
        return length; /* its first and last eight are plain, as most are */
    for (; plain < length && length >= 16; plain += 16) {
        plain = step_at(plain, length, 16);
        unsigned quoted = quoted_of_sixteen(_mm_loadu_si128((const void *)(text + plain)));
        if (quoted)
            return plain + (size_t)__builtin_ctz(quoted);
    }
#endif
    for (uint64_t word; plain < length && length >= sizeof word; plain += sizeof word) {
        plain = step_at(plain, length, sizeof word);
        memcpy(&word, text + plain, sizeof word);
        uint64_t quoted = quoted_bytes(le64toh(word));
        if (quoted)
            return plain + (size_t)__builtin_ctzll(quoted) / 8;
    }
    while (plain < length && !is_quoted(text[plain]))
        plain++;
    return plain;
}

bool utf8_is_ascii(const char *text, size_t length)
{
    uint64_t word, all = 0;
    size_t i = 0;
    for (; length - i >= sizeof word; i += sizeof word) {
        memcpy(&word, text + i, sizeof word);
        all |= word;
    }
    for (; i < length; i++)
        all |= (uint64_t)(unsigned char)text[i];
    return !(all & EACH(0x80));
}

/* Eight bytes at a time: ids are long and this runs for each row. A byte is a capital when adding
 * 0x3f lifts it over 0x7f ('A' up) and adding 0x25 does not ('Z' down). */
void utf8_lower_ascii(char *out, const char *text, size_t length)
{
    const uint64_t ones = 0x0101010101010101, high = ones << 7;
    size_t i = 0;
    for (; i + 8 <= length; i += 8) {
        uint64_t word;
        memcpy(&word, text + i, 8);
        uint64_t low = word & ~high;
        uint64_t capital = (low + 0x3f * ones) & ~(low + 0x25 * ones) & ~word & high;
        word |= capital >> 2;
        memcpy(out + i, &word, 8);
    }
    for (; i < length; i++)
        out[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] + ('a' - 'A')) : text[i];
}
