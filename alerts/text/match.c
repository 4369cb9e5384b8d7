/* Matchers: read, compiled once, asked often. */
#include "alerts/text/match.h"

#include <stdatomic.h>
#include <string.h>

#include "core/clock.h"
#include "core/near.h"
#include "core/regex.h"
#include "core/utf8.h"

enum { NAME_BYTES_MAX = 1024 };

static const char *const operator_texts[] = { "=", "!=", "=~", "!~" };

struct match_pattern {
    struct regex *regex;
    _Atomic bool limited, told;
};

static bool is_regex(enum match_operator operator)
{
    return operator== MATCH_REGEX || operator== MATCH_NOT_REGEX;
}

/* --- adding ----------------------------------------------------------------------------------- */

static bool compile(struct match *match, struct arena *arena, struct error *error)
{
    struct error reason;
    struct regex *regex = regex_create(match->value, &reason);
    if (!regex)
        return error_set(error, ERROR_CONFIG, "%.64s: bad pattern \"%.256s\": %s", match->name,
                         match->value, reason.message);
    match->pattern = arena_zalloc(arena, sizeof *match->pattern);
    match->pattern->regex = regex;
    return true;
}

size_t match_compiled_bytes(const struct match_list *list)
{
    size_t bytes = 0;
    for (size_t i = 0; i < list->count; i++)
        if (list->matches[i].pattern)
            bytes += regex_bytes(list->matches[i].pattern->regex);
    return bytes;
}

static bool is_utf8(const char *text)
{
    for (size_t length; *text; text += length)
        if (!(length = utf8_length(text, 4)))
            return false;
    return true;
}

static bool check(const struct match_list *list, const char *name, const char *value,
                  struct error *error)
{
    size_t bytes = strlen(value);
    if (!*name || strlen(name) > NAME_BYTES_MAX || !is_utf8(name))
        return error_set(error, ERROR_CONFIG, "\"%.64s\" is no label name", name);
    if (bytes > MATCH_VALUE_BYTES_MAX)
        return error_set(error, ERROR_CONFIG, "%.64s: the value is longer than %d bytes", name,
                         MATCH_VALUE_BYTES_MAX);
    if (!is_utf8(value))
        return error_set(error, ERROR_CONFIG, "%.64s: the value is not UTF-8", name);
    for (size_t i = 0; i < list->count; i++)
        bytes += strlen(list->matches[i].value);
    if (match_compiled_bytes(list) > MATCH_COMPILED_BYTES_MAX)
        return error_set(error, ERROR_CONFIG, "%.64s: the patterns before it are too large", name);
    if (list->count >= MATCH_COUNT_MAX || bytes > MATCH_BYTES_MAX)
        return error_set(error, ERROR_CONFIG, "more than %d matchers, or %d bytes of them",
                         MATCH_COUNT_MAX, MATCH_BYTES_MAX);
    return true;
}

bool match_is_name(const char *text)
{
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
    return length && !text[length] && !(text[0] >= '0' && text[0] <= '9');
}

bool match_add(struct match_list *list, const char *name, enum match_operator operator,
               const char * value, struct arena *arena, struct error *error)
{
    if (!check(list, name, value, error))
        return false;
    struct match match = {
        .name = arena_text(arena, name), .value = arena_text(arena, value), .operator= operator};
    if (is_regex(operator) && !compile(&match, arena, error))
        return false;
    if (!(list->count & (list->count - 1))) { /* full at every power of two */
        struct match *more = arena_alloc(arena, (list->count ? list->count * 2 : 1) * sizeof *more);
        if (list->count)
            memcpy(more, list->matches, list->count * sizeof *more);
        list->matches = more;
    }
    list->matches[list->count++] = match;
    return true;
}

/* --- reading ---------------------------------------------------------------------------------- */

/* A text being read, and where. */
struct reader {
    const char *text, *at;
    struct error *error;
    bool quoted_name; /* a name was quoted */
};

static bool wrong(const struct reader *reader, const char *what)
{
    return error_set(reader->error, ERROR_CONFIG, "%s at character %d of %.200s", what,
                     (int)(reader->at - reader->text) + 1, reader->text);
}

static void skip_space(struct reader *reader)
{
    reader->at += strspn(reader->at, " \t\r\n");
}

