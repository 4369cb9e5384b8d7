#include <string.h>

#include "core/options.h"
#include "core/options_value.h"

enum { WIDTH = 100, INDENT = 2 };

/* Where a line begins: its depth, and whether the block around it is commented out. */
struct place {
    size_t depth;
    bool commented;
};

/* What a row without a default shows. A bool and a word have one: false and the first. */
/* clang-format off */
static const char *const placeholders[] = {
    [OPTION_TYPE_TEXT]        = "<text>",
    [OPTION_TYPE_INTEGER]     = "<integer>",
    [OPTION_TYPE_NUMBER]      = "<number>",
    [OPTION_TYPE_DURATION]    = "<duration>",
    [OPTION_TYPE_SIZE]        = "<size>",
    [OPTION_TYPE_URL]         = "<url>",
    [OPTION_TYPE_SECRET]      = "<secret>",
    [OPTION_TYPE_PATH]        = "<file>",
    [OPTION_TYPE_TEXT_LIST]   = "[<text>]",
    [OPTION_TYPE_TEXT_MAP]    = "{<name>: <text>}",
};
/* clang-format on */

static void begin(struct buf *out, struct place place, const char *mark)
{
    if (place.commented)
        buf_text(out, "# ");
    for (size_t i = 0; i < place.depth * INDENT; i++)
        buf_char(out, ' ');
    buf_text(out, mark);
}

/* Words as comment lines, broken before WIDTH. */
static void append_comment(struct buf *out, struct place place, const char *words)
{
    size_t line_start = out->length;
    begin(out, place, "#");
    while (*words) {
        size_t length = strcspn(words, " \n");
        if (length && out->length - line_start + 1 + length > WIDTH) {
            buf_char(out, '\n');
            line_start = out->length;
            begin(out, place, "#");
        }
        if (length)
            buf_char(out, ' ');
        buf_append(out, words, length);
        words += length + (words[length] != '\0');
    }
    buf_char(out, '\n');
}

void options_document_help(const struct option *option, struct buf *out)
{
    CLEANUP(buf_finish) struct buf range = { 0 };
    buf_text(out, option->help ? option->help : "");
    if (option->required)
        buf_text(out, " Required.");
    if (option->restart)
        buf_text(out, " A change needs a restart.");
    if (options_value_range(option, &range))
        buf_printf(out, " Must be %s.", buf_cstr(&range));
    for (size_t i = 0; option->words && option->words[i]; i++)
        buf_printf(out, "%s%s%s", i ? ", " : " One of: ", option->words[i],
                   option->words[i + 1] ? "" : ".");
    if (option->type == OPTION_TYPE_SECRET)
        buf_printf(out, " Or %s_file: the name of a file that holds it.", option->name);
}

static void append_help(struct buf *out, struct place place, const struct option *option)
{
    CLEANUP(buf_finish) struct buf help = { 0 };
    options_document_help(option, &help);
    if (help.length)
        append_comment(out, place, help.data);
}

static void append_quoted(struct buf *out, const char *text, size_t length)
{
    buf_char(out, '"');
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '"' || text[i] == '\\')
            buf_char(out, '\\');
        buf_char(out, text[i]);
    }
    buf_char(out, '"');
}

static void append_list(struct buf *out, const char *texts)
{
    buf_char(out, '[');
    while (*texts) {
        size_t length = strcspn(texts, ",");
        append_quoted(out, texts, length);
        texts += length;
        if (*texts) {
            buf_text(out, ", ");
            texts++;
        }
    }
    buf_char(out, ']');
}

static void append_value(struct buf *out, const struct option *option, const char *text)
{
    bool is_text = option->type == OPTION_TYPE_TEXT || option->type == OPTION_TYPE_URL ||
                   option->type == OPTION_TYPE_PATH;
    if (option->type == OPTION_TYPE_TEXT_LIST)
        append_list(out, text);
    else if (is_text)
        append_quoted(out, text, strlen(text));
    else
        buf_text(out, text);
}

void options_document_text(const struct option *option, const char *text, struct buf *out)
{
    if (option)
        append_value(out, option, text);
    else
        append_quoted(out, text, strlen(text));
}

static const char *default_of(const struct option *option)
{
    if (!option->otherwise && option->type == OPTION_TYPE_BOOL)
        return "false";
    if (!option->otherwise && option->type == OPTION_TYPE_WORD)
        return option->words[0];
    return option->otherwise;
}

void options_document_value(const struct option *option, struct buf *out)
{
    const char *text = default_of(option);
    if (text)
        append_value(out, option, text);
    else
        buf_text(out, placeholders[option->type]);
}

static void append_scalar(struct buf *out, struct place place, const struct option *option)
{
    begin(out, place, default_of(option) || place.commented ? "" : "# ");
    buf_printf(out, "%s: ", option->name);
    options_document_value(option, out);
    buf_char(out, '\n');
}

static void append_rows(struct buf *out, struct place place, const struct option *options);

/* True when the block cannot stand there with defaults alone. */
static bool needs_words(const struct option *option)
{
    if (option->type != OPTION_TYPE_SECTION)
        return true; /* there is no item until somebody names one */
    bool needs = false;
    for (const struct option *row = option->section; row->type != OPTION_END; row++)
        needs = needs || row->required;
    return needs && !option->required;
}

static void append_block(struct buf *out, struct place place, const struct option *option)
{
    place.commented = place.commented || needs_words(option);
    begin(out, place, "");
    buf_printf(out, "%s:\n", option->name);
    place.depth++;
    if (option->type == OPTION_TYPE_NAMED)
        begin(out, place, "<name>:\n");
    if (option->type == OPTION_TYPE_ITEMS)
        begin(out, place, "-\n");
    place.depth += option->type != OPTION_TYPE_SECTION;
    append_rows(out, place, option->section);
}

static void append_rows(struct buf *out, struct place place, const struct option *options)
{
    for (const struct option *option = options; option->type != OPTION_END; option++) {
        if (option != options)
            buf_text(out, place.commented ? "#\n" : "\n");
        append_help(out, place, option);
        if (option->section)
            append_block(out, place, option);
        else
            append_scalar(out, place, option);
    }
}

void options_document(const struct option *options, struct buf *out)
{
    append_rows(out, (struct place){ 0 }, options);
}
