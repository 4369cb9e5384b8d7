#include "core/secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/log.h"
#include "test.h"

/* A file in the test folder with these bytes. */
static const char *write_file(const char *name, const char *bytes, size_t count)
{
    static char path[4300];
    snprintf(path, sizeof path, "%s/%s", test_folder(), name);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, count, file) != count)
        abort();
    fclose(file);
    return path;
}

TEST(set_copies_and_hides)
{
    CLEANUP(secret_finish) struct secret secret = { 0 };
    char text[] = "correct horse", out[64];
    CHECK_TEXT(secret_text(&secret), NULL);
    secret_set(&secret, text);
    text[0] = 'X';
    CHECK_TEXT(secret_text(&secret), "correct horse");
    CHECK_TEXT(log_redacted("say correct horse!", out, sizeof out), "say <secret>!");
    secret_set(&secret, secret.text + 8);
    CHECK_TEXT(secret_text(&secret), "horse");
}

TEST(read_takes_the_file_without_its_line_break)
{
    static const struct {
        const char *bytes, *want;
    } cases[] = {
        { "secret", "secret" },
        { "secret\n", "secret" },
        { "secret\r\n", "secret" },
        { "secret\n\n", "secret" },
        { " two words \n", "two words" },
        { "a\nb\n", "a\nb" },
        { "\t secret \t", "secret" },
        { "\xef\xbb\xbfsecret\r\n", "secret" },
        { "\xef\xbb\xbf secret", "secret" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(secret_finish) struct secret secret = { 0 };
        struct error error = { 0 };
        const char *path = write_file("secret", cases[i].bytes, strlen(cases[i].bytes));
        CHECK(secret_read(&secret, path, &error));
        CHECK_TEXT(secret_text(&secret), cases[i].want);
    }
}

TEST(read_refuses_with_the_name_of_the_file)
{
    static char large[65538];
    memset(large, 'x', sizeof large);
    static const struct {
        size_t count;
        const char *bytes, *want;
        enum error_code code;
    } cases[] = {
        { 0, "", "/bad: empty", ERROR_CONFIG },
        { 2, "\r\n", "/bad: empty", ERROR_CONFIG },
        { 5, " \t\r\n ", "/bad: empty", ERROR_CONFIG },
        { 3, "\xef\xbb\xbf", "/bad: empty", ERROR_CONFIG },
        { 4, "\xff\xfes\0", "/bad: is UTF-16, save it as UTF-8", ERROR_CONFIG },
        { 4, "\xfe\xff\0s", "/bad: is UTF-16, save it as UTF-8", ERROR_CONFIG },
        { 7, "abc\0def", "/bad: holds a NUL byte", ERROR_CONFIG },
        { 65537, large, "/bad: larger than 65536 bytes", ERROR_LIMIT },
    };
    CLEANUP(secret_finish) struct secret secret = { 0 };
    struct error error = { 0 };
    secret_set(&secret, "the old one");
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        const char *path = write_file("bad", cases[i].bytes, cases[i].count);
        CHECK(!secret_read(&secret, path, &error));
        CHECK_INT(error.code, cases[i].code);
        CHECK_CONTAINS(error.message, cases[i].want);
    }
    CHECK(!secret_read(&secret, "/nonexistent/secret", &error));
    CHECK_INT(error.code, ERROR_IO);
    CHECK_TEXT(error.message, "secret file /nonexistent/secret: No such file or directory");
    CHECK(!secret_read(&secret, test_folder(), &error));
    CHECK_CONTAINS(error.message, ": Is a directory");
    CHECK_TEXT(secret_text(&secret), "the old one");
    CHECK(secret_read(&secret, write_file("bad", large, 65536), &error));
    CHECK_INT(strlen(secret_text(&secret)), 65536);
}

TEST(refresh_reads_the_file_again_and_keeps_what_others_read)
{
    CLEANUP(secret_finish) struct secret secret = { 0 };
    struct error error = { 0 };
    char out[64];
    CHECK(!secret_refresh(&secret));
    secret_set(&secret, "of no file");
    CHECK(!secret_refresh(&secret));
    const char *path = write_file("again", "the first", 9);
    CHECK(secret_read(&secret, path, &error));
    const char *first = secret_text(&secret);
    CHECK(!secret_refresh(&secret));
    write_file("again", "\xef\xbb\xbfthe second\n", 14);
    CHECK(secret_refresh(&secret));
    CHECK(!secret_refresh(&secret));
    CHECK_TEXT(secret_text(&secret), "the second");
    CHECK_TEXT(first, "the first");
    CHECK_TEXT(log_redacted("the first, the second", out, sizeof out), "<secret>, <secret>");
    write_file("again", "", 0); /* half written */
    CHECK(!secret_refresh(&secret));
    unlink(path);
    CHECK(!secret_refresh(&secret));
    CHECK_TEXT(secret_text(&secret), "the second");
    write_file("again", "the third", 9);
    CHECK(secret_refresh(&secret));
    CHECK(secret_read(&secret, secret.file, &error)); /* its own name */
    CHECK_TEXT(secret_text(&secret), "the third");
}

TEST(equal_compares_every_byte)
{
    CHECK(secret_equal("", ""));
    CHECK(secret_equal("abc", "abc"));
    CHECK(!secret_equal("abc", "abd"));
    CHECK(!secret_equal("abc", "Xbc"));
    CHECK(!secret_equal("abc", "abcd"));
    CHECK(!secret_equal("abc", ""));
}

TEST(finish_takes_nothing_and_twice)
{
    struct secret secret = { 0 };
    secret_finish(&secret);
    secret_set(&secret, "something");
    secret_finish(&secret);
    secret_finish(&secret);
    CHECK_TEXT(secret_text(&secret), NULL);
}
