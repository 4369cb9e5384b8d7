#include "collectors/baselines_reason.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "core/buf.h"
#include "core/utf8.h"

#define FAILED "\xe2\x9d\x8c" /* the cross before what fails in a tree */
#define ELLIPSIS "\xe2\x80\xa6"

struct span {
    const char *at;
    size_t length;
};

static struct span between(const char *start, const char *end)
{
    return (struct span){ start, (size_t)(end - start) };
}

enum severity baselines_reason_severity(const char *phrase)
{
    static const struct {
        const char *word;
        enum severity severity;
    } words[] = {
        { "critical", SEVERITY_CRITICAL }, { "important", SEVERITY_HIGH },
        { "high", SEVERITY_HIGH },         { "warning", SEVERITY_MEDIUM },
        { "medium", SEVERITY_MEDIUM },     { "moderate", SEVERITY_MEDIUM },
        { "informational", SEVERITY_LOW }, { "information", SEVERITY_LOW },
        { "low", SEVERITY_LOW },
    };
    phrase += strspn(phrase, " \t\r\n\"'");
    if (*phrase != '[')
        return SEVERITY_UNKNOWN;
    phrase += 1 + strspn(phrase + 1, " ");
    size_t length = strcspn(phrase, " ]");
    for (size_t i = 0; i < ARRAY_COUNT(words); i++)
        if (strlen(words[i].word) == length && !strncasecmp(words[i].word, phrase, length))
            return words[i].severity;
    return SEVERITY_UNKNOWN;
}

size_t baselines_reason_length(const char *phrase)
{
    size_t length = strnlen(phrase, BASELINES_REASON_BYTES + 1);
    if (length <= BASELINES_REASON_BYTES)
        return length;
    length = BASELINES_REASON_BYTES;
    while (length && ((unsigned char)phrase[length] & 0xc0) == 0x80)
        length--;
    return length;
}

static bool is_blank(char c)
{
    return (unsigned char)c <= ' ';
}

static struct span trimmed(struct span text)
{
    while (text.length && is_blank(*text.at)) {
        text.at++;
        text.length--;
    }
    while (text.length && is_blank(text.at[text.length - 1]))
        text.length--;
    return text;
}

/* Without the quotes around it. */
static struct span unquoted(struct span text)
{
    text = trimmed(text);
    bool quoted = text.length >= 2 && (*text.at == '"' || *text.at == '\'') &&
                  text.at[text.length - 1] == *text.at;
    return quoted ? (struct span){ text.at + 1, text.length - 2 } : text;
}

static const char *copy(struct arena *arena, const char *before, struct span text)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    buf_text(&out, before);
    buf_append(&out, text.at, text.length);
    return arena_text(arena, buf_cstr(&out));
}

/* What stands before the first of two texts and behind it up to the second; end NULL = all. */
static bool cut(const char *text, const char *middle, const char *end, struct span *before,
                struct span *behind)
{
    const char *found = strstr(text, middle);
    if (!found)
        return false;
    const char *rest = found + strlen(middle);
    const char *last = end ? strstr(rest, end) : rest + strlen(rest);
    if (!last)
        return false;
    *before = between(text, found);
    *behind = between(rest, last);
    return true;
}

/* What stands behind the last of a text within a span. */
static bool behind_last(struct span *text, const char *word)
{
    size_t length = strlen(word);
    for (size_t i = text->length + 1; i-- > 0;)
        if (i + length <= text->length && !memcmp(text->at + i, word, length)) {
            text->at += i + length;
            text->length -= i + length;
            return true;
        }
    return false;
}

/* source: Azure/azure-policy, phrases of AzureWindowsBaseline. */
static bool read_windows(const char *phrase, struct arena *arena, struct baselines_reason *reason)
{
    static const struct {
        const char *middle, *expected;
    } forms[] = {
        { " is not one of the expected values: ", "one of " },
        { " is missing one or more of the required values: ", "all of " },
    };
    struct span found, expected;
    for (size_t i = 0; i < ARRAY_COUNT(forms); i++) {
        if (!cut(phrase, forms[i].middle, NULL, &found, &expected))
            continue;
        found = unquoted(found);
        bool none = !found.length || (found.length == 2 && !memcmp(found.at, "[]", 2));
        reason->found = none ? "nothing" : copy(arena, "", found);
        reason->expected = copy(arena, forms[i].expected, trimmed(expected));
        return true;
    }
    return false;
}

