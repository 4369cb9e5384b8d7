#pragma once
/* The smallest test frame that names what failed and goes on.
 *   TEST(backoff_grows_and_caps) { CHECK_INT(clock_backoff_s(1, 5, 900), 5); }
 * Every test file is one program; it runs its tests in order and exits 1 when a check failed. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef void test_function(void);
void test_register(const char *name, test_function *function);
void test_check(bool ok, const char *file, int line, const char *what);
void test_check_int(int64_t got, int64_t want, const char *file, int line, const char *what);
void test_check_number(double got, double want, const char *file, int line, const char *what);
void test_check_text(const char *got, const char *want, const char *file, int line,
                     const char *what);
void test_check_contains(const char *got, const char *part, const char *file, int line,
                         const char *what);

#define TEST(name)                                                                    \
    static void test_##name(void);                                                    \
    __attribute__((constructor)) static void test_register_##name(void)               \
    {                                                                                 \
        test_register(#name, test_##name);                                            \
    }                                                                                 \
    static void test_##name(void)

#define CHECK(condition) test_check((condition), __FILE__, __LINE__, #condition)
#define CHECK_INT(got, want) \
    test_check_int((int64_t)(got), (int64_t)(want), __FILE__, __LINE__, #got)
#define CHECK_NUMBER(got, want) test_check_number((got), (want), __FILE__, __LINE__, #got)
#define CHECK_TEXT(got, want) test_check_text((got), (want), __FILE__, __LINE__, #got)
#define CHECK_CONTAINS(got, part) test_check_contains((got), (part), __FILE__, __LINE__, #got)

/* A struct secret around a text that is only read. */
#define TEST_SECRET(text) { (char *)(uintptr_t)(text) }

/* A new empty folder below $TMPDIR, removed with everything in it when the program ends. */
const char *test_folder(void);

/* Write a file with this text into it; its path, valid until the next call. */
const char *test_file(const char *name, const char *text);

/* Run all tests in order and say how each went; false when a check failed, or there is no test. */
bool test_run(void);

/* How many checks failed so far: for a program that is no test, but uses what tests use. */
size_t test_failures(void);
