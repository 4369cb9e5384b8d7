/* text: cutting and counting. */
#include "alerts/text/text.h"
#include "test.h"

#include "core/compiler.h"

#define E "\xE2\x80\xA6" /* ellipsis */
#define R "\xEF\xBF\xBD" /* replacement */

TEST(text_is_cut_at_code_points)
{
    static const struct {
        const char *text, *points, *bytes;
        size_t max;
        bool cut_points, cut_bytes;
    } cases[] = {
        { "", "", "", 0, false, false },
        { "", "", "", 5, false, false },
        { "abc", "", "", 0, true, true },
        { "abc", E, "", 1, true, true },
        { "abc", "a" E, "", 2, true, true },
        { "abc", "abc", "abc", 3, false, false },
        { "abcd", "ab" E, E, 3, true, true },
        { "abcd", "abcd", "abcd", 4, false, false },
        { "abcdef", "abcd" E, "ab" E, 5, true, true },
        { "\xC3\xA4\xC3\xB6\xC3\xBC\xC3\x9F", "\xC3\xA4\xC3\xB6\xC3\xBC\xC3\x9F", E, 4, false,
          true },
        { "\xC3\xA4\xC3\xB6\xC3\xBC\xC3\x9F", "\xC3\xA4\xC3\xB6\xC3\xBC\xC3\x9F", "\xC3\xA4" E, 6,
          false, true },
        { "\xF0\x9F\x94\xA5\xF0\x9F\x94\xA5", E, "", 1, true, true },
        { "\xF0\x9F\x94\xA5\xF0\x9F\x94\xA5", "\xF0\x9F\x94\xA5\xF0\x9F\x94\xA5",
          "\xF0\x9F\x94\xA5" E, 7, false, true },
        { "a\xFFz", "a" R "z", "a" E, 4, false, true },
        { "\xE2\x82", R R, "", 2, false, true },                    /* cut inside */
        { "\xED\xA0\x80", R R R, E, 3, false, true },               /* a surrogate */
        { "\xC0\x80", R R, R R, 6, false, false },                  /* overlong */
        { "\xF4\x90\x80\x80", R R R R, R R R R, 12, false, false }, /* above U+10FFFF */
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(buf_finish) struct buf points = { 0 };
        CLEANUP(buf_finish) struct buf bytes = { 0 };
        CHECK_INT(text_cut(&points, cases[i].text, cases[i].max), cases[i].cut_points);
        CHECK_TEXT(buf_cstr(&points), cases[i].points);
        CHECK_INT(text_cut_bytes(&bytes, cases[i].text, cases[i].max), cases[i].cut_bytes);
        CHECK_TEXT(buf_cstr(&bytes), cases[i].bytes);
        CHECK(bytes.length <= cases[i].max);
        CHECK(text_points(buf_cstr(&points)) <= cases[i].max);
    }
}

TEST(unlinked_texts_hold_no_address)
{
    static const char *const cases[][2] = {
        { "", "" },
        { "vm-1 (prod)", "vm-1 (prod)" },
        { "contoso.com", "contoso.com" }, /* the name of a zone */
        { "https://a/b", "https[:]//a/b" },
        { "HTTP://a ftp://b", "HTTP[:]//a ftp[:]//b" },
        { "www.a.b WWW.a.b", "www[.]a.b www[.]a.b" },
        { "mailto:a@b", "mailto[:]a@b" },
        { "https[:]//a", "https[:]//a" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(buf_finish) struct buf out = { 0 };
        text_unlink(&out, cases[i][0]);
        CHECK_TEXT(buf_cstr(&out), cases[i][1]);
    }
}

TEST(long_texts_are_cut_between_words)
{
    static const struct {
        const char *text, *cut;
        size_t max;
    } cases[] = {
        { "Storage accounts should restrict network access", "Storage accounts" E " access", 24 },
        { "Storage accounts should restrict network access", "Storage accounts" E " network access",
          33 },
        { "Storage accounts should restrict network access",
          "Storage accounts should restrict network access", 47 },
        { "Storage, accounts should restrict network access", "Storage, accounts" E " access", 25 },
        { "St\xC3\xB6rage accounts should restrict network access",
          "St\xC3\xB6rage accounts" E " access", 24 },
        { "Unbreakable-as-it-stands-here", "Unbreakab" E, 10 },
        { "Unbreak\xC3\xA4"
          "ble-as-it-stands-here",
          "Unbreak\xC3\xA4"
          "b" E,
          10 },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(buf_finish) struct buf out = { 0 };
        bool whole = !strcmp(cases[i].text, cases[i].cut);
        CHECK_INT(text_cut_middle(&out, cases[i].text, cases[i].max), !whole);
        CHECK_TEXT(buf_cstr(&out), cases[i].cut);
    }
}

TEST(points_are_counted)
{
    CHECK_INT(text_points("plain, and longer than a word"), 29);
    CHECK_INT(text_points(""), 0);
    CHECK_INT(text_points("a\xC3\xA4\xF0\x9F\x94\xA5"), 3);
    CHECK_INT(text_points("\xFF\xFE"), 2);
}

TEST(every_code_point_survives_encoding)
{
    for (uint32_t point = 1; point <= 0x10ffff; point += point < 0x3000 ? 1 : 251) {
        CLEANUP(buf_finish) struct buf out = { 0 };
        size_t used;
        if (point >= 0xd800 && point < 0xe000)
            continue;
        text_encode(&out, point);
        bool same = text_decode(out.data, out.length, &used) == point && used == out.length;
        bool cut = used > 1 && text_decode(out.data, out.length - 1, &used) != TEXT_REPLACEMENT;
        CHECK(same && !cut);
    }
}

TEST(ages_are_for_people)
{
    static const struct {
        int64_t seconds;
        const char *text;
    } cases[] = {
        { -5, "0 s" },
        { 0, "0 s" },
        { 59, "59 s" },
        { 60, "1 min" },
        { 61, "1 min 1 s" },
        { 3600, "1 h" },
        { 3661, "1 h 1 min" },
        { 86399, "23 h 59 min" },
        { 86400, "1 d" },
        { 86400 * 3 + 4 * 3600 + 59, "3 d 4 h" },
        { 86400 * 3 + 59, "3 d" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(buf_finish) struct buf out = { 0 };
        text_age(&out, cases[i].seconds);
        CHECK_TEXT(buf_cstr(&out), cases[i].text);
    }
}
