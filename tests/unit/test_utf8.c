#include "core/compiler.h"
#include "core/utf8.h"
#include "test.h"

TEST(characters_and_what_is_none)
{
    static const struct {
        const char *text;
        size_t left, length;
    } cases[] = {
        { "a", 1, 1 },
        { "\x7f", 1, 1 },
        { "\xc3\xbc", 2, 2 },
        { "\xe2\x82\xac", 3, 3 },
        { "\xf0\x9f\x94\x92", 4, 4 },
        { "\xf4\x8f\xbf\xbf", 4, 4 },
        { "", 0, 0 },
        { "\x80", 1, 0 },             /* a continuation byte alone */
        { "\xc0\x80", 2, 0 },         /* overlong */
        { "\xe0\x9f\xbf", 3, 0 },     /* overlong */
        { "\xf0\x8f\xbf\xbf", 4, 0 }, /* overlong */
        { "\xed\xa0\x80", 3, 0 },     /* surrogate */
        { "\xf4\x90\x80\x80", 4, 0 }, /* past U+10FFFF */
        { "\xe2\x82", 2, 0 },         /* cut */
        { "\xe2\x82", 4, 0 },         /* cut by the end of the text */
        { "\xff", 1, 0 },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        CHECK_INT(utf8_length(cases[i].text, cases[i].left), cases[i].length);
}

/* Whatever stands where, and whatever is around it. */
TEST(plain_texts_end_where_something_is_quoted)
{
    char text[41];
    for (unsigned byte = 0; byte < 256; byte++)
        for (size_t at = 0; at < sizeof text; at++)
            for (size_t length = at; length <= sizeof text; length++) {
                memset(text, at % 2 ? '!' : '~', sizeof text);
                text[at] = (char)byte;
                bool quoted = byte < ' ' || byte > '~' || byte == '"' || byte == '\\';
                CHECK_INT(utf8_plain_length(text, length), quoted && at < length ? at : length);
            }
}

TEST(one_byte_that_is_no_character_is_found)
{
    char text[20];
    for (size_t length = 0; length <= sizeof text; length++)
        for (size_t at = 0; at < sizeof text; at++) {
            memset(text, 0x7f, sizeof text);
            text[at] = '\x80';
            CHECK_INT(utf8_is_ascii(text, length), at >= length);
        }
}

TEST(only_capitals_of_ascii_are_made_small)
{
    char text[20], lower[20];
    for (unsigned byte = 0; byte < 256; byte++)
        for (size_t length = 0; length < sizeof text; length++) {
            memset(text, (int)byte, sizeof text);
            memset(lower, '.', sizeof lower);
            utf8_lower_ascii(lower, text, length);
            bool capital = byte >= 'A' && byte <= 'Z';
            for (size_t at = 0; at < length; at++)
                CHECK_INT((unsigned char)lower[at], capital ? byte + 32 : byte);
            CHECK_INT(lower[length], '.');
        }
}
