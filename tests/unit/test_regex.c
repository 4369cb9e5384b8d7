/* Regular expressions held against what RE2 documents and Go's regexp/syntax does: what is taken,
 * what is refused, and what matches the whole text. */
#include "core/regex.h"
#include "core/clock.h"
#include "tests/unit/test.h"

#include <stdio.h>
#include <stdlib.h>

#define MANY_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* clang-format off */
static const struct {
    const char *pattern, *text;
    enum regex_answer answer;
} matching[] = {
    /* the whole text, and no more */
    { "a", "a", REGEX_YES }, { "a", "ab", REGEX_NO }, { "a", "ba", REGEX_NO },
    { "", "", REGEX_YES }, { "", "a", REGEX_NO }, { "a|ab", "ab", REGEX_YES },
    { "ab|a", "a", REGEX_YES }, { "a|b", "xb", REGEX_NO }, { "a||b", "", REGEX_YES },
    { "(|a)b", "b", REGEX_YES }, { "()", "", REGEX_YES }, { "^a$", "a", REGEX_YES },
    { "a$", "a\n", REGEX_NO }, { "^^a$$", "a", REGEX_YES }, { "a^b", "ab", REGEX_NO },
    { "\\Aa\\z", "a", REGEX_YES }, { "a", "a\n", REGEX_NO }, { "a\\z", "a\n", REGEX_NO },
    /* any character */
    { ".", "x", REGEX_YES }, { ".", "\n", REGEX_NO }, { ".", "\r", REGEX_YES },
    { ".*", "", REGEX_YES }, { ".*", "a\nb", REGEX_NO }, { "(?s).*", "a\nb", REGEX_YES },
    { "(?s:.)", "\n", REGEX_YES }, { "(?s:a.)b.", "a\nb\n", REGEX_NO },
    { ".", "\xc3\xa9", REGEX_YES }, { "..", "\xc3\xa9", REGEX_NO }, { ".", "\xff", REGEX_YES },
    { "..", "\xe2\x82", REGEX_YES }, { ".", "\xf0\x9f\x98\x80", REGEX_YES },
    /* repeats */
    { "a*", "", REGEX_YES }, { "a*", "aaa", REGEX_YES }, { "a+", "", REGEX_NO },
    { "ab?", "a", REGEX_YES }, { "a*?", "aaa", REGEX_YES }, { "a+?", "aaa", REGEX_YES },
    { "a??", "a", REGEX_YES }, { "a{2}", "aa", REGEX_YES }, { "a{2}", "aaa", REGEX_NO },
    { "a{2,}", "aaaa", REGEX_YES }, { "a{2,3}", "aaa", REGEX_YES },
    { "a{2,3}?", "aa", REGEX_YES }, { "a{0}", "", REGEX_YES }, { "a{,2}", "a{,2}", REGEX_YES },
    { "a{,2}", "aa", REGEX_NO }, { "a{", "a{", REGEX_YES }, { "a{x}", "a{x}", REGEX_YES },
    { "a{1", "a{1", REGEX_YES }, { "a{01}", "a{01}", REGEX_YES }, { "{", "{", REGEX_YES },
    { "a}", "a}", REGEX_YES }, { "a]", "a]", REGEX_YES }, { "(ab)+", "abab", REGEX_YES },
    { "(a{2}){3}", "aaaaaa", REGEX_YES }, { "(?:a*)*", "aaa", REGEX_YES },
    { "(a*)+", "aaa", REGEX_YES }, { "(a|b)*c", "ababc", REGEX_YES }, { "\\b*a", "a", REGEX_YES },
    { "^*a", "a", REGEX_YES }, { "a\\b?b", "ab", REGEX_YES }, { "a(?:$)*b", "ab", REGEX_YES },
    { "(?:(?:a{2})?){3}", "aaaa", REGEX_YES }, { "a{1000}", "a", REGEX_NO },
    { "(?U)a+", "aa", REGEX_YES },
    /* letters' classes */
    { "\\d", "7", REGEX_YES }, { "\\d", "\xd9\xa3", REGEX_NO }, { "\\d+", "12a", REGEX_NO },
    { "\\D", "a", REGEX_YES }, { "\\D", "1", REGEX_NO }, { "\\w+", "aZ_9", REGEX_YES },
    { "\\w", "-", REGEX_NO }, { "\\w", "\xc3\xa9", REGEX_NO }, { "\\W", "\xc3\xa9", REGEX_YES },
    { "\\s", "\t", REGEX_YES }, { "\\s", "\v", REGEX_NO }, { "\\s", "\f", REGEX_YES },
    { "\\S", "\v", REGEX_YES }, { "\\S", " ", REGEX_NO }, { "[\\s]", "\v", REGEX_NO },
    { "[^\\s]", "\v", REGEX_YES }, { "[\\S]", "\v", REGEX_YES }, { "[\\S]", "\n", REGEX_NO },
    { "a\\b", "a", REGEX_YES }, { "a\\b-", "a-", REGEX_YES }, { "a\\Bb", "ab", REGEX_YES },
    /* classes */
    { "[abc]", "b", REGEX_YES }, { "[^abc]", "d", REGEX_YES }, { "[^abc]", "\n", REGEX_YES },
    { "[a-c]", "b", REGEX_YES }, { "[a-c]", "-", REGEX_NO }, { "[\\w-]+", "web-01", REGEX_YES },
    { "[\\w-]+", "\\", REGEX_NO }, { "[\\w-z]", "-", REGEX_YES }, { "[-a]", "-", REGEX_YES },
    { "[a-]", "-", REGEX_YES }, { "[]a]", "]", REGEX_YES }, { "[^]a]", "]", REGEX_NO },
    { "[a\\]]", "]", REGEX_YES }, { "[\\d-z]", "-", REGEX_YES }, { "[a-z-9]", "-", REGEX_YES },
    { "[[]", "[", REGEX_YES }, { "[[:alpha:]]", "b", REGEX_YES },
    { "[[:alpha:]]", "1", REGEX_NO }, { "[[:^alpha:]]", "1", REGEX_YES },
    { "[[:word:]-]+", "a-_", REGEX_YES }, { "[[:space:]]", "\v", REGEX_YES },
    { "[^[:digit:]]", "1", REGEX_NO }, { "[:alpha:]", "p", REGEX_YES },
    { "[[.a.]]", "a]", REGEX_YES }, { "[[=a=]]", "=]", REGEX_YES }, { "[\\t]", "\t", REGEX_YES },
    { "[\\t]", "t", REGEX_NO }, { "[\\x2d]", "-", REGEX_YES }, { "[\\x2d]", "x", REGEX_NO },
    { "[\\x{2d}a]", "a", REGEX_YES }, { "[\\.]", ".", REGEX_YES }, { "[\\.]", "\\", REGEX_NO },
    { "[a\\-z]", "-", REGEX_YES }, { "[a\\-z]", "b", REGEX_NO },
    { "[\xc3\xa0-\xc3\xbf]", "\xc3\xa9", REGEX_YES }, { "[#-~ ]", " ", REGEX_YES },
    { "[^\\x00-\\x{10FFFF}]", "a", REGEX_NO }, { "[&&a]", "&", REGEX_YES },
    /* characters */
    { "\\t", "\t", REGEX_YES }, { "\\t", "t", REGEX_NO }, { "\\x2d", "-", REGEX_YES },
    { "\\x2D", "-", REGEX_YES }, { "\\x{e9}", "\xc3\xa9", REGEX_YES }, { "\\v", "\v", REGEX_YES },
    { "\\v", "\n", REGEX_NO }, { "\\a\\f\\n\\r", "\a\f\n\r", REGEX_YES },
    { "\\055", "-", REGEX_YES }, { "\\0", "0", REGEX_NO }, { "\\.", ".", REGEX_YES },
    { "\\.", "x", REGEX_NO }, { "\\-\\_\\/\\ ", "-_/ ", REGEX_YES },
    { "#a b", "#a b", REGEX_YES }, { "\\Qa.b\\E", "a.b", REGEX_YES },
    { "\\Qa.b\\E", "axb", REGEX_NO }, { "\\Q[(\\", "[(\\", REGEX_YES },
    { "\\Qab\\E+", "abb", REGEX_YES }, { "\\Q\\E", "", REGEX_YES },
    { "x\\Q*\\Ey", "x*y", REGEX_YES }, { "\xc3\xa9+", "\xc3\xa9\xc3\xa9", REGEX_YES },
    /* flags and groups */
    { "(?i)web.*", "WEB-01", REGEX_YES }, { "(?i:w)eb", "Web", REGEX_YES },
    { "(?i:w)eb", "WEB", REGEX_NO }, { "a(?i)b", "aB", REGEX_YES }, { "a(?i)b", "AB", REGEX_NO },
    { "(a(?i)b|c)", "C", REGEX_YES }, { "(?i)a(?-i)b", "AB", REGEX_NO },
    { "(?i)\xc3\xa9", "\xc3\x89", REGEX_YES }, { "(?i)[a-c]", "B", REGEX_YES },
    { "(?i)[[:upper:]]", "a", REGEX_YES }, { "(?i)k", "\xe2\x84\xaa", REGEX_YES },
    { "(?m)^a$\n^b$", "a\nb", REGEX_YES }, { "a$\n^b", "a\nb", REGEX_NO },
    { "(?m)a\n^", "a\n", REGEX_YES }, { "(?:a|b)", "b", REGEX_YES },
    { "(?P<x>a)", "a", REGEX_YES }, { "(?<x>a)", "a", REGEX_YES },
    { "(?P<x>a)(?P<y>b)", "ab", REGEX_YES }, { "(?)a", "a", REGEX_YES },
    { "(?is-mU)a.", "A\n", REGEX_YES }, { "((((a))))", "a", REGEX_YES },
    /* properties */
    { "\\pL", "\xc3\xa9", REGEX_YES }, { "\\p{L}+", "a\xc3\xa9", REGEX_YES },
    { "\\PL", "1", REGEX_YES }, { "\\p{Greek}", "\xce\xb1", REGEX_YES },
    { "\\p{Greek}", "a", REGEX_NO }, { "\\p{^Greek}", "a", REGEX_YES },
    { "\\P{^Greek}", "\xce\xb1", REGEX_YES }, { "[\\p{Lu}\\d]", "\xc3\x89", REGEX_YES },
    { "\\p{Any}", "a", REGEX_YES }, { "[^\\pN]", "1", REGEX_NO },
    { "(?i)\\p{Lu}", "a", REGEX_YES }, { "(?i:\\p{Ll})b", "Ab", REGEX_YES },
    { "(?i:a)\\p{Lu}", "Ab", REGEX_NO }, { "(?i)(?-i)\\p{Lu}", "a", REGEX_NO },
    { "((?i)a)\\p{Lu}", "Ab", REGEX_NO },
    /* what may cost much */
    { "(a+)+", MANY_A, REGEX_YES }, { "(a|aa)+", MANY_A, REGEX_YES },
    { "(a+)+[^b]", MANY_A "b", REGEX_LIMIT }, { "(a|a)*[^b]", MANY_A "b", REGEX_LIMIT },
    { "(.*)*x.", MANY_A "xy", REGEX_YES }, { "(x+x+)+y", MANY_A, REGEX_NO },
};

