#include "core/near.h"

#include <string.h>

enum { WORDS = 3, BYTES = 64 };

size_t near_edits(const char *left, const char *right)
{
    size_t rows = strlen(left), columns = strlen(right);
    if (rows >= BYTES || columns >= BYTES)
        return BYTES;
    size_t line[BYTES];
    for (size_t c = 0; c <= columns; c++)
        line[c] = c;
    for (size_t r = 1; r <= rows; r++) {
        size_t diagonal = line[0];
        line[0] = r;
        for (size_t c = 1; c <= columns; c++) {
            size_t best = diagonal + (left[r - 1] != right[c - 1]);
            diagonal = line[c];
            if (line[c] + 1 < best)
                best = line[c] + 1;
            if (line[c - 1] + 1 < best)
                best = line[c - 1] + 1;
            line[c] = best;
        }
    }
    return line[columns];
}

void near_append(const char *word, const char *const *words, struct buf *out)
{
    const char *nearest[WORDS] = { 0 };
    size_t distances[WORDS];
    size_t count = 0, limit = strlen(word) / 3 > 2 ? strlen(word) / 3 : 2;
    for (; *words; words++) {
        size_t edits = near_edits(word, *words), at = count;
        if (edits > limit)
            continue;
        while (at && distances[at - 1] > edits)
            at--;
        if (at == WORDS)
            continue;
        count += count < WORDS;
        memmove(nearest + at + 1, nearest + at, (count - 1 - at) * sizeof *nearest);
        memmove(distances + at + 1, distances + at, (count - 1 - at) * sizeof *distances);
        nearest[at] = *words;
        distances[at] = edits;
    }
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "%s%s", i ? ", " : "; did you mean ", nearest[i]);
    if (count)
        buf_char(out, '?');
}
