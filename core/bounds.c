#include "core/bounds.h"

#include "core/compiler.h"
#include "core/hash.h"

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

static const size_t texts[BOUND_TEXT_COUNT] = {
    [BOUND_ID]    = 2048 - 1,
    [BOUND_TITLE] = 256,
    [BOUND_LONG]  = 16384,
    [BOUND_LIST]  = 2048,
};
/* clang-format on */

static const char mark[] = "\xe2\x80\xa6";

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

bool bounds_fits(enum bound_text bound, size_t length)
{
    return length <= texts[bound];
}

void bounds_text(enum bound_text bound, const char *text, size_t length, struct buf *out)
{
    char hash[17];
    if (bounds_fits(bound, length)) {
        buf_append(out, text, length);
        return;
    }
    size_t tail = sizeof mark - 1 + (bound == BOUND_ID ? sizeof hash - 1 : 0);
    size_t kept = texts[bound] - tail;
    while (kept && ((unsigned char)text[kept] & 0xc0) == 0x80)
        kept--;
    buf_append(out, text, kept);
    buf_text(out, mark);
    if (bound == BOUND_ID) {
        struct hash_sha256 digest;
        hash_sha256(text, length, &digest);
        buf_text(out, hash_hex(digest.bytes, 8, hash));
    }
}