static const struct {
    const char *pattern, *reason;
} refused[] = {
    { "(", "missing closing )" }, { "a(b", "missing closing )" }, { ")", "unexpected )" },
    { "a)", "unexpected )" }, { "[a", "missing closing ]" }, { "[", "missing closing ]" },
    { "[]", "missing closing ]" }, { "[^]", "missing closing ]" }, { "[a-", "missing closing ]" },
    { "[z-a]", "invalid character class range: z-a" },
    { "[a-\\d]", "invalid escape sequence: \\d" },
    { "[[:foo:]]", "invalid character class range: [:foo:]" },
    { "[a--z]", "invalid character class range" },
    { "[\\Qa\\E]", "invalid escape sequence: \\Q" }, { "[\\b]", "invalid escape sequence: \\b" },
    { "[\\pX]", "invalid character class range" },
    { "*", "missing argument to repetition operator: *" }, { "+a", "missing argument" },
    { "?", "missing argument" }, { "(*)", "missing argument" }, { "a|*", "missing argument" },
    { "(|*)", "missing argument" }, { "{2}", "missing argument" },
    { "(?i)*", "missing argument" }, { "a**", "invalid nested repetition operator: *" },
    { "a*+", "invalid nested" }, { "a++", "invalid nested" }, { "a?+", "invalid nested" },
    { "a+*", "invalid nested" }, { "a???", "invalid nested" }, { "a{2}+", "invalid nested" },
    { "a{2}{3}", "invalid nested" }, { "a{2}*", "invalid nested" },
    { "a++++++++", "invalid nested" }, { "a*??", "invalid nested" },
    { "(?>a)", "invalid or unsupported Perl syntax: (?>" },
    { "(?=a)", "unsupported Perl syntax: (?=" }, { "(?!a)", "unsupported Perl syntax" },
    { "(?<=a)b", "unsupported Perl syntax" }, { "(?<!a)b", "unsupported Perl syntax" },
    { "(?P=x)", "unsupported Perl syntax" }, { "(?P>x)", "unsupported Perl syntax" },
    { "(?R)", "unsupported Perl syntax" }, { "(?1)", "unsupported Perl syntax" },
    { "(?#x)", "unsupported Perl syntax" }, { "(?x)a", "unsupported Perl syntax" },
    { "(?n)a", "unsupported Perl syntax" }, { "(?J)a", "unsupported Perl syntax" },
    { "(?^a)", "unsupported Perl syntax" }, { "(?|a|b)", "unsupported Perl syntax" },
    { "(?(1)a)", "unsupported Perl syntax" }, { "(?&x)", "unsupported Perl syntax" },
    { "(?C1)", "unsupported Perl syntax" }, { "(?i", "unsupported Perl syntax" },
    { "(?i-)", "unsupported Perl syntax" }, { "(?-)", "unsupported Perl syntax" },
    { "(?--i)", "unsupported Perl syntax" }, { "(?", "unsupported Perl syntax" },
    { "(?P<>a)", "invalid named capture" }, { "(?P<a", "invalid named capture" },
    { "(?P<a b>c)", "invalid named capture" },
    { "(?P<n>a)(?P<n>b)", "duplicate capture group name: n" },
    { "(?'n'a)", "unsupported Perl syntax" }, { "(*ACCEPT)", "missing argument" },
    { "(*UTF)a", "missing argument" }, { "(*LIMIT_MATCH=9)a", "missing argument" },
    { "(a)\\1", "back references are not possible: \\1" }, { "\\8", "back references" },
    { "\\18", "back references" }, { "\\g1", "invalid escape sequence: \\g" },
    { "\\k<n>", "invalid escape" }, { "\\C", "invalid escape sequence: \\C" },
    { "\\X", "invalid escape" }, { "\\R", "invalid escape" }, { "\\K", "invalid escape" },
    { "\\G", "invalid escape" }, { "\\Z", "invalid escape" }, { "\\h", "invalid escape" },
    { "\\H", "invalid escape" }, { "\\N", "invalid escape" }, { "\\V", "invalid escape" },
    { "\\e", "invalid escape" }, { "\\cA", "invalid escape" }, { "\\o{55}", "invalid escape" },
    { "\\E", "invalid escape sequence: \\E" }, { "\\q", "invalid escape" },
    { "\\<a\\>\\", "trailing backslash" }, { "\\\xc3\xa9", "invalid escape" },
    { "a\\", "trailing backslash" }, { "\\x", "invalid escape" }, { "\\x4", "invalid escape" },
    { "\\x4g", "invalid escape" }, { "\\x{}", "invalid escape" },
    { "\\x{110000}", "invalid escape" }, { "\\x{41", "invalid escape" },
    { "\\x{ffffffff1}", "invalid escape" }, { "\\p", "invalid character class range" },
    { "\\p{", "invalid character class range" }, { "\\p{Foo}", "unknown property" },
    { "\\p{L&}", "invalid character class range" }, { "\\pX", "invalid character class range" },
    { "\\p{Xan}", "unknown property" }, { "\\p{Alphabetic}", "unknown property" },
    { "\\p{sc:Greek}", "invalid character class range" }, { "a{1001}", "invalid repeat count" },
    { "a{2,1}", "invalid repeat count" }, { "a{1001,}", "invalid repeat count" },
    { "a{1,99999999999}", "invalid repeat count" }, { "(a{100}){11}", "invalid repeat count" },
    { "((a{1,99}){1,99}){1,99}", "invalid repeat count" },
    { "((((a{10}){10}){10}){10})", "invalid repeat count" },
    { "(b|a{40}|c){30}", "invalid repeat count" }, { "a\xff", "the pattern is not UTF-8" },
    { "\\Q\xff", "the pattern is not UTF-8" }, { "[\xff]", "the pattern is not UTF-8" },
};
/* clang-format on */