/* The text between two quotes. As Alertmanager's first grammar has it, a backslash before any other
 * character than a quote, a backslash or an n stands for itself. */
static bool read_quoted(struct reader *reader, struct buf *out)
{
    const struct reader begin = *reader;
    for (reader->at++; *reader->at != '"'; reader->at++) {
        if (!*reader->at)
            return wrong(&begin, "a quote is not closed");
        if (*reader->at == '\\' && strchr("\"\\n", reader->at[1]) && reader->at[1]) {
            reader->at++;
            buf_char(out, *reader->at == 'n' ? '\n' : *reader->at);
        } else if (*reader->at == '\\' && reader->quoted_name) {
            return wrong(reader, "unknown escape");
        } else {
            buf_char(out, *reader->at);
        }
    }
    reader->at++;
    return true;
}

/* A name, "quoted" or plain. A quoted one is of Alertmanager's second grammar, where an escape that
 * is none of the three above means something else: refused from there on. */
static bool read_name(struct reader *reader, struct buf *out)
{
    if (*reader->at == '"') {
        reader->quoted_name = true;
        return read_quoted(reader, out);
    }
    size_t length = strcspn(reader->at, "=!~ \t\r\n,{}\"'`\\");
    if (!length)
        return wrong(reader, "expected a label name");
    buf_append(out, reader->at, length);
    reader->at += length;
    return true;
}

static bool read_operator(struct reader *reader, enum match_operator *operator)
{
    skip_space(reader);
    for (int i = MATCH_NOT_REGEX; i >= MATCH_EQUAL; i--) {
        size_t length = strlen(operator_texts[i]);
        if (!strncmp(reader->at, operator_texts[i], length)) {
            reader->at += length;
            *operator=(enum match_operator) i;
            skip_space(reader);
            return true;
        }
    }
    return wrong(reader, "expected =, !=, =~ or !~");
}

/* Up to the next comma or brace, without the blanks at the end. */
static bool read_plain(struct reader *reader, struct buf *out)
{
    size_t length = strcspn(reader->at, ",{}\"");
    const char *end = reader->at + length;
    while (end > reader->at && strchr(" \t\r\n", end[-1]))
        end--;
    for (; reader->at < end; reader->at++) {
        bool escape = *reader->at == '\\' && reader->at + 1 < end;
        if (escape && (reader->at[1] == 'n' || reader->at[1] == '\\')) {
            reader->at++;
            buf_char(out, *reader->at == 'n' ? '\n' : *reader->at);
        } else {
            buf_char(out, *reader->at);
        }
    }
    return true;
}

static bool read_value(struct reader *reader, struct buf *out)
{
    buf_text(out, "");
    return *reader->at == '"' ? read_quoted(reader, out) : read_plain(reader, out);
}

static bool read_match(struct reader *reader, struct match_list *list, struct arena *arena)
{
    CLEANUP(buf_finish) struct buf name = { 0 };
    CLEANUP(buf_finish) struct buf value = { 0 };
    enum match_operator operator= 0;
    if (!read_name(reader, &name) || !read_operator(reader, &operator) ||
        !read_value(reader, &value))
        return false;
    return match_add(list, buf_cstr(&name), operator, buf_cstr(&value), arena, reader->error);
}

bool match_parse(const char *text, struct match_list *list, struct arena *arena,
                 struct error *error)
{
    struct reader reader = { .text = text, .at = text, .error = error };
    skip_space(&reader);
    bool braces = *reader.at == '{';
    if (braces)
        reader.at++;
    for (skip_space(&reader); *reader.at && *reader.at != '}'; skip_space(&reader)) {
        if (!read_match(&reader, list, arena))
            return false;
        skip_space(&reader);
        if (*reader.at != ',')
            break;
        reader.at++;
    }
    if (braces && *reader.at != '}')
        return wrong(&reader, "expected , or }");
    if (braces)
        reader.at++;
    skip_space(&reader);
    return *reader.at ? wrong(&reader, "unexpected text") : true;
}

bool match_parse_all(const struct option_texts *texts, struct match_list *list, struct arena *arena,
                     struct error *error)
{
    for (size_t i = 0; i < texts->count; i++)
        if (!match_parse(texts->texts[i], list, arena, error))
            return false;
    return true;
}