/* "'maxauthtries' is not set to a value of 6 or less in SSH Server response (but to 10)" */
static bool read_but(const char *phrase, struct arena *arena, struct baselines_reason *reason)
{
    static const char value[] = "a value of ";
    struct span before, found, rest, expected;
    if (!cut(phrase, " (but to ", ")", &before, &found) ||
        !cut(phrase, " is not set to ", " in ", &rest, &expected) || expected.at > found.at)
        return false;
    if (expected.length > sizeof value && !memcmp(expected.at, value, sizeof value - 1))
        expected =
            (struct span){ expected.at + sizeof value - 1, expected.length - (sizeof value - 1) };
    reason->found = copy(arena, "", unquoted(found));
    reason->expected = copy(arena, "", unquoted(expected));
    return true;
}

/* source: Azure/azure-osconfig, texts of src/common/commonutils. */
static bool read_linux(const char *phrase, struct arena *arena, struct baselines_reason *reason)
{
    struct span found, expected;
    if (strstr(phrase, ", also ")) /* several: none of them speaks for all */
        return false;
    if (read_but(phrase, arena, reason))
        return true;
    if (cut(phrase, ") does not match expected (", ")", &found, &expected) &&
        behind_last(&found, "(")) {
        reason->found = copy(arena, "", trimmed(found));
        reason->expected = copy(arena, "", trimmed(expected));
        return true;
    }
    if ((cut(phrase, " instead of ", " in '", &found, &expected) ||
         cut(phrase, " instead of ", NULL, &found, &expected)) &&
        behind_last(&found, " is set to ")) {
        reason->found = copy(arena, "", unquoted(found));
        reason->expected = copy(arena, "", unquoted(expected));
        return true;
    }
    bool more = cut(phrase, " is more than requested ", NULL, &found, &expected);
    if ((more || cut(phrase, " is less than requested ", NULL, &found, &expected)) &&
        behind_last(&found, " of ")) {
        reason->found = copy(arena, "", trimmed(found));
        reason->expected = copy(arena, more ? "at most " : "at least ", trimmed(expected));
        return true;
    }
    return false;
}

/* The lines of a tree that say what fails, or all when none does, in one line. */
static void put_lines(struct buf *out, const char *text)
{
    bool tree = strstr(text, FAILED) != NULL;
    while (*text) {
        struct span line = { text, strcspn(text, "\r\n") };
        text += line.length;
        text += strspn(text, "\r\n");
        const char *cross = tree ? memmem(line.at, line.length, FAILED, strlen(FAILED)) : NULL;
        if (tree && !cross)
            continue;
        if (cross)
            line = between(cross + strlen(FAILED), line.at + line.length);
        line = trimmed(line);
        if (line.length && out->length)
            buf_text(out, "; ");
        for (size_t i = 0; i < line.length; i++)
            buf_char(out, is_blank(line.at[i]) ? ' ' : line.at[i]);
    }
}

/* Behind the severity of a phrase, which stands in brackets, where it has one. */
static const char *behind_severity(const char *phrase)
{
    const char *end = strchr(phrase, ']');
    bool has_one = end && baselines_reason_severity(phrase) != SEVERITY_UNKNOWN;
    return has_one ? end + 1 : phrase;
}

struct baselines_reason baselines_reason_read(const char *phrase, struct arena *arena)
{
    CLEANUP(buf_finish) struct buf line = { 0 };
    struct baselines_reason reason = { "", "" };
    size_t length = baselines_reason_length(phrase);
    const char *whole = arena_copy(arena, phrase, length);
    put_lines(&line, behind_severity(whole));
    buf_text(&line, phrase[length] ? ELLIPSIS : "");
    const char *text = arena_text(arena, buf_cstr(&line));
    if (!read_windows(text, arena, &reason) && !read_linux(text, arena, &reason))
        reason.found = text;
    return reason;
}
