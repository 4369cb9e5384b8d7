#include "core/bounds.h"

#include <float.h>
#include <math.h>

#include "core/utf8.h"
#include "test.h"

TEST(numbers_stay_between_their_bounds)
{
    static const double edges[] = { 0,        -0.0,
                                    -1,       1,
                                    0.5,      899.9,
                                    900,      901,
                                    1e18,     -1e18,
                                    9.3e18,   -9.3e18,
                                    DBL_MAX,  DBL_MIN,
                                    NAN,      -NAN,
                                    INFINITY, -INFINITY,
                                    1e9,      4.2e9,
                                    4.3e9,    9007199254740993.0 };
    static const int64_t integers[] = { 0,         1,         -1,        INT64_MAX,
                                        INT64_MIN, INT32_MAX, INT32_MIN, UINT32_MAX };
    for (int bound = 0; bound < BOUND_NUMBER_COUNT; bound++) {
        int64_t most = bounds_integer((enum bound_number)bound, INT64_MAX);
        int64_t least = bounds_integer((enum bound_number)bound, INT64_MIN);
        CHECK(least <= 0 && most > 0 && most <= INT64_C(1) << 53);
        for (size_t i = 0; i < ARRAY_COUNT(edges); i++) {
            int64_t got = bounds_number((enum bound_number)bound, edges[i]);
            CHECK(got >= least && got <= most);
            if (edges[i] >= (double)least && edges[i] <= (double)most)
                CHECK_INT(got, (int64_t)edges[i]);
            CHECK(most * 1000 / 1000 == most); /* every one may be taken as milliseconds */
        }
        for (size_t i = 0; i < ARRAY_COUNT(integers); i++) {
            int64_t got = bounds_integer((enum bound_number)bound, integers[i]);
            CHECK(got == integers[i] || got == least || got == most);
        }
        CHECK_INT(bounds_number((enum bound_number)bound, NAN), least);
    }
}

TEST(known_bounds)
{
    CHECK_INT(bounds_integer(BOUND_RETRY_AFTER_S, 315360000), 900);
    CHECK_INT(bounds_integer(BOUND_RETRY_AFTER_S, 12), 12);
    CHECK_INT(bounds_number(BOUND_INSTANT, 1e18), UINT32_MAX);
    CHECK_INT(bounds_number(BOUND_TOTAL, -3), 0);
}

/* Bound a text of that many characters; the result. */
static const char *bound(enum bound_text bound, const char *character, size_t count)
{
    static struct buf out;
    CLEANUP(buf_finish) struct buf text = { 0 };
    for (size_t i = 0; i < count; i++)
        buf_text(&text, character);
    buf_reset(&out);
    bounds_text(bound, buf_cstr(&text), text.length, &out);
    return buf_cstr(&out);
}

TEST(texts_are_cut_between_characters_and_marked)
{
    static const struct {
        enum bound_text bound;
        size_t most;
    } bounds[] = { { BOUND_TITLE, 256 }, { BOUND_LONG, 16384 }, { BOUND_ID, 2047 } };
    static const char *const characters[] = { "a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x94\x92" };
    for (size_t i = 0; i < ARRAY_COUNT(bounds); i++)
        for (size_t j = 0; j < ARRAY_COUNT(characters); j++) {
            size_t width = strlen(characters[j]), fits = bounds[i].most / width;
            CHECK_INT(strlen(bound(bounds[i].bound, characters[j], fits)), fits * width);
            CHECK(!strstr(bound(bounds[i].bound, characters[j], fits), "\xe2\x80\xa6"));
            const char *cut = bound(bounds[i].bound, characters[j], fits + 1);
            size_t length = strlen(cut), at = 0;
            CHECK(length <= bounds[i].most && length > bounds[i].most - 4);
            CHECK_CONTAINS(cut, "\xe2\x80\xa6");
            for (size_t step; at < length && (step = utf8_length(cut + at, length - at));)
                at += step;
            CHECK_INT(at, length); /* no half of a character */
        }
}

static const char *bound_text(enum bound_text bound, const char *text)
{
    static struct buf out;
    buf_reset(&out);
    bounds_text(bound, text, strlen(text), &out);
    CHECK(bounds_fits(bound, buf_cstr(&out), out.length)); /* twice is once */
    CHECK((bounds_fits(bound, text, strlen(text)) != 0) == !strcmp(buf_cstr(&out), text));
    return buf_cstr(&out);
}

TEST(what_cannot_be_seen_becomes_visible)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        { "vm\xe2\x80\xaegnp.exe", "vm\\u202egnp.exe" }, /* right-to-left override */
        { "a\xe2\x81\xa6"
          "b\xe2\x81\xa9",
          "a\\u2066b\\u2069" }, /* isolates */
        { "a\xe2\x80\x8b"
          "b",
          "a\\u200bb" }, /* zero-width space */
        { "a\xe2\x80\xa8"
          "b",
          "a\\u2028b" }, /* line separator */
        { "\xef\xbb\xbf"
          "a",
          "\\ufeffa" },
        { "a\x01\x1b[31m\x7f", "a\\u0001\\u001b[31m\\u007f" },
        { "a\r\nBcc: b@c", "a\\u000d\\u000aBcc: b@c" },
        { "a\xc2\x85\xc2\xad", "a\\u0085\\u00ad" },
        { "\xf3\xa0\x81\x81", "\\ue0041" }, /* tags */
        { "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d",
          "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d" }, /* plain Hebrew */
        { "a\xff\xc3"
          "b\xed\xa0\x80",
          "a\xef\xbf\xbd\xef\xbf\xbd"
          "b\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" }, /* no UTF-8 */
        { "caf\xc3\xa9 \xf0\x9f\x94\x92", "caf\xc3\xa9 \xf0\x9f\x94\x92" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        CHECK_TEXT(bound_text(BOUND_TITLE, cases[i].text), cases[i].want);
    CHECK_TEXT(bound_text(BOUND_LONG, "a\n\tb\x01"), "a\n\tb\\u0001");
}

TEST(a_list_has_32_items)
{
    CLEANUP(buf_finish) struct buf list = { 0 };
    for (int i = 1; i <= 32; i++)
        buf_printf(&list, "%s%d", i > 1 ? "," : "", i);
    CHECK_TEXT(bound_text(BOUND_LIST, buf_cstr(&list)), buf_cstr(&list));
    for (int i = 33; i <= 10000; i++)
        buf_printf(&list, ",%d", i);
    const char *cut = bound_text(BOUND_LIST, buf_cstr(&list));
    CHECK_CONTAINS(cut, "30,31,\xe2\x80\xa6");
    CHECK(!strstr(cut, "32"));
}

TEST(ids_that_differ_beyond_the_bound_still_differ)
{
    char left[3001], right[3001];
    CLEANUP(buf_finish) struct buf one = { 0 };
    CLEANUP(buf_finish) struct buf other = { 0 };
    memset(left, 'x', 3000);
    left[3000] = 0;
    memcpy(right, left, sizeof right);
    right[2999] = 'y';
    bounds_text(BOUND_ID, left, 3000, &one);
    bounds_text(BOUND_ID, right, 3000, &other);
    CHECK(strcmp(buf_cstr(&one), buf_cstr(&other)) != 0);
    CHECK_INT(one.length, 2047);
}
