/* error, arena, intern and buf: what everything else stands on. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/intern.h"
#include "test.h"

TEST(errors_wrap_and_keep_their_class)
{
    struct error error = { 0 };
    CHECK(!error_set(&error, ERROR_THROTTLED, "wait %d s", 5));
    error.retry_after_s = 5;
    CHECK(!error_wrap(&error, "page %d", 3));
    CHECK_TEXT(error.message, "page 3: wait 5 s");
    CHECK_INT(error.code, ERROR_THROTTLED);
    CHECK_INT(error.retry_after_s, 5);
    for (int i = 0; i < 1000; i++)
        error_wrap(&error, "%s", "a context that is repeated far beyond the room there is");
    CHECK(strlen(error.message) < sizeof error.message);
}

TEST(what_an_error_quotes_leaves_it_one_line)
{
    struct error error;
    error_set(&error, ERROR_PARSE, "it says \"%s\"", "a\r\nb\x1b[1m\x7f\xc3\xa9");
    CHECK_TEXT(error.message, "it says \"a  b [1m \xc3\xa9\"");
    error_wrap(&error, "list %s", "/a\nb");
    CHECK_TEXT(error.message, "list /a b: it says \"a  b [1m \xc3\xa9\"");
}

TEST(only_what_may_heal_is_transient)
{
    for (int code = 0; code < ERROR_CODE_COUNT; code++) {
        struct error error = { .code = (enum error_code)code };
        bool heals = code == ERROR_NETWORK || code == ERROR_TIMEOUT || code == ERROR_THROTTLED ||
                     code == ERROR_SERVER;
        CHECK(error_is_transient(&error) == heals);
        CHECK(strcmp(error_word((enum error_code)code), "unknown"));
    }
}

TEST(arena_gives_aligned_memory_and_packed_text)
{
    struct arena arena = { 0 };
    char *text = arena_text(&arena, "abc");
    char *next = arena_copy(&arena, "defgh", 3);
    CHECK(next == text + 4);
    CHECK_TEXT(next, "def");
    for (size_t bytes = 1; bytes < 200000; bytes *= 3) {
        char *memory = arena_zalloc(&arena, bytes);
        CHECK_INT((uintptr_t)memory % 16, 0);
        CHECK(!memory[0] && !memory[bytes - 1]);
    }
    CHECK_TEXT(text, "abc");
    arena_reset(&arena);
    CHECK_INT(arena.used_bytes, 0);
    CHECK(arena.blocks != NULL);
    arena_finish(&arena);
    CHECK(!arena.blocks);
}

TEST(interned_texts_keep_their_numbers)
{
    struct intern intern = { 0 };
    uint32_t numbers[5000];
    char text[32];
    CHECK_INT(intern_put(&intern, "", 0), 0);
    for (int i = 0; i < 5000; i++)
        numbers[i] = intern_put(&intern, text, (size_t)sprintf(text, "text %d", i));
    for (int i = 0; i < 5000; i++) {
        size_t length = (size_t)sprintf(text, "text %d", i);
        CHECK_INT(intern_put(&intern, text, length), numbers[i]);
        CHECK_INT(intern_find(&intern, text, length), numbers[i]);
        CHECK_TEXT(intern_text(&intern, numbers[i]), text);
    }
    CHECK_INT(intern.count, 5001);
    CHECK_INT(intern_find(&intern, "nowhere", 7), UINT32_MAX);
    intern_finish(&intern);
    CHECK_INT(intern_find(&intern, "nowhere", 7), UINT32_MAX);
}

TEST(buf_stops_at_its_limit_and_says_so)
{
    CLEANUP(buf_finish) struct buf buf = { .limit_bytes = 5 };
    buf_text(&buf, "abc");
    buf_text(&buf, "def");
    buf_text(&buf, "g");
    CHECK_TEXT(buf_cstr(&buf), "abc");
    CHECK(buf.overflowed);
    buf_reset(&buf);
    buf_text(&buf, "12345");
    CHECK(!buf.overflowed);
    CHECK_TEXT(buf_cstr(&buf), "12345");
}

TEST(long_formats_are_whole)
{
    CLEANUP(buf_finish) struct buf buf = { 0 };
    buf_printf(&buf, "%2000d|", 7);
    CHECK_INT(buf.length, 2001);
}

TEST(numbers_are_shortest_and_read_back)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        { 0, "0" },           { 1, "1" },          { -3, "-3" },       { 28.84, "28.84" },
        { 0.4807, "0.4807" }, { 1e21, "1e+21" },   { 0.1, "0.1" },     { -0.5, "-0.5" },
        { 1e-7, "1e-07" },    { NAN, "NaN" },      { INFINITY, "+Inf" }, { -INFINITY, "-Inf" },
        { 1795289732.18, "1795289732.18" },        { 9007199254740993.0, "9007199254740992" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(buf_finish) struct buf buf = { 0 };
        buf_number(&buf, cases[i].value);
        CHECK_TEXT(buf_cstr(&buf), cases[i].text);
    }
    uint64_t state = 1;
    for (int i = 0; i < 20000; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        double value;
        memcpy(&value, &state, sizeof value);
        if (!isfinite(value))
            continue;
        CLEANUP(buf_finish) struct buf buf = { 0 };
        buf_number(&buf, value);
        CHECK_NUMBER(strtod(buf_cstr(&buf), NULL), value);
    }
}

TEST(integers_at_their_ends)
{
    CLEANUP(buf_finish) struct buf buf = { 0 };
    buf_integer(&buf, INT64_MIN);
    buf_char(&buf, ' ');
    buf_integer(&buf, INT64_MAX);
    CHECK_TEXT(buf_cstr(&buf), "-9223372036854775808 9223372036854775807");
}