TEST(regex_takes_and_matches_what_re2_does)
{
    for (size_t i = 0; i < sizeof matching / sizeof *matching; i++) {
        struct error error = { .message = "" };
        struct regex *regex = regex_create(matching[i].pattern, &error);
        char got[1024], want[128];
        int answer = regex ? (int)regex_match(regex, matching[i].text) : -1;
        snprintf(got, sizeof got, "%s: %d %s", matching[i].pattern, answer, error.message);
        snprintf(want, sizeof want, "%s: %d ", matching[i].pattern, (int)matching[i].answer);
        CHECK_TEXT(got, want);
        regex_destroy(regex);
    }
}

TEST(regex_refuses_what_re2_refuses)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct error error = { .message = "" };
        struct regex *regex = regex_create(refused[i].pattern, &error);
        CHECK_TEXT(regex ? refused[i].pattern : "", "");
        CHECK_CONTAINS(error.message, refused[i].reason);
        CHECK_INT(error.code, ERROR_CONFIG);
        regex_destroy(regex);
    }
}

/* A pattern of one text, many times over. */
static struct regex *repeated(const char *before, const char *part, size_t count,
                              const char *after, struct error *error)
{
    static char pattern[REGEX_PATTERN_BYTES_MAX + 64];
    char *at = pattern + snprintf(pattern, sizeof pattern, "%s", before);
    while (count-- && (size_t)(at - pattern) + strlen(part) + strlen(after) < sizeof pattern)
        at += snprintf(at, sizeof pattern - (size_t)(at - pattern), "%s", part);
    snprintf(at, sizeof pattern - (size_t)(at - pattern), "%s", after);
    return regex_create(pattern, error);
}

