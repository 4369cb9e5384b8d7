/* Any bytes as Accept and Accept-Encoding: one of the formats under one of its content types, the
 * same each time; a header that names none of them gets the last. */
#include <string.h>

#include "core/arena.h"
#include "core/compiler.h"
#include "exporter/formats/encoding.h"
#include "fuzz.h"

static bool is_of(const struct encoding *row, const char *content_type)
{
    for (size_t i = 0; i < ENCODING_ESCAPINGS; i++)
        if (row->content_types[i] == content_type)
            return true;
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    struct arena arena = { 0 };
    const char *text = arena_copy(&arena, (const char *)bytes, count);
    struct encoding_choice choice = encoding_choose(encodings, encoding_count, text);
    struct encoding_choice again = encoding_choose(encodings, encoding_count, text);
    FUZZ_CHECK(choice.encoding >= encodings && choice.encoding < encodings + encoding_count);
    FUZZ_CHECK(is_of(choice.encoding, choice.content_type));
    FUZZ_CHECK(again.encoding == choice.encoding && again.content_type == choice.content_type);
    /* Nothing but the last row is left where the others are not told of. */
    if (!strpbrk(text, "/*"))
        FUZZ_CHECK(choice.encoding == &encodings[encoding_count - 1]);
    FUZZ_CHECK(encoding_gzip(text) == encoding_gzip(text));
    if (!strpbrk(text, "*zZ"))
        FUZZ_CHECK(!encoding_gzip(text));
    arena_finish(&arena);
    return 0;
}