void match_finish(struct match_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->matches[i].pattern)
            regex_destroy(list->matches[i].pattern->regex);
    *list = (struct match_list){ 0 };
}

/* --- asking ----------------------------------------------------------------------------------- */

static enum match_answer ask_pattern(struct match_pattern *pattern, const char *value,
                                     struct match_budget *budget)
{
    if (budget && budget->left_us <= 0)
        return MATCH_LIMIT;
    int64_t began_us = budget ? clock_thread_us() : 0;
    enum regex_answer answer = regex_match(pattern->regex, value);
    if (budget)
        budget->left_us -= clock_thread_us() - began_us;
    if (answer == REGEX_LIMIT) {
        pattern->limited = true;
        return MATCH_LIMIT;
    }
    return answer == REGEX_YES ? MATCH_YES : MATCH_NO;
}

enum match_answer match_value(const struct match *match, const char *value,
                              struct match_budget *budget)
{
    bool negative = match->operator== MATCH_NOT_EQUAL || match->operator== MATCH_NOT_REGEX;
    enum match_answer answer = is_regex(match->operator)
                                   ? ask_pattern(match->pattern, value, budget)
                               : !strcmp(match->value, value) ? MATCH_YES
                                                              : MATCH_NO;
    if (answer == MATCH_LIMIT || !negative)
        return answer;
    return answer == MATCH_YES ? MATCH_NO : MATCH_YES;
}

enum match_answer match_ask(const struct match_list *list, const struct match_label *labels,
                            size_t count, struct match_budget *budget)
{
    enum match_answer all = MATCH_YES;
    for (size_t i = 0; i < list->count; i++) {
        const char *value = "";
        for (size_t n = 0; n < count; n++)
            if (*labels[n].name == *list->matches[i].name &&
                !strcmp(labels[n].name, list->matches[i].name))
                value = labels[n].value;
        enum match_answer answer = match_value(&list->matches[i], value, budget);
        if (answer == MATCH_NO)
            return MATCH_NO;
        if (answer == MATCH_LIMIT)
            all = MATCH_LIMIT;
    }
    return all;
}

bool match_surely(const struct match_list *list, const struct match_label *labels, size_t count)
{
    return match_ask(list, labels, count, NULL) == MATCH_YES;
}

bool match_maybe(const struct match_list *list, const struct match_label *labels, size_t count)
{
    return match_ask(list, labels, count, NULL) != MATCH_NO;
}

size_t match_limited(const struct match_list *list, const struct match **news)
{
    size_t count = 0;
    *news = NULL;
    for (size_t i = 0; i < list->count; i++) {
        struct match_pattern *pattern = list->matches[i].pattern;
        if (!pattern || !pattern->limited)
            continue;
        count++;
        if (!atomic_exchange(&pattern->told, true))
            *news = &list->matches[i];
    }
    return count;
}

bool match_has_pattern(const struct match_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->matches[i].pattern)
            return true;
    return false;
}

/* --- printing --------------------------------------------------------------------------------- */

static void print_quoted(const char *text, struct buf *out)
{
    buf_char(out, '"');
    for (const char *at = text; *at; at++) {
        if (*at == '"' || *at == '\\')
            buf_char(out, '\\');
        if (*at == '\n')
            buf_text(out, "\\n");
        else
            buf_char(out, *at);
    }
    buf_char(out, '"');
}

void match_print(const struct match *match, struct buf *out)
{
    if (match_is_name(match->name))
        buf_text(out, match->name);
    else
        print_quoted(match->name, out);
    buf_text(out, operator_texts[match->operator]);
    print_quoted(match->value, out);
}

bool match_known(const char *name, const char *const *known, struct error *error)
{
    CLEANUP(buf_finish) struct buf near = { 0 };
    for (size_t i = 0; !known || known[i]; i++)
        if (!known || !strcmp(known[i], name))
            return true;
    near_append(name, known, &near);
    return error_set(error, ERROR_CONFIG, "no alert can have the label \"%s\"%s", name,
                     buf_cstr(&near));
}

bool match_all_known(const struct match_list *list, const char *const *known, struct error *error)
{
    for (size_t i = 0; i < list->count; i++)
        if (!match_known(list->matches[i].name, known, error))
            return false;
    return true;
}
