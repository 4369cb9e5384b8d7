/* PCRE2 without its just-in-time compiler: the interpreter keeps every limit, and needs no memory
 * that is both written and executed. */
#include "core/regex.h"

#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/memory.h"
#include "core/regex_syntax.h"
#include "core/utf8.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* Of one match: some milliseconds, and what a text of 8 KiB needs at every character. Of one
 * pattern: groups in each other, and its compiled form, which is 64 KiB at most by itself. */
enum {
    MATCH_STEPS_MAX = 100000,
    MATCH_DEPTH_MAX = 50000,
    MATCH_HEAP_KIB = 8192,
    NEST_MAX = 250,
    TRANSLATED_BYTES_MAX = 16 * REGEX_PATTERN_BYTES_MAX,
};

struct regex {
    pcre2_code *code;
    pcre2_match_context *limits;
};

static pcre2_code *compile(const struct buf *pattern, struct error *error)
{
    int code;
    PCRE2_SIZE at;
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    pcre2_set_max_pattern_length(context, TRANSLATED_BYTES_MAX);
    pcre2_set_parens_nest_limit(context, NEST_MAX);
    uint32_t options = PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_NO_AUTO_CAPTURE |
                       PCRE2_DOLLAR_ENDONLY | PCRE2_ALT_CIRCUMFLEX;
    pcre2_code *compiled =
        pcre2_compile((PCRE2_SPTR)buf_cstr(pattern), pattern->length, options, &code, &at, context);
    pcre2_compile_context_free(context);
    if (!compiled) {
        PCRE2_UCHAR reason[128] = "";
        pcre2_get_error_message(code, reason, sizeof reason);
        error_set(error, ERROR_CONFIG, "%s", (const char *)reason);
    }
    return compiled;
}

struct regex *regex_create(const char *pattern, struct error *error)
{
    CLEANUP(buf_finish) struct buf whole = { 0 };
    if (strlen(pattern) > REGEX_PATTERN_BYTES_MAX) {
        error_set(error, ERROR_CONFIG, "the pattern is longer than %d bytes",
                  REGEX_PATTERN_BYTES_MAX);
        return NULL;
    }
    buf_text(&whole, "\\A(?:");
    if (!regex_syntax_translate(pattern, &whole, error))
        return NULL;
    buf_text(&whole, ")\\z");
    pcre2_code *code = compile(&whole, error);
    if (!code)
        return NULL;
    struct regex *regex = MEMORY_NEW(struct regex);
    regex->code = code;
    regex->limits = pcre2_match_context_create(NULL);
    pcre2_set_match_limit(regex->limits, MATCH_STEPS_MAX);
    pcre2_set_depth_limit(regex->limits, MATCH_DEPTH_MAX);
    pcre2_set_heap_limit(regex->limits, MATCH_HEAP_KIB);
    return regex;
}

void regex_destroy(struct regex *regex)
{
    if (!regex)
        return;
    pcre2_match_context_free(regex->limits);
    pcre2_code_free(regex->code);
    free(regex);
}

size_t regex_bytes(const struct regex *regex)
{
    size_t bytes = 0;
    pcre2_pattern_info(regex->code, PCRE2_INFO_SIZE, &bytes);
    return bytes;
}

/* Append the text with U+FFFD for each byte that belongs to no character. */
static void mend(const char *text, struct buf *out)
{
    buf_text(out, "");
    while (*text) {
        size_t length = utf8_length(text, 4);
        if (length)
            buf_append(out, text, length);
        else
            buf_text(out, UTF8_REPLACEMENT);
        text += length ? length : 1;
    }
}

static int ask(const struct regex *regex, const char *text, size_t length)
{
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    int code = pcre2_match(regex->code, (PCRE2_SPTR)text, length, 0, 0, data, regex->limits);
    pcre2_match_data_free(data);
    return code;
}

enum regex_answer regex_match(const struct regex *regex, const char *text)
{
    int code = ask(regex, text, strlen(text));
    if (code <= PCRE2_ERROR_UTF8_ERR1 && code >= PCRE2_ERROR_UTF8_ERR21) {
        CLEANUP(buf_finish) struct buf mended = { 0 };
        mend(text, &mended);
        code = ask(regex, buf_cstr(&mended), mended.length);
    }
    if (code == PCRE2_ERROR_NOMATCH)
        return REGEX_NO;
    return code >= 0 ? REGEX_YES : REGEX_LIMIT;
}
