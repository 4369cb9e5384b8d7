#include "test.h"

#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { TESTS_MAX = 400 };
static struct {
    const char *name;
    test_function *function;
} tests[TESTS_MAX];
static size_t test_count;
static size_t failures;
static char folder[4096];

void test_register(const char *name, test_function *function)
{
    if (test_count == TESTS_MAX)
        abort();
    tests[test_count].name = name;
    tests[test_count++].function = function;
}

void test_check(bool ok, const char *file, int line, const char *what)
{
    if (ok)
        return;
    failures++;
    printf("%s:%d: failed: %s\n", file, line, what);
}

void test_check_int(int64_t got, int64_t want, const char *file, int line, const char *what)
{
    if (got == want)
        return;
    failures++;
    printf("%s:%d: %s: got %lld, want %lld\n", file, line, what, (long long)got, (long long)want);
}

void test_check_number(double got, double want, const char *file, int line, const char *what)
{
    if (got == want || (isnan(got) && isnan(want)))
        return;
    failures++;
    printf("%s:%d: %s: got %.17g, want %.17g\n", file, line, what, got, want);
}

void test_check_text(const char *got, const char *want, const char *file, int line,
                     const char *what)
{
    if (got && want && !strcmp(got, want))
        return;
    if (!got && !want)
        return;
    failures++;
    printf("%s:%d: %s:\n  got:  %s\n  want: %s\n", file, line, what, got ? got : "NULL",
           want ? want : "NULL");
}

void test_check_contains(const char *got, const char *part, const char *file, int line,
                         const char *what)
{
    if (got && strstr(got, part))
        return;
    failures++;
    printf("%s:%d: %s: \"%s\" is not in:\n  %s\n", file, line, what, part, got ? got : "NULL");
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info;
    (void)kind;
    (void)walk;
    return remove(path);
}

static void remove_folder(void)
{
    nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

const char *test_folder(void)
{
    if (folder[0])
        return folder;
    const char *base = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/defender_exporter_test_XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(folder))
        abort();
    atexit(remove_folder);
    return folder;
}

const char *test_file(const char *name, const char *text)
{
    static char path[4400];
    snprintf(path, sizeof path, "%s/%s", test_folder(), name);
    FILE *file = fopen(path, "w");
    if (!file || fputs(text, file) < 0 || fclose(file))
        abort();
    return path;
}

bool test_run(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (size_t i = 0; i < test_count; i++) {
        size_t before = failures;
        tests[i].function();
        printf("%s %s\n", failures == before ? "ok    " : "FAILED", tests[i].name);
    }
    printf("%zu tests, %zu failed checks\n", test_count, failures);
    return !failures && test_count;
}

size_t test_failures(void)
{
    return failures;
}
