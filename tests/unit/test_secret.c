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
        { "secret", "secret" },     { "secret\n", "secret" },           { "secret\r\n", "secret" },
        { "secret\n\n", "secret" }, { " two words \n", " two words " }, { "a\nb\n", "a\nb" },
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
