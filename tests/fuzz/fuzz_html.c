/* Any bytes as catalogue HTML: no control character, no raw tag and no foreign link comes out. */
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "alerts/text/html.h"
#include "alerts/text/text.h"
#include "fuzz.h"

/* Well-formed UTF-8 without controls but line breaks. */
static void check_text(const char *text, size_t length)
{
    size_t used;
    for (size_t at = 0; at < length; at += used) {
        uint32_t point = text_decode(text + at, length - at, &used);
        FUZZ_CHECK((point >= 0x20 || point == '\n') && (point != TEXT_REPLACEMENT || used == 3));
    }
}

/* The ']' at `at` is escaped when an odd number of backslashes stands before it. */
static bool is_escaped(const char *text, const char *at)
{
    bool escaped = false;
    for (; at > text && at[-1] == '\\'; at--)
        escaped = !escaped;
    return escaped;
}

/* Every link leads to the web; texts with code are left out, since anything may stand in it. */
static void check_links(const char *text)
{
    for (const char *at = text; !strchr(text, '`') && (at = strstr(at, "](")); at += 2)
        FUZZ_CHECK(is_escaped(text, at) || !strncasecmp(at + 2, "http", 4));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf text = { 0 }, markdown = { 0 };
    html_convert((const char *)data, size, HTML_TO_TEXT, &text);
    html_convert((const char *)data, size, HTML_TO_MARKDOWN, &markdown);
    check_text(buf_cstr(&text), text.length);
    check_text(buf_cstr(&markdown), markdown.length);
    check_links(buf_cstr(&markdown));
    buf_finish(&text);
    buf_finish(&markdown);
    return 0;
}