TEST(regex_bounds_the_pattern)
{
    struct error error;
    CHECK(!repeated("a", "+", 4000, "", &error));
    CHECK(!repeated("", "a", 4097, "", &error));
    CHECK_CONTAINS(error.message, "longer than 4096 bytes");
    CHECK(!repeated("", "(", 2000, "", &error));
    CHECK_CONTAINS(error.message, "more than 200 groups");
    CHECK(!repeated("", "(ab|cd|ef){99}", 280, "", &error)); /* too large when compiled */
    struct regex *regex = repeated("(x", "|host-01", 500, ")", &error);
    CHECK(regex && regex_match(regex, "host-01") == REGEX_YES);
    regex_destroy(regex);
}

/* Every engine that goes back takes years for these. */
TEST(regex_ends_soon_whatever_the_text)
{
    static const char *const patterns[] = {
        "(a+)+[^b]", "(a|a)*[^b]", "(.*.*)*[^b]", "(a*)*[^b]", "(a?){500}a{500}[^b]",
        ".*.*.*.*.*.*.*.*.*.*[^ab]", "([^x]*[^y]*[^z]*)*[^b]",
    };
    static char text[8001];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 2] = 'b';
    int64_t began_ms = clock_monotonic_ms();
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        struct error error;
        struct regex *regex = regex_create(patterns[i], &error);
        CHECK(regex && regex_match(regex, text) != REGEX_YES);
        regex_destroy(regex);
    }
    CHECK(clock_monotonic_ms() - began_ms < 120000);
}
